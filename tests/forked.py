"""The `hours` command in a process of its own, forked from one that has loaded the program already.

A process takes half a second to load it, and the tests run a thousand and more. All else is as from
a shell: an environment, a folder, input and output of its own; it is told and killed like any.
Where it matters how a process begins, or what it holds in memory, tests start one.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hours.cli import COMMANDS, main

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(
    [
        __name__,
        "streams.worker",
        "dashboards.board.app",
        "dashboards.board.running",
        *sorted({f"hours.{where.partition(':')[0]}" for where in COMMANDS.values()}),
    ]
)


def run_hours(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    input: bytes = b"",
    patience: float = 90.0,
    folder: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end. TimeoutExpired where it goes on for longer; then it is killed."""
    with TemporaryDirectory() as place:
        given, out, err = (Path(place) / name for name in ("in", "out", "err"))
        given.write_bytes(input)
        process = start_hours(arguments, environment, given, out, err, folder)
        try:
            code = process.wait(patience)
        finally:
            process.kill()
        return subprocess.CompletedProcess(
            ["hours", *arguments], code, out.read_bytes().decode(), err.read_bytes().decode()
        )


def start_hours(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    given: Path,
    out: Path,
    err: Path,
    folder: Path | None = None,
) -> "Forked":
    """Let the command run, with these files for its input and output, which are added to."""
    where = folder or Path.cwd()
    for file in (out, err):  # whoever looks for what it says finds it at once
        file.touch(0o600)
    process = _FORKING.Process(
        target=_run, args=(list(arguments), dict(environment), where, (given, out, err))
    )
    process.start()
    return Forked(process)


class Forked:
    """A process that runs, asked and told as `subprocess.Popen` is."""

    def __init__(self, process: Any) -> None:
        self._process = process
        self.pid: int = process.pid

    @property
    def returncode(self) -> int | None:
        """How it ended; negative: by which signal."""
        code: int | None = self._process.exitcode
        return code

    def poll(self) -> int | None:
        """The same."""
        return self.returncode

    def wait(self, patience: float | None = None) -> int:
        """How it ends. TimeoutExpired where it goes on for longer."""
        self._process.join(patience)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", patience or 0.0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """As a power cut would, if it still runs."""
        self.send_signal(signal.SIGKILL)


def _run(
    arguments: list[str], environment: dict[str, str], folder: Path, files: Sequence[Path]
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    for number, file in enumerate(files):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND
        os.dup2(os.open(file, flags, 0o600), number)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115
        for number in range(3)
    )
    sys.argv = ["hours", *arguments]
    main()
