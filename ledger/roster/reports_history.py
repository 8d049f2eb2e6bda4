"""One volunteer's history: the sessions that stand, and adjustments, with what their codes mean.

A session that was taken back is left out together with what took it back. Invariant: the seconds
of a history add up to what the ledger credits the volunteer with.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, select

from ledger import as_of
from ledger.evidence.moments import SignedMoment
from ledger.policy import Policy
from ledger.roster import tables as roster
from ledger.tables import entries


class Served(NamedTuple):
    """One session, or one adjustment: without times and place, but with a reason.

    Times are RFC 3339 in UTC, as they stand in the entry; names are None where the roster has none.
    """

    day: str
    opened_at: str | None
    closed_at: str | None
    team: str
    team_name: str | None
    place: str | None
    place_name: str | None
    activity: str | None
    activity_name: str | None
    seconds: int
    reason: str | None


def history(
    connection: Connection,
    volunteer: str,
    policy: Policy,
    instant: int | SignedMoment | None = None,
) -> list[Served]:
    """All that a volunteer served, oldest first; as the ledger held it at an instant, if given."""
    below = None if instant is None else as_of.stands(connection, instant, policy)
    table = entries.c
    statement = (
        select(table.shard, table.seq, table.type, table.session, table.day, table.body)
        .where(table.volunteer == volunteer)
        .order_by(table.shard, table.seq)
    )
    standing: dict[tuple[Any, ...], tuple[str, dict[str, Any]]] = {}
    for row in connection.execute(statement):
        if below is not None and row.seq >= below[row.shard]:
            continue
        if row.type == "reversal":
            standing.pop((row.session, row.day), None)
            continue
        # A session's name may come again after the window: it is told by its day too.
        key = (row.session, row.day) if row.type == "credit" else (row.shard, row.seq)
        standing[key] = (row.day, json.loads(bytes(row.body)))
    return _named(connection, standing.values())


def _named(connection: Connection, standing: Iterable[tuple[str, dict[str, Any]]]) -> list[Served]:
    found = sorted(standing, key=lambda one: (one[0], one[1].get("opened_at", "")))
    units = _names(connection, found, "place", roster.units.c.code, roster.units.c.name_zh)
    teams = _names(connection, found, "team", roster.teams.c.code, roster.teams.c.name_zh)
    titles = _names(
        connection, found, "activity", roster.activities.c.code, roster.activities.c.title
    )
    return [
        Served(
            day,
            *(entry.get("opened_at"), entry.get("closed_at")),
            *(entry["team"], teams.get(entry["team"])),
            *(entry.get("place"), units.get(entry.get("place", ""))),
            *(entry.get("activity"), titles.get(entry.get("activity", ""))),
            *(entry["seconds"], entry.get("reason")),
        )
        for day, entry in found
    ]


def _names(
    connection: Connection,
    found: Iterable[tuple[str, dict[str, Any]]],
    member: str,
    code: Column[Any],
    name: Column[Any],
) -> Mapping[str, str]:
    """What the codes are called; of several rows of a code, the newest."""
    codes = {entry[member] for _, entry in found if member in entry}
    table = code.table
    ordered = select(code, name).where(code.in_(sorted(codes)))
    if "valid_from" in table.c:
        ordered = ordered.order_by(table.c.valid_from)
    return {row[0]: row[1] for row in connection.execute(ordered)}
