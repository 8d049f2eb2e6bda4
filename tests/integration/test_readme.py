"""README.md, run: its blocks in order, as a reader would in a folder of their own.

`make …` blocks are only held against the Makefile, because one of them runs this test. A block
tagged `services`, `worker`, `kiosk` or `board` runs on beside those after it; `kcat` wants that
program.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.running import PATIENCE_SECONDS, Hours, environment, eventually

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
LONG = ("sh services", "sh worker", "sh kiosk", "sh board")


class Block(NamedTuple):
    """A fenced block of the README: what stands behind the fence, and the lines in it."""

    tag: str
    text: str

    @property
    def command(self) -> list[str]:
        if self.tag == "python":
            return [sys.executable, "-c", self.text]
        # The reader's 8080 and 8000 may be taken on the machine that tests.
        is_served = self.tag in ("sh kiosk", "sh board")
        text = f"{self.text.strip()} --port 0" if is_served else self.text
        return ["bash", "-euo", "pipefail", "-c", text]


BLOCKS = [Block(*found) for found in re.findall(r"^```(.+)\n((?s:.+?))^```$", README, re.M)]


def test_every_make_target_named_in_the_readme_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"\bmake ([a-z]+)", " ".join(code_of(README))))
    assert named >= {"install", "demo", "test", "check"}
    assert named <= targets


def test_the_readme_runs_and_its_three_producers_settle_alike(tmp_path: Path) -> None:
    with_kcat = shutil.which("kcat") is not None
    shell = Shell(tmp_path)
    try:
        for block in BLOCKS:
            if not block.text.startswith("make ") and (with_kcat or block.tag != "sh kcat"):
                shell.follow(block)
        hours = Hours(shell.environment)
        eventually(lambda: nothing_waits(hours), "the end of the log")
        assert_alike(hours, with_kcat)
        assert "Equal" in hours.ok("audit")
    finally:
        ends = shell.end()
    assert ends == [0] * len(LONG)
    if not with_kcat:
        pytest.skip("kcat is not on the PATH; everything but its block ran")


class Shell:
    """A reader's terminals: one folder, one environment, some processes that run on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = environment(folder / ".hours")
        self.environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._running: list[subprocess.Popen[str]] = []

    def follow(self, block: Block) -> None:
        if block.tag in LONG:
            self._start(block)
            return
        done = subprocess.run(
            block.command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{block.text}\n{done.stdout}\n{done.stderr}"

    def end(self) -> list[int]:
        """Stop what runs on, the last first; each exit code."""
        codes = []
        for process in reversed(self._running):
            process.terminate()
            try:
                codes.append(process.wait(30))
            finally:
                process.kill()
        return codes

    def _start(self, block: Block) -> None:
        log = self.folder / f"{block.tag}.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                block.command,
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=output,
                text=True,
            )
        self._running.append(process)
        eventually(lambda: "Ready" in log.read_text() or process.poll() is not None, block.text)
        assert process.poll() is None, log.read_text()
        self.environment.update(re.findall(r"^(HOURS_\w+)=(.+)$", log.read_text(), re.M))


def code_of(page: str) -> list[str]:
    """Blocks and `inline code`."""
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```(?s:.+?)^```$", "", page, flags=re.M))
    return [block.text for block in BLOCKS] + inline


def nothing_waits(hours: Hours) -> bool:
    return all(row["next_offset"] == row["log_end"] for row in hours.rows("status"))


def assert_alike(hours: Hours, with_kcat: bool) -> None:
    """One credit each, of the same members; the shell may look at the clock a second later."""
    worth = {"合唱队": 5_400, "读书会": 7_200} | ({"义诊队": 4_800} if with_kcat else {})
    credits = {team: hours.rows("entries", "--team", team) for team in worth}
    for team, entries in credits.items():
        assert [entry["type"] for entry in entries] == ["credit"], team
        assert entries[0]["seconds"] - worth[team] in (0, 1), team
    assert len({frozenset(entries[0]) for entries in credits.values()}) == 1
