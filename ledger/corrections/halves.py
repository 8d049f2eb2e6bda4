"""The halves that wait to be put right, with all that is needed to do so.

Plain SELECTs within `queries.reading`. What counts as an exception is `queries.exceptions`' rule.
"""

from typing import Any, NamedTuple

from sqlalchemy import Connection, or_, select

from ledger import tables
from ledger.policy import Policy
from ledger.taps import Kind


class WaitingHalf(NamedTuple):
    """A tap with no partner; absent codes are empty, the instant is in microseconds."""

    shard: int
    volunteer: str
    source: str
    id: str
    occurred_at: int
    kind: Kind
    team: str
    place: str
    activity: str
    status: str

    @property
    def reason(self) -> str:
        """Why it is an exception; an open check-in that is looked at late has no check-out."""
        return "no-check-out" if self.status == "open" else self.status


_COLUMNS = [tables.halves.c[name] for name in WaitingHalf._fields]


def exceptions(connection: Connection, policy: Policy, now: int) -> list[WaitingHalf]:
    """All exceptions, oldest first."""
    table = tables.halves.c
    return _found(connection, or_(table.status != "open", table.occurred_at < now - policy.cap))


def half(connection: Connection, volunteer: str, source: str, id: str) -> WaitingHalf | None:
    """One half, also one that is still open; None where it was healed."""
    table = tables.halves.c
    found = _found(connection, table.volunteer == volunteer, table.source == source, table.id == id)
    return found[-1] if found else None


def _found(connection: Connection, *where: Any) -> list[WaitingHalf]:
    table = tables.halves.c
    rows = connection.execute(
        select(*_COLUMNS).where(*where).order_by(table.occurred_at, table.volunteer, table.id)
    )
    return [WaitingHalf(*row) for row in rows]
