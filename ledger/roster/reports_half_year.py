"""The figures a district reports of half a year: what was held and served, and by whom.

Invariant: each table in it adds up to the same whole.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection

from ledger.policy import Policy
from ledger.roster import store
from ledger.roster.records import Project, Team, Unit
from ledger.roster.reports import Report, reports_apart
from ledger.roster.reports_question import Question, WrongQuestion, groupings

_TABLES = ("platform", "unit:office", "month")
_MONTHS = 6


@dataclass(frozen=True)
class HalfYear:
    """Six months: reports by grouping, and how many units, teams, projects there were by kind.

    `first` and `last` are ISO days, both included; the counts are of the last.
    """

    first: str
    last: str
    tables: Mapping[str, Report]
    units: Mapping[str, int]
    teams: Mapping[str, int]
    projects: Mapping[str, int]


def half_year(connection: Connection, ending: str, today: str, policy: Policy) -> HalfYear:
    """The six months that end with a day, by the tree as it is `today`."""
    first = first_day(ending)
    roster = store.load(connection, (Unit, Team, Project))
    question = Question(groupings(_TABLES), first, ending, today=today)
    reports = reports_apart(connection, question, policy)
    tables: dict[str, Report] = {
        one.dimension: found for one, found in zip(question.by, reports, strict=True)
    }
    return HalfYear(
        first,
        ending,
        tables,
        _kinds(list(roster.units.values()), ending),
        _kinds(list(roster.teams.values()), ending),
        _kinds(list(roster.projects.values()), ending),
    )


def first_day(ending: str) -> str:
    """The first of the six months' days: 2026-01-01 of those that end with 2026-06-30.

    WrongQuestion where they begin or end outside of the calendar.
    """
    try:
        after = date.fromisoformat(ending) + timedelta(days=1)
        year, month = divmod(after.year * 12 + after.month - 1 - _MONTHS, 12)
        last_of_month = monthrange(year, month + 1)[1]
        return date(year, month + 1, min(after.day, last_of_month)).isoformat()
    except (ValueError, OverflowError) as error:
        raise WrongQuestion(
            f"没有以 {ending} 结束的半年：请换一个日期。 "
            f"There is no half-year that ends with {ending}: choose another day."
        ) from error


def _kinds(codes: Sequence[Sequence[Unit | Team | Project]], day: str) -> Mapping[str, int]:
    """How many there are of each kind on a day."""
    rows = (row for of_code in codes for row in of_code if row.holds_on(day))
    return Counter(str(row.kind) for row in rows)
