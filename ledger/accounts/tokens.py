"""Tokens, by which programs come in an account's name, with its role and no more.

Invariant: a token's text is seen once, when it is made; its SHA-256 is kept.
"""

import secrets
from typing import NamedTuple

from sqlalchemy import Connection, Engine, insert, select, update

from ledger.accounts import tables
from ledger.accounts.signing_in import digest
from ledger.accounts.store import Deed, account_in, note, writing
from ledger.accounts.values import Account, AccountRefusal
from ledger.policy import SECOND

PREFIX = "hours_"
LONGEST_DAYS = 366
_DAY = 86_400 * SECOND


class Token(NamedTuple):
    """A token as it is listed; instants in microseconds."""

    hash: str
    label: str
    made_at: int
    expires_at: int
    revoked_at: int | None


def make_token(engine: Engine, account: str, label: str, days: int, at: int) -> str:
    """A new token of an account, for so many days. AccountRefusal."""
    if not 1 <= days <= LONGEST_DAYS or not label.strip():
        raise AccountRefusal(
            f"令牌要有名字，有效期为 1 到 {LONGEST_DAYS} 天。 "
            f"A token has a label, and is for 1 to {LONGEST_DAYS} days."
        )
    text = PREFIX + secrets.token_urlsafe(32)
    with writing(engine) as connection:
        connection.execute(
            insert(tables.tokens).values(
                hash=digest(text),
                account=account,
                label=label.strip()[:200],
                made_at=at,
                expires_at=at + days * _DAY,
            )
        )
        note(connection, Deed(at, account, "token", label.strip()[:200], ""))
    return text


def by_token(connection: Connection, text: str, at: int) -> Account | None:
    """In whose name a token comes; None where it is none, or over."""
    table, accounts = tables.tokens, tables.accounts
    row = (
        connection.execute(
            select(accounts)
            .join(table, table.c.account == accounts.c.name)
            .where(
                table.c.hash == digest(text),
                table.c.expires_at > at,
                table.c.revoked_at.is_(None),
                accounts.c.disabled_at.is_(None),
            )
        )
        .mappings()
        .first()
    )
    return None if row is None else account_in(row)


def tokens(connection: Connection, account: str) -> list[Token]:
    """An account's tokens, the latest first."""
    table = tables.tokens
    rows = connection.execute(
        select(table).where(table.c.account == account).order_by(table.c.made_at.desc())
    )
    return [Token(row.hash, row.label, row.made_at, row.expires_at, row.revoked_at) for row in rows]


def revoke(engine: Engine, account: str, token_hash: str, at: int) -> bool:
    """End one of an account's tokens; whether there was such a one."""
    table = tables.tokens
    with writing(engine) as connection:
        found = connection.execute(
            update(table)
            .where(
                table.c.hash == token_hash,
                table.c.account == account,
                table.c.revoked_at.is_(None),
            )
            .values(revoked_at=at)
        )
        note(connection, Deed(at, account, "token-revoked", token_hash[:16], ""))
        return found.rowcount == 1
