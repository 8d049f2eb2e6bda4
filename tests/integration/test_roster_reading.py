"""A gateway's copy of `hours.roster`: read on, read anew, kept through power cuts and outages."""

import json
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from kafka.errors import KafkaError

from hours.services.embedded import free_port
from producers.kafka_access import KafkaAccess
from producers.kiosk import roster_reader
from producers.kiosk.gateway_clock import GatewayClock
from producers.kiosk.roster_cache import LONGEST_AWAY_SECONDS, RosterCache
from producers.kiosk.roster_reader import RosterReader
from tests.chaos.links import Link
from tests.running import environment, eventually

CHOIR, CLINIC, WANG = "team/choir", "team/clinic", "volunteer/V1"
WANG_NOW = {"volunteer": "V1", "status": "active", "badge": {"generation": 2}}
Say = Callable[..., None]


@pytest.fixture
def topic(kafka_topic: Callable[..., str]) -> str:
    return kafka_topic(1, **{"cleanup.policy": "compact"})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gateway.db"


@pytest.fixture
def say(kafka: str, topic: str) -> Iterator[Say]:
    """Publishes as a worker does: all of it in one transaction; None is a tombstone."""
    producer = KafkaProducer(bootstrap_servers=kafka, transactional_id=f"t-{secrets.token_hex(4)}")
    producer.init_transactions()

    def publish(**values: Any) -> None:
        producer.begin_transaction()
        for key, value in values.items():
            said = (
                value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
            )
            producer.send(topic, key=key.replace("_", "/").encode(), value=said)
        producer.commit_transaction()

    with closing(producer):
        yield publish


@contextmanager
def reading(file: Path, bootstrap: str, topic: str) -> Iterator[RosterCache]:
    with closing(RosterCache(file)) as cache:
        reader = RosterReader(cache, KafkaAccess(bootstrap), topic)
        reader.start()
        try:
            yield cache
        finally:
            reader.stop()
            reader.join()


def known(file: Path) -> dict[str, dict[str, Any]]:
    with closing(RosterCache(file)) as cache:
        return cache.view.told


def test_what_the_topic_says_is_known_and_stays_without_kafka(
    file: Path, kafka: str, topic: str, say: Say
) -> None:
    say(team_choir={"revision": 1}, team_clinic={"revision": 1})
    say(team_clinic=None, volunteer_V1={"revision": 2, **WANG_NOW})
    with reading(file, kafka, topic) as cache:
        eventually(lambda: cache.current, "the topic's end")
        assert cache.view.told == known(file)
        told = cache.view.told
    assert told == {CHOIR: {"revision": 1}, WANG: {"revision": 2, **WANG_NOW}}
    assert known(file) == told


def test_a_reader_that_was_stopped_reads_on_and_hears_of_what_went(
    file: Path, kafka: str, topic: str, say: Say
) -> None:
    say(team_choir={"revision": 1}, team_clinic={"revision": 1})
    with reading(file, kafka, topic) as cache:
        eventually(lambda: cache.current, "the topic's end")
    say(team_clinic=None, team_choir={"revision": 2})
    with reading(file, kafka, topic) as cache:
        eventually(lambda: cache.current, "the topic's end again")
        assert cache.view.told == {CHOIR: {"revision": 2}}
        assert cache.view.taken == 2
    assert known(file) == {CHOIR: {"revision": 2}}


@pytest.mark.parametrize("records", [1, 40], ids=["shorter", "longer"])
def test_a_topic_made_anew_is_read_from_its_beginning_and_nobody_sees_half_of_it(
    file: Path, kafka: str, topic: str, say: Say, records: int
) -> None:
    say(
        team_choir={"revision": 8},
        team_clinic={"revision": 8},
        volunteer_V1={"revision": 8, **WANG_NOW},
    )
    with reading(file, kafka, topic) as cache:
        eventually(lambda: cache.current, "the topic's end")
        since = cache.view.since[WANG]["badge"]
    make_anew(kafka, topic)
    left = {**WANG_NOW, "status": "left"}
    with closing(KafkaProducer(bootstrap_servers=kafka)) as producer:
        for _ in range(records):
            producer.send(topic, key=CHOIR.encode(), value=b'{"revision": 3}')
        producer.send(topic, key=WANG.encode(), value=json.dumps({"revision": 3, **left}).encode())
    seen = []
    with reading(file, kafka, topic) as cache:
        while not cache.current:
            seen.append(len(cache.view.told))
        assert cache.view.told == {CHOIR: {"revision": 3}, WANG: {"revision": 3, **left}}
        assert cache.view.since[WANG]["badge"] == since < cache.view.since[WANG]["status"]
    assert set(seen) <= {2, 3}
    assert known(file).keys() == {CHOIR, WANG}


def test_a_topic_made_anew_under_a_running_reader_is_noticed(
    file: Path, kafka: str, topic: str, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster_reader, "_LOOK_AGAIN_SECONDS", 0.5)
    monkeypatch.setattr(roster_reader, "_PAUSE_SECONDS", 0.1)
    say(team_choir={"revision": 1}, team_clinic={"revision": 1})
    with reading(file, kafka, topic) as cache:
        eventually(lambda: cache.current, "the topic's end")
        make_anew(kafka, topic)
        with closing(KafkaProducer(bootstrap_servers=kafka)) as producer:
            for _ in range(20):
                producer.send(topic, key=CLINIC.encode(), value=b'{"revision": 2}')
        eventually(lambda: cache.view.told == {CLINIC: {"revision": 2}}, "what it says now")


def test_while_kafka_is_away_what_is_known_stays_and_then_it_is_read(
    file: Path, kafka: str, topic: str, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster_reader, "_REACH_SECONDS", 0.3)
    monkeypatch.setattr(roster_reader, "_PAUSE_SECONDS", 0.1)
    say(team_choir={"revision": 1})
    with reading(file, kafka, topic) as cache:
        eventually(lambda: cache.current, "the topic's end")
    say(team_choir={"revision": 2})
    with Link(free_port()) as link, reading(file, f"127.0.0.1:{link.port}", topic) as cache:
        assert (cache.current, cache.view.told) == (False, {CHOIR: {"revision": 1}})
        link.target = int(kafka.rpartition(":")[2])
        eventually(lambda: cache.view.told == {CHOIR: {"revision": 2}}, "Kafka again")


def test_of_somebody_erased_the_gateways_file_keeps_no_masked_name(
    file: Path, kafka: str, topic: str, say: Say
) -> None:
    others = {f"volunteer_V{it}": {"revision": 1, "called": "李*"} for it in range(100, 300)}
    say(volunteer_V1={"revision": 1, "called": "欧***"}, **others)
    with reading(file, kafka, topic) as cache:
        eventually(lambda: cache.current, "the topic's end")
    assert "欧***".encode() in file.read_bytes()
    say(volunteer_V1=None)
    with reading(file, kafka, topic) as cache:
        eventually(lambda: cache.current, "the topic's end again")
    assert "欧***".encode() not in file.read_bytes()
    assert not file.with_name(f"{file.name}-wal").exists()


def test_what_cannot_be_read_is_named_stops_nothing_and_is_still_named_after_a_restart(
    file: Path, kafka: str, topic: str, say: Say
) -> None:
    say(team_choir={"revision": 1}, team_clinic=b"<html>")
    say(volunteer_V1={"revision": 2})
    with reading(file, kafka, topic) as cache:
        eventually(lambda: cache.current, "the topic's end")
        assert cache.view.told.keys() == {CHOIR, WANG}
    with closing(RosterCache(file)) as cache:
        assert cache.view.unreadable.keys() == {CLINIC}


@pytest.mark.parametrize("topic_is", ["known", "anew"])
def test_what_was_cut_off_by_a_kill_is_whole(file: Path, topic_is: str) -> None:
    """Every batch says the same of all keys: what is kept must be of one batch."""
    command = [sys.executable, "-c", _WRITES, str(file), topic_is]
    for _ in range(4):
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, env=environment(file.parent)
        ) as child:
            assert child.stdout is not None
            for _ in range(3 + secrets.randbelow(5)):
                assert child.stdout.readline()
            child.send_signal(signal.SIGKILL)
        revisions = {value["revision"] for value in known(file).values()}
        assert (len(known(file)), len(revisions)) == (200, 1)
        with closing(RosterCache(file)) as cache:
            if topic_is == "known":
                assert {cache.begin("T", 1 << 40)} == revisions


class Uptime:
    """A machine's, in microseconds."""

    now = 10**12

    def __call__(self) -> int:
        return self.now


@pytest.mark.parametrize(
    ("away", "boot", "is_anew"), [(0, "b", False), (1, "b", True), (0, "c", True)]
)
def test_who_might_have_missed_a_tombstone_reads_from_the_beginning(
    file: Path, away: int, boot: str, is_anew: bool
) -> None:
    uptime = Uptime()
    with closing(RosterCache(file, GatewayClock(uptime=uptime, boot="b"))) as cache:
        cache.begin("T", 5)
        cache.reached_end(5)
    uptime.now += (LONGEST_AWAY_SECONDS - 1 + 2 * away) * 1_000_000
    with closing(RosterCache(file, GatewayClock(uptime=uptime, boot=boot))) as cache:
        assert cache.begin("T", 9) == (0 if is_anew else 5)


def make_anew(kafka: str, topic: str) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.delete_topics([topic])

        def created() -> bool:
            with suppress(KafkaError):
                admin.create_topics([NewTopic(topic, 1, 1)])
                return True
            return False

        eventually(created, "the topic anew")


_WRITES = """
import itertools, json, sys
from pathlib import Path
from types import SimpleNamespace
from producers.kiosk.roster_cache import RosterCache

cache = RosterCache(Path(sys.argv[1]))
first = max((value["revision"] for value in cache.view.told.values()), default=0) + 1
for revision in itertools.count(first):
    value = json.dumps({"revision": revision}).encode()
    records = [SimpleNamespace(key=b"team/%d" % n, value=value, timestamp=1) for n in range(200)]
    if sys.argv[2] == "anew" or revision == 1:
        cache.begin(f"T{revision}" if sys.argv[2] == "anew" else "T", 1 << 40)
        cache.take(records[:100], 0)
        cache.take(records[100:], revision)
        cache.reached_end(revision)
    else:
        cache.begin("T", 1 << 40)
        cache.take(records, revision)
    print(revision, flush=True)
"""


def test_a_fault_of_ours_ends_no_reading(
    file: Path, kafka: str, topic: str, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(team_choir={"revision": 1})
    topic_id, tries = RosterReader._topic_id, list[int]()

    def failing_once(reader: RosterReader) -> str:
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("a fault of ours")
        return topic_id(reader)

    monkeypatch.setattr(RosterReader, "_topic_id", failing_once)
    monkeypatch.setattr(roster_reader, "_PAUSE_SECONDS", 0.05)
    with reading(file, kafka, topic) as cache:
        eventually(lambda: CHOIR in cache.view.told, "the second try")
