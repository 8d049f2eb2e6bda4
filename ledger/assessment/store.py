"""Schemes by version, and assessments as they were published: frozen, with the ledger they saw.

Invariant: neither is ever changed; an assessment names each shard's size and root, so that anybody
can tell which entries it saw and which came later.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, and_, func, insert, or_, select

from ledger import queries
from ledger.assessment import tables
from ledger.assessment.assessing import as_json, assess
from ledger.assessment.scheme import Scheme, seed_scheme
from ledger.policy import Policy
from ledger.refusals import LedgerRefusal
from ledger.tables import entries
from ledger.turns import taking_turns

_ONE_AT_A_TIME = 0x61737365
"""PostgreSQL's advisory lock for schemes and assessments: the letters "asse"."""


class AssessmentRefusal(LedgerRefusal):
    """An assessment can't be published so; the message says why."""


class KeptScheme(NamedTuple):
    """A version of the scheme; number 0 is the seed, that nobody has saved."""

    number: int
    made_at: int
    made_by: str
    scheme: Scheme


class Published(NamedTuple):
    """An assessment as it was published. `heads`: by shard, `{"size", "root"}`, root in hex."""

    number: int
    scheme: int
    first: str
    last: str
    published_at: int
    published_by: str
    heads: Mapping[str, Mapping[str, Any]]
    body: Mapping[str, Any]


class Later(NamedTuple):
    """What came to a published period since: entries, and what they come to in seconds."""

    entries: int
    seconds: int


def save_scheme(engine: Engine, scheme: Scheme, by: str, at: int) -> int:
    """Keep a new version of the scheme; its number."""
    with taking_turns(engine, _ONE_AT_A_TIME) as connection:
        number = _next(connection, tables.schemes.c.number)
        connection.execute(
            insert(tables.schemes).values(
                number=number, made_at=at, made_by=by, body=scheme.model_dump_json()
            )
        )
        return number


def latest_scheme(connection: Connection) -> KeptScheme:
    """The version that counts now."""
    table = tables.schemes
    row = connection.execute(select(table).order_by(table.c.number.desc()).limit(1)).first()
    if row is None:
        return KeptScheme(0, 0, "", seed_scheme())
    return KeptScheme(row.number, row.made_at, row.made_by, Scheme.model_validate_json(row.body))


def publish(engine: Engine, first: str, last: str, by: str, at: int, policy: Policy) -> int:
    """Assess by the latest scheme, in one snapshot, and freeze it; its number.

    AssessmentRefusal.
    """
    today = policy.civil_day(at)
    if last > today:
        raise AssessmentRefusal(
            f"{last} 还没有过完：只能公布已过去的时间段。 "
            f"{last} isn't over: only what is past can be published."
        )
    with queries.reading(engine) as connection:
        kept = latest_scheme(connection)
        body = as_json(assess(connection, kept.scheme, first, last, policy, today, at))
        heads = {
            str(one.shard): {"size": one.head.next_seq, "root": one.head.root().hex()}
            for one in queries.status(connection)
        }
    with taking_turns(engine, _ONE_AT_A_TIME) as connection:
        number = _next(connection, tables.assessments.c.number)
        connection.execute(
            insert(tables.assessments).values(
                number=number,
                scheme=kept.number,
                first=first,
                last=last,
                published_at=at,
                published_by=by,
                heads=json.dumps(heads),
                body=json.dumps(body, ensure_ascii=False),
            )
        )
        return number


def published(connection: Connection) -> list[Published]:
    """All of them, the latest first."""
    table = tables.assessments
    rows = connection.execute(select(table).order_by(table.c.number.desc()))
    return [_published(row) for row in rows]


def assessment(connection: Connection, number: int) -> Published | None:
    """One of them."""
    table = tables.assessments
    row = connection.execute(select(table).where(table.c.number == number)).first()
    return None if row is None else _published(row)


def since(connection: Connection, one: Published) -> Later:
    """What the ledger holds of its days that it didn't see."""
    table = entries.c
    behind = [
        and_(table.shard == int(shard), table.seq >= head["size"])
        for shard, head in one.heads.items()
    ]
    row = connection.execute(
        select(func.count(), func.coalesce(func.sum(table.seconds), 0)).where(
            or_(*behind), table.day.between(one.first, one.last)
        )
    ).one()
    return Later(int(row[0]), int(row[1]))


def _published(row: Any) -> Published:
    return Published(
        row.number,
        row.scheme,
        row.first,
        row.last,
        row.published_at,
        row.published_by,
        json.loads(row.heads),
        json.loads(row.body),
    )


def _next(connection: Connection, number: Any) -> int:
    return int(connection.execute(select(func.max(number))).scalar() or 0) + 1
