"""The world to be broken: a broker, a database and workers of its own, links between them.

Not the faults: they are done to it. Invariant: when its `with` is over, nothing of it runs.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from hours.services import EmbeddedKafka, EmbeddedPostgres, ServiceUnavailable, fetch_kafka
from hours.services.embedded import Embedded, free_port
from tests.chaos.disks import Disk, small_disk
from tests.chaos.links import Link
from tests.chaos.oracle import PARTITIONS
from tests.chaos.plan import Database
from tests.chaos.workers import Crew
from tests.running import Hours, environment

SESSION_SECONDS = 1.5
_DISK_MEGABYTES = 640
_PREFIX = "chaos"
_STARTS = 5

# So that the write-ahead log stays far smaller than the disk.
_FOR_A_SMALL_DISK = ("max_wal_size = '96MB'", "min_wal_size = '32MB'")


class LinkedKafka(EmbeddedKafka):
    """A broker that sends its clients through a link."""

    def __init__(self, data: Path, jars: Path, link: Link) -> None:
        super().__init__(data, jars)
        self._link = link

    def _write(self, settings: dict[str, str]) -> Path:
        advertised = f"PLAINTEXT://127.0.0.1:{self._link.port}"
        return super()._write({**settings, "advertised.listeners": advertised})


@dataclass
class World:
    """Everything there is; `database` is None where the ledger is a SQLite file."""

    hours: Hours
    crew: Crew
    broker: EmbeddedKafka
    broker_link: Link
    database: EmbeddedPostgres | None
    database_link: Link
    disk: Disk | None
    direct_url: str
    """The ledger's URL past the link."""

    @property
    def bootstrap(self) -> str:
        return self.hours.environment["HOURS_KAFKA"]

    @property
    def logs(self) -> Path:
        return Path(self.hours.environment["HOURS_HOME"])

    def heal(self) -> None:
        """Mend what is broken and bring back who is away."""
        if self.disk:
            self.disk.free()
        for service in (self.broker, self.database):
            if service and not listens(service):
                revive(service)
        for link in (self.broker_link, self.database_link):
            link.mend()
        self.crew.tend()

    def lag(self) -> int:
        """Records of the log that aren't settled; -1 where one of the two doesn't say."""
        with suppress(Exception):
            return sum(self.log_ends().values()) - self._settled()
        return -1

    def caught_up(self, patience: float) -> bool:
        """Whether all that is in the log was settled within so many seconds."""
        deadline = time.monotonic() + patience
        while (lag := self.lag()) != 0 and time.monotonic() < deadline:
            self.heal()
            time.sleep(0.2)
        return lag == 0

    def log_ends(self) -> dict[int, int]:
        """The end of each partition."""
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, bootstrap_timeout_ms=5_000)
        try:
            partitions = [TopicPartition(self.hours.taps_topic, it) for it in range(PARTITIONS)]
            return {tp.partition: end for tp, end in consumer.end_offsets(partitions).items()}
        finally:
            consumer.close()

    def _settled(self) -> int:
        engine = create_engine(self.direct_url)
        try:
            with engine.connect() as connection:
                return int(connection.execute(text("SELECT SUM(next_offset) FROM shards")).scalar())
        finally:
            engine.dispose()


@contextmanager
def world(home: Path, database: Database, workers: int, **settings: str) -> Iterator[World]:
    """A world in `home`, its ledger begun and its workers started."""
    with (
        Link(free_port()) as broker_link,
        Link(free_port()) as database_link,
        small_disk(home / "disk", _DISK_MEGABYTES) as disk,
    ):
        broker = LinkedKafka(home / "kafka", fetch_kafka(print), broker_link)
        server = EmbeddedPostgres(home / "disk" / "postgres") if database == "postgresql" else None
        (home / "logs").mkdir(exist_ok=True)
        try:
            _start(broker, broker_link)
            url = f"sqlite:///{home / 'disk' / 'ledger.db'}"
            if server:
                _start(server, database_link)
                url = server.address
                _keep_wal_small(server)
            linked = make_url(url).set(port=database_link.port if server else None)
            hours = Hours(
                environment(
                    home / "logs",
                    kafka=f"127.0.0.1:{broker_link.port}",
                    ledger_url=linked.render_as_string(hide_password=False),
                    topic_prefix=_PREFIX,
                    session_seconds=str(SESSION_SECONDS),
                    **settings,
                )
            )
            crew = Crew(hours.environment, home / "logs", workers)
            try:
                hours.ok("init")
                crew.start_all()
                yield World(hours, crew, broker, broker_link, server, database_link, disk, url)
            finally:
                crew.end()
                hours.end()
        finally:
            broker.stop()
            if server:
                server.stop()


def revive(service: Embedded) -> None:
    """Start it again, whatever was left of it."""
    for _ in range(_STARTS):
        service.stop()
        with suppress(ServiceUnavailable):
            service.start()
            return
    service.start()


def listens(service: Embedded) -> bool:
    """Whether it is there, though it may still be recovering."""
    try:
        socket.create_connection(("127.0.0.1", service.port), 1).close()
    except OSError:
        return False
    return True


def _start(service: Embedded, link: Link) -> None:
    service.start()
    link.target = service.port


def _keep_wal_small(server: EmbeddedPostgres) -> None:
    engine = create_engine(server.address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection, suppress(DBAPIError):
        for setting in _FOR_A_SMALL_DISK:
            connection.execute(text(f"ALTER SYSTEM SET {setting}"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()
