"""On PostgreSQL a worker appends and can't change, a reader reads, and only the owner migrates."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from alembic import command
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from hours.services import EmbeddedPostgres
from ledger import roles
from ledger.migrating import config_on
from ledger.policy import Policy
from ledger.store import open_store
from ledger.tables import metadata
from tests.roster_desk import Desk
from tests.running import Hours, eventually, lines
from tests.taps import Load

PASSWORD = "held-by-the-test-alone"  # noqa: S105 - a server on loopback that ends with the test
POLICY = Policy()

FORBIDDEN_TO_WORKERS = {
    "UPDATE": "UPDATE entries SET seconds = 0",
    "DELETE": "DELETE FROM entries",
    "TRUNCATE": "TRUNCATE entries",
    "DROP": "DROP TABLE entries",
    "ALTER": "ALTER TABLE entries ADD COLUMN note text",
    "disable the trigger": "ALTER TABLE entries DISABLE TRIGGER ALL",
    "drop the trigger": "DROP TRIGGER entries_refuse_change ON entries",
    "replace the trigger's function": (
        "CREATE OR REPLACE FUNCTION entries_append_only() RETURNS trigger LANGUAGE plpgsql "
        "AS $$ BEGIN RETURN NULL; END $$"
    ),
    "switch triggers off": "SET session_replication_role = replica",
    "begin a shard": "INSERT INTO shards SELECT 99, epoch, next_offset, next_seq, replay_from, "
    "watermark, accepted, duplicates, rejected, skipped, frontier FROM shards WHERE shard = 0",
    "remove a shard": "DELETE FROM shards",
    "remove a total": "DELETE FROM day_totals",
    "alter a rejection": "UPDATE rejections SET reason = 'none'",
    "remove a rejection": "DELETE FROM rejections",
    "alter a half": "UPDATE halves SET status = 'open'",
    "say that the schema is older": "UPDATE schema_version SET version_num = '0000'",
    "make a table": "CREATE TABLE mine (n int)",
    "make a role": "CREATE ROLE mine",
    "become the owner": "SET ROLE {owner}",
}


@dataclass
class Logins:
    """The operator's logins: all but the owner's are members of the groups."""

    owner: str
    worker: str
    reader: str
    registrar: str


@pytest.fixture
def ledger_url(postgres_url: str) -> str:
    return postgres_url


@pytest.fixture
def logins(
    postgres_server: EmbeddedPostgres, postgres_url: str, fresh_name: str
) -> Iterator[Logins]:
    """Logins for a fresh database, whose owner may not make roles; the groups are there."""
    url = make_url(postgres_url)
    kinds = ("owner", "worker", "reader", "registrar")
    names = {which: f"{fresh_name}_{which}" for which in kinds}
    server = create_engine(postgres_server.address, isolation_level="AUTOCOMMIT")
    with server.connect() as admin:
        make_groups(admin.exec_driver_sql)
        for which, name in names.items():
            group = f"hours_{which}" if which != "owner" else ""
            member = f"IN ROLE {group}" if group else ""
            admin.exec_driver_sql(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}' {member}")
        admin.exec_driver_sql(f"ALTER DATABASE {url.database} OWNER TO {names['owner']}")
    yield Logins(
        **{
            which: url.set(username=name, password=PASSWORD).render_as_string(hide_password=False)
            for which, name in names.items()
        }
    )
    with server.connect() as admin:
        admin.exec_driver_sql(f"DROP DATABASE {url.database} WITH (FORCE)")
        for name in names.values():
            admin.exec_driver_sql(f"DROP ROLE {name}")
    server.dispose()


def make_groups(execute: Callable[[str], object]) -> None:
    for role in roles.GROUPS:
        execute(
            f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; "
            "EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )


@pytest.fixture
def owned(hours: Hours, logins: Logins) -> Hours:
    """The product as its owner runs it, initialised."""
    as_user(hours, logins.owner).ok("init")
    return hours


def as_user(hours: Hours, url: str) -> Hours:
    """The same log and ledger, looked at by another login."""
    return Hours({**hours.environment, "HOURS_LEDGER_URL": url})


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of a refusal."""
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    (line,) = done.stderr.strip().splitlines()
    return line


def execute(url: str, statement: str) -> None:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
    finally:
        engine.dispose()


def scalar(url: str, query: str) -> object:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.execute(text(query)).scalar_one()
    finally:
        engine.dispose()


def test_every_table_has_its_privileges_named() -> None:
    assert roles.PRIVILEGES.keys() == metadata.tables.keys() | {"schema_version"}
    for table, granted in roles.PRIVILEGES.items():
        assert granted.keys() <= set(roles.GROUPS), table
        assert all(deed.startswith("SELECT") for deed in granted.get(roles.READER, ())), table
    assert set(roles.PRIVILEGES["entries"][roles.WORKER]) == {"SELECT", "INSERT"}


def test_a_worker_settles_with_a_workers_privileges_alone(owned: Hours, logins: Logins) -> None:
    load = Load(seed=11)
    events = [event for _ in range(200) for event in load.session()]
    halves = [event for event in events if event["type"] == "hours.checked-out.v1"]
    later = [event for event in events if event["type"] != "hours.checked-out.v1"]
    worker = as_user(owned, logins.worker)
    try:
        worker.start_worker()
        worker.ok("publish", input=lines(halves))  # halves come…
        worker.wait_until_settled(len(halves))
        worker.ok("publish", input=lines(later))  # …and go
        worker.wait_until_settled(len(events))
    finally:
        worker.end()
    reader = as_user(owned, logins.reader)
    totals = {(row["team"], row["day"]): row["seconds"] for row in reader.rows("totals")}
    assert totals == dict(load.totals)
    assert "Equal" in reader.ok("audit")


def test_a_worker_may_change_nothing_that_is_settled_nor_the_schema(
    owned: Hours, logins: Logins
) -> None:
    before = contents(logins.owner)
    owner = make_url(logins.owner).username
    for deed, statement in FORBIDDEN_TO_WORKERS.items():
        with pytest.raises(ProgrammingError) as refused:
            execute(logins.worker, statement.format(owner=owner))
        assert isinstance(refused.value.orig, InsufficientPrivilege), deed
    assert contents(logins.owner) == before
    given = granted(logins.owner)
    execute(logins.worker, "GRANT UPDATE ON entries TO PUBLIC")  # PostgreSQL only warns
    assert granted(logins.owner) == given


def test_the_trigger_refuses_even_the_owner(owned: Hours, logins: Logins) -> None:
    for statement in ("UPDATE", "DELETE", "TRUNCATE"):
        with pytest.raises(Exception, match="append-only"):
            execute(logins.owner, FORBIDDEN_TO_WORKERS[statement])


def test_a_reader_reads_everything_there_is_to_show_and_writes_nothing(
    owned: Hours, logins: Logins
) -> None:
    reader = as_user(owned, logins.reader)
    for shown in ("status", "totals", "entries", "exceptions", "rejections", "audit"):
        reader.ok(shown)
    for table, columns in ((name, one.c) for name, one in metadata.tables.items()):
        for statement in (
            f"INSERT INTO {table} SELECT * FROM {table}",
            f"UPDATE {table} SET {next(iter(columns)).name} = NULL",
            f"DELETE FROM {table}",
            f"TRUNCATE {table}",
            f"DROP TABLE {table}",
        ):
            with pytest.raises(ProgrammingError) as refused:
                execute(logins.reader, statement)
            assert isinstance(refused.value.orig, InsufficientPrivilege), statement


def test_what_people_are_called_at_kiosks_is_for_who_keeps_the_roster_and_who_publishes_it(
    owned: Hours, logins: Logins
) -> None:
    names, waiting = "SELECT called FROM roster_private", "SELECT value FROM roster_outbox"
    execute(logins.worker, waiting)
    execute(logins.reader, "SELECT count(*) FROM roster_outbox")
    for login, statement in (
        (logins.worker, names),
        (logins.reader, names),
        (logins.reader, waiting),
    ):
        with pytest.raises(ProgrammingError) as refused:
            execute(login, statement)
        assert isinstance(refused.value.orig, InsufficientPrivilege), statement


def test_a_worker_that_is_given_a_readers_login_says_so_before_it_begins(
    owned: Hours, logins: Logins
) -> None:
    line = refusal(as_user(owned, logins.reader).run("worker"))
    user = make_url(logins.reader).username
    assert user is not None
    assert user in line
    assert "INSERT entries" in line
    assert "UPDATE shards" in line
    assert "hours_worker" in line
    assert owned.epochs() == dict.fromkeys(range(4), 0)


@pytest.mark.parametrize("login", ["worker", "reader"])
def test_only_the_owner_runs_init(login: str, owned: Hours, logins: Logins) -> None:
    before = contents(logins.owner)
    line = refusal(as_user(owned, getattr(logins, login)).run("init"))
    owner = make_url(logins.owner).username
    assert f"The tables belong to {owner}: run hours init with that user" in line
    assert contents(logins.owner) == before


def test_a_worker_can_not_begin_a_ledger_in_an_empty_database(hours: Hours, logins: Logins) -> None:
    line = refusal(as_user(hours, logins.worker).run("init"))
    assert "permission denied for schema public" in line
    assert "HOURS_LEDGER_URL" in line


def test_a_user_with_no_privileges_is_refused_in_one_line(
    owned: Hours, logins: Logins, postgres_url: str
) -> None:
    worker = make_url(logins.worker).username
    execute(postgres_url, f"REVOKE {roles.WORKER} FROM {worker}")
    for asked in ("status", "worker", "audit"):
        line = refusal(as_user(owned, logins.worker).run(asked))
        assert "permission denied for table" in line
        assert str(worker) in line


def test_init_may_be_repeated_and_takes_back_what_was_granted_by_hand(
    owned: Hours, logins: Logins
) -> None:
    given = granted(logins.owner)
    assert ("entries", roles.WORKER, "INSERT") in given
    execute(logins.owner, f"GRANT DELETE ON entries TO {roles.WORKER}")
    execute(logins.owner, f"REVOKE INSERT ON entries FROM {roles.WORKER}")
    for _ in range(2):
        as_user(owned, logins.owner).ok("init")
        assert granted(logins.owner) == given


def test_init_names_a_group_that_can_not_be_made_and_grants_to_the_others(
    hours: Hours, logins: Logins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles, "GROUPS", (roles.READER, "nobody_made_this_role"))
    store = open_store(logins.owner, "test.example", POLICY)
    try:
        store.init()
        assert roles.grant(store.engine) == ["nobody_made_this_role"]
        assert {role for _, role, _ in granted(logins.owner)} == {roles.READER}
        store.check()
    finally:
        store.engine.dispose()


def test_one_who_may_make_roles_and_is_no_superuser_makes_the_groups(
    hours: Hours, logins: Logins, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = f"{make_url(logins.owner).username}_group"
    privileges = {
        table: {mine if role == roles.WORKER else role: allowed for role, allowed in deeds.items()}
        for table, deeds in roles.PRIVILEGES.items()
    }
    monkeypatch.setattr(roles, "GROUPS", (mine, roles.READER, roles.REGISTRAR, roles.BOARD))
    monkeypatch.setattr(roles, "PRIVILEGES", privileges)
    execute(postgres_url, f"ALTER ROLE {make_url(logins.owner).username} CREATEROLE")
    store = open_store(logins.owner, "test.example", POLICY)
    try:
        store.init()
        assert roles.grant(store.engine) == []
        assert ("entries", mine, "INSERT") in granted(logins.owner)
    finally:
        store.engine.dispose()
        execute(postgres_url, f"DROP OWNED BY {mine}; DROP ROLE {mine}")


def test_a_ledger_from_before_the_roles_gets_them_by_init(hours: Hours, logins: Logins) -> None:
    at_the_first_version(logins.owner)
    as_user(hours, logins.owner).ok("init")
    worker = as_user(hours, logins.worker)
    worker.start_worker()
    try:
        eventually(lambda: min(worker.epochs().values()) > 0, "every shard claimed")
    finally:
        worker.end()


def at_the_first_version(url: str) -> None:
    engine = open_store(url, "test.example", POLICY).engine
    with engine.begin() as connection:
        command.upgrade(config_on(connection), "0001")
    engine.dispose()


@pytest.mark.parametrize("same_login", [True, False])
def test_a_stalled_append_is_ended_by_a_worker_of_the_same_login_only(
    same_login: bool, owned: Hours, logins: Logins, postgres_url: str
) -> None:
    other = f"{make_url(logins.worker).username}_2"
    execute(postgres_url, f"CREATE ROLE {other} LOGIN PASSWORD '{PASSWORD}' IN ROLE hours_worker")
    second = make_url(logins.worker)
    if not same_login:
        second = second.set(username=other)
    stalled = create_engine(logins.worker)
    name, policy = "tongzhou.hours.example", POLICY
    store = open_store(second.render_as_string(hide_password=False), name, policy)
    try:
        with stalled.connect() as connection:
            connection.exec_driver_sql("UPDATE shards SET epoch = epoch WHERE shard = 0")
            if same_login:
                assert store.claim(0).epoch == 1
            else:
                with pytest.raises(ProgrammingError, match="permission denied to terminate"):
                    store.claim(0)
            connection.invalidate()
    finally:
        store.engine.dispose()
        stalled.dispose()
        execute(postgres_url, f"DROP ROLE {other}")


def test_the_password_comes_from_a_file(owned: Hours, logins: Logins, tmp_path: Path) -> None:
    secret = tmp_path / "ledger_reader"
    secret.write_text(f"{PASSWORD}\n")
    url = logins.reader.replace(f":{PASSWORD}", "")
    reader = as_user(owned, url)
    reader.environment["HOURS_LEDGER_PASSWORD_FILE"] = str(secret)
    reader.ok("status")
    secret.write_text("another\n")
    line = refusal(reader.run("status"))
    assert "password authentication failed" in line
    assert "another" not in line


def contents(url: str) -> object:
    """The head of each shard and how many rows every table has, and what it is made of."""
    counts = " || ' ' || ".join(f"(SELECT count(*) FROM {table})" for table in metadata.tables)
    return scalar(
        url,
        f"SELECT (SELECT array_agg(shards::text ORDER BY shard) FROM shards)::text || ({counts})"
        " || (SELECT string_agg(version_num, ',') FROM schema_version)"
        " || (SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public')"
        " || (SELECT string_agg(concat(tgname, tgenabled), ',') FROM pg_trigger"
        " WHERE NOT tgisinternal)",
    )


def granted(url: str) -> set[tuple[str, str, str]]:
    engine: Engine = create_engine(url)
    try:
        with engine.connect() as connection:
            found = connection.execute(
                text(
                    "SELECT table_name, grantee, privilege_type "
                    "FROM information_schema.role_table_grants "
                    "WHERE table_schema = 'public' AND grantee <> grantor"
                )
            )
            return {(row[0], row[1], row[2]) for row in found}
    finally:
        engine.dispose()


def test_a_registrar_keeps_the_roster_and_a_reader_sees_nobodys_name(
    owned: Hours, logins: Logins, tmp_path: Path
) -> None:
    desk = Desk({**owned.environment, "HOURS_LEDGER_URL": logins.registrar})
    key = tmp_path / "roster.key"
    desk.ok("new-key", str(key))
    desk.environment["HOURS_ROSTER_KEY_FILE"] = str(key)
    desk.enrol("V1", {"name": "王小明", "phone": "13800001234"})
    assert desk.rows("show", "person", "V1", "--reveal", "--why", "本人要求")[0]["who"]
    reader = Desk({**desk.environment, "HOURS_LEDGER_URL": logins.reader})
    assert reader.rows("list", "person")[0]["name"] is None
    revealing = ("show", "person", "V1", "--reveal", "--why", "想看")
    (line,) = reader.refused(*revealing).splitlines()
    assert "hours_registrar" in line
    (line,) = reader.refused("replace-badge", "V1", "--why", "丢失").splitlines()
    assert "permission denied" in line
    (line,) = reader.refused("disclosures").splitlines()
    assert "permission denied" in line
    as_in_operation = f"{logins.reader}?options=-c%20default_transaction_read_only%3Don"
    read_only = Desk({**desk.environment, "HOURS_LEDGER_URL": as_in_operation})
    (line,) = read_only.refused("replace-badge", "V1", "--why", "丢失").splitlines()
    assert "hours init" in line
    desk.ok("erase", "V1", "--yes", "--why", "本人要求")
