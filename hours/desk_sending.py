"""A clerk's events on their way: on the disk first, then in the log, by whoever may publish.

The outbox is the gateway's; where a gateway runs on the same file, it sends them. Invariant:
nothing is said to be kept before it is on the disk, nor to be in the log before Kafka acknowledged
it.
"""

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from kafka.errors import KafkaError

from hours.settings import Settings, WrongUse
from producers.events import Event
from producers.kafka_access import KafkaAccess
from producers.kiosk.gateway_clock import GatewayClock, Moment
from producers.kiosk.outbox import NewTap, Outbox
from producers.kiosk.outbox_rows import OutboxRows
from producers.kiosk.publisher import (
    AT_ONCE,
    AnotherPublisher,
    BatchRefused,
    alone,
    opened,
    publish_waiting,
    trouble,
)

_WAIT_SECONDS = 15
_LOOK_SECONDS = 0.1
_TYPED = "typed"  # no boot's: a time that somebody typed is not the machine's to correct


def keep(file: Path, events: Sequence[Event], place: str) -> None:
    """Events on the disk. OutboxUnavailable, `database.OtherVersion`."""
    received = Moment(time.time_ns() // 1_000, _TYPED, 0)
    with closing(Outbox(file)) as outbox:
        outbox.add([NewTap(event, place, received) for event in events]).result()


def send(settings: Settings, wanted: Sequence[Event]) -> str | None:
    """Until these are in the log (none named: all that waits); else why they aren't yet.

    WrongUse where Kafka will never take one of them.
    """
    file = settings.gateway_file
    with closing(OutboxRows(file)) as rows:
        try:
            access = settings.kafka_access()
            topic = settings.streams().taps_topic
        except WrongUse as missing:
            return str(missing)
        try:
            with alone(file):
                waits = _publish(rows, access, topic)
        except AnotherPublisher:
            return _await(rows, wanted)
        _refuse_never_taken(rows, wanted)
        return waits


def _publish(rows: OutboxRows, access: KafkaAccess, topic: str) -> str | None:
    clock, most, sent = GatewayClock(), AT_ONCE, 1
    while sent:
        try:
            with opened(access) as producer:
                while sent := publish_waiting(rows, producer, topic, clock, most):
                    pass
        except BatchRefused:
            most = 1
        except (KafkaError, OSError) as error:
            return trouble(error, access)
    return None


def _await(rows: OutboxRows, wanted: Sequence[Event]) -> str | None:
    """A gateway has the file: it sends them."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while not all(rows.is_published(event.source, event.id) for event in wanted):
        _refuse_never_taken(rows, wanted)
        if time.monotonic() > deadline:
            return (
                "签到机网关正在运行，由它发送，但 Kafka 还没有确认。 "
                "A gateway runs and sends them, but Kafka has not acknowledged yet."
            )
        time.sleep(_LOOK_SECONDS)
    return None


def _refuse_never_taken(rows: OutboxRows, wanted: Sequence[Event]) -> None:
    named = {(event.source, event.id) for event in wanted}
    for source, id_, why in rows.refused_rows():
        if (source, id_) in named:
            raise WrongUse(
                f"Kafka 永不接收 {id_}（{why}）：把原因写短些，再录一次。 Kafka will never take "
                f"{id_} ({why}): say the reason in fewer words, and enter it again."
            )
