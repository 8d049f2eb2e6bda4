"""What volunteers are called where names are not shown, as at kiosks: a first character and stars.

It stands beside what is sealed, in the same row, so that it goes where that goes. Invariant: in no
other table but the outbox, on its way to the topic.
"""

from collections.abc import Collection

from sqlalchemy import Connection, select

from ledger.bulk import delete_rows, insert_rows
from ledger.roster import tables
from ledger.roster.vault import Vault, called

_FEW = 500
"""Up to how many are asked for by name; of more, all are read."""


def all_called(connection: Connection, volunteers: Collection[str] | None = None) -> dict[str, str]:
    """What volunteers (None: all) are called, as of now; not of whom it isn't known."""
    private, people = tables.private, tables.people
    found = select(private.c.volunteer, private.c.called).join(
        people,
        (people.c.volunteer == private.c.volunteer)
        & (people.c.private_version == private.c.version),
    )
    if volunteers is not None and len(volunteers) <= _FEW:
        found = found.where(private.c.volunteer.in_(volunteers))
    return {
        volunteer: name
        for volunteer, name in connection.execute(found.where(private.c.called.is_not(None)))
        if volunteers is None or volunteer in volunteers
    }


def call_everybody(connection: Connection, vault: Vault) -> int:
    """Note what those are called of whom it isn't known, within `store.changing`; how many rows.

    They were sealed before it was noted. WrongKey, and nothing is done.
    """
    private = tables.private
    rows = [
        tuple(row) for row in connection.execute(select(private).where(private.c.called.is_(None)))
    ]
    noted = [
        (volunteer, version, bytes(sealed), called(vault.open(volunteer, bytes(sealed)).name))
        for volunteer, version, sealed, _ in rows
    ]
    delete_rows(connection, private, ("volunteer", "version"), [row[:2] for row in rows])
    insert_rows(connection, private, noted)
    return len(noted)
