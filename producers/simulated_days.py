"""Who served where and when: a simulated district's days without any fault.

It knows no taps and no kiosks. Invariant: a volunteer is never in two places at once, not even
within five minutes, and a day is made only when it is asked for.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from producers.district import District, Team
from producers.simulated_activities import MILLISECOND, MINUTE, Activity, Programme, SimulatedDay
from producers.simulated_chance import Chance

_WAY = 5 * MINUTE
_EARLIEST, _LATEST = -10 * 60_000, 15 * 60_000  # milliseconds around an activity's start and end


class Attendance(NamedTuple):
    """What really happened, by no kiosk's clock: one volunteer came for a team, and left."""

    volunteer: str
    team: Team
    activity: Activity
    arrived: int
    left: int


def attended(
    seed: int, district: District, programme: Programme, days: Iterable[SimulatedDay]
) -> Iterator[tuple[SimulatedDay, list[Attendance]]]:
    """Each day with its attendances, in order of the activities' starts."""
    members = _members(district)
    free_from = dict.fromkeys((one.id for one in district.serving), 0)
    for day in days:
        chance = Chance(seed, "attendance", day.number)
        latest = 0 if day.surge else _LATEST
        yield (
            day,
            [
                attendance
                for activity in programme.on(day)
                for attendance in _attending(activity, members, free_from, latest, chance)
            ],
        )


def _members(district: District) -> dict[Team, list[str]]:
    members: dict[Team, list[str]] = {team: [] for team in district.teams}
    for volunteer in district.serving:
        for team in volunteer.teams:
            members[team].append(volunteer.id)
    return members


def _attending(
    activity: Activity,
    members: dict[Team, list[str]],
    free_from: dict[str, int],
    latest: int,
    chance: Chance,
) -> Iterator[Attendance]:
    """Up to `size` volunteers, the teams sending like numbers as far as they can."""
    missing = activity.size
    for number, team in enumerate(activity.teams):
        wanted = missing // (len(activity.teams) - number)
        for volunteer, arrived, left in _free(
            activity, members[team], wanted, free_from, latest, chance
        ):
            missing -= 1
            yield Attendance(volunteer, team, activity, arrived, left)


def _free(
    activity: Activity,
    members: list[str],
    wanted: int,
    free_from: dict[str, int],
    latest: int,
    chance: Chance,
) -> Iterator[tuple[str, int, int]]:
    """Members free by then, and when they come and leave, drawn by shuffling as far as needed."""
    for turn in range(len(members)):
        if not wanted:
            return
        chosen = turn + chance.below(len(members) - turn)
        members[turn], members[chosen] = members[chosen], members[turn]
        volunteer = members[turn]
        arrived = activity.start + chance.between(_EARLIEST, latest) * MILLISECOND
        left = activity.end + chance.between(_EARLIEST, _LATEST) * MILLISECOND
        if free_from[volunteer] <= arrived:
            free_from[volunteer] = left + _WAY
            wanted -= 1
            yield volunteer, arrived, left
