"""Signing in and out: sessions, and how wrong passwords are held up.

A session is a secret that the browser has and whose SHA-256 is kept. Invariant: from the outside,
an unknown name, a wrong password and a disabled account can't be told apart.
"""

import hashlib
import secrets
from typing import NamedTuple

from sqlalchemy import Connection, Engine, RowMapping, insert, select, update

from ledger.accounts import tables
from ledger.accounts.passwords import hashed, is_outdated, nobodys, verify
from ledger.accounts.store import Deed, account_in, end_sessions, note, writing
from ledger.accounts.values import AccountRefusal, Signed
from ledger.policy import SECOND
from ledger.queries import reading

LONGEST = 12 * 3_600 * SECOND
IDLE = 2 * 3_600 * SECOND
TRIES = 5
_TOUCH = 60 * SECOND
_FIRST_LOCK = 60 * SECOND
_LONGEST_LOCK = 3_600 * SECOND
# Of a name that nobody has, this is what a password is compared with, so that it takes as long.
_NOBODY = nobodys()


class Session(NamedTuple):
    """One sign-in of an account; instants in microseconds."""

    hash: str
    made_at: int
    seen_at: int
    address: str
    browser: str


class Locked(AccountRefusal):
    """Too many wrong passwords; until when (microseconds) none is tried."""

    def __init__(self, until: int, at: int) -> None:
        minutes = max(1, -(-(until - at) // (60 * SECOND)))
        super().__init__(
            f"密码错得太多：请 {minutes} 分钟后再试，或请运维员重设。 Too many wrong passwords: "
            f"try again in {minutes} min, or let an operator set another."
        )
        self.until = until


class WrongPassword(AccountRefusal):
    """The name, or the password, isn't right."""

    def __init__(self) -> None:
        super().__init__(
            "账号或密码不对：请再试一次。 The account or the password is wrong: try again."
        )


def sign_in(engine: Engine, name: str, password: str, address: str, browser: str, at: int) -> str:
    """A session's secret for who knows the password. WrongPassword, Locked."""
    table = tables.accounts
    with reading(engine) as connection:
        row = connection.execute(select(table).where(table.c.name == name)).mappings().first()
    # Compared outside of the transaction: it takes as long as it is meant to.
    is_right = verify(row["password"] if row and row["password"] else _NOBODY, password)
    refusal: AccountRefusal | None = None
    secret = ""
    with writing(engine) as connection:
        row = (
            connection.execute(select(table).where(table.c.name == name)).mappings().first()
            if row
            else None
        )
        if row is None or row["disabled_at"] is not None or row["password"] is None:
            refusal = WrongPassword()
            note(connection, Deed(at, "", "refused", _printable(name), address))
        elif row["locked_until"] is not None and at < row["locked_until"]:
            refusal = Locked(row["locked_until"], at)
        elif not is_right:
            refusal = _failed(connection, row, address, at)
        else:
            secret = _begin(connection, name, address, browser, at)
            fresh: dict[str, object] = {"failures": 0, "locked_until": None}
            if is_outdated(row["password"]):
                fresh["password"] = hashed(password)
            connection.execute(update(table).where(table.c.name == name).values(fresh))
    if refusal is not None:
        raise refusal
    return secret


def begin_session(engine: Engine, name: str, address: str, browser: str, at: int) -> str:
    """A session's secret for whom the identity provider vouched for."""
    with writing(engine) as connection:
        return _begin(connection, name, address, browser, at)


def signed(connection: Connection, secret: str, at: int) -> Signed | None:
    """Who has signed in by a secret; None where it is over."""
    table, accounts = tables.sessions, tables.accounts
    row = (
        connection.execute(
            select(accounts, table.c.hash, table.c.seen_at)
            .join(table, table.c.account == accounts.c.name)
            .where(
                table.c.hash == digest(secret),
                table.c.expires_at > at,
                table.c.seen_at > at - IDLE,
                accounts.c.disabled_at.is_(None),
            )
        )
        .mappings()
        .first()
    )
    return None if row is None else Signed(account_in(row), row["hash"])


def is_on(connection: Connection, session_hash: str, at: int) -> bool:
    """Whether a session isn't over."""
    table = tables.sessions.c
    found = connection.execute(
        select(table.hash).where(table.hash == session_hash, table.expires_at > at)
    )
    return found.first() is not None


def touch(engine: Engine, session_hash: str, at: int) -> None:
    """Note that a session is in use; once a minute is enough."""
    table = tables.sessions
    with reading(engine) as connection:
        seen = connection.execute(
            select(table.c.seen_at).where(table.c.hash == session_hash)
        ).scalar()
    if seen is not None and seen < at - _TOUCH:
        with writing(engine) as connection:
            connection.execute(update(table).where(table.c.hash == session_hash).values(seen_at=at))


def sessions(connection: Connection, name: str, at: int) -> list[Session]:
    """An account's sessions that aren't over, the latest first."""
    table = tables.sessions
    rows = connection.execute(
        select(table)
        .where(table.c.account == name, table.c.expires_at > at, table.c.seen_at > at - IDLE)
        .order_by(table.c.made_at.desc())
    )
    return [Session(row.hash, row.made_at, row.seen_at, row.address, row.browser) for row in rows]


def sign_out(engine: Engine, session_hash: str) -> None:
    """End one session."""
    with writing(engine) as connection:
        connection.execute(tables.sessions.delete().where(tables.sessions.c.hash == session_hash))


def sign_out_everywhere(engine: Engine, name: str, by: str, at: int, but: str | None = None) -> int:
    """End an account's sessions, all but one; how many there were."""
    with writing(engine) as connection:
        note(connection, Deed(at, by, "signed-out", name, ""))
        return end_sessions(connection, name, but)


def digest(secret: str) -> str:
    """What is kept of a secret that nobody could guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _begin(connection: Connection, name: str, address: str, browser: str, at: int) -> str:
    table = tables.sessions
    connection.execute(
        table.delete().where((table.c.expires_at <= at) | (table.c.seen_at <= at - IDLE))
    )
    secret = secrets.token_urlsafe(32)
    connection.execute(
        insert(table).values(
            hash=digest(secret),
            account=name,
            made_at=at,
            seen_at=at,
            expires_at=at + LONGEST,
            address=address[:64],
            browser=_printable(browser)[:200],
        )
    )
    note(connection, Deed(at, name, "signed-in", name, address))
    return secret


def _failed(connection: Connection, row: RowMapping, address: str, at: int) -> AccountRefusal:
    """Count a wrong password; after five, each doubles how long none is tried."""
    failures = row["failures"] + 1
    until = None
    if failures >= TRIES:
        until = at + min(_LONGEST_LOCK, _FIRST_LOCK << min(failures - TRIES, 10))
    table = tables.accounts
    connection.execute(
        update(table)
        .where(table.c.name == row["name"])
        .values(failures=failures, locked_until=until)
    )
    note(connection, Deed(at, "", "wrong-password", row["name"], address))
    return WrongPassword() if until is None else Locked(until, at)


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:64]
