"""Erasing a person: no trace of who it was, byte for byte, and the hours still prove.

What of it PostgreSQL's write-ahead log still holds, sealed, docs/operating.md says.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType
from sqlalchemy import Connection, Engine, select, text

from ledger import queries
from ledger.engine import open_engine
from ledger.roster import outbox, store, tables
from ledger.roster.planning import plan
from ledger.roster.records import (
    Activity,
    Have,
    HaveItem,
    Membership,
    Person,
    Record,
    Signup,
    Team,
    Unit,
)
from ledger.roster.store import Deed
from ledger.roster.vault import PrivateData, Sealed, Vault, called
from producers.roster_view import QUIET
from tests.conftest import Broker
from tests.running import Hours, eventually, lines
from tests.taps import tap
from tests.topic_files import topic_holds

VOLUNTEER, OTHER, CLERK = "VERASEDONE", "VOTHERONE", "VCLERKONE"
BADGE = "BERASEDBADGE"
FIRST = PrivateData(name="欧阳沐宸", phone="13912345678")
SECOND = PrivateData(
    name="欧阳沐宸",
    phone="13987654321",
    document_type="resident",
    document="11010519491231002X",
)
CALLED = called(FIRST.name).encode()
"""At kiosks."""
STAYS = PrivateData(name="李芳", phone="13700001111")
WHY = ("--by", "张三", "--why", "本人要求")


class Enrolled(NamedTuple):
    """A ledger with three volunteers, and what was sealed of the one to be erased."""

    hours: Hours
    sealed: list[bytes]


@pytest.fixture
def enrolled(hours: Hours) -> Enrolled:
    hours.ok("init")
    key = Path(hours.environment["HOURS_HOME"]) / "roster.key"
    hours.ok("roster", "new-key", str(key))
    hours.environment["HOURS_ROSTER_KEY_FILE"] = str(key)
    vault = Vault([key.read_text().strip()])
    first = vault.seal(VOLUNTEER, FIRST), vault.seal(OTHER, STAYS)
    wanted = [
        Unit(code="c", kind="centre", name_zh="实践中心"),
        Unit(code="p", kind="post", name_zh="红色物业", parent="c"),
        HaveItem(code="place", name_zh="有阵地"),
        Have(post="p", item="place", state="have", day="2026-01-01", checked_by=VOLUNTEER),
        Team(code="choir", kind="professional", name_zh="合唱队", leaders=(VOLUNTEER, OTHER)),
        Activity(code="a", title="排练", unit="c", teams=("choir",)),
        Signup(activity="a", volunteer=VOLUNTEER),
        Membership(volunteer=VOLUNTEER, team="choir", since="2026-01-01"),
        Membership(volunteer=OTHER, team="choir", since="2026-01-01"),
        Person(volunteer=OTHER, private_version=1),
        Person(volunteer=CLERK),
        _person(1),
    ]
    change(hours.engine, wanted, {(VOLUNTEER, 1): first[0], (OTHER, 1): first[1]})
    second = vault.seal(VOLUNTEER, SECOND)
    change(hours.engine, [_person(2)], {(VOLUNTEER, 2): second})
    return Enrolled(hours, [first[0].content, second.content])


def _person(version: int) -> Person:
    return Person(
        volunteer=VOLUNTEER,
        unit="c",
        consent="2026-01-01",
        badge_serial=BADGE,
        badge_generation=1,
        private_version=version,
    )


def change(engine: Engine, wanted: Iterable[Record], sealed: dict[tuple[str, int], Sealed]) -> None:
    with store.changing(engine) as connection:
        before = store.load(connection)
        planned = plan(before, wanted)
        assert planned.flaws == ()
        deed = Deed("registrar", "入队", 1_790_000_000_000_000)
        store.apply(connection, before, planned.changes, deed, sealed)


def settle_taps(hours: Hours) -> None:
    """An hour of each of two volunteers, through Kafka and a worker."""
    begins = datetime.now(UTC) - timedelta(hours=3)
    events = [
        tap(kind, volunteer, begins + timedelta(hours=at), f"{kind}-{volunteer}", **data)
        for volunteer in (VOLUNTEER, OTHER)
        for at, kind, data in (
            (0, "in", {"team": "choir", "place": "p"}),
            (1, "out", {}),
        )
    ]
    hours.ok("publish", input=lines(events))
    hours.wait_until_settled(len(events))


def waiting(hours: Hours) -> int:
    with queries.reading(hours.engine) as connection:
        return outbox.pending(connection)


def test_erasing_leaves_no_trace_of_who_it_was_and_the_hours_still_prove(
    enrolled: Enrolled, broker: Broker
) -> None:
    hours, sealed = enrolled
    hours.start_worker()
    settle_taps(hours)
    eventually(lambda: not waiting(hours), "an empty outbox")
    files, topic = database_files(hours.engine), topic_files(hours, broker)
    # What is looked for below can be found as long as it is there.
    assert found_in(files, sealed[:1])
    assert found_in(files, sealed[1:])
    assert found_in(files, [CALLED])
    assert found_in(topic, [BADGE.encode()])
    assert found_in(topic, [CALLED])

    receipt = json.loads(hours.ok("roster", "erase", VOLUNTEER, "--yes", "--json", *WHY))
    eventually(lambda: not waiting(hours), "an empty outbox")

    assert receipt["removed"] == {
        "roster_private": 2,
        "roster_people": 1,
        "roster_teams": 1,
        "roster_haves": 1,
        "roster_memberships": 1,
        "roster_signups": 1,
    }
    assert (receipt["entries_kept"], receipt["seconds_kept"]) == (1, 3_600)
    (kept,) = (Path(hours.environment["HOURS_HOME"]) / "erasures").iterdir()
    assert json.loads(kept.read_text()) == receipt
    assert found_in(files_now(hours), [*sealed, CALLED]) == set()
    forget_on_topic(hours, broker)
    secrets = [*spelt(FIRST), *spelt(SECOND)]
    everywhere = [*files_now(hours), *topic_files(hours, broker), *own_files(hours)]
    assert found_in(everywhere, [CALLED]) == set()
    assert found_in([*everywhere, *other_database_files(hours.engine)], secrets) == set()
    assert hours.rows("roster", "show", "person", OTHER)[0]["who"][0]["name"] == "李*"
    assert "Equal" in hours.ok("audit")
    hours.kill_workers()
    assert found_in(own_files(hours), [*secrets, *sealed, CALLED]) == set()


def test_what_still_waits_to_be_published_of_somebody_erased_goes_too(enrolled: Enrolled) -> None:
    hours = enrolled.hours
    assert found_in(files_now(hours), [CALLED])
    hours.ok("roster", "erase", VOLUNTEER, "--yes", *WHY)
    assert found_in(files_now(hours), [CALLED]) == set()
    table = tables.outbox
    with hours.engine.connect() as connection:
        rows = connection.execute(select(table.c.key, table.c.value)).all()
    waiting_of = {key: [row.value for row in rows if row.key == key] for key, _ in rows}
    assert waiting_of[f"volunteer/{VOLUNTEER}"] == [None]
    (other,) = waiting_of[f"volunteer/{OTHER}"]
    assert json.loads(other)["called"] == "李*"


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_a_row_that_another_snapshot_still_sees_is_forgotten_all_the_same(
    enrolled: Enrolled,
) -> None:
    hours, sealed = enrolled
    with queries.reading(hours.engine) as looking:
        looking.execute(select(tables.people)).all()
        hours.ok("roster", "erase", VOLUNTEER, "--yes", *WHY)
        assert found_in(files_now(hours), sealed) == set()


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_erasing_that_was_cut_short_is_finished_by_doing_it_again(enrolled: Enrolled) -> None:
    hours, sealed = enrolled
    with reader(hours.engine):
        done = hours.run("roster", "erase", VOLUNTEER, "--yes", *WHY)
        assert (done.returncode, "run this command again" in done.stderr) == (2, True)
        assert found_in(files_now(hours), sealed)
    hours.ok("roster", "erase", VOLUNTEER, "--yes", *WHY)
    assert found_in(files_now(hours), sealed) == set()


def test_what_an_old_key_sealed_is_forgotten_once_the_key_is_rotated(enrolled: Enrolled) -> None:
    hours, sealed = enrolled
    old = Path(hours.environment["HOURS_ROSTER_KEY_FILE"])
    new = old.with_name("new.key")
    hours.ok("roster", "new-key", str(new))
    new.write_text(new.read_text() + old.read_text())
    hours.environment["HOURS_ROSTER_KEY_FILE"] = str(new)
    hours.ok("roster", "rotate-key")
    assert found_in(files_now(hours), sealed) == set()


class reader:  # noqa: N801 - used as a function is
    """Somebody who looks at the ledger for long."""

    def __init__(self, engine: Engine) -> None:
        self._connection: Connection = open_engine(str(engine.url)).connect()

    def __enter__(self) -> None:
        self._connection.execute(select(tables.people)).all()

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._connection.engine.dispose()


def spelt(data: PrivateData) -> list[bytes]:
    """Name, phone and number as a file may hold them."""
    values = [value for value in (data.name, data.phone, data.document) if value is not None]
    codings = ("utf-8", "utf-16-le", "utf-16-be", "gb18030")
    escaped = [json.dumps(data.name).strip('"').encode()]
    return [*escaped, *(value.encode(coding) for value in values for coding in codings)]


def found_in(files: Iterable[Path], needles: Iterable[bytes]) -> set[str]:
    """The names of the files that hold one of these; files come and go."""
    needles = list(needles)
    found = set()
    for path in files:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue
        if any(needle in content for needle in needles):
            found.add(path.name)
    return found


def database_files(engine: Engine) -> list[Path]:
    """SQLite's files; PostgreSQL's files of tables and indexes, as they are on disk by now."""
    if engine.dialect.name == "sqlite":
        database = Path(str(engine.url.database))
        return sorted(database.parent.glob(f"{database.name}*"))
    with engine.connect() as connection:
        # Its own alone: another test's database on the same server may have a 王** too.
        own = text("SELECT oid FROM pg_database WHERE datname = current_database()")
        number = str(connection.execute(own).scalar_one())
    folder = cluster(engine) / "base" / number
    return sorted(path for path in folder.rglob("*") if path.is_file())


def files_now(hours: Hours) -> list[Path]:
    if hours.engine.dialect.name == "postgresql":
        with hours.engine.connect() as connection:
            connection.execute(text("CHECKPOINT"))
    return database_files(hours.engine)


def other_database_files(engine: Engine) -> list[Path]:
    """All the rest of PostgreSQL's files, the write-ahead log among them."""
    if engine.dialect.name == "sqlite":
        return []
    return [path for path in cluster(engine).rglob("*") if path.is_file()]


def cluster(engine: Engine) -> Path:
    with engine.connect() as connection:
        connection.execute(text("CHECKPOINT"))
        return Path(connection.execute(text("SHOW data_directory")).scalar_one())


def own_files(hours: Hours) -> Iterator[Path]:
    """What the commands and the worker left under HOURS_HOME: logs, receipts, the worker's data."""
    home = Path(hours.environment["HOURS_HOME"])
    ledger = Path(str(hours.engine.url.database)).name
    return (
        path
        for path in home.rglob("*")
        if path.is_file() and not path.name.startswith(ledger) and path.suffix != ".key"
    )


def topic_files(hours: Hours, broker: Broker) -> list[Path]:
    """The log of every topic of this ledger."""
    prefix = hours.environment["HOURS_TOPIC_PREFIX"]
    folders = (broker.data / "log").glob(f"{prefix}.*")
    return [path for folder in folders for path in folder.iterdir()]


def forget_on_topic(hours: Hours, broker: Broker) -> None:
    """Compact the roster's topic now, not within its lag, and wait until the badge is gone."""
    topic = f"{hours.environment['HOURS_TOPIC_PREFIX']}.roster"
    quick = {"max.compaction.lag.ms": "100", "file.delete.delay.ms": "100"}
    cleaner = {"log.cleaner.backoff.ms": "200"}
    with closing(KafkaAdminClient(bootstrap_servers=broker.address)) as admin:
        admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic, quick)], incremental=True
        )
        admin.alter_configs([ConfigResource(ConfigResourceType.BROKER, "1", cleaner)])
    with closing(KafkaProducer(bootstrap_servers=broker.address, acks="all")) as producer:

        def is_gone() -> bool:
            # A segment is rolled, and then compacted, when another record comes.
            producer.send(topic, key=QUIET.encode(), value=None).get(10)
            return not topic_holds(broker.data / "log" / f"{topic}-0", BADGE.encode())

        eventually(is_gone, "a topic that has forgotten")
