"""Who may speak to the gateway: kiosks, their one-time codes and keys, in the gateway's file.

Codes and keys are known by their SHA-256 alone; they are random enough not to be guessed from it.
Invariant: a code is good for one browser, once; a key speaks for one kiosk, until it is revoked or
another browser takes its place.
"""

import hashlib
import json
import re
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import TypeAdapter, ValidationError

from producers.events import Code
from producers.kiosk.database import WRITING, open_database
from producers.kiosk.kiosk import Kiosk, Role

CODE_HOURS = 24

_CHARACTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: none looks like another
_FORGIVEN = str.maketrans("OIL", "011", "- ")
_CODE_LENGTH = 12
_CODES = TypeAdapter[str](Code)
_NOTE = "gateway"
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_COLUMNS = (
    "code, role, place, teams, created_at, created_by,"
    " enrolled_at, revoked_at, revoked_by, revoked_why"
)

WrongCode = Literal["wrong-code", "used-code", "expired-code"]


class KioskRefusal(Exception):
    """What was asked of the list of kiosks can't be; one line says why."""


class Enrolled(NamedTuple):
    """A browser's own key, told once, and what it speaks for."""

    key: str
    kiosk: Kiosk


class Seen(NamedTuple):
    """A kiosk's last report, as JSON, and when it came."""

    at: int
    report: str


class Kiosks:
    """The kiosks of one gateway, for any number of threads. Times are microseconds."""

    def __init__(self, file: Path) -> None:
        # Looking must not wait for the disk of whoever changes something.
        self._connection, self._changes = open_database(file), open_database(file)
        self._lock, self._changing_lock = threading.Lock(), threading.Lock()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock, self._changing_lock:
            self._connection.close()
            self._changes.close()

    def create(
        self, code: str, role: Role, place: str, teams: Sequence[str], by: str, now: int
    ) -> None:
        """A new kiosk, that nobody speaks for yet.

        KioskRefusal: there is one of that code, or a code that no event may name.
        """
        spoilt = [one for one in (*([place] if role == "kiosk" else ()), *teams) if _spoilt(one)]
        if spoilt:
            raise KioskRefusal(
                f"{spoilt[0]!a} 不是地点或队伍的编号。 {spoilt[0]!a} is no code of a place or team."
            )
        if not _CODE.fullmatch(code):
            raise KioskRefusal(
                f"签到机编号 {code!a} 不能用：写 1 到 64 个英文字母、数字、点、横线。 "
                f"{code!a} can't be a kiosk's code: 1 to 64 letters, digits, dots and hyphens."
            )
        row = (code, role, place, json.dumps(teams, ensure_ascii=False), now, by)
        with self._changing() as connection:
            try:
                connection.execute(
                    "INSERT INTO kiosks (code, role, place, teams, created_at, created_by)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    row,
                )
            except sqlite3.IntegrityError as error:
                raise KioskRefusal(
                    f"已有签到机 {code}：另取编号（--code），或用 hours kiosks code {code} 取新的"
                    f"注册码。 There is a kiosk {code}: name another (--code), or get a new code "
                    f"for it with hours kiosks code {code}."
                ) from error

    def new_code(self, kiosk: str, now: int, hours: float = CODE_HOURS) -> str:
        """A one-time code, shown XXXX-XXXX-XXXX. KioskRefusal: no such kiosk, or revoked."""
        code = "".join(secrets.choice(_CHARACTERS) for _ in range(_CODE_LENGTH))
        expires = now + int(hours * 3_600_000_000)
        with self._changing() as connection:
            if _kiosk(connection, "code = ? AND revoked_at IS NULL", kiosk) is None:
                raise KioskRefusal(
                    f"没有在用的签到机 {kiosk}。 There is no kiosk {kiosk} that isn't revoked."
                )
            connection.execute("DELETE FROM codes WHERE kiosk = ? AND used_at IS NULL", (kiosk,))
            connection.execute(
                "INSERT INTO codes VALUES (?, ?, ?, NULL)", (_hash(code), kiosk, expires)
            )
        return "-".join(code[at : at + 4] for at in range(0, _CODE_LENGTH, 4))

    def enrol(self, code: str, now: int) -> Enrolled | WrongCode:
        """Give the browser that shows a code a key of its own; the one before it ends."""
        key = secrets.token_urlsafe(32)
        hashed = _hash(code.upper().translate(_FORGIVEN))
        with self._changing() as connection:
            found = connection.execute(
                "SELECT kiosk, expires_at, used_at FROM codes WHERE hash = ?", (hashed,)
            ).fetchone()
            if found is None:
                return "wrong-code"
            name, expires_at, used_at = found
            if used_at is not None:
                return "used-code"
            if expires_at < now:
                return "expired-code"
            connection.execute("UPDATE codes SET used_at = ? WHERE hash = ?", (now, hashed))
            connection.execute(
                "UPDATE kiosks SET key_hash = ?, enrolled_at = ? WHERE code = ?",
                (_hash(key), now, name),
            )
            kiosk = _kiosk(connection, "code = ?", name)
        assert kiosk is not None
        return Enrolled(key, kiosk)

    def by_key(self, key: str) -> Kiosk | None:
        """Whose key it is; look at `revoked_at`."""
        with self._lock:
            return _kiosk(self._connection, "key_hash = ?", _hash(key))

    def by_code(self, code: str) -> Kiosk | None:
        """The kiosk of that code."""
        with self._lock:
            return _kiosk(self._connection, "code = ?", code)

    def revoke(self, code: str, by: str, why: str, now: int) -> None:
        """Refuse all that this kiosk says from now on. KioskRefusal: no such kiosk."""
        with self._changing() as connection:
            changed = connection.execute(
                "UPDATE kiosks SET revoked_at = coalesce(revoked_at, ?), revoked_by = ?,"
                " revoked_why = ? WHERE code = ?",
                (now, by, why, code),
            ).rowcount
            if not changed:
                raise KioskRefusal(f"没有签到机 {code}。 There is no kiosk {code}.")
            connection.execute("DELETE FROM codes WHERE kiosk = ? AND used_at IS NULL", (code,))

    def all(self) -> list[Kiosk]:
        """Every kiosk, by code."""
        with self._lock:
            found = self._connection.execute(f"SELECT {_COLUMNS} FROM kiosks ORDER BY code")  # noqa: S608
            return [_read(row) for row in found]

    def keep_reports(self, reports: dict[str, Seen], gateway: str) -> None:
        """Keep the last report of each kiosk, and what the gateway notes of itself."""
        rows = [(code, *seen) for code, seen in reports.items()]
        with self._changing() as connection:
            connection.executemany("INSERT OR REPLACE INTO reports VALUES (?, ?, ?)", rows)
            connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (_NOTE, gateway))

    def gateway_note(self) -> str | None:
        """What the gateway last noted of itself."""
        with self._lock:
            found = self._connection.execute(
                "SELECT value FROM facts WHERE name = ?", (_NOTE,)
            ).fetchone()
            return found and str(found[0])

    def reports(self) -> dict[str, Seen]:
        """The last report of each kiosk."""
        with self._lock:
            found = self._connection.execute("SELECT kiosk, seen_at, report FROM reports")
            return {code: Seen(at, report) for code, at, report in found}

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._changing_lock, WRITING:
            self._changes.execute("BEGIN IMMEDIATE")
            try:
                yield self._changes
                self._changes.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk may have rolled it back already
                    self._changes.execute("ROLLBACK")
                raise


def _spoilt(code: str) -> bool:
    try:
        _CODES.validate_python(code)
    except ValidationError:
        return True
    return False


def _kiosk(connection: sqlite3.Connection, where: str, value: Any) -> Kiosk | None:
    found = connection.execute(f"SELECT {_COLUMNS} FROM kiosks WHERE {where}", (value,)).fetchone()  # noqa: S608
    return None if found is None else _read(found)


def _read(row: Sequence[Any]) -> Kiosk:
    code, role, place, teams, *rest = row
    return Kiosk(code, role, place, tuple(json.loads(teams)), *rest)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
