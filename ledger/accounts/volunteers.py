"""Volunteers at their own page: one-time codes, and sessions of an hour.

Invariant: a code lets one person in, once.
"""

import secrets

from sqlalchemy import Connection, Engine, insert, select, update

from ledger.accounts import tables
from ledger.accounts.signing_in import digest
from ledger.accounts.store import Deed, note, writing
from ledger.policy import SECOND

CODE_SECONDS = 24 * 3_600
SESSION_SECONDS = 3_600
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_LENGTH = 10
_READ_AS = str.maketrans("OIL", "011", " -")


def make_code(engine: Engine, volunteer: str, by: str, at: int) -> str:
    """A code for one volunteer, `XXXXX-XXXXX`, that is good once, for a day."""
    code = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LENGTH))
    table = tables.volunteer_codes
    with writing(engine) as connection:
        connection.execute(table.delete().where(table.c.expires_at <= at))
        connection.execute(
            insert(table).values(
                hash=digest(code),
                volunteer=volunteer,
                made_at=at,
                made_by=by,
                expires_at=at + CODE_SECONDS * SECOND,
            )
        )
        note(connection, Deed(at, by, "code", volunteer, ""))
    return f"{code[:5]}-{code[5:]}"


def use_code(engine: Engine, code: str, at: int) -> str | None:
    """A session's secret for a code that wasn't used yet; None where it was, or is none."""
    read = code.upper().translate(_READ_AS)
    table = tables.volunteer_codes
    with writing(engine) as connection:
        used = connection.execute(
            update(table)
            .where(table.c.hash == digest(read), table.c.expires_at > at, table.c.used_at.is_(None))
            .values(used_at=at)
            .returning(table.c.volunteer)
        ).scalar()
        return None if used is None else _begin(connection, used, at)


def begin(engine: Engine, volunteer: str, at: int) -> str:
    """A session's secret for a volunteer who showed who they are."""
    with writing(engine) as connection:
        return _begin(connection, volunteer, at)


def volunteer_of(connection: Connection, secret: str, at: int) -> str | None:
    """Whose session it is; None where it is over."""
    table = tables.volunteer_sessions
    return connection.execute(
        select(table.c.volunteer).where(table.c.hash == digest(secret), table.c.expires_at > at)
    ).scalar()


def end(engine: Engine, secret: str) -> None:
    """End a session."""
    table = tables.volunteer_sessions
    with writing(engine) as connection:
        connection.execute(table.delete().where(table.c.hash == digest(secret)))


def _begin(connection: Connection, volunteer: str, at: int) -> str:
    table = tables.volunteer_sessions
    connection.execute(table.delete().where(table.c.expires_at <= at))
    secret = secrets.token_urlsafe(32)
    connection.execute(
        insert(table).values(
            hash=digest(secret),
            volunteer=volunteer,
            made_at=at,
            expires_at=at + SESSION_SECONDS * SECOND,
        )
    )
    return secret
