"""Services held by this process: started under a guard, stopped, killed, started again."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hours.services.jars import Say, fetch_kafka
from hours.services.unavailable import ServiceUnavailable


@dataclass(frozen=True)
class Services:
    """Where they are: bootstrap servers, and a SQLAlchemy URL (None without PostgreSQL)."""

    kafka: str
    ledger_url: str | None


@contextmanager
def run_services(home: Path, *, postgres: bool = False, say: Say = print) -> Iterator[Services]:
    """Kafka, and PostgreSQL where wanted, with their data under `home`. ServiceUnavailable."""
    jars = fetch_kafka(say)
    with ExitStack() as stack:
        kafka = EmbeddedKafka(home / "kafka", jars)
        database = EmbeddedPostgres(home / "postgres") if postgres else None
        for service in (kafka, database):
            if service is not None:
                stack.callback(service.stop)
                service.start()
        yield Services(kafka.address, database.address if database else None)


class _Embedded:
    """One service under its guard."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.address = ""
        self.pid = 0
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, or start again on the same data; returns when it accepts connections."""
        self.data.mkdir(parents=True, exist_ok=True)
        self._guard = subprocess.Popen(
            [sys.executable, "-m", "hours.services.guard", *self._arguments()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._guard.stdout is not None
        said = json.loads(self._guard.stdout.readline() or '{"error": ""}')
        if "error" in said:
            self.stop()
            raise ServiceUnavailable(
                said["error"] or f"{self.data.name} 没有启动。 {self.data.name} did not start."
            )
        self.address, self.pid = said["address"], said["pid"]

    def stop(self) -> None:
        """Stop in order; harmless where it doesn't run."""
        if self._guard is None:
            return
        guard, self._guard = self._guard, None
        assert guard.stdin is not None
        assert guard.stdout is not None
        guard.stdin.close()
        guard.wait()
        guard.stdout.close()

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        os.kill(self.pid, signal.SIGKILL)
        self.stop()

    def _arguments(self) -> list[str]:
        raise NotImplementedError


class EmbeddedKafka(_Embedded):
    """A broker; `address` is its bootstrap server, the same after a restart."""

    def __init__(self, data: Path, jars: Path) -> None:
        super().__init__(data)
        self._jars = jars

    def _arguments(self) -> list[str]:
        port = self.address.rpartition(":")[2]
        return ["kafka", str(self.data), str(self._jars), *([port] if port else [])]


class EmbeddedPostgres(_Embedded):
    """A database server; `address` is the SQLAlchemy URL of its database `postgres`."""

    def _arguments(self) -> list[str]:
        return ["postgres", str(self.data)]
