"""The `hours` command in a process of its own, forked from one that has loaded the program already.

A process takes half a second to load it, and the tests run a thousand and more. All else is as from
a shell: an environment, a folder, input and output of its own. Where it matters how a process
begins, or that it can be killed, tests start one.
"""

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hours.cli import COMMANDS, main

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(
    [__name__, *sorted({f"hours.{where.partition(':')[0]}" for where in COMMANDS.values()})]
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
        files = [Path(place) / name for name in ("in", "out", "err")]
        files[0].write_bytes(input)
        process = _FORKING.Process(
            target=_run, args=(list(arguments), dict(environment), folder or Path.cwd(), files)
        )
        process.start()
        process.join(patience)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["hours", *arguments], patience)
        code, (_, out, err) = process.exitcode, files
        process.close()
        return subprocess.CompletedProcess(
            ["hours", *arguments], code, out.read_bytes().decode(), err.read_bytes().decode()
        )


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
