"""Who may see who a volunteer is, and who did: each disclosure is kept, with its reason.

Invariant: unmasked data leaves `disclose` only in a transaction that keeps who saw whom, and why;
what was looked for is not kept, because it can be a name.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, select, text

from ledger.bulk import insert_rows
from ledger.roster import store, tables
from ledger.roster.store import Deed
from ledger.roster.vault import PrivateData, Vault

_AT_ONCE = 500


class Disclosure(NamedTuple):
    """Who saw which volunteers unmasked, when (microseconds) and why."""

    number: int
    at: int
    by: str
    why: str
    volunteers: tuple[str, ...]


def may_see(connection: Connection) -> bool:
    """Whether this database user may read who people are; anybody may who has SQLite's file."""
    if connection.dialect.name != "postgresql":
        return True
    asked = text("SELECT has_table_privilege(:table, 'SELECT')")
    return bool(connection.execute(asked, {"table": tables.private.name}).scalar_one())


def who(
    connection: Connection, vault: Vault, volunteers: Collection[str]
) -> dict[str, PrivateData]:
    """Who some volunteers are, for showing them masked. WrongKey."""
    statement = store.current_private().where(
        tables.private.c.volunteer.in_(bindparam("volunteers", expanding=True))
    )
    asked = sorted(volunteers)
    found: dict[str, PrivateData] = {}
    for first in range(0, len(asked), _AT_ONCE):
        rows = connection.execute(statement, {"volunteers": asked[first : first + _AT_ONCE]})
        found |= {one: vault.open(one, bytes(sealed)) for one, sealed in rows}
    return found


def disclose(
    connection: Connection, vault: Vault, volunteers: Collection[str], deed: Deed
) -> Mapping[str, PrivateData]:
    """Who some volunteers are, unmasked, within `store.changing`; it is kept that it was asked."""
    found = who(connection, vault, volunteers)
    latest = connection.execute(select(func.max(tables.disclosures.c.number))).scalar()
    what = json.dumps(sorted(found), ensure_ascii=False)
    row = (int(latest or 0) + 1, deed.at, deed.by, deed.why, what)
    insert_rows(connection, tables.disclosures, [row])
    return found


def disclosures(connection: Connection, limit: int, offset: int) -> tuple[list[Disclosure], int]:
    """Those that were, the latest first, and how many there are."""
    table = tables.disclosures
    rows = connection.execute(
        select(table).order_by(table.c.number.desc()).limit(limit).offset(offset)
    )
    count = connection.execute(select(func.count()).select_from(table)).scalar_one()
    return [_disclosure(one) for one in rows], int(count)


def looks_at(connection: Connection, volunteer: str, limit: int) -> list[Disclosure]:
    """Who saw one volunteer unmasked, the latest first."""
    table = tables.disclosures
    named = table.c.what.contains(json.dumps(volunteer, ensure_ascii=False), autoescape=True)
    rows = connection.execute(
        select(table).where(named).order_by(table.c.number.desc()).limit(limit)
    )
    return [_disclosure(one) for one in rows]


def _disclosure(row: Any) -> Disclosure:
    return Disclosure(row.number, row.made_at, row.made_by, row.why, tuple(json.loads(row.what)))
