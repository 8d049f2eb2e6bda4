"""Reports: what was served, grouped and summed, joined to the roster when it is read.

Thin: a plan is made of the roster (`reports_plan`), one statement asked (`reports_statement`), and
its numbers turned into labels. Nothing here writes. Invariant: the rows of a report add up to its
whole in seconds and sessions; volunteers are counted once in each row and once in the whole.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, select, text
from sqlalchemy.exc import DataError

from ledger import as_of
from ledger.policy import Policy
from ledger.refusals import Altered
from ledger.roster import store
from ledger.roster.records import Platform, Project, Team, Unit
from ledger.roster.reports_grouping import UNKNOWN_LABEL, Label, Plan
from ledger.roster.reports_plan import Occasion, plan
from ledger.roster.reports_question import TIMES, Question, check
from ledger.roster.reports_statement import Page, parameters, statement
from ledger.roster.tables import activities
from ledger.tables import entries

KINDS = (Unit, Team, Platform, Project)
ALL = Page("time")
BUT_PEOPLE = Page("time", people=False)
"""All rows; the second counts no volunteers, which takes most of the time."""
_WORK_MEMORY = "64MB"


class ReportRow(NamedTuple):
    """One group's figures; activities and people served are None where volunteers are asked of."""

    groups: tuple[Label, ...]
    seconds: int
    sessions: int
    volunteers: int
    activities: int | None
    served: int | None


class Report(NamedTuple):
    """The rows asked for, of so many in all (none where nothing is grouped by), and the whole."""

    rows: Sequence[ReportRow]
    row_count: int
    whole: ReportRow


def report(connection: Connection, question: Question, policy: Policy, page: Page = ALL) -> Report:
    """Answer a question, within `queries.reading`. WrongQuestion, Altered."""
    return _reports(connection, question, policy, page, apart=False)[0]


def reports_apart(
    connection: Connection, question: Question, policy: Policy, page: Page = ALL
) -> list[Report]:
    """A report by each of the question's groupings alone, in one pass. WrongQuestion, Altered."""
    return _reports(connection, question, policy, page, apart=True)


def _reports(
    connection: Connection, question: Question, policy: Policy, page: Page, apart: bool
) -> list[Report]:
    roster = store.load(connection, KINDS)
    check(question, roster)
    in_time = any(one.dimension in TIMES for one in question.by)
    days = _days(connection) if in_time else ()
    made = plan(roster, occasions(connection, policy), question, days, apart)
    below = None if question.as_of is None else as_of.stands(connection, question.as_of, policy)
    _make_room(connection)
    asked = statement(made, connection.dialect.name, below, page)
    parts: list[list[Row[Any]]] = [[] for _ in made.parts]
    try:
        for row in connection.execute(asked, parameters(made)):
            parts[row.part].append(row)
    except DataError as error:
        raise Altered(
            "账本里有一个条目的时长不可能出自打卡：数据库被改动过，请运行 hours audit。 An entry "
            "has seconds that no taps can come to: the database was altered; run hours audit."
        ) from error
    whole = _whole(made, parts[0][0])
    return [
        Report([_row(made, part, row) for row in rows], first.groups if part else 0, whole)
        for part, (first, *rows) in zip(made.parts, parts, strict=True)
    ]


def _whole(made: Plan, row: Row[Any]) -> ReportRow:
    found = made.held_in_all
    held = (None, None) if found is None else (found.activities, found.served)
    return ReportRow((), row.seconds, row.sessions, row.volunteers, *held)


def _row(made: Plan, part: Sequence[str], row: Row[Any]) -> ReportRow:
    labels = tuple(_label(made, name, row._mapping[name]) for name in part)
    held = (None, None) if made.held_in_all is None else (row.activities, row.served)
    return ReportRow(labels, row.seconds, row.sessions, row.volunteers, *held)


def _label(made: Plan, name: str, found: Any) -> Label:
    if name != "volunteer":
        return made.label(name, found)
    return Label(found, found) if found else UNKNOWN_LABEL


def occasions(connection: Connection, policy: Policy) -> list[Occasion]:
    """The roster's activities, of which there are many: no more of them than a report wants."""
    table = activities.c
    columns = (table.code, table.title, table.platform, table.project, table.unit, table.teams)
    day_of, codes_of = lru_cache(None)(policy.civil_day), lru_cache(None)(json.loads)
    return [
        Occasion(
            *row[:5],
            tuple(codes_of(row.teams)),
            day_of(row.held_start) if row.status == "held" else None,
            row.served or 0,
        )
        for row in connection.execute(
            select(*columns, table.status, table.held_start, table.served).order_by(table.code)
        )
    ]


def _days(connection: Connection) -> list[str]:
    """The days that entries name, found by stepping through the index from one to the next."""
    day = entries.c.day
    days = select(func.min(day).label("day")).cte("days", recursive=True)
    following = select(func.min(day)).where(day > days.c.day).scalar_subquery()
    days = days.union_all(select(following).where(days.c.day.is_not(None)))
    found = connection.execute(select(days.c.day).where(days.c.day.is_not(None)))
    return list(found.scalars())


def _make_room(connection: Connection) -> None:
    """Let PostgreSQL hash in memory for this transaction; compiling would take longer than it."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL work_mem = '{_WORK_MEMORY}'"))
        connection.execute(text("SET LOCAL jit = off"))
