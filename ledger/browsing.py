"""Looking through entries: those that a report's figure is made of; one of them.

Plain SELECTs within `queries.reading`, by the report's own plan. Invariant: nothing here writes,
and the entries of a question add up to the whole of its report.
"""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, text

from ledger.policy import Policy
from ledger.roster import store
from ledger.roster.reports import KINDS, occasions
from ledger.roster.reports_plan import plan
from ledger.roster.reports_question import Question, check
from ledger.roster.reports_source import codes_given, each_entry
from ledger.tables import day_totals, entries

MOST = 1_000


class EntryLine(NamedTuple):
    """An entry as it is listed; times RFC 3339 in UTC, None of what has none."""

    shard: int
    seq: int
    type: str
    volunteer: str
    team: str
    place: str
    activity: str
    day: str
    seconds: int
    opened_at: str | None
    closed_at: str | None
    reason: str | None


Place = tuple[str, int, int]
"""Day, shard and seq of an entry: where a page goes on."""


def entry_lines(
    connection: Connection,
    question: Question,
    policy: Policy,
    limit: int,
    after: Place | None = None,
) -> list[EntryLine]:
    """Up to `limit` of the entries that a report's whole is made of, by day, shard and seq.

    WrongQuestion.
    """
    table = entries.c
    each, values = _each(connection, question, policy, entries)
    each = each.order_by(table.day, table.shard, table.seq)
    if after is not None:
        day, shard, seq = after
        later = or_(table.shard > shard, and_(table.shard == shard, table.seq > seq))
        each = each.where(or_(table.day > day, and_(table.day == day, later)))
    return [_line(row) for row in connection.execute(each.limit(min(limit, MOST)), values)]


def entry_count(connection: Connection, question: Question, policy: Policy) -> tuple[int, int]:
    """How many entries there are, and the seconds they come to. WrongQuestion."""
    seconds = func.coalesce(func.sum(entries.c.seconds), 0)
    each, values = _each(connection, question, policy, func.count(), seconds)
    row = connection.execute(each, values).one()
    return int(row[0]), int(row[1])


def days_of(connection: Connection, activity: str) -> tuple[str, str] | None:
    """The first and the last day on which hours were served at an activity; None: on no day."""
    day = day_totals.c.day
    asked = select(func.min(day), func.max(day)).where(day_totals.c.activity == activity)
    first, last = connection.execute(asked).one()
    return None if first is None else (first, last)


def entry_body(connection: Connection, shard: int, seq: int) -> dict[str, Any] | None:
    """One entry, as its canonical bytes say it."""
    table = entries.c
    body = connection.execute(
        select(table.body).where(table.shard == shard, table.seq == seq)
    ).scalar()
    return None if body is None else json.loads(bytes(body))


def entries_of_session(connection: Connection, session: str) -> list[EntryLine]:
    """All that was written of one session: it came, was taken back, came again."""
    table = entries.c
    found: Select[Any] = select(entries).where(table.session == session)
    return [_line(row) for row in connection.execute(found.order_by(table.shard, table.seq))]


def hours_of_the_week(
    connection: Connection, question: Question, policy: Policy
) -> dict[tuple[int, int], int]:
    """Sessions by weekday (0 is Monday) and hour at which they were opened, reversed ones off.

    Zones that are half an hour off count to the full hour before. WrongQuestion.
    """
    opened = _opened_hour(connection.dialect.name)
    each, values = _each(
        connection, question, policy, opened.label("hour"), func.sum(entries.c.sessions)
    )
    each = each.where(entries.c.type.in_(("credit", "reversal"))).group_by(opened)
    zone, found = ZoneInfo(policy.timezone), Counter[tuple[int, int]]()
    for hour, sessions in connection.execute(each, values):
        at = datetime.strptime(hour, "%Y-%m-%dT%H").replace(tzinfo=UTC).astimezone(zone)
        found[at.weekday(), at.hour] += int(sessions)
    return dict(found)


def _each(
    connection: Connection, question: Question, policy: Policy, *columns: Any
) -> tuple[Select[Any], dict[str, Any]]:
    """These columns of the very entries that a report sums, and the statement's parameters."""
    roster = store.load(connection, KINDS)
    check(question, roster)
    made = plan(roster, occasions(connection, policy), question, ())
    each = each_entry(made, connection.dialect.name, None)
    return each.with_only_columns(*columns, maintain_column_froms=True), codes_given(made)


def _opened_hour(dialect: str) -> ColumnElement[str]:
    """`2026-11-24T10` of a credit's or reversal's body, in UTC."""
    if dialect == "postgresql":
        body = text("convert_from(body, 'UTF8')::json")
        return func.substr(func.json_extract_path_text(body, "opened_at"), 1, 13)
    return func.substr(func.json_extract(text("CAST(body AS TEXT)"), "$.opened_at"), 1, 13)


def _line(row: Any) -> EntryLine:
    body = json.loads(bytes(row.body))
    named = (row.volunteer or "", row.team or "", row.place or "", row.activity or "")
    return EntryLine(
        row.shard,
        row.seq,
        row.type,
        *named,
        row.day,
        row.seconds,
        body.get("opened_at"),
        body.get("closed_at"),
        body.get("reason"),
    )
