"""What a simulated district undertakes on a day: its activities, planned and held.

It knows no taps and not who comes. Invariant: a day's activities depend on the seed, the district
and that day alone, so they can be made with or without what comes of them.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple, TypeVar

from producers.district import District, Place, Project, Team
from producers.simulated_chance import Chance, weighted
from producers.simulated_titles import undertaking
from producers.times import EPOCH

MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
UTC_OFFSET = 8 * HOUR  # China Standard Time, which has no summer time

SMALLEST_ACTIVITY, LARGEST_ACTIVITY = 5, 40
FEWEST_SERVED, MOST_SERVED = 21, 140
SURGE_STARTS = 8 * HOUR
_JOINT_PERMILLE = 400
_PROJECT_PERMILLE = 250
_WEEKDAY_HOURS = weighted(
    (
        *((6, 1), (7, 2), (8, 5), (9, 6), (10, 4), (13, 2), (14, 5), (15, 4), (16, 3)),
        *((17, 4), (18, 14), (19, 16), (20, 4), (22, 1)),  # after work; last, the night patrols
    )
)
_WEEKEND_HOURS = weighted(
    (
        *((7, 2), (8, 10), (9, 14), (10, 8), (13, 6), (14, 12), (15, 9), (16, 5)),
        *((17, 2), (18, 6), (19, 6), (20, 2), (22, 1)),
    )
)


class SimulatedDay(NamedTuple):
    """24 hours from `start`, which stands for midnight, and how many sessions they should see.

    `activities` is how many there should be, None as many as it takes with 5 to 40 volunteers each.
    In a surge each other organisation calls all its volunteers at eight in the morning instead.
    """

    number: int
    start: int
    weekend: bool
    sessions: int
    activities: int | None = None
    surge: bool = False


class Activity(NamedTuple):
    """Instants in microseconds since the epoch. `size` is how many volunteers it calls.

    `platform` and `project` are codes; `category` is the roster's word for it; `served` counts the
    people who were served, not the volunteers.
    """

    code: str
    title: str
    platform: str | None
    project: str | None
    category: str
    teams: tuple[Team, ...]
    place: Place
    start: int
    end: int
    held_start: int
    held_end: int
    size: int
    capacity: int
    served: int


def civil_day(instant: int) -> str:
    """The date in China, `YYYY-MM-DD`, of microseconds since the epoch."""
    return (EPOCH + timedelta(microseconds=instant + UTC_OFFSET)).date().isoformat()


def is_weekend(instant: int) -> bool:
    """Whether that date is a Saturday or Sunday."""
    thursday_first = (instant + UTC_OFFSET) // DAY % 7  # the epoch was a Thursday
    return thursday_first in (2, 3)


class Programme:
    """A district's activities by day. ValueError, with a line for people, where none can be."""

    def __init__(self, seed: int, district: District) -> None:
        if not district.serving or not district.kiosk_places:
            raise ValueError(
                "没有单位，或没有一名志愿者在队，无从模拟：请先导入名册。 "
                "There is no unit, or no volunteer is in a team, so nobody can serve: "
                "import a roster first."
            )
        self._seed = seed
        self._district = district
        self._members = Counter(team for one in district.serving for team in one.teams)
        self._places = _by_office(district.kiosk_places)
        self._projects = _by_office(district.projects)

    def on(self, day: SimulatedDay) -> list[Activity]:
        """The day's activities, in order of their starts."""
        chance = Chance(self._seed, "activities", day.number)
        found = self._surge(day, chance) if day.surge else self._usual(day, chance)
        return sorted(found, key=lambda activity: (activity.start, activity.code))

    def _usual(self, day: SimulatedDay, chance: Chance) -> list[Activity]:
        """Enough for the day's sessions, each called by some volunteer for their teams.

        So a team calls them in proportion to its members.
        """
        found: list[Activity] = []
        missing = day.sessions
        while missing > 0 and (day.activities is None or len(found) < day.activities):
            teams = self._called_by_somebody(chance)
            size = min(
                _size(day, missing, len(found), chance),
                sum(self._members[team] for team in teams),
            )
            start = day.start + _start(day, chance)
            length = chance.between(4, 12) * 15 * MINUTE
            found.append(self._activity(day, len(found), teams, (start, length), size, chance))
            missing -= size
        return found

    def _surge(self, day: SimulatedDay, chance: Chance) -> list[Activity]:
        others = [team for team in self._district.teams_of("other") if self._members[team]]
        start = day.start + SURGE_STARTS
        return [
            self._activity(
                day,
                number,
                (team,),
                (start, chance.between(8, 16) * 15 * MINUTE),
                self._members[team],
                chance,
            )
            for number, team in enumerate(others)
        ]

    def _called_by_somebody(self, chance: Chance) -> tuple[Team, ...]:
        serving = self._district.serving
        teams = serving[chance.below(len(serving))].teams
        first = teams[chance.below(len(teams))]
        if len(teams) == 1 or not chance.happens(_JOINT_PERMILLE):
            return (first,)
        others = [team for team in teams if team != first]
        return (first, others[chance.below(len(others))])

    def _activity(
        self,
        day: SimulatedDay,
        number: int,
        teams: tuple[Team, ...],
        when: tuple[int, int],
        size: int,
        chance: Chance,
    ) -> Activity:
        start, length = when
        place = _drawn_near(self._places, teams[0].office, chance)
        what = undertaking(teams[0].platforms or tuple(self._district.platforms), chance)
        project = None
        if self._district.projects and chance.happens(_PROJECT_PERMILLE):
            project = _drawn_near(self._projects, place.office, chance)
        date = civil_day(day.start + DAY // 2).replace("-", "")
        return Activity(
            code=f"activity-{date}-{number + 1:04}",
            title=f"“{project.name}”{what.title}" if project else what.title,
            platform=what.platform,
            project=project.code if project else None,
            category=what.category,
            teams=teams,
            place=place,
            start=start,
            end=start + length,
            held_start=start + chance.between(-5, 10) * MINUTE,
            held_end=start + length + chance.between(-10, 15) * MINUTE,
            size=size,
            capacity=size + chance.between(0, size // 4 + 2),
            served=chance.between(FEWEST_SERVED, MOST_SERVED),
        )


def _size(day: SimulatedDay, missing: int, so_far: int, chance: Chance) -> int:
    """5 to 40; where the number of activities is given, half to one and a half of an even share."""
    if day.activities is None:
        return min(chance.between(SMALLEST_ACTIVITY, LARGEST_ACTIVITY), missing)
    left = day.activities - so_far
    if left == 1:
        return missing
    share = missing // left
    return max(1, min(chance.between(share // 2, share * 3 // 2), missing - left + 1))


def _start(day: SimulatedDay, chance: Chance) -> int:
    hours = _WEEKEND_HOURS if day.weekend else _WEEKDAY_HOURS
    return (hours[chance.below(len(hours))] * 4 + chance.below(4)) * 15 * MINUTE


_Near = TypeVar("_Near", Place, Project)


def _by_office(things: Iterable[_Near]) -> dict[str | None, list[_Near]]:
    """What each office has: its own, and what is the whole district's; None has all."""
    everything = list(things)
    offices = {thing.office for thing in everything} - {None}
    near = {
        office: [thing for thing in everything if thing.office in (office, None)]
        for office in offices
    }
    return {**near, None: everything}


def _drawn_near(near: dict[str | None, list[_Near]], office: str | None, chance: Chance) -> _Near:
    choices = near.get(office) or near[None]
    return choices[chance.below(len(choices))]
