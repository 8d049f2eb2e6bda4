"""Who served where and when: a simulated district's days without any fault.

It knows no taps and no kiosks. Invariant: a volunteer is never in two places at once, not even
within five minutes, and a day is made only when it is asked for.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import NamedTuple

from producers.district import District, Place, Team
from producers.simulated_chance import Chance, weighted
from producers.times import EPOCH

MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
UTC_OFFSET = 8 * HOUR  # China Standard Time, which has no summer time

SMALLEST_ACTIVITY, LARGEST_ACTIVITY = 5, 40
_WAY = 5 * MINUTE
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
    """24 hours from `start`, which stands for midnight, and how many sessions they should see."""

    number: int
    start: int
    weekend: bool
    sessions: int


class Activity(NamedTuple):
    code: str
    team: Team
    place: Place
    start: int
    end: int
    size: int


class Attendance(NamedTuple):
    """What really happened, by no kiosk's clock: one volunteer came and left."""

    volunteer: str
    activity: Activity
    arrived: int
    left: int


def civil_day(instant: int) -> str:
    """The date in China, `YYYY-MM-DD`, of microseconds since the epoch."""
    return (EPOCH + timedelta(microseconds=instant + UTC_OFFSET)).date().isoformat()


def is_weekend(instant: int) -> bool:
    """Whether that date is a Saturday or Sunday."""
    thursday_first = (instant + UTC_OFFSET) // DAY % 7  # the epoch was a Thursday
    return thursday_first in (2, 3)


def attended(
    seed: int, district: District, days: Iterable[SimulatedDay]
) -> Iterator[tuple[SimulatedDay, list[Attendance]]]:
    """Each day with its attendances, in order of the activities' starts."""
    members = _members(district)
    free_from = dict.fromkeys((one.id for one in district.volunteers), 0)
    for day in days:
        chance = Chance(seed, "attendance", day.number)
        yield (
            day,
            [
                attendance
                for activity in _activities(day, district, members, chance)
                for attendance in _attending(activity, members[activity.team], free_from, chance)
            ],
        )


def _members(district: District) -> dict[Team, list[str]]:
    members: dict[Team, list[str]] = {team: [] for team in district.teams}
    for volunteer in district.volunteers:
        for team in volunteer.teams:
            members[team].append(volunteer.id)
    return members


def _activities(
    day: SimulatedDay, district: District, members: dict[Team, list[str]], chance: Chance
) -> list[Activity]:
    """Activities enough for the day's sessions, each called by some volunteer for a team of theirs.

    So a team calls them in proportion to its members.
    """
    places = _places_by_office(district)
    activities: list[Activity] = []
    missing = day.sessions
    while missing > 0:
        teams = district.volunteers[chance.below(len(district.volunteers))].teams
        team = teams[chance.below(len(teams))]
        near = places[chance.below(len(places)) if team.office is None else team.office]
        size = min(chance.between(SMALLEST_ACTIVITY, LARGEST_ACTIVITY), len(members[team]), missing)
        activities.append(_activity(day, len(activities), team, near, size, chance))
        missing -= size
    return sorted(activities, key=lambda activity: (activity.start, activity.code))


def _places_by_office(district: District) -> list[list[Place]]:
    places: list[list[Place]] = [[] for _ in district.offices]
    for place in district.kiosk_places:
        places[place.office].append(place)
    return places


def _activity(
    day: SimulatedDay, number: int, team: Team, near: list[Place], size: int, chance: Chance
) -> Activity:
    hours = _WEEKEND_HOURS if day.weekend else _WEEKDAY_HOURS
    quarters = hours[chance.below(len(hours))] * 4 + chance.below(4)
    start = day.start + quarters * 15 * MINUTE
    end = start + chance.between(4, 12) * 15 * MINUTE
    date = civil_day(day.start + DAY // 2).replace("-", "")
    code = f"activity-{date}-{number + 1:04}"
    return Activity(code, team, near[chance.below(len(near))], start, end, size)


def _attending(
    activity: Activity, members: list[str], free_from: dict[str, int], chance: Chance
) -> Iterator[Attendance]:
    """Up to `size` members free by then, drawn by shuffling the members as far as needed."""
    wanted = activity.size
    for turn in range(len(members)):
        if not wanted:
            return
        chosen = turn + chance.below(len(members) - turn)
        members[turn], members[chosen] = members[chosen], members[turn]
        attendance = _attendance(members[turn], activity, chance)
        if free_from[attendance.volunteer] <= attendance.arrived:
            free_from[attendance.volunteer] = attendance.left + _WAY
            wanted -= 1
            yield attendance


def _attendance(volunteer: str, activity: Activity, chance: Chance) -> Attendance:
    early, late = -10 * 60_000, 15 * 60_000
    arrived = activity.start + chance.between(early, late) * MILLISECOND
    left = activity.end + chance.between(early, late) * MILLISECOND
    return Attendance(volunteer, activity, arrived, left)
