"""Which records of a kind somebody wants to see.

Pure. Invariant: a filter that means nothing for a kind is refused, never ignored.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ledger.refusals import LedgerRefusal
from ledger.roster.records import (
    Activity,
    Have,
    Membership,
    Person,
    Project,
    Record,
    Signup,
    Team,
    Unit,
)
from ledger.roster.roster import Roster
from ledger.roster.tree import beneath, unit_of
from ledger.roster.words import CHOICES, offered

DayOf = Callable[[int], str]
"""The civil day of an instant."""


class NotAFilter(LedgerRefusal):
    """A filter that means nothing for the kind it was given with."""


class Wanted(NamedTuple):
    """What to look at; None: all. A unit or team means everything beneath it too."""

    unit: str | None = None
    team: str | None = None
    status: str | None = None
    on: str | None = None


def selected(roster: Roster, kind: str, wanted: Wanted, today: str, day_of: DayOf) -> list[Record]:
    """The records of a kind that are wanted, by key. NotAFilter."""
    for name, value in wanted._asdict().items():
        if value is not None and kind not in _APPLIES[name]:
            raise _not_a_filter(name, kind)
    day = wanted.on or today
    tests: list[Callable[[Any], bool]] = []
    if wanted.unit is not None:
        units = {wanted.unit, *beneath(roster.units, wanted.unit, day)}
        tests.append(_in_units(roster, kind, units, day))
    if wanted.team is not None:
        teams = {wanted.team, *beneath(roster.teams, wanted.team, day)}
        tests.append(_in_teams(roster, kind, teams, wanted.on))
    if wanted.status is not None:
        tests.append(_of_status(kind, wanted.status))
    if wanted.on is not None:
        tests.append(_on(kind, wanted.on, day_of))
    found = roster.records[kind]
    return [found[key] for key in sorted(found) if all(test(found[key]) for test in tests)]


_APPLIES: Mapping[str, tuple[str, ...]] = {
    "unit": (
        *(Unit.KIND, Have.KIND, Team.KIND, Project.KIND, Activity.KIND, Person.KIND),
        *(Membership.KIND, Signup.KIND),
    ),
    "team": (Team.KIND, Activity.KIND, Person.KIND, Membership.KIND, Signup.KIND),
    "status": (Have.KIND, Project.KIND, Activity.KIND, Person.KIND),
    "on": (Unit.KIND, Team.KIND, Project.KIND, Activity.KIND, Person.KIND, Membership.KIND),
}


def _not_a_filter(name: str, kind: str) -> NotAFilter:
    kinds = ", ".join(_APPLIES[name])
    return NotAFilter(
        f"--{name} 不用于 {kind}，只用于 {kinds}。 --{name} goes with {kinds}, not with {kind}."
    )


def _in_units(roster: Roster, kind: str, units: set[str], day: str) -> Callable[[Any], bool]:
    if kind == Unit.KIND:
        return lambda one: one.code in units
    if kind == Have.KIND:
        return lambda one: one.post in units
    if kind == Signup.KIND:
        return lambda one: _unit_of_activity(roster, one.activity) in units
    if kind == Membership.KIND:
        return lambda one: unit_of(roster.teams, one.team, day) in units
    return lambda one: one.unit in units


def _unit_of_activity(roster: Roster, code: str) -> str | None:
    activity = roster.activities.get(code)
    return None if activity is None else activity.unit


def _in_teams(roster: Roster, kind: str, teams: set[str], on: str | None) -> Callable[[Any], bool]:
    if kind == Team.KIND:
        return lambda one: one.code in teams
    if kind == Membership.KIND:
        return lambda one: one.team in teams
    if kind == Activity.KIND:
        return lambda one: not teams.isdisjoint(one.teams)
    if kind == Signup.KIND:
        of = roster.activities
        return lambda one: one.activity in of and not teams.isdisjoint(of[one.activity].teams)
    members = {
        one.volunteer
        for one in roster.all(Membership)
        if one.team in teams and (on is None or one.holds_on(on))
    }
    return lambda one: one.volunteer in members


def _of_status(kind: str, status: str) -> Callable[[Any], bool]:
    field = "state" if kind == Have.KIND else "status"
    may_be = {*CHOICES[kind, field], *(("erased",) if kind == Person.KIND else ())}
    if status not in may_be:
        raise NotAFilter(
            f"--status {status}：应为 {offered(kind, field)} 之一。 "
            f"--status {status} is none of these."
        )
    return lambda one: bool(getattr(one, field) == status)


def _on(kind: str, day: str, day_of: DayOf) -> Callable[[Any], bool]:
    if kind == Activity.KIND:
        return lambda one: _takes_place(one, day, day_of)
    if kind == Person.KIND:  # whose membership held then was asked with the team
        return lambda one: True
    return lambda one: bool(one.holds_on(day))


def _takes_place(one: Activity, day: str, day_of: DayOf) -> bool:
    start, end = one.held_start, one.held_end
    if start is None:
        start, end = one.planned_start, one.planned_end
    if start is None:
        return False
    return day_of(start) <= day <= day_of(end if end is not None else start)
