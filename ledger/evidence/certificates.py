"""Certificates as they are kept: what was certified, and what became of each. Not how they look.

A certificate is issued, at once or after a public notice; then it can be revoked, or replaced by
another. Each of these is a fate, which the signer puts into the district's log. Invariant: what was
certified never changes, and a fate is never taken back.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, func, insert, select

from ledger.evidence.refusals import EvidenceRefusal
from ledger.evidence.statements import Statement
from ledger.evidence.tables import certificate_fates, certificates
from ledger.policy import SECOND
from ledger.turns import taking_turns

ISSUED, REVOKED, REPLACED = "issued", "revoked", "replaced"
_LOCK = 0x63657274
"""PostgreSQL's advisory lock for certificates: the letters "cert"."""

_DAY = 24 * 3_600 * SECOND
_CHECK = "0123456789ABCDEFGHJKMNPQRSTUVWX"
"""A check character for each remainder by 31: without those that are read as another."""


class Certified(NamedTuple):
    """A certificate, and how it is now: `noticed` (on public notice), issued, revoked, replaced."""

    number: str
    volunteer: str
    made_at: int
    made_by: str
    statement: str
    notice_until: int | None
    replaces: str | None
    status: str


class Request(NamedTuple):
    """Who is certified, by whom, what it replaces, and how long it is on public notice."""

    volunteer: str
    by: str
    replaces: str | None = None
    notice_days: int = 0


def issue(
    engine: Engine, request: Request, at: int, timezone: str, state: Callable[[str], Statement]
) -> Statement:
    """Certify what `state` says under the new number. EvidenceRefusal for a number not issued.

    With days of notice its fate is said by `conclude`, once they are over.
    """
    with taking_turns(engine, _LOCK) as connection:
        if request.replaces is not None:
            _refuse_unless_issued(connection, request.replaces)
        statement = state(_next_number(connection, at, timezone))
        until = at + request.notice_days * _DAY if request.notice_days else None
        connection.execute(
            insert(certificates).values(
                number=statement.number, volunteer=request.volunteer, made_at=at,
                made_by=request.by, statement=statement.hash,
                statement_body=statement.body.decode(), notice_until=until,
                replaces=request.replaces,
            )
        )  # fmt: skip
        if until is None:
            _issue(connection, statement.number, statement.hash, request, at)
    return statement


def conclude(engine: Engine, at: int) -> list[str]:
    """Issue those whose days of notice are over: their numbers."""
    with taking_turns(engine, _LOCK) as connection:
        over = [
            one
            for one in _all(connection)
            if one.status == "noticed" and (one.notice_until or 0) <= at
        ]
        for one in over:
            request = Request(one.volunteer, one.made_by, one.replaces)
            _issue(connection, one.number, one.statement, request, at)
    return [one.number for one in over]


def revoke(engine: Engine, number: str, by: str, reason: str, at: int) -> None:
    """Say that a certificate holds no longer. EvidenceRefusal where it isn't issued."""
    with taking_turns(engine, _LOCK) as connection:
        one = _refuse_unless_issued(connection, number)
        _say(connection, number, REVOKED, one.statement, "", by, reason, at)


class Noticed(NamedTuple):
    """A certificate on public notice: whose it will be, the hours it states, until when."""

    number: str
    volunteer: str
    certified_seconds: int
    until: int


def on_notice(connection: Connection) -> list[Noticed]:
    """What members may object to before it is issued, the longest noticed first."""
    table = certificates.c
    waiting = {one.number: one for one in _all(connection) if one.status == "noticed"}
    rows = connection.execute(
        select(table.number, table.statement_body)
        .where(table.number.in_(waiting))
        .order_by(table.notice_until, table.number)
    )
    return [
        Noticed(
            row.number,
            waiting[row.number].volunteer,
            Statement.model_validate_json(row.statement_body).certified_seconds,
            waiting[row.number].notice_until or 0,
        )
        for row in rows
    ]


def listed(connection: Connection, volunteer: str | None = None) -> list[Certified]:
    """All certificates, or a volunteer's, the newest last."""
    return [one for one in _all(connection) if volunteer in (None, one.volunteer)]


def _issue(connection: Connection, number: str, statement: str, request: Request, at: int) -> None:
    if request.replaces is not None:
        old = _refuse_unless_issued(connection, request.replaces)
        reason = f"replaced by {number}"
        _say(connection, old.number, REPLACED, old.statement, number, request.by, reason, at)
    _say(connection, number, ISSUED, statement, "", request.by, "", at)


def _say(
    connection: Connection,
    number: str,
    status: str,
    statement: str,
    replaced_by: str,
    by: str,
    reason: str,
    at: int,
) -> None:
    last = connection.scalar(select(func.max(certificate_fates.c.fate)))
    connection.execute(
        insert(certificate_fates).values(
            fate=0 if last is None else last + 1, number=number, status=status,
            statement=statement, replaced_by=replaced_by, at=at, by=by, reason=reason,
        )
    )  # fmt: skip


def _all(connection: Connection) -> list[Certified]:
    said = connection.execute(
        select(certificate_fates.c.number, certificate_fates.c.status).order_by(
            certificate_fates.c.fate
        )
    ).all()
    fates = {row.number: row.status for row in said}  # the last one said of each
    table = certificates.c
    rows = connection.execute(
        select(
            table.number, table.volunteer, table.made_at, table.made_by, table.statement,
            table.notice_until, table.replaces,
        ).order_by(table.made_at, table.number)
    )  # fmt: skip
    return [Certified(*row, fates.get(row.number, "noticed")) for row in rows]


def _refuse_unless_issued(connection: Connection, number: str) -> Certified:
    found = next((one for one in _all(connection) if one.number == number), None)
    if found is None or found.status != ISSUED:
        status = found.status if found else "unknown"
        raise EvidenceRefusal(
            f"证书 {number} 不在有效状态（{status}）。 Certificate {number} is not issued "
            f"({status})."
        )
    return found


def _next_number(connection: Connection, at: int, timezone: str) -> str:
    """`<year>-<six digits><check character>`: told apart when it is read aloud."""
    year = datetime.fromtimestamp(at / SECOND, ZoneInfo(timezone)).year
    count = connection.scalar(
        select(func.count())
        .select_from(certificates)
        .where(certificates.c.number.like(f"{year}-%"))
    )
    digits = f"{(count or 0) + 1:06d}"
    return f"{year}-{digits}{_CHECK[int(f'{year}{digits}') % len(_CHECK)]}"
