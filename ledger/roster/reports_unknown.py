"""Codes that the ledger names and the roster lacks: what reports show as unknown, one by one.

It settles all the same; once the roster has the code, its hours are in their place. Invariant: a
code whose sessions were all taken back, and that no open tap names, is not here.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Table, func, or_, select

from ledger.policy import Policy
from ledger.roster import tables as roster
from ledger.tables import day_totals, entries, halves


class UnknownCode(NamedTuple):
    """A code, what the ledger has under it, and from which ISO day to which.

    `kind` is that of the records it is missing from: unit, team, activity, person. `halves` are
    taps under it that no session came of yet.
    """

    kind: str
    code: str
    sessions: int
    seconds: int
    halves: int
    first_day: str
    last_day: str


class _Source(NamedTuple):
    """Where codes of a kind are known, and the columns of the ledger that name them."""

    kind: str
    known: Column[Any]
    column: str
    sums: Table


# Counters are fewer than entries, but don't tell volunteers apart.
_SOURCES = (
    _Source("unit", roster.units.c.code, "place", day_totals),
    _Source("team", roster.teams.c.code, "team", day_totals),
    _Source("activity", roster.activities.c.code, "activity", day_totals),
    _Source("person", roster.people.c.volunteer, "volunteer", entries),
)


def unknown_codes(connection: Connection, policy: Policy) -> list[UnknownCode]:
    """All of them, those with the most hours first within each kind."""
    found = []
    for source in _SOURCES:
        of_kind = {one.code: one for one in _served(connection, source)}
        for one in _open(connection, source, policy):
            known = of_kind.get(one.code)
            of_kind[one.code] = one if known is None else _together(known, one)
        found += sorted(of_kind.values(), key=lambda one: (-one.seconds, one.code))
    return found


def _served(connection: Connection, source: _Source) -> Iterator[UnknownCode]:
    table = source.sums.c
    code, sessions, seconds = (
        table[source.column],
        func.sum(table.sessions),
        func.sum(table.seconds),
    )
    statement = (
        select(code, sessions, seconds, func.min(table.day), func.max(table.day))
        .where(code != "", code.not_in(select(source.known)))
        .group_by(code)
        .having(or_(sessions != 0, seconds != 0))
    )
    for name, its_sessions, its_seconds, first, last in connection.execute(statement):
        yield UnknownCode(source.kind, name, int(its_sessions), int(its_seconds), 0, first, last)


def _open(connection: Connection, source: _Source, policy: Policy) -> Iterator[UnknownCode]:
    table = halves.c
    code, at = table[source.column], table.occurred_at
    statement = (
        select(code, func.count(), func.min(at), func.max(at))
        .where(code != "", code.not_in(select(source.known)))
        .group_by(code)
    )
    for name, taps, first, last in connection.execute(statement):
        days = (policy.civil_day(first), policy.civil_day(last))
        yield UnknownCode(source.kind, name, 0, 0, taps, *days)


def _together(served: UnknownCode, waiting: UnknownCode) -> UnknownCode:
    return served._replace(
        halves=waiting.halves,
        first_day=min(served.first_day, waiting.first_day),
        last_day=max(served.last_day, waiting.last_day),
    )
