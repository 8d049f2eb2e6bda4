"""The auditor's question about reports: invariant 6 of ARCHITECTURE.md.

Each grouping, asked as a report is, must add up to the counters' sum. It finds and reports.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from ledger.audit import Finding
from ledger.policy import Policy
from ledger.roster.records import EVER
from ledger.roster.reports import reports_apart
from ledger.roster.reports_question import Question, groupings
from ledger.roster.reports_statement import Page
from ledger.tables import day_totals

_GROUPINGS = ("unit", "team", "platform", "project", "activity", "volunteer", "month")

_SUMS = Page("time", people=False)


def check_groupings(connection: Connection, policy: Policy) -> Iterator[Finding]:
    """Whether the rows of each grouping add up to the ledger's total, under either tree."""
    table = day_totals.c
    sums = connection.execute(
        select(func.sum(table.sessions), func.sum(table.seconds), func.max(table.day))
    ).one()
    expected, today = _effect(*sums[:2]), sums[2] or EVER
    for tree, question in (
        ("now", Question(groupings(_GROUPINGS), today=today)),
        ("then", Question(groupings(("unit", "team")))),
    ):
        reports = reports_apart(connection, question, policy, _SUMS)
        for grouping, found in zip(question.by, reports, strict=True):
            seconds = sum(row.seconds for row in found.rows)
            sessions = sum(row.sessions for row in found.rows)
            if (summed := _effect(sessions, seconds)) != expected:
                where = f"report by {grouping.dimension}, tree {tree}"
                yield Finding(6, None, where, summed, expected)


def _effect(sessions: int | None, seconds: int | None) -> str:
    return f"{int(sessions or 0)} sessions, {int(seconds or 0)} seconds"
