"""The read side: what the commands and pages ask of the ledger, while the worker writes it.

Plain SELECTs in one snapshot: what one `reading` block sees belongs together. Instants are
microseconds since the epoch, UTC. Invariant: nothing here writes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, Select, and_, false, func, or_, select

from ledger import schema, tables
from ledger.policy import SECOND, Policy
from ledger.settling import HalfStatus
from ledger.shard import Head
from ledger.taps import Kind

_FETCH_ROWS = 2_000
_NEVER = (1 << 63) - 1


@dataclass(frozen=True)
class Filters:
    """What to look at; None: all. `day` is an ISO date in the ledger's timezone."""

    team: str | None = None
    volunteer: str | None = None
    day: str | None = None


class ShardStatus(NamedTuple):
    """Where a shard stands."""

    shard: int
    epoch: int
    head: Head


class Total(NamedTuple):
    """A team's sessions and seconds on one civil day."""

    team: str
    day: str
    sessions: int
    seconds: int


class ExceptionItem(NamedTuple):
    """A half for a leader to put right."""

    volunteer: str
    source: str
    id: str
    kind: Kind
    occurred_at: int
    team: str | None
    place: str | None
    reason: HalfStatus


class Present(NamedTuple):
    """Somebody checked in and not out, within the cap."""

    volunteer: str
    team: str
    place: str
    since: int


class RejectedRecord(NamedTuple):
    """A record of the log that was refused."""

    partition: int
    offset: int
    recorded_at: int
    reason: str
    detail: str


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One snapshot of the ledger. NoDatabase where it doesn't answer."""
    options: dict[str, Any] = {}
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with schema.reaching(engine), engine.connect().execution_options(**options) as connection:
        yield connection


def status(connection: Connection) -> list[ShardStatus]:
    """Each shard, by number."""
    table = tables.shards
    names = Head.__dataclass_fields__
    rows = connection.execute(
        select(table.c.shard, table.c.epoch, *(table.c[name] for name in names)).order_by(
            table.c.shard
        )
    )
    return [ShardStatus(shard, epoch, Head(*head)) for shard, epoch, *head in rows]


def kept_of(connection: Connection, volunteer: str) -> tuple[int, int]:
    """How many entries a volunteer has, and the seconds they come to."""
    table = tables.entries
    count, seconds = func.count(), func.coalesce(func.sum(table.c.seconds), 0)
    row = connection.execute(select(count, seconds).where(table.c.volunteer == volunteer)).one()
    return int(row[0]), int(row[1])


def totals(connection: Connection, filters: Filters) -> list[Total]:
    """Sessions and seconds by team and day; days that came back to nothing are left out."""
    table = tables.entries if filters.volunteer else tables.day_totals
    sessions, seconds = func.sum(table.c.sessions), func.sum(table.c.seconds)
    statement = select(table.c.team, table.c.day, sessions, seconds).where(
        table.c.team.is_not(None)
    )
    if filters.team:
        statement = statement.where(table.c.team == filters.team)
    if filters.day:
        statement = statement.where(table.c.day == filters.day)
    if filters.volunteer:
        statement = statement.where(tables.entries.c.volunteer == filters.volunteer)
    statement = (
        statement.group_by(table.c.team, table.c.day)
        .having(or_(sessions != 0, seconds != 0))
        .order_by(table.c.day, table.c.team)
    )
    return [
        Total(row[0], row[1], int(row[2]), int(row[3])) for row in connection.execute(statement)
    ]


def shard_totals(
    connection: Connection, shard: int, keys: list[tuple[str, str]] | None = None
) -> list[Total]:
    """One shard's totals by team and day; of `keys` (team, day) alone, or of all. Zeros stay."""
    table = tables.day_totals
    statement = (
        select(table.c.team, table.c.day, func.sum(table.c.sessions), func.sum(table.c.seconds))
        .where(table.c.shard == shard)
        .group_by(table.c.team, table.c.day)
    )
    if keys is not None:
        wanted = (and_(table.c.team == team, table.c.day == day) for team, day in keys)
        statement = statement.where(or_(false(), *wanted))
    return [
        Total(row[0], row[1], int(row[2]), int(row[3])) for row in connection.execute(statement)
    ]


def entries(connection: Connection, filters: Filters) -> Iterator[bytes]:
    """The stored bytes of entries, by shard and seq."""
    table = tables.entries
    statement = select(table.c.body).order_by(table.c.shard, table.c.seq)
    for column, value in (
        (table.c.team, filters.team),
        (table.c.volunteer, filters.volunteer),
        (table.c.day, filters.day),
    ):
        if value:
            statement = statement.where(column == value)
    for (body,) in _stream(connection, statement):
        yield bytes(body)


def exceptions(
    connection: Connection, filters: Filters, policy: Policy, now: int
) -> Iterator[ExceptionItem]:
    """Halves, oldest first: those without a partner, and check-ins open for longer than the cap."""
    table = tables.halves
    statement = (
        select(table)
        .where(or_(table.c.status != "open", table.c.occurred_at < now - policy.cap))
        .order_by(table.c.occurred_at, table.c.volunteer, table.c.source, table.c.id)
    )
    if filters.team:
        statement = statement.where(table.c.team == filters.team)
    if filters.volunteer:
        statement = statement.where(table.c.volunteer == filters.volunteer)
    if filters.day:
        start, stop = day_bounds(filters.day, policy.timezone)
        statement = statement.where(table.c.occurred_at >= start, table.c.occurred_at < stop)
    for row in _stream(connection, statement):
        yield ExceptionItem(
            row.volunteer,
            row.source,
            row.id,
            row.kind,
            row.occurred_at,
            row.team or None,
            row.place or None,
            "no-check-out" if row.status == "open" else row.status,
        )


def present(connection: Connection, filters: Filters, policy: Policy, now: int) -> list[Present]:
    """Who is here, longest first: checked in, not out, within the cap."""
    table = tables.halves
    statement = (
        select(table.c.volunteer, table.c.team, table.c.place, table.c.occurred_at)
        .where(table.c.status == "open", table.c.occurred_at >= now - policy.cap)
        .order_by(table.c.occurred_at, table.c.volunteer)
    )
    if filters.team:
        statement = statement.where(table.c.team == filters.team)
    if filters.volunteer:
        statement = statement.where(table.c.volunteer == filters.volunteer)
    return [Present(*row) for row in connection.execute(statement)]


def rejections(
    connection: Connection, filters: Filters, policy: Policy
) -> Iterator[RejectedRecord]:
    """Refused records, by partition and offset; `filters.day` is the day they reached the log."""
    table = tables.rejections
    statement = select(
        table.c.shard, table.c.log_offset, table.c.recorded_at, table.c.reason, table.c.detail
    ).order_by(table.c.shard, table.c.log_offset)
    if filters.day:
        start, stop = day_bounds(filters.day, policy.timezone)
        statement = statement.where(table.c.recorded_at >= start, table.c.recorded_at < stop)
    for row in _stream(connection, statement):
        yield RejectedRecord(*row)


def day_bounds(day: str, timezone: str) -> tuple[int, int]:
    """First instant of an ISO date in `timezone`, and of the day after it."""
    start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(timezone))
    try:
        stop = start + timedelta(days=1)
    except OverflowError:  # the last day there is has no day after it
        return int(start.timestamp()) * SECOND, _NEVER
    return int(start.timestamp()) * SECOND, int(stop.timestamp()) * SECOND


def _stream(connection: Connection, statement: Select[Any]) -> Iterator[Any]:
    return iter(connection.execution_options(yield_per=_FETCH_ROWS).execute(statement))
