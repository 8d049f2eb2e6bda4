"""Publishing events to the log: idempotent, acknowledged by all, every line accounted for.

kafka-python is the producer: no event is sent twice by its retries, and one volunteer's events
keep their order. Invariant: each line given ends as exactly one of blank, sent, refused, failed.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import KafkaConnectionError, KafkaError

from producers.events import Event
from producers.kafka_access import KafkaAccess, lacking, perhaps_unseen, refused_by_kafka
from producers.reading import read_line
from producers.refusals import Refusal
from producers.writing import write_record

_IN_FLIGHT = 20_000
_DELIVERY_SECONDS = 120
_REACH_SECONDS = 10

Answer = TypeVar("Answer")


class NoBroker(Exception):
    """Kafka does not answer, or has no such topic; one line says what to do."""


class NotAcknowledged(Exception):
    """Events were sent and not acknowledged: they may be in the log, or not."""


class Trouble(NamedTuple):
    """A line (from 1) that was refused, or that the broker did not acknowledge."""

    line: int
    reason: str
    detail: str


@dataclass
class Account:
    """Where every line went: lines = blank + sent + refused + failed, once publishing ended."""

    lines: int = 0
    blank: int = 0
    sent: int = 0
    refused: int = 0
    failed: int = 0
    first_failure: Trouble | None = field(default=None)


Report = Callable[[Account], None]
"""Called now and then with the account so far."""

Taken = Callable[[int, Any], None]
"""Called once for each acknowledged event: its number from 1, and kafka-python's metadata of it.

Its offset is -1 where the broker had the event from an earlier try and didn't say where.
"""


@contextmanager
def open_producer(kafka: KafkaAccess) -> Iterator[Any]:
    """An idempotent producer. NoBroker where none can be reached."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    try:
        producer = KafkaProducer(
            **kafka.options(),
            acks="all",
            enable_idempotence=True,
            linger_ms=20,
            batch_size=262_144,
            bootstrap_timeout_ms=_REACH_SECONDS * 1_000,
            max_block_ms=_DELIVERY_SECONDS * 1_000,
            delivery_timeout_ms=_DELIVERY_SECONDS * 1_000,
        )
    except (KafkaError, OSError) as error:
        raise _no_broker(kafka, error) from error
    try:
        yield producer
    finally:
        producer.close(timeout=10)


def refuse_missing(kafka: KafkaAccess, topic: str) -> None:
    """NoBroker where Kafka has no such topic, or lets this user write nothing to it.

    A producer would wait for it, or be refused, line after line.
    """
    try:
        with closing(
            KafkaAdminClient(**kafka.options(), bootstrap_timeout_ms=_REACH_SECONDS * 1_000)
        ) as client:
            (found,) = ask_any_broker(lambda: client.describe_topics([topic]))
    except (KafkaError, OSError) as error:
        raise _no_broker(kafka, error) from error
    if not found["error_code"] and kafka.user is not None:
        if "WRITE" not in found["authorized_operations"]:
            raise NoBroker(lacking(kafka, "WRITE", topic))
    elif found["error_code"]:
        chinese, english = perhaps_unseen(kafka)
        raise NoBroker(
            f"Kafka 里没有主题 {topic}{chinese}：请运行 hours init。 "
            f"Kafka has no topic {topic}{english}: run hours init."
        )


def ask_any_broker(question: Callable[[], Answer]) -> Answer:
    """The answer to a question put to kafka-python, for as long as some broker may give it.

    It asks one of the brokers it knows, and gives up if that is one that has just gone; asked
    again, it takes another. KafkaError.
    """
    deadline = time.monotonic() + _REACH_SECONDS
    while True:
        try:
            return question()
        except KafkaConnectionError:
            if time.monotonic() > deadline:
                raise


def publish_lines(
    lines: Iterable[bytes],
    producer: Any,
    topic: str,
    report: Report,
    on_refused: Callable[[Trouble], None],
) -> Account:
    """Publish CloudEvents, one JSON a line; a bad line is refused and stops nothing."""
    sending = _Sending(producer, topic, report)
    for number, line in enumerate(lines, 1):
        account = sending.account
        account.lines += 1
        text = line.strip()
        if not text:
            account.blank += 1
            continue
        read = read_line(text)
        if isinstance(read, Refusal):
            account.refused += 1
            on_refused(Trouble(number, read.reason, read.detail))
            continue
        sending.send(number, read[0])
    return sending.finish()


def publish_events(
    events: Iterable[Event],
    producer: Any,
    topic: str,
    report: Report = lambda so_far: None,
    taken: Taken = lambda number, where: None,
) -> None:
    """Publish events and wait until all are acknowledged. NotAcknowledged."""
    sending = _Sending(producer, topic, report, taken)
    for number, event in enumerate(events, 1):
        sending.send(number, event)
    account = sending.finish()
    if account.first_failure is not None:
        raise NotAcknowledged(
            f"Kafka 没有确认 {account.failed} 个事件：请稍后重试。 Kafka did not acknowledge "
            f"{account.failed} events ({account.first_failure.detail}): try again later."
        )


def _no_broker(kafka: KafkaAccess, error: Exception) -> NoBroker:
    refused = refused_by_kafka(kafka, error)
    if refused:
        return NoBroker(refused)
    return NoBroker(
        f"连不上 Kafka {kafka.bootstrap}：请检查它是否在运行，以及 HOURS_KAFKA。 "
        f"Kafka at {kafka.bootstrap} does not answer ({type(error).__name__}): "
        "check that it runs, and HOURS_KAFKA."
    )


class _Sending:
    """Events on their way, a bounded number of them."""

    def __init__(
        self,
        producer: Any,
        topic: str,
        report: Report,
        taken: Taken = lambda number, where: None,
    ) -> None:
        self.account = Account()
        self._producer = producer
        self._topic = topic
        self._report = report
        self._taken = taken
        self._waiting: deque[tuple[int, Any]] = deque()

    def send(self, number: int, event: Event) -> None:
        key, value, headers = write_record(event)
        try:
            future = self._producer.send(self._topic, value=value, key=key, headers=headers)
        except KafkaError as error:
            self._fail(number, error)
            return
        self._waiting.append((number, future))
        if len(self._waiting) >= _IN_FLIGHT:
            self._settle(_IN_FLIGHT // 2)

    def finish(self) -> Account:
        """Wait for every acknowledgement."""
        self._settle(0)
        return self.account

    def _settle(self, leave: int) -> None:
        until = time.monotonic() + 2 * _DELIVERY_SECONDS  # for all: a client may never answer
        while len(self._waiting) > leave:
            number, future = self._waiting.popleft()
            try:
                where = future.get(timeout=max(until - time.monotonic(), 0))
            except KafkaError as error:
                self._fail(number, error)
            else:
                self.account.sent += 1
                self._taken(number, where)
                if self.account.sent % 1_000 == 0:
                    self._report(self.account)
        self._report(self.account)

    def _fail(self, number: int, error: KafkaError) -> None:
        self.account.failed += 1
        if self.account.first_failure is None:
            self.account.first_failure = Trouble(number, type(error).__name__, str(error)[:200])
