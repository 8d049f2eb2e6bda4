"""What of the district an account sees: all of it, its teams, or its units.

Pure. Invariant: what a scope doesn't cover is neither shown nor changed by whoever has it.
"""

from typing import NamedTuple

from dashboards.board.directory import Directory


class Scope(NamedTuple):
    """Codes, with all beneath them; `everything` covers also what the roster doesn't know."""

    everything: bool = False
    teams: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    tops: tuple[tuple[str, str], ...] = ()
    """What it was given: ("team", code) or ("unit", code); figures are theirs added up."""
    members: frozenset[str] = frozenset()
    """The volunteers of its teams: a check-out names no team, so its volunteer's are looked at."""

    def covers_team(self, team: str | None) -> bool:
        """Whether a team is within it."""
        return self.everything or team in self.teams

    def covers_unit(self, unit: str | None) -> bool:
        """Whether a unit is within it."""
        return self.everything or unit in self.units

    def covers(self, team: str | None, place: str | None) -> bool:
        """Whether what was served for a team at a place is within it."""
        return self.covers_team(team or None) or self.covers_unit(place or None)

    def covers_tap(self, team: str, place: str, volunteer: str) -> bool:
        """Whether a tap is within it."""
        return self.covers(team, place) or (not team and volunteer in self.members)


EVERYTHING = Scope(everything=True)


def scope_of(role: str, teams: tuple[str, ...], units: tuple[str, ...], known: Directory) -> Scope:
    """What a role sees, with these teams and units of its own.

    A leader sees teams and what is beneath them; an officer sees units, and the teams at home
    there; all others see everything.
    """
    if role == "leader":
        inside = frozenset(code for one in teams for code in (one, *known.teams_beneath(one)))
        return Scope(teams=inside, tops=tuple(("team", one) for one in _highest(teams, known)))
    if role == "officer":
        below = frozenset(code for one in units for code in (one, *known.units_beneath(one)))
        home = frozenset(code for code in known.teams if known.unit_of_team(code) in below)
        return Scope(teams=home, units=below, tops=tuple(("unit", one) for one in units))
    return EVERYTHING


def _highest(teams: tuple[str, ...], known: Directory) -> list[str]:
    """Those that stand beneath no other of them, so that nothing is added up twice."""
    return [one for one in teams if not any(one in known.teams_beneath(o) for o in teams)]
