"""An approved correction on its way: made an event, published, followed until it has settled.

Invariant: the bytes of an event are made once, at the approval, in its transaction; a crash between
Kafka's acknowledgement and the mark sends the same bytes again, which settling knows for a
duplicate.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any, NamedTuple

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from ulid import ULID

from ledger import queries
from ledger.corrections import store
from ledger.corrections.values import Correction
from ledger.refusals import LedgerRefusal
from producers import desk
from producers.events import ANY_EVENT, Event
from producers.kafka_access import KafkaAccess, reach
from producers.kiosk.publisher import opened, trouble
from producers.writing import write_line, write_record

SENDER = "board"
"""Whom steps name that no person takes."""

_LOOK_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 15.0
_ANSWER_SECONDS = 30
_KEPT = ("更正都在数据库里", "corrections are kept in the database")
_EXPECTED = (KafkaError, OSError, SQLAlchemyError, LedgerRefusal)
log = logging.getLogger(__name__)


class Sending(NamedTuple):
    """Whether what is approved goes out; if not, why. How many wait, the oldest since when."""

    trouble: str | None = None
    waiting: int = 0
    oldest_at: int = 0


def event_of(correction: Correction) -> str:
    """The event that an approved correction is, as one line of JSON. ValidationError."""
    return write_line(_event(correction)).decode()


class CorrectionPublisher(threading.Thread):
    """Publishes what is approved and notes what has settled, until it is stopped."""

    def __init__(
        self, engine: Engine, access: KafkaAccess, topic: str, clock: Callable[[], int]
    ) -> None:
        super().__init__(name="corrections", daemon=True)
        self._engine, self._access, self._topic, self._clock = engine, access, topic, clock
        self._over, self._more = threading.Event(), threading.Event()
        self.state = Sending()

    def run(self) -> None:
        pause = 1.0
        while not self._over.is_set():
            try:
                self._follow()
                pause = 1.0
            except Exception as error:
                if not isinstance(error, _EXPECTED):  # ours; corrections wait, and it must be seen
                    log.exception("sending corrections failed")
                self._troubled(error)
                self._over.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def wake(self) -> None:
        """There is something new to be sent."""
        self._more.set()

    def stop(self) -> None:
        """Send no more; what waits stays."""
        self._over.set()
        self._more.set()

    def _follow(self) -> None:
        """Look for what waits; Kafka is reached only when there is something to send."""
        while not self._over.is_set():
            self._more.clear()
            with queries.reading(self._engine) as connection:
                waiting = store.waiting(connection)
            if any(one.state == "approved" for one in waiting):
                self._send([one for one in waiting if one.state == "approved"])
            oldest = min((int(one.decided_at or 0) for one in waiting), default=0)
            self.state = Sending(None, len(waiting), oldest)
            settled = store.settle(self._engine, self._clock(), SENDER) if waiting else 0
            if not settled:
                self._more.wait(_LOOK_SECONDS)

    def _send(self, approved: list[Correction]) -> None:
        """In the order of their numbers: a void never overtakes its tap."""
        reach(self._access)
        with opened(self._access) as producer:
            for one in approved:
                publish(producer, self._access, self._topic, self._engine, one, self._clock())

    def _troubled(self, error: Exception) -> None:
        kafka = isinstance(error, KafkaError | OSError)
        said = trouble(error, self._access, _KEPT) if kafka else str(error)
        if self.state.trouble is None:
            log.warning("更正发不出去。 Corrections can't be sent: %s", said)
        self.state = self.state._replace(trouble=said)


def publish(
    producer: Any, access: KafkaAccess, topic: str, engine: Engine, approved: Correction, at: int
) -> None:
    """Send one approved correction and note where Kafka keeps it. KafkaError."""
    event = ANY_EVENT.validate_json(str(approved.event))
    key, _, headers = write_record(event)
    # The bytes that were kept, not what would be written of them today.
    value = str(approved.event).encode()
    where = producer.send(topic, value, key, headers).get(timeout=_ANSWER_SECONDS)
    offset = where.offset
    if offset < 0:  # the broker had it from a try before, and didn't say where: it is behind us
        offset = _last(access, topic, where.partition)
    store.sent(engine, approved.number, where.partition, offset, at, SENDER)


def _last(access: KafkaAccess, topic: str, partition: int) -> int:
    """The last offset of a partition, which is not before what was just acknowledged."""
    at = TopicPartition(topic, partition)
    with closing(KafkaConsumer(**access.options(), group_id=None)) as consumer:
        return int(consumer.end_offsets([at])[at]) - 1


def _event(one: Correction) -> Event:
    id_, by, why = str(ULID()), one.proposed_by, one.reason
    at, approved_by = int(one.decided_at or 0), str(one.decided_by)
    if one.kind == "adjustment":
        about = (one.volunteer, one.team, one.day, one.seconds, approved_by)
        return desk.adjustment(id_, by, *about, at, why, one.activity or None)
    agreed = {"approvedby": approved_by}
    if one.kind == "void":
        tap = (one.tap_source, one.tap_id)
        return desk.void(id_, by, one.volunteer, tap, at, why).model_copy(update=agreed)
    when = int(one.occurred_at or 0)
    if one.kind == "check-out":
        left = desk.check_out(id_, by, one.volunteer, when, why, one.place or None)
        return left.model_copy(update=agreed)
    activity = one.activity or None
    came = desk.check_in(id_, by, one.volunteer, one.team, one.place, when, why, activity)
    return came.model_copy(update=agreed)
