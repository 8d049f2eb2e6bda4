"""A district to simulate, as one value: its places, its teams and who serves in them.

It is not the roster: nothing settles by it, and it knows of people no more than a pseudonym, a
home and teams. Invariant: each team of a volunteer is one of the district's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType
from typing import NamedTuple


class Place(NamedTuple):
    """A unit; `kind` is centre, office, station, point or post.

    `office` is the code of the office it is or lies under, None where there is none above it.
    """

    code: str
    name: str
    kind: str
    office: str | None


class Team(NamedTuple):
    """A team; `kind` is corps, professional, detachment, education or other.

    `office` is the code of its unit's office: it serves there, and where there is none, anywhere.
    """

    code: str
    name: str
    kind: str
    office: str | None
    platforms: tuple[str, ...] = ()


class Volunteer(NamedTuple):
    """A pseudonym, the code of the unit nearest home, if known, and any number of teams."""

    id: str
    home: str | None
    teams: tuple[Team, ...]


class Project(NamedTuple):
    """A named series of activities; `office` as a team's."""

    code: str
    name: str
    office: str | None


GivenUnit = tuple[str, str, str, str | None]  # code, kind, name, parent's code
GivenTeam = tuple[str, str, str, str | None, Sequence[str]]  # code, kind, name, unit, platforms
GivenVolunteer = tuple[str, str | None, Sequence[str]]  # pseudonym, home unit, teams
GivenProject = tuple[str, str, str | None]  # code, name, unit


@dataclass(frozen=True)
class District:
    """Codes are unique within places, teams and projects; `platforms` has names by code."""

    places: tuple[Place, ...]
    teams: tuple[Team, ...]
    volunteers: tuple[Volunteer, ...]
    platforms: Mapping[str, str]
    projects: tuple[Project, ...]

    @cached_property
    def names(self) -> dict[str, str]:
        """Display names of places, teams, platforms and projects by code."""
        return {
            **self.platforms,
            **{project.code: project.name for project in self.projects},
            **{team.code: team.name for team in self.teams},
            **{place.code: place.name for place in self.places},
        }

    @property
    def offices(self) -> tuple[Place, ...]:
        return self.places_of("office")

    @property
    def stations(self) -> tuple[Place, ...]:
        return self.places_of("station")

    @property
    def points(self) -> tuple[Place, ...]:
        return self.places_of("point")

    @property
    def posts(self) -> tuple[Place, ...]:
        return self.places_of("post")

    @cached_property
    def kiosk_places(self) -> tuple[Place, ...]:
        """Where a kiosk stands: each station, point and post; where none is, each unit."""
        return self.places_of("station", "point", "post") or self.places

    @cached_property
    def serving(self) -> tuple[Volunteer, ...]:
        """The volunteers who are in a team: nobody else ever serves."""
        return tuple(one for one in self.volunteers if one.teams)

    @cached_property
    def fingerprint(self) -> str:
        """Equal for equal districts."""
        return sha256(repr(self).encode()).hexdigest()

    def places_of(self, *kinds: str) -> tuple[Place, ...]:
        """Units of some kinds."""
        return tuple(place for place in self.places if place.kind in kinds)

    def teams_of(self, *kinds: str) -> tuple[Team, ...]:
        """Teams of some kinds."""
        return tuple(team for team in self.teams if team.kind in kinds)

    def name_of(self, code: str) -> str:
        """What people call a team or a place, or its code where the district has no such."""
        return self.names.get(code, code)


def kiosk_of(place: str) -> str:
    """The CloudEvents source of the kiosk at a place."""
    return f"/kiosks/{place}"


def district_of(
    units: Iterable[GivenUnit],
    teams: Iterable[GivenTeam],
    volunteers: Iterable[GivenVolunteer] = (),
    platforms: Mapping[str, str] = MappingProxyType({}),
    projects: Iterable[GivenProject] = (),
) -> District:
    """The district of any roster, from plain tuples; of a code given twice, the last.

    Nothing is refused: of a volunteer's teams, and of units above, those not given are left out.
    """
    given = {unit[0]: unit for unit in units}
    office_of = {code: _office(code, given) for code in given}
    named = {
        code: Team(code, name, kind, office_of.get(unit or ""), tuple(supported))
        for code, kind, name, unit, supported in teams
    }
    return District(
        tuple(Place(code, name, kind, office_of[code]) for code, kind, name, _ in given.values()),
        tuple(named.values()),
        tuple(
            Volunteer(
                one, home, tuple(named[code] for code in dict.fromkeys(codes) if code in named)
            )
            for one, home, codes in volunteers
        ),
        dict(platforms),
        tuple(Project(code, name, office_of.get(unit or "")) for code, name, unit in projects),
    )


def _office(code: str, units: Mapping[str, GivenUnit]) -> str | None:
    """The office that a unit is or lies under; units that are above themselves have none."""
    above: str | None = code
    for _ in units:
        if above is None or above not in units:
            return None
        if units[above][1] == "office":
            return above
        above = units[above][3]
    return None
