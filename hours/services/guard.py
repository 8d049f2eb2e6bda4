"""Both ends of the pipe that keeps a service from outliving its owner.

The owner holds a `Guarded`: the writing end of a pipe it never writes to. The guard, this file run
as a program, starts the service and reads the other end. The system closes the pipe however the
owner ends, SIGKILL included; then the guard stops the service, by its stop signal and after
`STOP_SECONDS` by SIGKILL. Should the guard itself be killed, Linux kills the service.
As a program it is on its own: the standard library only, nothing from the owner's environment.
"""

import ctypes
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

STOP_SECONDS = 15


@dataclass(frozen=True)
class Command:
    """What to run, in which folder, stopped by which signal, as whom (None: as ourselves)."""

    arguments: Sequence[str]
    folder: str
    stop_signal: int = signal.SIGTERM
    user: int | None = None
    group: int | None = None


class Guarded:
    """A running service, or a step of preparing one, that ends when this process does."""

    def __init__(
        self, command: Command, environment: dict[str, str], log: Path, held: int | None = None
    ) -> None:
        """Its output is appended to `log`. `held` is a descriptor the guard keeps open as well."""
        with log.open("ab") as output:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", __file__, json.dumps(asdict(command))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=environment,
                pass_fds=[] if held is None else [held],
                start_new_session=True,  # so that Ctrl-C reaches the owner alone
            )
        assert self._guard.stdout is not None
        try:
            self.pid = int(self._guard.stdout.readline() or 0)
        except BaseException:
            self.stop()
            raise

    def ended(self) -> bool:
        """Whether the service is over, and its guard with it."""
        return self._guard.poll() is not None

    def wait(self) -> int:
        """Wait for its own end; its exit code."""
        try:
            return self._guard.wait()
        finally:
            self.stop()

    def stop(self) -> int:
        """Stop it in order; its exit code. Harmless where it is over."""
        assert self._guard.stdin is not None
        assert self._guard.stdout is not None
        self._guard.stdin.close()
        code = self._guard.wait()
        self._guard.stdout.close()
        return code


def main(described: str) -> int:
    """The guard: its exit code is the service's."""
    command = Command(**json.loads(described))
    # Asked to end, it stops the service first.
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, _end)
    service = _start(command)
    try:
        signal.signal(signal.SIGCHLD, lambda *_: _end() if service.poll() is not None else None)
        if service.poll() is None:
            print(service.pid, flush=True)
            sys.stdin.buffer.read()
    except (SystemExit, BrokenPipeError):
        pass
    return _stop(service, command.stop_signal)


def _start(command: Command) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command.arguments,
        cwd=command.folder,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        user=command.user,
        group=command.group,
        extra_groups=None if command.user is None else [],
        preexec_fn=_die_with_guard if sys.platform == "linux" else None,  # noqa: PLW1509
    )


def _die_with_guard() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _stop(service: subprocess.Popen[bytes], stop_signal: int) -> int:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for asked_again in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(asked_again, signal.SIG_IGN)
    if service.poll() is None:
        service.send_signal(stop_signal)
        service.send_signal(signal.SIGCONT)  # a stopped process would not hear the other
    try:
        return service.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        service.kill()
        return service.wait()


def _end(*_: object) -> None:
    raise SystemExit


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) & 0xFF)  # killed by signal n is -n, which no exit code can say
