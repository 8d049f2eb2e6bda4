"""From a record of the log to the plain value settling takes, or to a refusal.

Where `producers` and `ledger` meet: an event becomes a tap, a void or an adjustment. Pure.
"""

from collections.abc import Sequence
from typing import Protocol

from ledger.taps import Adjustment, Fact, Record, Refusal, Tap, Void
from producers.events import Adjusted, CheckedIn, CheckedOut, Event, TapVoided
from producers.partitioning import partition_of
from producers.reading import read_record
from producers.refusals import Refusal as Unreadable

_MILLISECOND = 1_000


class LogRecord(Protocol):
    """What both Kafka clients call a consumer record; `timestamp` is in milliseconds."""

    offset: int
    timestamp: int
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


def decode(record: LogRecord, partition: int, partition_count: int) -> Record:
    """What the record says, and when the broker took it (microseconds)."""
    read = read_record(record.value, record.headers)
    content = (
        Refusal(read.reason, read.detail)
        if isinstance(read, Unreadable)
        else _at_home(read, partition, partition_count)
    )
    return Record(record.offset, record.timestamp * _MILLISECOND, content)


def fact_of(event: Event) -> Fact:
    """The event as settling's plain value."""
    match event:
        case CheckedIn(data=data):
            return Tap.of(
                event.subject, "in", event.time, event.source, event.id,
                data.team, data.place, data.activity, data.supplied_by, data.reason,
            )  # fmt: skip
        case CheckedOut(data=data):
            return Tap.of(
                event.subject, "out", event.time, event.source, event.id,
                None, data.place, None, data.supplied_by, data.reason,
            )  # fmt: skip
        case TapVoided(data=data):
            return Void(
                event.subject, event.time, event.source, event.id,
                data.tap_source, data.tap_id, data.by, data.reason,
            )  # fmt: skip
        case Adjusted(data=data):
            return Adjustment(
                event.subject, event.time, event.source, event.id,
                data.team, data.activity, data.day, data.seconds,
                data.by, data.approved_by, data.reason,
            )  # fmt: skip


def _at_home(event: Event, partition: int, partition_count: int) -> Fact | Refusal:
    home = partition_of(event.subject, partition_count)
    if home != partition:
        return Refusal(
            "wrong-partition",
            f"subject {event.subject} belongs in partition {home}, this is {partition}; "
            "let the client partition by murmur2 of the key, and make the key the subject "
            "(librdkafka and kcat: partitioner=murmur2_random)",
        )
    return fact_of(event)
