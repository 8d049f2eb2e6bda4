"""Whose badges are to be printed, by team.

Pure, and no names of people: those are the vault's. Invariant: whoever is chosen is in one team's
list, once, or is counted as one who can have no badge.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ledger.roster.records import Person, Unit
from ledger.roster.roster import Roster
from ledger.roster.tree import Rows, beneath, row_on

NO_TEAM = "未编队"


@dataclass(frozen=True)
class Choice:
    """Whom to choose: members of a team, or those of a unit, with all beneath; or by id.

    Nothing: everybody.
    """

    team: str | None = None
    unit: str | None = None
    volunteers: Collection[str] = ()


class TeamBadges(NamedTuple):
    """A team's name as of the day, and its people, by id."""

    name: str
    people: Sequence[Person]


class Chosen(NamedTuple):
    """Teams by name; and the chosen who have no badge, or nothing in the vault to print on it."""

    teams: Sequence[TeamBadges]
    without: Sequence[str]


def choose(roster: Roster, choice: Choice, day: str) -> Chosen:
    """The active volunteers chosen, each in the team joined first of those that count."""
    teams = _with_beneath(roster.teams, choice.team, day)
    units = _with_beneath(roster.units, choice.unit, day)
    found: dict[str, list[Person]] = {}
    without: list[str] = []
    for person in _active(roster, choice):
        if units is not None and person.unit not in units:
            continue
        team = _team_of(roster, person, teams, day)
        if team is None and teams is not None:
            continue
        if person.badge_serial is None or not person.private_version:
            without.append(person.volunteer)
        else:
            found.setdefault(team or "", []).append(person)
    named = (TeamBadges(_name(roster, team, day), people) for team, people in found.items())
    return Chosen(sorted(named, key=lambda one: one.name), without)


def district_name(roster: Roster, day: str) -> str | None:
    """What the district's centre is called."""
    centres = (one for one in roster.all(Unit) if one.kind == "centre" and one.holds_on(day))
    return next((one.name_zh for one in centres), None)


def _with_beneath(rows: Rows, code: str | None, day: str) -> Collection[str] | None:
    return None if code is None else {code, *beneath(rows, code, day)}


def _active(roster: Roster, choice: Choice) -> Iterable[Person]:
    wanted = set(choice.volunteers)
    for person in roster.all(Person):
        if person.status == "active" and (not wanted or person.volunteer in wanted):
            yield person


def _team_of(roster: Roster, person: Person, teams: Collection[str] | None, day: str) -> str | None:
    open_ones = [
        (one.since, one.team)
        for one in roster.memberships.get(person.volunteer, ())
        if one.holds_on(day)
        if teams is None or one.team in teams
    ]
    return min(open_ones)[1] if open_ones else None


def _name(roster: Roster, code: str, day: str) -> str:
    if not code:
        return NO_TEAM
    row = row_on(roster.teams, code, day)
    assert row is not None
    return row.name_zh
