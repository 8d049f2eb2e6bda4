"""What a correction would change, found by settling it: the same `Shard` that a worker runs.

Pure, but for `accepted_of`, which reads. Invariant: were the corrections the next records of the
log, the ledger would change in just this way.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection, select

from ledger import queries, tables
from ledger.entries import EntryType
from ledger.policy import Policy
from ledger.settling import Half
from ledger.shard import Changes, Head, Shard
from ledger.taps import Fact, Record
from ledger.window import Accepted
from ledger.window_segments import spelt, unpack


class EntryChange(NamedTuple):
    """An entry that would be written: a session that comes or goes, or an adjustment."""

    type: EntryType
    team: str
    place: str
    day: str
    seconds: int


class Preview(NamedTuple):
    """What would change. `refusal` (reason, detail): the ledger would take the first so refused."""

    entries: Sequence[EntryChange]
    healed: int
    halves: Sequence[Half]
    seconds: int
    refusal: tuple[str, str] | None


class Known(NamedTuple):
    """What the ledger knows of one volunteer: accepted events, and where their shard stands."""

    shard: int
    head: Head
    accepted: Sequence[Accepted]


def preview(known: Known, facts: Sequence[Fact], policy: Policy, now: int) -> Preview:
    """What these facts would change, reaching the log now (microseconds), in this order."""
    shard = Shard(known.shard, policy, replace(known.head, watermark=now))
    shard.restore(known.accepted)
    offset = known.head.next_offset
    changes = shard.fold(Record(offset + place, now, fact) for place, fact in enumerate(facts))
    return _preview(changes)


def known_of(connection: Connection, shard: int, volunteer: str) -> Known:
    """What the connection's snapshot of the ledger knows of a volunteer of this shard."""
    head = next(one.head for one in queries.status(connection) if one.shard == shard)
    return Known(shard, head, accepted_of(connection, shard, volunteer))


def accepted_of(connection: Connection, shard: int, volunteer: str) -> list[Accepted]:
    """A volunteer's accepted events that may still matter, in the order of the log."""
    table = tables.window_segments.c
    wanted = spelt(volunteer)
    found: list[Accepted] = []
    rows = connection.execute(
        select(table.events).where(table.shard == shard).order_by(table.first_offset)
    )
    for (events,) in rows:
        if wanted in bytes(events):
            found += [one for one in unpack(bytes(events)) if one[1].volunteer == volunteer]
    return found


def _preview(changes: Changes) -> Preview:
    entries = [
        EntryChange(one.type, one.grain.team, one.grain.place, one.grain.day, one.seconds)
        for one in changes.entries
        if one.grain is not None
    ]
    refused = changes.rejections
    return Preview(
        entries=entries,
        healed=len(changes.halves_gone),
        halves=changes.halves_come,
        seconds=sum(one.seconds for one in entries),
        refusal=(refused[0].reason, refused[0].detail) if refused else None,
    )
