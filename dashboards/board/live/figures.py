"""Sums by team, unit and district over today, this week, month and year, kept entry by entry.

Pure, though it keeps state. Invariant: after the counters up to some heads and the entries behind
them, each sum is what the counters add up to at the last entry's head.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from dashboards.board.words import first_days

Key = tuple[str, str]
"""("district", ""), ("team", code) or ("unit", code)."""

DISTRICT: Key = ("district", "")
PERIODS = ("day", "week", "month", "year")


class Served(NamedTuple):
    """What one counter, or one entry, adds: codes are empty where there are none."""

    team: str
    place: str
    day: str
    sessions: int
    seconds: int


class Sum(NamedTuple):
    """Seconds and sessions."""

    seconds: int = 0
    sessions: int = 0

    def plus(self, other: "Sum") -> "Sum":
        return Sum(self.seconds + other.seconds, self.sessions + other.sessions)


Sums = Mapping[str, Sum]
"""By period."""
Lines = Callable[[str], Iterable[str]]
"""A code, with the codes above it."""


class Figures:
    """Sums for every team and unit; `today` is an ISO date, weeks begin on Monday."""

    def __init__(self, today: str, unit_line: Lines, team_line: Lines) -> None:
        self.today = today
        self._first = first_days(today)
        self._keys: dict[tuple[str, str], list[Key]] = {}
        self._lines = (unit_line, team_line)
        self._sums: dict[Key, dict[str, Sum]] = defaultdict(dict)

    @property
    def first(self) -> str:
        """The first day that counts for anything."""
        return min(self._first.values())

    def add(self, served: Served) -> None:
        """Count it for its day's periods, its team and place, and all that is above them."""
        if served.day > self.today:
            return
        periods = [one for one in PERIODS if served.day >= self._first[one]]
        one = Sum(served.seconds, served.sessions)
        for key in self._keys_of(served.team, served.place):
            sums = self._sums[key]
            for period in periods:
                sums[period] = sums.get(period, Sum()).plus(one)

    def snapshot(self) -> Mapping[Key, Sums]:
        """The sums as they stand, which later additions leave alone."""
        return {key: dict(sums) for key, sums in self._sums.items()}

    def _keys_of(self, team: str, place: str) -> list[Key]:
        found = self._keys.get((team, place))
        if found is None:
            unit_line, team_line = self._lines
            units = [("unit", one) for one in unit_line(place)] if place else []
            teams = [("team", one) for one in team_line(team)] if team else []
            found = self._keys[team, place] = [DISTRICT, *units, *teams]
        return found


def total(sums: Mapping[Key, Sums], keys: Iterable[Key]) -> dict[str, Sum]:
    """What several keys come to together, by period."""
    found = dict.fromkeys(PERIODS, Sum())
    for key in keys:
        for period, one in sums.get(key, {}).items():
            found[period] = found[period].plus(one)
    return found
