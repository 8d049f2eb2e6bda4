"""A service of one's own, of any kind: its folder, its port, and its life under a guard.

Invariant: one service a folder at a time. The guard holds the folder's lock until the service is
over, so whoever comes next waits for the last of it and never meets it.
"""

import fcntl
import os
import random
import signal
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hours.services.guard import Command, Guarded
from hours.services.unavailable import ServiceUnavailable

_READY_SECONDS = 60
_FOLDER_SECONDS = 20
_TRIES = 3
_TAKEN = "Address already in use"
# Below the ports systems lend to outgoing connections: a client that keeps trying to reach a
# stopped service there could be lent the very port it tries, and so take it away.
_PORTS = range(20000, 32768)
_given: set[int] = set()
_OTHERS_OPTIONS = ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH")


class Embedded(ABC):
    """One service on loopback, with its data and log under `data`."""

    name: str
    stop_signal = signal.SIGTERM

    def __init__(self, data: Path) -> None:
        self.data = data.absolute()
        self.log = self.data / f"{self.name.lower()}.log"
        self.port = 0
        self.address = ""
        self._service: Guarded | None = None

    @property
    def pid(self) -> int:
        """The service's own process (not its guard's); 0 where it doesn't run."""
        return self._service.pid if self._service else 0

    def start(self) -> None:
        """Start, or start again on the same port and data; returns when it is ready.

        ServiceUnavailable, with the last line of its log.
        """
        self._try_to_start(_TRIES)

    def _try_to_start(self, tries: int) -> None:
        assert self._service is None, "it runs already"
        told = self.port
        logged = self.log.stat().st_size if self.log.exists() else 0
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            with _alone_in(self.data, self.name) as held:
                self.port = self.port or _port(self.data)
                self.address = self._prepare()
                self._service = self._run(self._command(), held)
            self._wait_until_ready()
        except OSError as error:
            self.stop()
            raise self._failed(str(error)) from error
        except _NotReady:
            self.stop()
            said = _lines(self.log, logged)
            if tries > 1 and any(_TAKEN in line for line in said):
                # Somebody was quicker to a port that was free: another, unless it was told already.
                self.port = told
                self._try_to_start(tries - 1)
                return
            raise self._failed(said[-1] if said else "") from None
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop in order; harmless where it doesn't run."""
        service, self._service = self._service, None
        if service is not None:
            service.stop()

    def kill(self) -> None:
        """SIGKILL, as a crash would; returns when it is over."""
        if self.pid:  # to kill 0 would be to kill ourselves
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self.stop()

    @abstractmethod
    def _prepare(self) -> str:
        """Lay out what the first start needs, once; the address clients will use."""

    @abstractmethod
    def _command(self) -> Command: ...

    @abstractmethod
    def _answers(self) -> bool: ...

    def _run(self, command: Command, held: int | None = None) -> Guarded:
        ours = {name: it for name, it in os.environ.items() if name not in _OTHERS_OPTIONS}
        return Guarded(command, ours, self.log, held)

    def _run_to_its_end(self, command: Command) -> None:
        if self._run(command).wait() != 0:
            raise _NotReady

    def _wait_until_ready(self) -> None:
        assert self._service is not None
        deadline = time.monotonic() + _READY_SECONDS
        while not self._answers():
            if self._service.ended() or time.monotonic() > deadline:
                raise _NotReady
            time.sleep(0.02)
        if self._service.ended():  # then someone else answered
            raise _NotReady

    def _failed(self, why: str) -> ServiceUnavailable:
        return ServiceUnavailable(
            f"{self.name} 没有启动，详见 {self.log}。 {self.name} did not start: {why[:200]}"
        )


def free_port() -> int:
    """A port nobody listens on at loopback, and no outgoing connection will be lent.

    Each is given once: a service that asks for several needs as many.
    """
    for port in random.sample(_PORTS, 100):
        if port not in _given and _is_free(port):
            _given.add(port)
            return port
    raise OSError("no free port")


class _NotReady(Exception):
    """It ended, or didn't answer in time; its log says why."""


def _port(data: Path) -> int:
    """The port of last time where that is still free, so that addresses keep their meaning."""
    remembered = data / "port"
    with suppress(OSError, ValueError):
        port = int(remembered.read_text())
        if port in _PORTS and _is_free(port):
            _given.add(port)
            return port
    port = free_port()
    remembered.write_text(f"{port}\n")
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@contextmanager
def _alone_in(data: Path, name: str) -> Iterator[int]:
    """The descriptor of the folder's lock: whoever keeps it open keeps the folder."""
    deadline = time.monotonic() + _FOLDER_SECONDS
    with (data / "lock").open("a+") as lock:
        while not _locked(lock.fileno()):
            if _owner_lives(data / "lock") or time.monotonic() > deadline:
                raise ServiceUnavailable(
                    f"{data} 正被另一个进程使用：请先停止它。 "
                    f"Another process runs {name} in {data}: stop it first."
                )
            time.sleep(0.05)
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield lock.fileno()


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _owner_lives(lock: Path) -> bool:
    try:
        os.kill(int(lock.read_text()), 0)
    except PermissionError:
        return True
    except (ProcessLookupError, ValueError):  # gone, or only just come
        return False
    return True


def _lines(log: Path, start: int) -> list[str]:
    """What was said since `start`, passing over where in Java it was said."""
    with log.open("rb") as lines:
        lines.seek(start)
        said = [line.strip() for line in lines.read().decode(errors="replace").splitlines()]
    return [it for it in said if it and not it.startswith(("at ", "..."))]
