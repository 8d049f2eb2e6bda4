"""What volunteers ask to be put right, in their own words, and what they were answered.

Invariant: a volunteer has a handful of open requests at most, and sees nobody else's.
"""

from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Select, func, insert, select, update

from ledger.corrections import tables
from ledger.corrections.values import CorrectionRefusal
from ledger.turns import taking_turns

MOST_OPEN = 5
_LONGEST = 500
_ONE_AT_A_TIME = 0x61736B
"""PostgreSQL's advisory lock for requests: the letters "ask"."""


class Request(NamedTuple):
    """What somebody asked, and the answer; instants in microseconds, None until then."""

    number: int
    volunteer: str
    team: str
    day: str
    said: str
    at: int
    answered_by: str | None
    answered_at: int | None
    answer: str | None


def ask(engine: Engine, volunteer: str, team: str, day: str, said: str, at: int) -> int:
    """Keep a request; its number. CorrectionRefusal."""
    text = said.strip()
    if not text or len(text) > _LONGEST:
        raise CorrectionRefusal(
            f"请写清楚要更正什么，不超过 {_LONGEST} 字。 "
            f"Say what is to be put right, in at most {_LONGEST} characters."
        )
    with taking_turns(engine, _ONE_AT_A_TIME) as connection:
        opened = [one for one in of_volunteer(connection, volunteer) if one.answered_at is None]
        if len(opened) >= MOST_OPEN:
            raise CorrectionRefusal(
                f"您已有 {MOST_OPEN} 条请求还没有答复：请等一等。 "
                f"{MOST_OPEN} requests of yours wait for an answer: wait for those first."
            )
        table = tables.requests
        number = int(connection.execute(select(func.max(table.c.number))).scalar() or 0) + 1
        connection.execute(
            insert(table).values(
                number=number, volunteer=volunteer, team=team, day=day, said=text, at=at
            )
        )
        return number


def answer(engine: Engine, number: int, by: str, text: str, at: int) -> None:
    """Answer a request that has no answer yet. CorrectionRefusal."""
    table = tables.requests
    said = {"answered_by": by, "answered_at": at, "answer": text.strip()[:_LONGEST]}
    with taking_turns(engine, _ONE_AT_A_TIME) as connection:
        changed = connection.execute(
            update(table)
            .where(table.c.number == number, table.c.answered_at.is_(None))
            .values(said)
        )
        if changed.rowcount == 0:
            raise CorrectionRefusal(
                f"第 {number} 号请求已有人答复。 Request {number} was answered already."
            )


def open_requests(connection: Connection) -> list[Request]:
    """Those without an answer, the oldest first."""
    table = tables.requests
    return _found(connection, select(table).where(table.c.answered_at.is_(None)))


def of_volunteer(connection: Connection, volunteer: str) -> list[Request]:
    """One volunteer's, the oldest first."""
    table = tables.requests
    return _found(connection, select(table).where(table.c.volunteer == volunteer))


def request(connection: Connection, number: int) -> Request | None:
    """One of them."""
    table = tables.requests
    found = _found(connection, select(table).where(table.c.number == number))
    return found[0] if found else None


def _found(connection: Connection, statement: Select[Any]) -> list[Request]:
    ordered = statement.order_by(tables.requests.c.number)
    return [Request(*row) for row in connection.execute(ordered)]
