"""The auditor's question about reports: invariant 6 of ARCHITECTURE.md.

Each grouping, asked as a report is, must add up to the counters' sum. It finds and reports.
"""

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import Connection, func, select

from ledger.audit import Finding
from ledger.policy import Policy
from ledger.refusals import Altered
from ledger.roster.records import EVER
from ledger.roster.reports import BUT_PEOPLE, Report, report, reports_apart
from ledger.roster.reports_question import Question, groupings
from ledger.tables import day_totals

_GROUPINGS = ("unit", "team", "platform", "project", "activity", "volunteer", "month")
_TREES = ("unit", "team")


def check_groupings(connection: Connection, policy: Policy) -> Iterator[Finding]:
    """Whether the rows of each grouping add up to the ledger's total, under either tree."""
    table = day_totals.c
    sums = connection.execute(
        select(func.sum(table.sessions), func.sum(table.seconds), func.max(table.day))
    ).one()
    expected, today = _effect(*sums[:2]), sums[2] or EVER
    try:
        yield from _differing(connection, policy, expected, today)
    except Altered:
        yield Finding(6, None, "reports", "an entry of more seconds than taps come to", expected)


def _differing(
    connection: Connection, policy: Policy, expected: str, today: str
) -> Iterator[Finding]:
    for names, tree in ((_GROUPINGS, today), (_TREES, None)):
        question = Question(groupings(names), today=tree)
        together = reports_apart(connection, question, policy, BUT_PEOPLE)
        if all(_sums(found) == expected for found in together):
            continue
        # They share their joins: alone, each shows whether it is the one.
        for grouping in question.by:
            found = report(connection, replace(question, by=(grouping,)), policy, BUT_PEOPLE)
            if (summed := _sums(found)) != expected:
                where = f"report by {grouping.dimension}, tree {'now' if tree else 'then'}"
                yield Finding(6, None, where, summed, expected)


def _sums(found: Report) -> str:
    seconds = sum(row.seconds for row in found.rows)
    return _effect(sum(row.sessions for row in found.rows), seconds)


def _effect(sessions: int | None, seconds: int | None) -> str:
    return f"{int(sessions or 0)} sessions, {int(seconds or 0)} seconds"
