"""What an import has to know before it publishes: which of its events there are already.

The ledger knows what is settled, the log behind the ledger's next offset what is on its way.
Together they are all there is, however long ago it was; what is published after they were asked is
within settling's window, which finds it by its identity. Nothing else remembers an import.
Invariant: an event that is published without having been found here is credited once, or not at
all, whoever else publishes it.
"""

import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine

from ledger import adjustments, queries
from ledger.adjustments import Entered, Identity
from producers.events import Adjusted
from producers.partitioning import partition_of
from producers.publishing import Account, open_producer, publish_events
from producers.reading import read_record
from streams.log import open_log
from streams.settings import StreamSettings
from streams.topics import TopicRefusal, lost_log

Place = tuple[int, int]
"""Partition and offset in the log."""

_POLL_SECONDS = 0.2


class Settled(NamedTuple):
    """What a ledger holds of a source, and each shard's next offset as of then."""

    entered: dict[Identity, Entered]
    next_offsets: dict[int, int]


def settled(connection: Connection, source: str, volunteers: Collection[str]) -> Settled:
    """What the ledger holds, in the snapshot of one `queries.reading`."""
    found = adjustments.entered(connection, source, volunteers)
    entered = {(one.volunteer, one.id): one for one in found}
    next_offsets = {one.shard: one.head.next_offset for one in queries.status(connection)}
    return Settled(entered, next_offsets)


def on_their_way(
    settings: StreamSettings, source: str, volunteers: Collection[str], before: Settled
) -> dict[Identity, Entered]:
    """What the log holds beyond what was settled, up to its end as it is now. TopicRefusal."""
    count = settings.policy.shard_count
    partitions = {partition_of(volunteer, count) for volunteer in volunteers}
    wanted = frozenset(volunteers)
    found: dict[Identity, Entered] = {}
    with open_log(settings.kafka, settings.taps_topic, count) as log:
        for partition in sorted(partitions):
            begins, ends = log.bounds[partition]
            start = before.next_offsets[partition]
            if lost := lost_log(partition, begins, ends, start, start):
                raise TopicRefusal(lost)
            for batch in log.read(partition, ends, start):
                for record in batch:
                    event = read_record(record.value, record.headers)
                    if (
                        isinstance(event, Adjusted)
                        and event.source == source
                        and event.subject in wanted
                    ):
                        one = _entered(event, partition, record.offset)
                        found.setdefault((one.volunteer, one.id), one)
    return found


def publish(
    settings: StreamSettings,
    events: Sequence[Adjusted],
    before: Settled,
    moved: Callable[[int], None],
) -> list[Place]:
    """Publish events of one source, and where in the log each now stands. NotAcknowledged."""
    places: dict[int, Place] = {}

    def taken(number: int, where: Any) -> None:
        places[number] = (where.partition, where.offset)

    def report(so_far: Account) -> None:
        moved(so_far.sent)

    with open_producer(settings.kafka) as producer:
        publish_events(events, producer, settings.taps_topic, report, taken)
    told = [places[number] for number in range(1, len(events) + 1)]
    if any(offset < 0 for _, offset in told):  # the broker had it already, and doesn't say where
        volunteers = {event.subject for event in events}
        found = on_their_way(settings, events[0].source, volunteers, before)
        for number, event in enumerate(events):
            one = found[event.subject, event.id]
            told[number] = (one.partition, one.offset)
    return told


def wait_until_settled(
    engine: Engine,
    places: Collection[Place],
    patience_seconds: float,
    moved: Callable[[int], None],
) -> None:
    """Wait until the ledger has settled what stands at these places, or patience ends."""
    deadline = time.monotonic() + patience_seconds
    while True:
        with queries.reading(engine) as connection:
            ends = {one.shard: one.head.next_offset for one in queries.status(connection)}
        done = sum(offset < ends[partition] for partition, offset in places)
        moved(done)
        if done == len(places) or time.monotonic() > deadline:
            return
        time.sleep(_POLL_SECONDS)


def _entered(event: Adjusted, partition: int, offset: int) -> Entered:
    data = event.data
    return Entered(
        *(event.subject, event.id, data.team, data.activity, data.day, data.seconds),
        *(data.by, data.approved_by, data.reason, partition, offset),
    )
