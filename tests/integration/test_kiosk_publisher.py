"""From the outbox to a real log: in order, through everything that Kafka does, each row once."""

import gc
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import KafkaTimeoutError

from hours.services import EmbeddedKafka
from producers.events import CheckedIn, CheckedInData, TapVoided, TapVoidedData
from producers.kafka_access import KafkaAccess
from producers.kiosk import publisher as publishers
from producers.kiosk.gateway_clock import GatewayClock, Moment
from producers.kiosk.outbox import NewTap, Outbox
from producers.kiosk.outbox_rows import OutboxRows, Row
from producers.kiosk.publisher import Publisher, before_a_void, publish_waiting
from tests.running import eventually
from tests.silent import Silent
from tests.topic_records import values_of

SOURCE = "/kiosks/k"
# A client of kafka-python whose broker is away leaves sockets to the collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@dataclass
class Kept:
    """An outbox with some taps in it."""

    file: Path
    outbox: Outbox
    rows: OutboxRows

    def tap(self, number: int, volunteer: str = "V1", place: str = "p") -> None:
        data = CheckedInData(team="choir", place=place)
        now = GatewayClock().now()
        event = CheckedIn(
            id=f"t{number}", source=SOURCE, subject=volunteer, time=now.best_at, data=data
        )
        self.outbox.add([NewTap(event, place, now)]).result(10)

    def void(self, number: int, volunteer: str = "V1") -> None:
        data = TapVoidedData(tap_source=SOURCE, tap_id=f"t{number}", by=SOURCE, reason="undone")
        now = GatewayClock().now()
        event = TapVoided(
            id=f"v{number}", source=SOURCE, subject=volunteer, time=now.best_at, data=data
        )
        self.outbox.add([NewTap(event, "p", now)]).result(10)

    def publisher(self, kafka: str, topic: str) -> Publisher:
        access = KafkaAccess(kafka)
        return Publisher(self.file, self.rows, self.outbox.kept, access, topic, GatewayClock())


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    file = tmp_path / "gateway.db"
    with closing(Outbox(file, reserve_bytes=0)) as outbox, closing(OutboxRows(file)) as rows:
        yield Kept(file, outbox, rows)


@contextmanager
def publishing(publisher: Publisher) -> Iterator[Publisher]:
    publisher.start()
    try:
        yield publisher
    finally:
        publisher.stop()
        publisher.join(30)


def test_taps_are_in_the_log_in_order_as_they_were_kept_and_tell_the_gateway_the_time(
    kept: Kept, kafka: str, kafka_topic: Callable[..., str]
) -> None:
    topic = kafka_topic(1)
    for number in range(50):
        kept.tap(number)
    wanted = [row.event for row in kept.rows.waiting(100)]
    with publishing(kept.publisher(kafka, topic)) as publisher:
        eventually(lambda: kept.rows.standing().waiting == 0, "an empty outbox")
        kept.tap(50)
        eventually(lambda: kept.rows.standing().waiting == 0, "one more, at once")
        assert publisher.state.connected
    found = values_of(kafka, topic)
    assert found[:50] == wanted
    assert len(found) == 51


def test_through_a_broker_killed_in_mid_stream_each_row_is_sent_until_it_is_acknowledged(
    kept: Kept, jars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishers, "_DELIVERY_SECONDS", 3)
    monkeypatch.setattr(publishers, "_REACH_SECONDS", 2)
    broker = EmbeddedKafka(tmp_path / "kafka", jars)
    broker.start()
    try:
        _make_topic(broker.address)
        with publishing(kept.publisher(broker.address, "taps")) as publisher:
            for number in range(300):
                kept.tap(number, f"V{number % 7}")
                if number == 150:
                    broker.kill()
            eventually(lambda: publisher.state.trouble is not None, "what the trouble is")
            assert "签到都在网关里" in str(publisher.state.trouble)
            broker.start()
            eventually(lambda: kept.rows.standing().waiting == 0, "an empty outbox")
        found = values_of(broker.address, "taps")
        assert {ids(one) for one in found} == {f"t{number}" for number in range(300)}
    finally:
        broker.stop()
        gc.collect()


def test_a_row_that_kafka_will_never_take_is_kept_with_its_reason_and_stops_nothing(
    kept: Kept, kafka: str, kafka_topic: Callable[..., str]
) -> None:
    topic = kafka_topic(1, **{"max.message.bytes": "900"})
    kept.tap(0)
    kept.tap(1, place="地" * 120 + "x" * 8)
    long = "V" + "9" * 120
    kept.tap(2, long, place="地" * 128)
    kept.tap(3)
    with publishing(kept.publisher(kafka, topic)):
        eventually(lambda: kept.rows.standing().waiting == 0, "an empty outbox")
    refused = kept.rows.refused_rows()
    published = {ids(one) for one in values_of(kafka, topic)}
    assert {"t0", "t3"} <= published
    assert {row[1] for row in refused} | published == {"t0", "t1", "t2", "t3"}
    assert refused
    assert all("TooLarge" in row[2] for row in refused)


def test_a_second_publisher_of_a_file_waits_for_its_turn(
    kept: Kept, kafka: str, kafka_topic: Callable[..., str]
) -> None:
    topic = kafka_topic(1)
    with publishing(kept.publisher(kafka, topic)) as first:
        eventually(lambda: first.state.connected, "the first")
        with publishing(kept.publisher(kafka, topic)) as second:
            kept.tap(1)
            eventually(lambda: kept.rows.standing().waiting == 0, "an empty outbox")
            assert not second.state.connected
            first.stop()
            first.join(30)
            kept.tap(2)
            eventually(lambda: kept.rows.standing().waiting == 0, "the second's turn")
    assert [ids(one) for one in values_of(kafka, topic)] == ["t1", "t2"]


class Scripted:
    """A producer whose sends succeed, fail, or reach the log and fail all the same."""

    def __init__(self, fates: list[str]) -> None:
        self.fates = fates
        self.log: list[str] = []

    def send(self, topic: str, value: bytes, key: bytes, **_: Any) -> Any:
        fate = self.fates.pop(0) if self.fates else "sent"
        if fate != "lost":
            self.log.append(ids(value))
        return _Sent(fate == "sent")


@dataclass
class _Sent:
    """kafka-python's future, as much of it as is asked."""

    acknowledged: bool

    def add_callback(self, told: Callable[[Any], None]) -> "_Sent":
        if self.acknowledged:
            told(_Where())
        return self

    def get(self, timeout: float) -> "_Where":
        if self.acknowledged:
            return _Where()
        raise KafkaTimeoutError


@dataclass
class _Where:
    partition: int = 0
    offset: int = 0
    timestamp: int = 1_790_000_000_000


made = st.lists(st.sampled_from(["tap", "void"]), min_size=1, max_size=12)
fates = st.lists(st.sampled_from(["sent", "lost", "unacknowledged"]), max_size=30)


@given(made, fates)
def test_whatever_fails_no_void_is_in_the_log_before_its_tap_and_all_is_in_the_end(
    kinds: list[str], fates: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "gateway.db"
        with closing(Outbox(file, reserve_bytes=0)) as outbox, closing(OutboxRows(file)) as rows:
            kept = Kept(file, outbox, rows)
            for number, kind in enumerate(kinds):
                if kind == "void" and number:
                    kept.void(number - 1)
                kept.tap(number)
            producer, clock = Scripted(fates), GatewayClock()
            while rows.standing().waiting:
                try:
                    publish_waiting(rows, producer, "topic", clock)
                except KafkaTimeoutError:
                    continue
    for void in (one for one in producer.log if one.startswith("v")):
        assert f"t{void[1:]}" in producer.log[: producer.log.index(void)]
    assert {one for one in producer.log if one.startswith("t")} == {
        f"t{number}" for number in range(len(kinds))
    }


def test_a_client_that_never_answers_is_waited_for_once_not_for_each_tap(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishers, "_DELIVERY_SECONDS", 0.05)
    for number in range(30):
        kept.tap(number)
    producer, clock = Silent(), GatewayClock()
    clock.heard("kafka", clock.now().best_at, clock.uptime(), clock.uptime())
    with pytest.raises(KafkaTimeoutError):
        publish_waiting(kept.rows, producer, "topic", clock)
    assert len(producer.waited) == 30
    assert sum(producer.waited) <= 0.1
    assert kept.rows.standing().waiting == 30


def test_a_void_is_never_in_flight_with_anything_of_its_volunteer() -> None:
    def row(number: int, volunteer: str, kind: str) -> Row:
        return Row(number, SOURCE, str(number), volunteer, kind, b"", False, Moment(0, "", 0))

    tap, void = "hours.checked-in.v1", "hours.tap-voided.v1"
    rows = [row(1, "V1", tap), row(2, "V2", tap), row(3, "V1", void), row(4, "V3", tap)]
    assert before_a_void(rows) == rows[:2]
    assert before_a_void(rows[2:]) == rows[2:]


def test_threads_that_end_leave_the_lock_to_others(
    kept: Kept, kafka: str, kafka_topic: Callable[..., str]
) -> None:
    topic = kafka_topic(1)
    for number in range(2):
        with publishing(kept.publisher(kafka, topic)):
            kept.tap(number)
            eventually(lambda: kept.rows.standing().waiting == 0, "an empty outbox")
    assert not [one for one in threading.enumerate() if one.name == "publisher"]


def ids(value: bytes) -> str:
    return value.partition(b'"id":"')[2].partition(b'"')[0].decode()


def _make_topic(address: str) -> None:
    settings = {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1"}
    with closing(KafkaAdminClient(bootstrap_servers=address)) as admin:
        admin.create_topics([NewTopic("taps", 1, 1, topic_configs=settings)])
