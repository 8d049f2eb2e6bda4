"""The roster in the database: read whole, changed by change sets that are kept for ever.

One change set at a time, each one transaction with its history and what is to be published of it.
Invariant: the history's changes, made in order from nothing, give the tables; and whoever changes
a record has seen what it was.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, RowMapping, Select, Table, func, select

from ledger.bulk import delete_rows, insert_rows
from ledger.refusals import LedgerRefusal
from ledger.roster import tables
from ledger.roster.calling import all_called
from ledger.roster.distribution import Message, messages
from ledger.roster.records import (
    KINDS,
    LISTS,
    Activity,
    Membership,
    Person,
    Project,
    Record,
    Team,
    Unit,
)
from ledger.roster.roster import Change, Key, Roster
from ledger.roster.vault import PrivateData, Sealed, Vault
from ledger.turns import taking_turns

_ONE_AT_A_TIME = 0x726F73746572
"""PostgreSQL's advisory lock for changing the roster: the letters "roster"."""


class ChangedSince(LedgerRefusal):
    """A record is no longer what the change was made from."""


class Deed(NamedTuple):
    """Who changes the roster, when (microseconds), why, and from which file."""

    by: str
    why: str
    at: int
    source: str | None = None
    undoes: int | None = None


class ChangeSet(NamedTuple):
    """What was done at once."""

    number: int
    deed: Deed


def changing(engine: Engine) -> AbstractContextManager[Connection]:
    """One transaction that changes the roster; others wait for their turn. NoDatabase."""
    return taking_turns(engine, _ONE_AT_A_TIME)


def load(connection: Connection, kinds: Iterable[type[Record]] = KINDS.values()) -> Roster:
    """The roster's records of some kinds, all of them unless told."""
    records: dict[str, dict[Key, Record]] = {}
    for model in kinds:
        table = tables.BY_KIND[model.KIND]
        rows = connection.execute(select(table)).mappings()
        found = (_record(model, row) for row in rows)
        records[model.KIND] = {record.key: record for record in found}
    return Roster(records)


def badges(connection: Connection) -> list[tuple[str, str | None]]:
    """Every volunteer with the serial of the badge, for looking somebody up."""
    table = tables.people
    rows = connection.execute(select(table.c.volunteer, table.c.badge_serial))
    return [(volunteer, serial) for volunteer, serial in rows]


def named(connection: Connection) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Kind, code and names of every unit, team, project and activity, for looking one up."""
    for kind, table in tables.BY_KIND.items():
        if kind in (Unit.KIND, Team.KIND, Project.KIND):
            for code, *names in connection.execute(
                select(table.c.code, table.c.name_zh, table.c.name_en).distinct()
            ):
                yield kind, code, tuple(filter(None, names))
    activities = tables.activities
    for code, title in connection.execute(select(activities.c.code, activities.c.title)):
        yield Activity.KIND, code, (title,)


def load_private(connection: Connection, vault: Vault) -> dict[str, PrivateData]:
    """Who each volunteer is, as of now. WrongKey."""
    return {
        volunteer: vault.open(volunteer, bytes(sealed))
        for volunteer, sealed in connection.execute(current_private())
    }


def latest_version(connection: Connection, volunteer: str) -> int:
    """The highest version of a volunteer's private data, also where it was taken back; 0: none."""
    table = tables.private
    latest = connection.execute(
        select(func.max(table.c.version)).where(table.c.volunteer == volunteer)
    ).scalar()
    return int(latest or 0)


def current_private() -> Select[Any]:
    """Each volunteer and what is sealed of who they are, as of now."""
    private, people = tables.private, tables.people
    return select(private.c.volunteer, private.c.sealed).join(
        people,
        (people.c.volunteer == private.c.volunteer)
        & (people.c.private_version == private.c.version),
    )


def apply(
    connection: Connection,
    before: Roster,
    changes: Sequence[Change],
    deed: Deed,
    sealed: Mapping[tuple[str, int], Sealed] = MappingProxyType({}),
) -> int:
    """Make changes to the roster that was `before`, within `changing`; the change set's number.

    `sealed` is new private data by volunteer and version. ChangedSince, and nothing is done, where
    a record is not what its change was made from.
    """
    for change in changes:
        if before.records[change.kind].get(change.key) != change.before:
            raise _changed_since(change)
    number = _next_number(connection)
    _write_records(connection, changes)
    private = [(*version, *one) for version, one in sealed.items()]
    insert_rows(connection, tables.private, private)
    _write_history(connection, number, deed, changes)
    people = {one.key[0] for one in changes if one.kind in (Person.KIND, Membership.KIND)}
    called = all_called(connection, people)
    enqueue(connection, number, messages(before.after(changes), changes, number, called))
    return number


def enqueue(connection: Connection, number: int, said: Iterable[Message]) -> None:
    """Let messages be published as of a change set, whose first they are."""
    rows = [(number, place, key, value) for place, (key, value) in enumerate(said)]
    insert_rows(connection, tables.outbox, rows)


def begin_change_set(connection: Connection, deed: Deed) -> int:
    """A change set with no changes: something was done with the roster that is to be known."""
    number = _next_number(connection)
    _write_history(connection, number, deed, ())
    return number


def latest_versions(connection: Connection) -> dict[str, int]:
    """The highest version of each volunteer's private data, also where it was taken back."""
    table = tables.private
    found = select(table.c.volunteer, func.max(table.c.version)).group_by(table.c.volunteer)
    return {volunteer: int(version) for volunteer, version in connection.execute(found)}


def change_sets(
    connection: Connection, kind: str | None = None, key: Key | None = None
) -> list[ChangeSet]:
    """The history, oldest first; of one record where it is named."""
    table, changes = tables.change_sets, tables.changes
    statement = select(table).order_by(table.c.number)
    if kind is not None and key is not None:
        touching = select(changes.c.change_set).where(
            changes.c.kind == kind, changes.c.key == _key_text(key)
        )
        statement = statement.where(table.c.number.in_(touching))
    return [
        ChangeSet(row.number, Deed(row.made_by, row.why, row.made_at, row.source, row.undoes))
        for row in connection.execute(statement)
    ]


def changes_of(connection: Connection, number: int) -> list[Change]:
    """What one change set did, in order."""
    table = tables.changes
    rows = connection.execute(
        select(table).where(table.c.change_set == number).order_by(table.c.position)
    )
    return [
        Change(_from_text(row.kind, row.before), _from_text(row.kind, row.after)) for row in rows
    ]


def _write_records(connection: Connection, changes: Sequence[Change]) -> None:
    by_kind: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        by_kind[change.kind].append(change)
    for kind, of_kind in by_kind.items():
        table = tables.BY_KIND[kind]
        gone = [one.key for one in of_kind if one.before is not None]
        delete_rows(connection, table, KINDS[kind].KEY, gone)
        insert_rows(connection, table, [_row(table, one.after) for one in of_kind if one.after])


def _write_history(
    connection: Connection, number: int, deed: Deed, changes: Sequence[Change]
) -> None:
    made = (number, deed.at, deed.by, deed.why, deed.source, deed.undoes)
    insert_rows(connection, tables.change_sets, [made])
    rows = [
        (number, place, one.kind, _key_text(one.key), _as_text(one.before), _as_text(one.after))
        for place, one in enumerate(changes)
    ]
    insert_rows(connection, tables.changes, rows)


def _next_number(connection: Connection) -> int:
    latest = connection.execute(select(func.max(tables.change_sets.c.number))).scalar()
    return int(latest or 0) + 1


def _record(model: type[Record], row: RowMapping) -> Record:
    """What the database holds was checked when it came in."""
    fields: dict[str, Any] = {str(name): value for name, value in row.items()}
    for name in LISTS & fields.keys():
        fields[name] = tuple(json.loads(fields[name]))
    return model.model_construct(**fields)


def _row(table: Table, record: Record) -> tuple[Any, ...]:
    values = (getattr(record, column.name) for column in table.c)
    return tuple(_packed(value) if isinstance(value, tuple) else value for value in values)


def _packed(codes: tuple[str, ...]) -> str:
    return json.dumps(codes, ensure_ascii=False, separators=(",", ":"))


def _key_text(key: Key) -> str:
    return json.dumps(key, ensure_ascii=False, separators=(",", ":"))


def _as_text(record: Record | None) -> str | None:
    return None if record is None else record.model_dump_json(exclude_none=True)


def _from_text(kind: str, written: str | None) -> Record | None:
    return None if written is None else KINDS[kind].model_validate_json(written)


def _changed_since(change: Change) -> ChangedSince:
    named = "/".join(change.key)
    return ChangedSince(
        f"{change.kind} {named} 已被别人改动：请重新查看后再试。 "
        f"{change.kind} {named} has been changed by somebody else: look again, and try again."
    )
