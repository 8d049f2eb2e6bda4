"""docs/operating.md, rehearsed without containers: a server set up by the script that compose
mounts, logins whose passwords stand in files, a backup under load, a ledger lost, an upgrade.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from hours.services import EmbeddedPostgres
from hours.services.postgres import _binaries
from ledger.migrating import config_on
from ledger.tables import metadata
from tests.compose import BASE, ROOT, effective
from tests.running import Hours, environment, eventually, lines, publishing
from tests.taps import Load

SERVICES = effective(BASE)["services"]


@dataclass
class Server:
    """A PostgreSQL server as compose's first start leaves it, and the secrets it was given."""

    postgres: EmbeddedPostgres
    secrets: Path

    @property
    def superuser(self) -> dict[str, str]:
        """How libpq's programs reach it."""
        url = make_url(self.postgres.address)
        return {
            "PGHOST": str(url.host),
            "PGPORT": str(url.port),
            "PGUSER": str(url.username),
            "PGPASSWORD": str(url.password),
        }

    def run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(_binaries() / program), *arguments],
            env={**os.environ, **self.superuser, "HOURS_SECRETS": str(self.secrets)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def set_up(self) -> "Server":
        self.run("psql", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c", "CREATE DATABASE hours")
        script = str(ROOT / "deploy/postgres/roles.sql")
        self.run("psql", "-v", "ON_ERROR_STOP=1", "-X", "-d", "hours", "-f", script)
        return self

    def settings_of(self, service: str) -> dict[str, str]:
        """The service's ledger settings in the compose file, for this server."""
        given = SERVICES[service]["environment"]
        url, secret = given["HOURS_LEDGER_URL"], Path(given["HOURS_LEDGER_PASSWORD_FILE"])
        return {
            "HOURS_LEDGER_URL": url.replace("@postgres/", f"@127.0.0.1:{self.postgres.port}/"),
            "HOURS_LEDGER_PASSWORD_FILE": str(self.secrets / secret.name),
        }

    def engine(self) -> Engine:
        return create_engine(make_url(self.postgres.address).set(database="hours"))


@dataclass
class Installation:
    """The product, each command under the login of its service."""

    environment: dict[str, str]
    server: Server

    def __post_init__(self) -> None:
        self.owner, self.worker, self.reader = (
            Hours({**self.environment, **self.server.settings_of(service)})
            for service in ("init", "worker", "hours")
        )

    def settled(self) -> int:
        return sum(next_offset for _, next_offset, *_ in evidence(self.server))

    def wait_until_settled(self, records: int) -> None:
        eventually(lambda: self.settled() >= records, f"{records} settled records")

    def stop(self) -> None:
        self.worker.kill_workers()


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("operator")
    shutil.copy(ROOT / "Makefile", folder)
    subprocess.run(["make", "secrets"], cwd=folder, check=True, capture_output=True)
    return folder / "secrets"


def new_server(folder: Path, secrets: Path) -> Iterator[Server]:
    postgres = EmbeddedPostgres(folder)
    postgres.start()
    yield Server(postgres, secrets).set_up()
    postgres.stop()


@pytest.fixture
def server(tmp_path: Path, secrets: Path) -> Iterator[Server]:
    yield from new_server(tmp_path / "postgres", secrets)


@pytest.fixture
def another_server(tmp_path: Path, secrets: Path) -> Iterator[Server]:
    yield from new_server(tmp_path / "another", secrets)


@pytest.fixture
def settings(kafka: str, fresh_name: str, tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path, kafka=kafka, topic_prefix=fresh_name, session_seconds="1.5")


@pytest.fixture
def installed(settings: dict[str, str], server: Server) -> Iterator[Installation]:
    """Kafka and PostgreSQL run, and `init` has ended."""
    installation = Installation(settings, server)
    installation.owner.ok("init")
    yield installation
    installation.stop()


def publish(installation: Installation, load: Load, sessions: int = 150) -> int:
    events = [event for _ in range(sessions) for event in load.session()]
    installation.reader.ok("publish", input=lines(events))
    return len(events)


def evidence(server: Server) -> list[Any]:
    """Where each shard stands, and the hash over all its entries."""
    engine = server.engine()
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT shard, next_offset, next_seq, frontier FROM shards ORDER BY shard")
        )
        rows = [tuple(row) for row in found]
    engine.dispose()
    return rows


def assert_exact(installation: Installation, load: Load) -> None:
    assert installation.reader.totals() == dict(load.totals)
    assert "Equal" in installation.reader.ok("audit")


def test_a_new_server_has_the_logins_and_no_one_else_gets_in(
    installed: Installation, server: Server
) -> None:
    asked = "SELECT tableowner FROM pg_tables WHERE tablename = 'entries'"
    assert server.run("psql", "-At", "-d", "hours", "-c", asked).strip() == "hours_owner"
    asked = "SELECT count(*) FROM pg_database WHERE datacl::text LIKE '%{=%' AND datname = 'hours'"
    assert server.run("psql", "-At", "-d", "hours", "-c", asked).strip() == "0"
    secret = (server.secrets / "ledger_owner").read_text()
    assert secret not in server.postgres.log.read_text()
    url = make_url(server.postgres.address).set(
        database="hours",
        username="hours_reader_login",
        password=(server.secrets / "ledger_reader").read_text(),
    )
    engine = create_engine(url)
    with pytest.raises(DBAPIError, match="read-only"), engine.begin() as connection:
        connection.execute(text("CREATE TABLE mine (n int)"))
    engine.dispose()


def test_a_backup_taken_under_load_is_restored_and_the_log_does_the_rest(
    installed: Installation, server: Server, another_server: Server, tmp_path: Path
) -> None:
    load = Load(seed=71)
    backup = tmp_path / "hours.dump"
    installed.worker.start_worker()
    with publishing(installed.reader, load) as published:
        installed.wait_until_settled(300)
        server.run("pg_dump", "-Fc", "-d", "hours", "-f", str(backup))
    sent = published.sent + publish(installed, load)
    installed.wait_until_settled(sent)
    installed.stop()

    another_server.run("pg_restore", "--exit-on-error", "-d", "hours", str(backup))
    restored = Installation(installed.environment, another_server)
    assert 0 < restored.settled() < sent
    restored.owner.ok("init")
    restored.worker.start_worker()
    try:
        restored.wait_until_settled(sent)
        assert_exact(restored, load)
    finally:
        restored.stop()
    assert evidence(another_server) == evidence(server)


def test_a_ledger_that_is_lost_is_settled_again_to_the_same_bytes(
    installed: Installation, server: Server
) -> None:
    load = Load(seed=72)
    sent = publish(installed, load)
    installed.worker.start_worker()
    installed.wait_until_settled(sent)
    installed.stop()
    before = evidence(server)

    server.run("psql", "-d", "postgres", "-c", "DROP DATABASE hours WITH (FORCE)")
    server.run("psql", "-d", "postgres", "-c", "CREATE DATABASE hours OWNER hours_owner")
    installed.owner.ok("init")
    installed.worker.start_worker()
    installed.wait_until_settled(sent)
    assert evidence(server) == before
    assert_exact(installed, load)


def test_a_ledger_of_the_first_version_is_upgraded_and_goes_on(
    installed: Installation, server: Server, another_server: Server
) -> None:
    """What the first version wrote is what this one writes, in the tables that there were."""
    load = Load(seed=73)
    sent = publish(installed, load)
    installed.worker.start_worker()
    installed.wait_until_settled(sent)
    installed.stop()
    begin_at_the_first_version(another_server)
    copy_what_fits(server, another_server)

    old = Installation(installed.environment, another_server)
    sent += publish(installed, load)
    old.owner.ok("init")
    old.worker.start_worker()
    try:
        old.wait_until_settled(sent)
        assert_exact(old, load)
    finally:
        old.stop()


def begin_at_the_first_version(server: Server) -> None:
    engine = server.engine()
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL ROLE hours_owner"))
        command.upgrade(config_on(connection), "0001")
    engine.dispose()


def copy_what_fits(source: Server, target: Server) -> None:
    """Rows of every table that the target has, in the columns that it has."""
    old, new = target.engine(), source.engine()
    with new.connect() as reading, old.begin() as writing:
        there = inspect(writing)
        for table in set(metadata.tables) & set(there.get_table_names()):
            names = [column["name"] for column in there.get_columns(table)]
            found = reading.execute(text(f"SELECT {', '.join(names)} FROM {table}"))
            rows = [dict(row) for row in found.mappings()]
            values = ", ".join(f":{name}" for name in names)
            if rows:
                writing.execute(text(f"INSERT INTO {table} VALUES ({values})"), rows)
    old.dispose()
    new.dispose()
