"""The product's own commands as the demo runs them: to their end, beside it, or as a server.

As somebody in an office would type them; nothing here is a second way of doing anything. Invariant:
what was started ends with the demo.
"""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hours.services.embedded import free_port
from hours.services.guard import Command, Guarded
from hours.services.unavailable import ServiceUnavailable

_COMMAND_SECONDS = 300
_READY_SECONDS = 60


def run_hours(environment: Mapping[str, str], *arguments: str) -> str:
    """What a command prints. ServiceUnavailable where it fails."""
    done = subprocess.run(  # noqa: S603 - our own commands
        _command(*arguments),
        env=environment,
        capture_output=True,
        check=False,
        timeout=_COMMAND_SECONDS,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise ServiceUnavailable(f"hours {arguments[0]}: {said[-500:]}")
    return done.stdout.decode()


def show_hours(environment: Mapping[str, str], *arguments: str) -> None:
    """Let a command print for itself."""
    subprocess.run(_command(*arguments), env=environment, check=False, timeout=_COMMAND_SECONDS)  # noqa: S603


@contextmanager
def beside(environment: Mapping[str, str], log: Path, *arguments: str) -> Iterator[Guarded]:
    """A command that goes on meanwhile; what it says is in `log`."""
    running = Guarded(Command(_command(*arguments), str(Path.cwd())), dict(environment), log)
    try:
        yield running
    finally:
        running.stop()


@contextmanager
def serving(
    environment: Mapping[str, str], home: Path, command: str, setting: str, path: str
) -> Iterator[str]:
    """A server, once it answers at `path`: its address, which it was told by `setting`.

    ServiceUnavailable where it doesn't.
    """
    port, log = free_port(), home / f"{command}.log"
    address = f"http://127.0.0.1:{port}"
    told = {**environment, setting: address}
    with beside(told, log, command, "--port", str(port)) as server:
        if not _answers(address + path, server):
            raise ServiceUnavailable(
                f"hours {command} 没有启动，详见 {log}。 "
                f"hours {command} did not start; its log says why."
            )
        yield address


def _answers(url: str, server: Guarded) -> bool:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and not server.ended():
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - ours
                return True
        except OSError:
            time.sleep(0.1)
    return False


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "hours", *arguments]
