"""The read side of adjustments: which events of a source are entries, and what else a day holds.

Plain SELECTs within `queries.reading`. Invariant: nothing here writes, and nobody settles by it.
"""

import json
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, func, select, tuple_

from ledger import tables

_AT_ONCE = 500

Key = TypeVar("Key")


Identity = tuple[str, str]
"""Volunteer and id of an event, of one source."""


class Entered(NamedTuple):
    """An adjustment that is an entry, and where in the log it came from."""

    volunteer: str
    id: str
    team: str
    activity: str | None
    day: str
    seconds: int
    by: str
    approved_by: str
    reason: str
    partition: int
    offset: int


class DayKey(NamedTuple):
    """One volunteer's civil day in a team."""

    volunteer: str
    team: str
    day: str


def entered(connection: Connection, source: str, volunteers: Collection[str]) -> Iterator[Entered]:
    """The adjustments of these volunteers that a source made."""
    table = tables.entries
    for some in _batches(volunteers):
        statement = select(table.c.body).where(
            table.c.volunteer.in_(some), table.c.type == "adjustment"
        )
        for body in connection.execute(statement).scalars():
            entry = json.loads(body)
            if entry["event"]["source"] == source:
                yield _entered(entry)


def seconds_of_days(
    connection: Connection, volunteers: Collection[str], first: str, last: str
) -> dict[DayKey, int]:
    """The ledger's seconds by volunteer, team and day, from `first` to `last` (ISO dates)."""
    table = tables.entries
    key = (table.c.volunteer, table.c.team, table.c.day)
    found: dict[DayKey, int] = {}
    for some in _batches(volunteers):
        statement = (
            select(*key, func.sum(table.c.seconds))
            .where(table.c.volunteer.in_(some), table.c.day.between(first, last))
            .group_by(*key)
        )
        for volunteer, team, day, seconds in connection.execute(statement):
            found[DayKey(volunteer, team, day)] = int(seconds)
    return found


def refused_at(
    connection: Connection, places: Collection[tuple[int, int]]
) -> dict[tuple[int, int], tuple[str, str]]:
    """Reason and detail of what was refused at these partitions and offsets of the log."""
    table = tables.rejections
    found: dict[tuple[int, int], tuple[str, str]] = {}
    for some in _batches(places):
        statement = select(table.c.shard, table.c.log_offset, table.c.reason, table.c.detail).where(
            tuple_(table.c.shard, table.c.log_offset).in_(some)
        )
        for shard, offset, reason, detail in connection.execute(statement):
            found[shard, offset] = (reason, detail)
    return found


def _batches(keys: Collection[Key]) -> Iterator[list[Key]]:
    listed = list(keys)
    for start in range(0, len(listed), _AT_ONCE):
        yield listed[start : start + _AT_ONCE]


def _entered(entry: dict[str, Any]) -> Entered:
    return Entered(
        volunteer=entry["volunteer"],
        id=entry["event"]["id"],
        activity=entry.get("activity"),
        **{name: entry[name] for name in ("team", "day", "seconds", "by", "approved_by", "reason")},
        **entry["log"],
    )
