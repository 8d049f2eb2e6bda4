"""Where everything is measured: one Kafka, one PostgreSQL, programs that end with this process.

It measures nothing itself. Invariant: each ledger, log and program here has a name of its own, so
that no measurement meets another's rows.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from sqlalchemy import Engine, create_engine, make_url, text

from hours.services import run_services
from hours.services.guard import Command, Guarded
from hours.settings import Settings

ROOT = Path(__file__).parents[1]
SHARDS = 4


@dataclass(frozen=True)
class Arena:
    """`hours` runs the product's commands, `peers` the peers' programs: two interpreters."""

    home: Path
    kafka: str
    postgres: str | None
    hours: str
    peers: str
    console: Console

    def say(self, line: str) -> None:
        self.console.print(line, highlight=False)

    def fresh(self, name: str) -> str:
        """A name nothing here has yet."""
        return f"{name}-{time.time_ns() // 1_000_000 % 10**10}"

    def database(self, name: str, kind: str = "postgresql") -> str:
        """The URL of a fresh, empty database."""
        if kind == "sqlite":
            path = self.home / f"{name}.db"
            for left in self.home.glob(f"{path.name}*"):
                left.unlink()
            return f"sqlite:///{path}"
        assert self.postgres is not None
        engine = create_engine(self.postgres, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        engine.dispose()
        return make_url(self.postgres).set(database=name).render_as_string(hide_password=False)

    def settings(self, prefix: str, url: str) -> Settings:
        """The product's settings for a log of that topic prefix and a ledger at that URL."""
        return Settings(
            home=self.home, kafka=self.kafka, ledger_url=url, topic_prefix=prefix, shards=SHARDS
        )

    def start(self, python: str, arguments: Sequence[str], log: str, **variables: str) -> Guarded:
        """`python -m …`, told what it needs by variables, which no process list shows."""
        command = Command([python, "-m", *arguments], str(self.home))
        kept = {name: it for name, it in os.environ.items() if not name.startswith("HOURS_")}
        told = {**kept, "PYTHONPATH": str(ROOT), **variables}
        return Guarded(command, told, self.home / f"{log}.log")


@contextmanager
def open_arena(
    home: Path, hours: str, peers: str, console: Console, *, postgres: bool = True
) -> Iterator[Arena]:
    """Services under `home` for as long as the block lasts. ServiceUnavailable."""
    home.mkdir(parents=True, exist_ok=True)
    with run_services(home / "services", postgres=postgres, say=console.print) as running:
        yield Arena(home, running.kafka, running.ledger_url, hours, peers, console)


def cpu_seconds(pid: int) -> float:
    """User and system time a process has taken, all its threads together; 0 once it is gone."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def resident_bytes(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def database_cpu_seconds(engine: Engine) -> float:
    """What the whole PostgreSQL server has taken so far; 0 for SQLite, which is in its client."""
    if engine.dialect.name != "postgresql":
        return 0.0
    with engine.connect() as connection:
        backend = connection.scalar(text("SELECT pg_backend_pid()"))
    server = psutil.Process(backend).parent()
    assert server is not None
    ended = server.cpu_times()
    running = sum(cpu_seconds(child.pid) for child in server.children())
    return float(cpu_seconds(server.pid) + ended.children_user + ended.children_system + running)
