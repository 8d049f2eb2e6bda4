"""Accounts in the database: made, changed, disabled; what was done to them is kept for ever.

Not signing in: that is `signing_in`. Invariant: whoever loses a right loses their sessions too.
"""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, RowMapping, func, insert, select, update

from ledger.accounts import tables
from ledger.accounts.passwords import hashed, refuse_weak
from ledger.accounts.values import Account, AccountRefusal, NewAccount
from ledger.turns import taking_turns

_ONE_AT_A_TIME = 0x61636374
"""PostgreSQL's advisory lock for changing accounts: the letters "acct"."""


class Deed(NamedTuple):
    """What was done to an account, or tried: who, when (microseconds), from which address."""

    at: int
    by: str
    what: str
    about: str
    address: str


def writing(engine: Engine) -> AbstractContextManager[Connection]:
    """One transaction that changes accounts or sessions; others wait for their turn. NoDatabase."""
    return taking_turns(engine, _ONE_AT_A_TIME)


def add(engine: Engine, new: NewAccount, by: str, at: int, password: str | None) -> Account:
    """A new account; without a password it signs in by the identity provider. AccountRefusal."""
    if password is not None:
        refuse_weak(password, new.name)
    with writing(engine) as connection:
        if find(connection, new.name) is not None:
            raise AccountRefusal(
                f"已经有账号 {new.name}：换一个名字。 "
                f"There is an account {new.name} already: take another name."
            )
        _refuse_same_subject(connection, new)
        values = _columns(new) | {
            "name": new.name,
            "password": hashed(password) if password is not None else None,
            "made_at": at,
            "made_by": by,
            "failures": 0,
        }
        connection.execute(insert(tables.accounts).values(values))
        note(connection, Deed(at, by, "added", f"{new.name} {new.role}", ""))
        return _known(connection, new.name)


def change(engine: Engine, new: NewAccount, by: str, at: int) -> Account:
    """Another role, teams, units, address or subject; signs the account out everywhere."""
    with writing(engine) as connection:
        _known(connection, new.name)
        _refuse_same_subject(connection, new)
        _set(connection, new.name, _columns(new))
        end_sessions(connection, new.name)
        note(connection, Deed(at, by, "changed", f"{new.name} {new.role}", ""))
        return _known(connection, new.name)


def set_password(engine: Engine, name: str, password: str, by: str, at: int) -> None:
    """Another password; signs out everywhere, and opens what wrong passwords locked."""
    refuse_weak(password, name)
    with writing(engine) as connection:
        _known(connection, name)
        changed = {"password": hashed(password), "failures": 0, "locked_until": None}
        _set(connection, name, changed)
        end_sessions(connection, name)
        note(connection, Deed(at, by, "password", name, ""))


def disable(engine: Engine, name: str, by: str, at: int) -> None:
    """The account may sign in no more; its sessions and tokens end."""
    with writing(engine) as connection:
        _known(connection, name)
        _set(connection, name, {"disabled_at": at})
        end_sessions(connection, name)
        note(connection, Deed(at, by, "disabled", name, ""))


def enable(engine: Engine, name: str, by: str, at: int) -> None:
    """The account may sign in again."""
    with writing(engine) as connection:
        _known(connection, name)
        _set(connection, name, {"disabled_at": None, "failures": 0, "locked_until": None})
        note(connection, Deed(at, by, "enabled", name, ""))


def find(connection: Connection, name: str) -> Account | None:
    """The account of a name."""
    table = tables.accounts
    row = connection.execute(select(table).where(table.c.name == name)).mappings().first()
    return None if row is None else account_in(row)


def by_subject(connection: Connection, subject: str) -> Account | None:
    """The account that the identity provider knows by a name of its own."""
    table = tables.accounts
    row = connection.execute(select(table).where(table.c.subject == subject)).mappings().first()
    return None if row is None else account_in(row)


def all_accounts(connection: Connection) -> list[Account]:
    """Every account, by name."""
    table = tables.accounts
    return [
        account_in(row)
        for row in connection.execute(select(table).order_by(table.c.name)).mappings()
    ]


def deeds(connection: Connection, limit: int) -> list[Deed]:
    """What was done last, the latest first."""
    table = tables.deeds
    rows = connection.execute(select(table).order_by(table.c.number.desc()).limit(limit))
    return [Deed(row.at, row.by, row.what, row.about, row.address) for row in rows]


def note(connection: Connection, deed: Deed) -> None:
    """Keep what was done, within `writing`."""
    table = tables.deeds
    latest = connection.execute(select(func.max(table.c.number))).scalar() or 0
    connection.execute(insert(table).values(number=latest + 1, **deed._asdict()))


def end_sessions(connection: Connection, name: str, but: str | None = None) -> int:
    """End an account's sessions, all but one; how many there were."""
    table = tables.sessions
    ended = table.delete().where(table.c.account == name)
    if but is not None:
        ended = ended.where(table.c.hash != but)
    return connection.execute(ended).rowcount


def checked(values: Mapping[str, Any]) -> NewAccount:
    """An account as somebody wrote it down. AccountRefusal."""
    try:
        return NewAccount.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or first["type"]
        raise AccountRefusal(
            f"账号的 {where} 不对（{first['msg']}）：账号名是 2 到 32 个小写字母、数字和 . _ -，"
            "队长要有队伍，所站负责人要有单位。 "
            f"The account's {where} can't be so ({first['msg']}): a name is 2 to 32 lower-case "
            "letters, digits and . _ -, a leader has teams, an officer units."
        ) from error


def account_in(row: RowMapping) -> Account:
    """The account that a row says."""
    return Account(
        name=row["name"],
        role=row["role"],
        teams=tuple(json.loads(row["teams"])),
        units=tuple(json.loads(row["units"])),
        email=row["email"],
        subject=row["subject"],
        made_at=row["made_at"],
        made_by=row["made_by"],
        disabled_at=row["disabled_at"],
        has_password=row["password"] is not None,
    )


def _known(connection: Connection, name: str) -> Account:
    found = find(connection, name)
    if found is None:
        raise AccountRefusal(
            f"没有账号 {name}：用 hours accounts list 查看。 "
            f"There is no account {name}: see hours accounts list."
        )
    return found


def _refuse_same_subject(connection: Connection, new: NewAccount) -> None:
    other = by_subject(connection, new.subject) if new.subject is not None else None
    if other is not None and other.name != new.name:
        raise AccountRefusal(
            f"身份提供方的 {new.subject} 已经属于账号 {other.name}。 "
            f"The identity provider's {new.subject} is the account {other.name} already."
        )


def _columns(new: NewAccount) -> dict[str, Any]:
    return {
        "role": new.role,
        "teams": json.dumps(new.teams, ensure_ascii=False),
        "units": json.dumps(new.units, ensure_ascii=False),
        "email": new.email,
        "subject": new.subject,
    }


def _set(connection: Connection, name: str, columns: Mapping[str, Any]) -> None:
    table = tables.accounts
    connection.execute(update(table).where(table.c.name == name).values(columns))
