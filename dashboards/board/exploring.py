"""What somebody looks at in a period: a part of the district, and the groups right beneath it.

It asks `ledger.roster.reports`; it decides nothing about hours. Invariant: the groups shown add up
to the whole shown, and both are within the scope of whoever looks.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from sqlalchemy import Connection

from dashboards.board.directory import Directory
from dashboards.board.periods import Period
from dashboards.board.refusing import not_the_next, not_yours
from dashboards.board.scope import Scope
from dashboards.board.times import day_in
from ledger.browsing import EntryLine, Place
from ledger.policy import Policy
from ledger.roster.reports import Report, reports_apart
from ledger.roster.reports import report as ask
from ledger.roster.reports_question import Grouping, Question

_TURNED_TO = re.compile("([^/]+)/([0-9]{1,9})/([0-9]{1,18})")
_BELOW = {"": "office", "centre": "office", "office": "station", "station": "point"}


class Part(NamedTuple):
    """A part of the district; None: not narrowed by that."""

    unit: str | None = None
    team: str | None = None
    platform: str | None = None
    project: str | None = None
    activity: str | None = None

    def query(self) -> str:
        """As it stands in an address."""
        said = {name: code for name, code in self._asdict().items() if code}
        return f"&{urlencode(said)}" if said else ""


class Look(NamedTuple):
    """The whole, the whole of the period before, and reports by grouping."""

    whole: Report
    before: Report
    reports: dict[str, Report]


def within(part: Part, scope: Scope) -> Part:
    """The part, narrowed to the first thing of the scope where nothing was asked. Refused."""
    if scope.everything:
        return part
    if part.unit is None and part.team is None:
        kind, code = scope.tops[0]
        return part._replace(**{kind: code})
    if not (
        (part.team is not None and scope.covers_team(part.team))
        or (part.unit is not None and scope.covers_unit(part.unit))
    ):
        raise not_yours()
    return part


def turned_to(text: str) -> Place | None:
    """Where a page of entries goes on, as the one before said; None: it is the first. Refused."""
    if not text:
        return None
    found = _TURNED_TO.fullmatch(text)
    if found is None:
        raise not_the_next()
    return day_in(found[1]), int(found[2]), int(found[3])


def next_of(lines: Sequence[EntryLine], limit: int) -> str | None:
    """Where the page after these lines, at most `limit` of them, begins; None: there is none."""
    last = lines[-1] if len(lines) == limit else None
    return f"{last.day}/{last.shard}/{last.seq}" if last else None


def look(
    connection: Connection, part: Part, period: Period, known: Directory, policy: Policy
) -> Look:
    """The figures of a part in a period. WrongQuestion where the roster lacks it."""
    by = (Grouping("unit", level_below(part, known)), Grouping("team", "team"))
    others = (Grouping("platform"), Grouping("project"), Grouping("activity"))
    asked = question_of(part, period, known, (*by, *others, Grouping("day")))
    found = reports_apart(connection, asked, policy)
    before = ask(connection, question_of(part, period.before(), known), policy)
    reports = {str(one.dimension): report for one, report in zip(asked.by, found, strict=True)}
    return Look(found[0], before, reports)


def level_below(part: Part, known: Directory) -> str:
    """The level of units that a part is broken down by."""
    unit = known.unit(part.unit)
    return _BELOW.get(unit.kind if unit else "", "point")


def question_of(
    part: Part, period: Period, known: Directory, by: tuple[Grouping, ...] = ()
) -> Question:
    """What is asked of the ledger, by the tree as it is today."""
    return Question(by, period.first, period.last, today=known.today, **part._asdict())
