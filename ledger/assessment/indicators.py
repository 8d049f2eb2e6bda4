"""The figures of every office, station and team in a period, from ledger and roster.

Plain SELECTs within `queries.reading`. Seconds, activities and people served are those of
`ledger.roster.reports`, by the tree as it is; what belongs to no unit or team stands under the code
"", so that each kind adds up to the ledger. How each figure is defined stands at its function.
"""

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, or_, select

from ledger import tables
from ledger.assessment.scheme import Indicator, Kind
from ledger.policy import Policy
from ledger.queries import day_bounds
from ledger.roster import store
from ledger.roster.records import Have, HaveItem, Team, Unit
from ledger.roster.reports import BUT_PEOPLE, Report, reports_apart
from ledger.roster.reports_question import Grouping, Question
from ledger.roster.reports_tree import Tree, unit_at
from ledger.roster.roster import Roster
from ledger.roster.tables import memberships, people

NOBODY = ""
_APART = "\x01"
_BY: Mapping[Kind, Grouping] = {
    "office": Grouping("unit", "office"),
    "station": Grouping("unit", "station"),
    "team": Grouping("team", "team"),
}
Figures = dict[Indicator, Fraction | None]


class Measured(NamedTuple):
    """By kind and code: figures. `seconds` and `sessions` are the whole's, as the ledger has it."""

    first: str
    last: str
    seconds: int
    sessions: int
    figures: Mapping[Kind, Mapping[str, Figures]]
    names: Mapping[str, str]
    standing: Mapping[Kind, frozenset[str]]
    """Those of a kind that there are today: they alone are ranked among each other."""


def measure(
    connection: Connection, first: str, last: str, policy: Policy, today: str, now: int
) -> Measured:
    """All figures of the days from `first` to `last`, ISO dates, both included."""
    roster = store.load(connection, (Unit, Team, HaveItem, Have))
    tree, places = Tree(roster.units), _Rollup(roster, today)
    found: dict[Kind, dict[str, Figures]] = {}
    for kind, by in _BY.items():
        question = Question((by,), first, last, today=today)
        (report,) = reports_apart(connection, question, policy, BUT_PEOPLE)
        found[kind] = _begun(roster, kind, today, tree, report)
    _count_exceptions(connection, found, places, (first, last), policy, now)
    _count_new(connection, found, places, first, last)
    _share_active(connection, found, places, first, last)
    _share_haves(roster, found, places, today)
    names = {code: rows[-1].name_zh for code, rows in roster.units.items()}
    names |= {code: rows[-1].name_zh for code, rows in roster.teams.items()}
    standing = {kind: frozenset(_standing(roster, kind, today)) for kind in _BY}
    sums = report.whole
    return Measured(first, last, sums.seconds, sums.sessions, found, names, standing)


class _Rollup:
    """Which office and station a place counts for today."""

    def __init__(self, roster: Roster, today: str) -> None:
        self._tree, self._today = Tree(roster.units), today
        self._known: dict[tuple[str, Kind], str] = {}

    def code(self, place: str, kind: Kind) -> str:
        """The unit of that kind; "" where none is known."""
        key = (place, kind)
        if key not in self._known:
            line = self._tree.line(place, self._today)
            level: Any = kind
            unit = unit_at(line, level) if line else None
            self._known[key] = unit.code if unit is not None else NOBODY
        return self._known[key]


def _begun(
    roster: Roster, kind: Kind, today: str, tree: Tree[Unit], report: Report
) -> dict[str, Figures]:
    """A row for each of a kind that there is today or that served, with the report's figures."""
    found: dict[str, Figures] = {code: _zeros() for code in _standing(roster, kind, today)}
    for row in report.rows:
        figures = found.setdefault(row.groups[0].code or NOBODY, _zeros())
        figures["hours"] = (figures["hours"] or Fraction(0)) + Fraction(row.seconds, 3_600)
        figures["activities-held"] = Fraction(row.activities or 0)
        figures["people-served"] = Fraction(row.served or 0)
    return found


def _standing(roster: Roster, kind: Kind, today: str) -> list[str]:
    if kind == "team":
        teams = roster.teams.items()
        return [code for code, rows in teams if any(row.holds_on(today) for row in rows)]
    return [
        code
        for code, rows in roster.units.items()
        if any(row.holds_on(today) and row.kind == kind for row in rows)
    ]


def _zeros() -> Figures:
    zero = Fraction(0)
    return {
        "hours": zero,
        "activities-held": zero,
        "people-served": zero,
        "active-share": None,
        "new-volunteers": zero,
        "posts-haves": None,
        "exceptions-open": zero,
    }


def _count_exceptions(
    connection: Connection,
    found: Mapping[Kind, dict[str, Figures]],
    places: _Rollup,
    days: tuple[str, str],
    policy: Policy,
    now: int,
) -> None:
    """Taps of the period without a partner that still wait to be put right."""
    start, stop = (day_bounds(day, policy.timezone)[end] for end, day in enumerate(days))
    table = tables.halves.c
    rows = connection.execute(
        select(table.team, table.place, func.count())
        .where(
            or_(table.status != "open", table.occurred_at < now - policy.cap),
            table.occurred_at >= start,
            table.occurred_at < stop,
        )
        .group_by(table.team, table.place)
    )
    for team, place, count in rows:
        _add(found, places, "exceptions-open", team, place, count)


def _count_new(
    connection: Connection,
    found: Mapping[Kind, dict[str, Figures]],
    places: _Rollup,
    first: str,
    last: str,
) -> None:
    """Volunteers whose first credit ever is in the period, where and for whom that was.

    Of several on that day it is the one of the least team, then place, by code.
    """
    table = tables.entries.c
    # One text, so that its least is one credit's: looking that up by volunteer and day takes longer
    # than all the rest. ISO days come in order whatever follows them.
    credit = table.day + _APART + table.team + _APART + func.coalesce(table.place, "")
    firsts = connection.execute(
        select(func.min(credit))
        .where(table.type == "credit")
        .group_by(table.volunteer)
        .having(func.min(table.day).between(first, last))
    ).scalars()
    for (team, place), count in Counter(tuple(one.split(_APART)[1:]) for one in firsts).items():
        _add(found, places, "new-volunteers", team, place, count)


def _share_active(
    connection: Connection,
    found: Mapping[Kind, dict[str, Figures]],
    places: _Rollup,
    first: str,
    last: str,
) -> None:
    """Of the volunteers on the roster on the last day, how many per cent served in the period.

    A unit's volunteers are those at home at it or beneath it; a team's are its members.
    """
    table = tables.entries.c
    served = connection.execute(
        select(table.volunteer)
        .where(table.day.between(first, last), table.type == "credit")
        .distinct()
    ).scalars()
    active = set(served)
    groups: dict[tuple[Kind, str], set[str]] = {}
    for volunteer, unit in connection.execute(
        select(people.c.volunteer, people.c.unit).where(people.c.status == "active")
    ):
        for kind in ("office", "station"):
            groups.setdefault((kind, places.code(unit or "", kind)), set()).add(volunteer)
    for volunteer, team in connection.execute(
        select(memberships.c.volunteer, memberships.c.team).where(
            memberships.c.since <= last,
            memberships.c.until.is_(None) | (memberships.c.until > last),
        )
    ):
        groups.setdefault(("team", team), set()).add(volunteer)
    for (kind, code), members in groups.items():
        if code in found[kind]:
            share = Fraction(100 * len(members & active), len(members))
            found[kind][code]["active-share"] = share


def _share_haves(
    roster: Roster, found: Mapping[Kind, dict[str, Figures]], places: _Rollup, today: str
) -> None:
    """Of all items of the posts at a unit or beneath it, how many per cent they have now."""
    items = [one.code for one in roster.all(HaveItem)]
    has = {(one.post, one.item) for one in roster.all(Have) if one.state == "have"}
    counts: dict[tuple[Kind, str], list[int]] = {}
    for code, rows in roster.units.items():
        if not items or not any(row.kind == "post" and row.holds_on(today) for row in rows):
            continue
        for kind in ("office", "station"):
            all_and_had = counts.setdefault((kind, places.code(code, kind)), [0, 0])
            all_and_had[0] += len(items)
            all_and_had[1] += sum((code, item) in has for item in items)
    for (kind, code), (every, had) in counts.items():
        if code in found[kind]:
            found[kind][code]["posts-haves"] = Fraction(100 * had, every)


def _add(
    found: Mapping[Kind, dict[str, Figures]],
    places: _Rollup,
    name: Indicator,
    team: str,
    place: str,
    count: int,
) -> None:
    codes: dict[Kind, str] = {
        "office": places.code(place, "office"),
        "station": places.code(place, "station"),
        "team": team,
    }
    for kind, code in codes.items():
        figures = found[kind].setdefault(code, _zeros())
        figures[name] = (figures[name] or Fraction(0)) + count
