"""From the outbox to the topic: nothing lost, nothing stale, and gone is gone in bounded time."""

import asyncio
import json
import logging
import random
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil
import pytest
from aiokafka.errors import ProducerFenced
from click.testing import CliRunner
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from sqlalchemy import Engine, create_engine, text, update
from sqlalchemy.exc import DBAPIError

from hours.commands_outbox import publish_again
from hours.settings import Settings, read_settings
from ledger import queries
from ledger.roster import outbox, store, tables
from ledger.roster.outbox import Publish, Waiting, publish_next
from ledger.roster.planning import plan
from ledger.roster.records import Person, Platform, Record
from ledger.roster.store import Deed
from ledger.roster.vault import PrivateData, Sealed, Vault, new_key
from ledger.store import open_store
from streams import roster_outbox, topics
from streams.metrics import Metrics
from streams.roster_outbox import RosterOutbox, is_quiet, publishing
from streams.roster_topic import read_roster
from streams.settings import StreamSettings
from streams.topics import create_topics
from tests.chaos import roster as roster_chaos
from tests.chaos.plan import Database
from tests.chaos.roster import IN_A_TURN
from tests.chaos.roster_verdict import judge, read_all
from tests.conftest import Broker
from tests.running import Hours, eventually
from tests.topic_files import topic_holds

CULTURE = Platform(code="culture", name_zh="文化服务", position=3)
SCIENCE = Platform(code="science", name_zh="科技与科普", position=4)
DEED = Deed(by="registrar", why="建名册", at=1_790_000_000_000_000)

on_postgresql = pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)


class Roster:
    """A ledger with a roster and its topic, published in this process."""

    def __init__(self, hours: Hours) -> None:
        self.settings: Settings = read_settings(hours.environment)
        self.streams: StreamSettings = self.settings.streams()
        self.engine: Engine = hours.engine
        store_ = open_store(self.streams.ledger_url, self.streams.ledger_name, self.streams.policy)
        store_.init()
        store_.engine.dispose()
        create_topics(self.streams)

    def change(self, *wanted: Record, **more: Any) -> int:
        return change(self.engine, *wanted, **more)

    def publish(self) -> None:
        """Step until nothing waits."""

        async def steps() -> None:
            of_worker = RosterOutbox(self.streams, self.engine, Metrics())
            while await of_worker.step() == 0 or self.pending():
                pass

        asyncio.run(steps())

    def pending(self) -> int:
        with queries.reading(self.engine) as connection:
            return outbox.pending(connection)

    def told(self) -> dict[str, dict[str, object]]:
        return read_roster(self.streams).told


@pytest.fixture
def roster(hours: Hours) -> Roster:
    return Roster(hours)


def change(
    engine: Engine,
    *wanted: Record,
    without: tuple[Record, ...] = (),
    sealed: Mapping[tuple[str, int], Sealed] = MappingProxyType({}),
) -> int:
    with store.changing(engine) as connection:
        before = store.load(connection)
        planned = plan(before, wanted, without)
        assert planned.flaws == ()
        return store.apply(connection, before, planned.changes, DEED, sealed)


def culture(revision: int, name: str = "文化服务") -> dict[str, object]:
    return {
        "revision": revision,
        "code": "culture",
        "name_zh": name,
        "name_en": None,
        "position": 3,
    }


@on_postgresql  # on SQLite, whoever is killed below is one
def test_a_worker_publishes_each_change_and_takes_back_what_is_gone(hours: Hours) -> None:
    hours.ok("init")
    settings = read_settings(hours.environment).streams()
    change(hours.engine, CULTURE, SCIENCE)
    assert "2 messages of the roster wait" in hours.run("status").stderr
    worker = hours.start_worker()
    change(hours.engine, CULTURE.model_copy(update={"name_zh": "文化"}), without=(SCIENCE,))

    def told() -> bool:
        return read_roster(settings).told == {"platform/culture": culture(2, "文化")}

    eventually(told, "the roster on its topic")
    assert hours.stop_worker(worker) == 0
    assert "Traceback" not in hours.logs()
    done = hours.run("status")
    assert (done.returncode, "wait" in done.stderr) == (0, False)
    assert judge(hours.engine, settings).differences == []


def test_what_was_not_acknowledged_waits_and_what_was_is_repeated_without_harm(
    roster: Roster,
) -> None:
    roster.change(CULTURE)

    @contextmanager
    def killed_before() -> Iterator[Publish]:
        yield lambda messages: (_ for _ in ()).throw(TimeoutError("killed"))

    @contextmanager
    def killed_after() -> Iterator[Publish]:
        with publishing(roster.streams) as publish:
            yield publish
        raise TimeoutError("killed")

    for opening, records in ((killed_before, 0), (killed_after, 1), (killed_after, 2)):
        with pytest.raises(TimeoutError):
            publish_next(roster.engine, opening, 10)
        assert (roster.pending(), len(read_all(roster.streams))) == (1, records)
    roster.publish()
    assert roster.told() == {"platform/culture": culture(1)}
    verdict = judge(roster.engine, roster.streams)
    assert (verdict.records, verdict.repeated, verdict.differences) == (3, 2, [])


def test_more_than_one_turn_can_take_is_published_in_order(
    roster: Roster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster_outbox, "_MOST_AT_ONCE", 7)
    for generation in range(5):
        roster.change(
            *(Person(volunteer=f"V{it}", badge_generation=generation) for it in range(10))
        )
    roster.publish()
    records = [(key.decode(), json.loads(value or b"")) for key, value in read_all(roster.streams)]
    assert [(key, value["revision"]) for key, value in records] == [
        (f"volunteer/V{it}", revision) for revision in range(1, 6) for it in range(10)
    ]


def test_a_message_far_longer_than_kafka_takes_by_default_is_published(roster: Roster) -> None:
    with store.changing(roster.engine) as connection:
        number = store.begin_change_set(connection, DEED)
        long = json.dumps({"revision": number, "rows": ["长" * 1_000] * 1_000}, ensure_ascii=False)
        assert len(long.encode()) > 2 << 20
        store.enqueue(connection, number, [("signups/a-1", long)])
    roster.publish()
    assert roster.told()["signups/a-1"] == json.loads(long)


@on_postgresql
def test_only_one_publisher_has_its_turn_at_a_time(roster: Roster) -> None:
    roster.change(CULTURE)

    @contextmanager
    def another_comes() -> Iterator[Publish]:
        with publishing(roster.streams) as publish:
            assert publish_next(roster.engine, another_comes, 10) is None
            yield publish

    assert publish_next(roster.engine, another_comes, 10) == 1
    assert len(read_all(roster.streams)) == 1


@on_postgresql
def test_who_lost_its_turn_after_reading_can_not_publish_what_was_overtaken(
    roster: Roster, postgres_url: str
) -> None:
    roster.change(CULTURE)

    @contextmanager
    def stopped_having_read() -> Iterator[Publish]:
        with publishing(roster.streams) as publish:

            def stopped(messages: list[Waiting]) -> None:
                assert [one.key for one in messages] == ["platform/culture"]
                end_sessions_in_a_turn(postgres_url)
                roster.change(CULTURE.model_copy(update={"name_zh": "文化"}))
                roster.publish()
                with pytest.raises(ProducerFenced):
                    publish(messages)  # it wakes
                raise TimeoutError("fenced")

            yield stopped  # type: ignore[misc]

    with pytest.raises((TimeoutError, DBAPIError)):
        publish_next(roster.engine, stopped_having_read, 10)
    assert [json.loads(value or b"")["revision"] for _, value in read_all(roster.streams)] == [1, 2]
    assert roster.told() == {"platform/culture": culture(2, "文化")}


@on_postgresql
def test_who_lost_its_turn_before_reading_reads_nothing(roster: Roster, postgres_url: str) -> None:
    roster.change(CULTURE)

    @contextmanager
    def stopped_before_reading() -> Iterator[Publish]:
        with publishing(roster.streams) as publish:
            end_sessions_in_a_turn(postgres_url)
            yield publish

    with pytest.raises(DBAPIError):
        publish_next(roster.engine, stopped_before_reading, 10)
    assert read_all(roster.streams) == []


@on_postgresql
def test_of_two_workers_one_is_stopped_in_its_turn_and_wakes_when_the_other_has_gone_on(
    hours: Hours, postgres_url: str
) -> None:
    hours.ok("init")
    settings = read_settings(hours.environment).streams()
    workers = [hours.start_worker() for _ in range(2)]
    eventually(lambda: hours.logs().count("Claimed shard") >= 4, "two workers at work")
    generation = iter(range(1_000_000))

    def change_all() -> None:
        number = next(generation)
        people = (Person(volunteer=f"V{it}", badge_generation=number) for it in range(2_000))
        change(hours.engine, *people)

    def is_stopped_in_its_turn() -> bool:
        if not sessions_in_a_turn(postgres_url):
            if not pending(hours.engine):
                change_all()
            return False
        workers[0].send_signal(signal.SIGSTOP)
        its_ports = {one.laddr.port for one in psutil.Process(workers[0].pid).net_connections()}
        if its_ports & set(sessions_in_a_turn(postgres_url).values()):
            return True
        workers[0].send_signal(signal.SIGCONT)
        return False

    eventually(is_stopped_in_its_turn, "a worker stopped in its turn")
    end_sessions_in_a_turn(postgres_url)  # as PostgreSQL does by itself half a minute later
    change_all()
    eventually(lambda: not pending(hours.engine), "the other worker goes on")
    workers[0].send_signal(signal.SIGCONT)
    hours.stop_worker(workers[1])
    change_all()
    eventually(lambda: not pending(hours.engine), "the one that was stopped goes on")
    assert judge(hours.engine, settings).differences == []
    assert "Traceback" not in hours.logs()


def pending(engine: Engine) -> int:
    with queries.reading(engine) as connection:
        return outbox.pending(connection)


def sessions_in_a_turn(url: str) -> dict[int, int]:
    """Each session by its process in PostgreSQL, with the port its client has."""
    asked = f"SELECT pid, client_port FROM pg_stat_activity WHERE pid IN ({IN_A_TURN})"
    return dict(execute(url, asked))


def end_sessions_in_a_turn(url: str) -> None:
    (session,) = sessions_in_a_turn(url)
    execute(url, f"SELECT pg_terminate_backend({session})")
    eventually(lambda: session not in sessions_in_a_turn(url), "a turn that is over")


def execute(url: str, statement: str) -> list[tuple[Any, ...]]:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]
    finally:
        engine.dispose()


# The topic


def altered(kafka: str, topic: str, **settings: str) -> None:
    named = {name.replace("_", "."): value for name, value in settings.items()}
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, named)])


@on_postgresql
def test_a_topic_set_otherwise_is_published_to_when_init_has_put_it_right(
    roster: Roster, kafka: str, caplog: pytest.LogCaptureFixture
) -> None:
    altered(kafka, roster.streams.roster_topic, cleanup_policy="delete")
    roster.change(CULTURE)

    async def one_step() -> float:
        return await RosterOutbox(roster.streams, roster.engine, Metrics()).step()

    with caplog.at_level(logging.WARNING, "streams.roster_outbox"):
        assert asyncio.run(one_step()) > 0
    assert "cleanup.policy=delete ≠ compact" in caplog.text
    assert "Run hours init" in caplog.text
    assert (roster.pending(), read_all(roster.streams)) == (1, [])
    create_topics(roster.streams)
    roster.publish()
    assert roster.told() == {"platform/culture": culture(1)}


@on_postgresql
def test_what_was_overtaken_is_gone_from_the_brokers_disk_even_if_nothing_more_happens(
    hours: Hours, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    lag_seconds = 1
    quick = {"max.compaction.lag.ms": "1000", "file.delete.delay.ms": "100"}
    monkeypatch.setattr(topics, "_ROSTER", {**topics._ROSTER, **quick})
    monkeypatch.setattr(roster_outbox, "ROSTER_LAG_SECONDS", lag_seconds)
    monkeypatch.setattr(roster_outbox, "_LOOK_SECONDS", 0.2)
    roster = Roster(hours)
    secret = Platform(code="culture", name_zh=f"只说一次{random.random()}")
    roster.change(secret)
    roster.publish()
    needle = secret.name_zh.encode()
    files = broker.data / "log" / f"{roster.streams.roster_topic}-0"
    assert topic_holds(files, needle)
    roster.change(CULTURE)
    roster.publish()
    name = ConfigResource(ConfigResourceType.BROKER, "1", {"log.cleaner.backoff.ms": "200"})
    with closing(KafkaAdminClient(bootstrap_servers=broker.address)) as admin:
        admin.alter_configs([name])

    async def a_quiet_worker() -> None:
        of_worker = RosterOutbox(roster.streams, roster.engine, Metrics())
        deadline = time.monotonic() + 60
        while topic_holds(files, needle) and time.monotonic() < deadline:
            await of_worker.step()
            await asyncio.sleep(0.1)

    asyncio.run(a_quiet_worker())
    assert not topic_holds(files, needle)
    assert roster.told() == {"platform/culture": culture(2)}


@on_postgresql
def test_a_topic_is_quiet_when_its_last_record_is_old(roster: Roster) -> None:
    streams = roster.streams
    assert not is_quiet(streams.kafka, streams.roster_topic, 0)  # there is nothing to compact
    roster.change(CULTURE)
    roster.publish()
    assert not is_quiet(streams.kafka, streams.roster_topic, 3_600)
    assert is_quiet(streams.kafka, streams.roster_topic, -3_600)


# Publishing again


@on_postgresql
def test_a_topic_that_was_lost_is_published_again_and_says_only_what_is_so(
    roster: Roster, kafka: str
) -> None:
    roster.change(CULTURE, SCIENCE)
    roster.publish()
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.delete_topics([roster.streams.roster_topic])
    eventually(lambda: created_anew(roster), "a topic made anew")
    assert roster.told() == {}
    run_publish_again(roster)
    roster.publish()
    assert {key: told["revision"] for key, told in roster.told().items()} == {
        "platform/culture": 2,
        "platform/science": 2,
    }


def created_anew(roster: Roster) -> bool:
    create_topics(roster.streams)
    return True


@on_postgresql
def test_a_database_restored_from_before_the_topic_takes_back_what_it_does_not_know(
    roster: Roster,
) -> None:
    roster.change(CULTURE)
    messages = [
        Waiting(9, 0, "platform/culture", json.dumps(culture(9, "以后"))),
        Waiting(9, 1, "platform/science", json.dumps({"revision": 9})),
        Waiting(9, 2, "platform/health", "not JSON"),
    ]
    with publishing(roster.streams) as publish:
        publish(messages)
    assert set(read_roster(roster.streams).unreadable) == {"platform/health"}
    run_publish_again(roster)
    roster.publish()
    view = read_roster(roster.streams)
    assert (view.told, view.unreadable) == ({"platform/culture": culture(2)}, {})
    with queries.reading(roster.engine) as connection:
        assert [one.deed.why for one in store.change_sets(connection)][-1] == "publish again"


def test_publishing_again_with_the_key_tells_what_people_from_before_are_called(
    roster: Roster, tmp_path: Path
) -> None:
    key = new_key()
    (tmp_path / "roster.key").write_text(key)
    people = {"V1": "王小明", "V2": "欧阳建国"}
    seal = Vault([key]).seal
    sealed = {(one, 1): seal(one, PrivateData(name=name)) for one, name in people.items()}
    roster.change(*(Person(volunteer=one, private_version=1) for one in people), sealed=sealed)
    with roster.engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(update(tables.private).values(called=None))
    said = run_publish_again(roster)
    assert "2 people are shown at kiosks by their number alone" in said
    roster.publish()
    assert {value["called"] for value in roster.told().values()} == {None}

    roster.settings = roster.settings.model_copy(
        update={"roster_key_file": tmp_path / "roster.key"}
    )
    said = run_publish_again(roster)
    assert ("noted of 2 that had none" in said, "number alone" in said) == (True, False)
    assert "that had none" not in run_publish_again(roster)
    roster.publish()
    told = {key: value["called"] for key, value in roster.told().items()}
    assert told == {"volunteer/V1": "王**", "volunteer/V2": "欧***"}


def run_publish_again(roster: Roster) -> str:
    done = CliRunner().invoke(publish_again, obj=roster.settings, catch_exceptions=False)
    assert done.exit_code == 0
    assert "wait for a worker to publish them" in done.output
    return str(done.output)


# Killing


@pytest.mark.parametrize(("database", "kills"), [("postgresql", 3), ("sqlite", 2)])
def test_whoever_is_killed_under_load_the_topic_says_in_the_end_what_the_database_says(
    database: Database, kills: int, tmp_path: Path
) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    report = roster_chaos.run(seed, tmp_path, kills, database)
    assert report.failed == []
    assert report.verdict.differences == []
    assert report.verdict.records > 0
