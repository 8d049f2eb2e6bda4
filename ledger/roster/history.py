"""The history, read: what was changed, by whom, when and why, the latest first.

Plain SELECTs. Not writing it: that is the `store`'s. Invariant: no private data is in it; free
texts (why, notes) say what people wrote.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from ledger.roster import tables
from ledger.roster.records import Membership, Person
from ledger.roster.roster import Key
from ledger.roster.store import ChangeSet, Deed
from ledger.roster.undoing import Later


class Told(NamedTuple):
    """One change of a change set; kind, key and values are None where a set changed no record."""

    number: int
    at: int
    by: str
    why: str
    source: str | None
    undoes: int | None
    kind: str | None
    key: Key | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def fields(self) -> dict[str, tuple[Any, Any]]:
        """What differs: by field, from what to what."""
        before, after = self.before or {}, self.after or {}
        names = dict.fromkeys((*before, *after))
        return {
            name: (before.get(name), after.get(name))
            for name in names
            if before.get(name) != after.get(name)
        }


def history(
    connection: Connection, kind: str | None, key: Sequence[str], limit: int, offset: int
) -> tuple[list[Told], int]:
    """Changes, of the records whose key begins so where a kind is named; and how many there are.

    A person's are those of their memberships, too.
    """
    sets, changes = tables.change_sets, tables.changes
    joined = sets.outerjoin(changes, sets.c.number == changes.c.change_set)
    where = [] if kind is None else [_about(kind, key)]
    statement = (
        select(sets, changes.c.kind, changes.c.key, changes.c.before, changes.c.after)
        .select_from(joined)
        .where(*where)
        .order_by(sets.c.number.desc(), changes.c.position)
    )
    count = select(func.count()).select_from(joined).where(*where)
    rows = connection.execute(statement.limit(limit).offset(offset)).all()
    return [_told(row) for row in rows], int(connection.execute(count).scalar_one())


def latest_sets(connection: Connection, limit: int) -> list[ChangeSet]:
    """The change sets made last, the latest first."""
    table = tables.change_sets
    rows = connection.execute(select(table).order_by(table.c.number.desc()).limit(limit))
    return [
        ChangeSet(one.number, Deed(one.made_by, one.why, one.made_at, one.source, one.undoes))
        for one in rows
    ]


def later(connection: Connection, number: int) -> Later:
    """What was touched after a change set, and by which last."""
    table = tables.changes
    rows = connection.execute(
        select(table.c.kind, table.c.key, func.max(table.c.change_set))
        .where(table.c.change_set > number)
        .group_by(table.c.kind, table.c.key)
    )
    return Later({(kind, tuple(json.loads(key))): latest for kind, key, latest in rows})


def _about(kind: str, key: Sequence[str]) -> ColumnElement[bool]:
    kinds = [kind, Membership.KIND] if kind == Person.KIND else [kind]
    column = tables.changes.c.key
    if not key:
        return tables.changes.c.kind == kind
    begins = json.dumps(list(key), ensure_ascii=False, separators=(",", ":"))[:-1]
    goes_on = func.substr(column, 1, len(begins) + 1) == f"{begins},"
    return and_(tables.changes.c.kind.in_(kinds), or_(column == f"{begins}]", goes_on))


def _told(row: Any) -> Told:
    return Told(
        *(row.number, row.made_at, row.made_by, row.why, row.source, row.undoes, row.kind),
        None if row.key is None else tuple(json.loads(row.key)),
        *(None if one is None else json.loads(one) for one in (row.before, row.after)),
    )
