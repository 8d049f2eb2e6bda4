"""The district to simulate, as the ledger's roster has it on a day.

Nothing private is read: pseudonyms, teams and places alone. Invariant: who isn't active on the
list, or in a team on that day, doesn't serve.
"""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from ledger.roster.records import Membership, Person, Platform, Project, Record, Team, Unit
from ledger.roster.roster import Roster
from producers.district import District, district_of

SERVING: tuple[type[Record], ...] = (Unit, Platform, Team, Project, Person, Membership)
"""The kinds of records that `district_on` looks at."""

_Coded = TypeVar("_Coded", Unit, Team, Project)


def district_on(roster: Roster, day: str) -> District:
    """The units, teams, running projects and active volunteers of an ISO date."""
    teams: dict[str, list[str]] = {}
    for volunteer, memberships in roster.memberships.items():
        teams[volunteer] = [one.team for one in memberships if one.holds_on(day)]
    return district_of(
        (
            (one.code, one.kind, one.name_zh, one.parent)
            for one in _holding(roster.units.values(), day)
        ),
        (
            (one.code, one.kind, one.name_zh, one.unit, one.platforms)
            for one in _holding(roster.teams.values(), day)
        ),
        (
            (one.volunteer, one.unit, teams.get(one.volunteer, ()))
            for one in roster.all(Person)
            if one.status == "active"
        ),
        {one.code: one.name_zh for one in roster.all(Platform)},
        (
            (one.code, one.name_zh, one.unit)
            for one in _holding(roster.projects.values(), day)
            if one.status == "running"
        ),
    )


def _holding(of_codes: Iterable[list[_Coded]], day: str) -> Iterator[_Coded]:
    """Of each code, the row that holds on a day."""
    return (row for rows in of_codes for row in rows if row.holds_on(day))
