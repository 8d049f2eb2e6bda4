"""From the outbox to the log: in order, until Kafka has acknowledged, however long that takes.

A row is marked as published after its acknowledgement; a crash in between sends the same bytes
again, which settling knows for a duplicate. Order matters in one case alone: a void must not reach
the log before its tap. So a void is never in flight together with anything of its volunteer; it is
sent when that is acknowledged. Invariant: nothing is given up but what Kafka says that it will
never take, and that is kept, with the reason.
"""

import fcntl
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from kafka import KafkaProducer
from kafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from producers.events import ANY_EVENT, TapVoided
from producers.kafka_access import KafkaAccess, refused_by_kafka
from producers.kiosk.gateway_clock import GatewayClock, corrected
from producers.kiosk.outbox_rows import KEPT_SECONDS, OutboxRows, Published, Row
from producers.writing import CONTENT_TYPE, write_line

logger = logging.getLogger(__name__)

AT_ONCE = 2_000
"""How many taps are sent together at most."""

_LONGEST_PAUSE_SECONDS = 30.0
_DELIVERY_SECONDS = 30
_REACH_SECONDS = 10
_LOOK_SECONDS = 5.0
_EXPECTED = (KafkaError, OSError, sqlite3.Error)
_NEVER = (MessageSizeTooLargeError, RecordListTooLargeError)
_KEPT = ("签到都在网关里", "taps are kept on the gateway")
_VOID = TapVoided.model_fields["type"].default
_UNSET = 0  # a record's time, where the broker didn't put its own in its place

Failure = tuple[Row, Exception]


class PublisherState(NamedTuple):
    """Whether Kafka takes what is sent; if not, why, and since when (microseconds)."""

    connected: bool
    trouble: str | None
    since: int


class BatchRefused(Exception):
    """Kafka will never take one of `count` rows that were sent together: it is too large.

    A client that was told so of one says it of others too: they are sent by a new one, one by one,
    and a row that was sent alone is given up.
    """

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


class AnotherPublisher(Exception):
    """Somebody else publishes what is in this file."""


class Publisher(threading.Thread):
    """Publishes what comes into the outbox, until it is stopped. `kept` says that there is more.

    While somebody else publishes what is in the file, it waits for its turn.
    """

    def __init__(
        self,
        file: Path,
        rows: OutboxRows,
        kept: threading.Event,
        access: KafkaAccess,
        topic: str,
        clock: GatewayClock,
    ) -> None:
        super().__init__(name="publisher", daemon=True)
        self._file = file
        self._rows, self._kept, self._clock = rows, kept, clock
        self._access, self._topic = access, topic
        self._over = threading.Event()
        self._singly = 0
        self.state = PublisherState(False, None, clock.now().best_at)

    def run(self) -> None:
        pause = 1.0
        while not self._over.is_set():
            try:
                with alone(self._file), opened(self._access) as producer:
                    for sent in self._batches(producer):
                        pause = 1.0 if sent else pause
            except AnotherPublisher:
                self._over.wait(1.0)
            except BatchRefused as refused:
                self._singly = refused.count if refused.count > 1 else self._singly - 1
            except Exception as error:
                if not isinstance(error, _EXPECTED):  # ours; taps wait, and it must be seen
                    logger.exception("publishing failed")
                self._troubled(error)
                self._over.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def stop(self) -> None:
        """Send no more; what waits stays."""
        self._over.set()
        self._kept.set()

    def _batches(self, producer: Any) -> Iterator[int]:
        """Send what waits, for ever; how many each time."""
        while not self._over.is_set():
            self._kept.clear()
            most = 1 if self._singly > 0 else AT_ONCE
            sent = publish_waiting(self._rows, producer, self._topic, self._clock, most)
            self._singly = max(self._singly - sent, 0)
            if sent or not self.state.connected:
                self._well()
            if not sent:
                self._rows.forget_published(self._clock.now().best_at - KEPT_SECONDS * 1_000_000)
                self._kept.wait(_LOOK_SECONDS)
            yield sent

    def _well(self) -> None:
        if not self.state.connected:
            self.state = PublisherState(True, None, self._clock.now().best_at)

    def _troubled(self, error: Exception) -> None:
        known = self.state
        since = self._clock.now().best_at if known.trouble is None else known.since
        self.state = PublisherState(False, trouble(error, self._access), since)


def publish_waiting(
    rows: OutboxRows, producer: Any, topic: str, clock: GatewayClock, most: int = AT_ONCE
) -> int:
    """Send up to `most` of what waits and mark what was acknowledged; how many that were.

    KafkaError where one was not: it waits on, as does all behind it. BatchRefused.
    """
    waiting = rows.waiting(most if clock.measured_by else 1)  # the first one asks the time
    batch = before_a_void(waiting)
    if not batch:
        return 0
    failed = _try(rows, producer, topic, clock, batch)
    for _, error in failed:
        if not isinstance(error, _NEVER):
            raise error
    if failed:
        if len(batch) == 1:
            rows.refused_by_kafka(batch[0].number, f"{type(failed[0][1]).__name__}"[:300])
        raise BatchRefused(len(batch))
    return len(batch)


def before_a_void(rows: Sequence[Row]) -> Sequence[Row]:
    """As many of these rows, in order, as may be in flight together."""
    seen = set[str]()
    for place, row in enumerate(rows):
        if row.volunteer in seen and row.kind == _VOID:
            return rows[:place]
        seen.add(row.volunteer)
    return rows


def trouble(error: Exception, access: KafkaAccess, kept: tuple[str, str] = _KEPT) -> str:
    """What to tell the operator of an error that keeps taps from being published.

    `kept`, in two languages: what else it keeps, and where that waits.
    """
    refused = refused_by_kafka(access, error)
    if refused:
        return refused
    return (
        f"Kafka {access.bootstrap} 没有确认（{type(error).__name__}）：{kept[0]}，会再发。 "
        f"Kafka at {access.bootstrap} doesn't acknowledge ({type(error).__name__}): {kept[1]} "
        "and sent again."
    )


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Be the only one who publishes what is in this file. AnotherPublisher."""
    with file.with_name(f"{file.name}.publisher").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AnotherPublisher from error
        yield


@contextmanager
def opened(access: KafkaAccess) -> Iterator[Any]:
    """A producer for `publish_waiting`. KafkaError, OSError."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    producer = KafkaProducer(
        **access.options(),
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        batch_size=262_144,
        bootstrap_timeout_ms=_REACH_SECONDS * 1_000,
        max_block_ms=_DELIVERY_SECONDS * 1_000,
        request_timeout_ms=_REACH_SECONDS * 1_000,
        delivery_timeout_ms=_DELIVERY_SECONDS * 1_000,
    )
    try:
        yield producer
    finally:
        producer.close(timeout=1)


def _try(
    rows: OutboxRows, producer: Any, topic: str, clock: GatewayClock, batch: Sequence[Row]
) -> list[Failure]:
    """Send rows, mark those that were acknowledged; the others."""
    offered = [_offered(row, clock) for row in batch]
    rows.offer(offered)
    futures = [_send(producer, topic, row, clock) for row in offered]
    until = time.monotonic() + 2 * _DELIVERY_SECONDS  # for all: a client may never answer for any
    acknowledged, failed = list[Published](), list[Failure]()
    for row, future in zip(offered, futures, strict=True):
        try:
            where = _acknowledgement(future, until)
        except KafkaError as error:
            failed.append((row, error))
        else:
            acknowledged.append(Published(row.number, where.partition, where.offset))
    rows.published(acknowledged, clock.now().best_at)
    return failed


def _offered(row: Row, clock: GatewayClock) -> Row:
    """The row as Kafka will see it: its time put right by what is known now, for good."""
    if row.offered:
        return row
    event = ANY_EVENT.validate_json(row.event)
    at = corrected(event.time, row.received, clock.now())
    if at == event.time:
        return row
    return row._replace(event=write_line(event.model_copy(update={"time": at})))


def _acknowledgement(sent: Any, until: float) -> Any:
    """Where a record is in the log, if that is known by then. KafkaError."""
    if isinstance(sent, KafkaError):
        raise sent
    return sent.get(timeout=max(until - time.monotonic(), 0))


def _send(producer: Any, topic: str, row: Row, clock: GatewayClock) -> Any:
    """A future, or why it could not even be sent, ever."""
    key, value, headers = row.volunteer.encode(), row.event, [CONTENT_TYPE]
    sent_at = clock.uptime()
    try:
        future = producer.send(topic, value, key, headers=headers, timestamp_ms=_UNSET)
    except _NEVER as error:
        return error

    def acknowledged(where: Any) -> None:
        if where.timestamp != _UNSET:
            clock.heard("kafka", where.timestamp * 1_000, sent_at, clock.uptime())

    return future.add_callback(acknowledged)
