"""A simulated district's events in the order the log receives them, with the field's faults.

It publishes nothing and reads no clock. Invariant: the same plan gives the same deliveries, on
any machine; they come in order of delivery, and only the days asked for are ever made.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from itertools import accumulate, pairwise

from producers.district import District
from producers.district_seed import VOLUNTEER_COUNT, seed_district, surge_district
from producers.simulated_activities import (
    DAY,
    HOUR,
    UTC_OFFSET,
    Activity,
    Programme,
    SimulatedDay,
    is_weekend,
)
from producers.simulated_days import attended
from producers.simulated_taps import Delivery, Faults, delivered
from producers.times import EPOCH

__all__ = [
    "Delivery",
    "Faults",
    "Plan",
    "activities",
    "demo_day",
    "district_for",
    "half_year_from",
    "plan_ending_now",
    "plan_from",
    "simulate",
    "surging",
]

MAX_DAYS_ENDING_NOW = 13  # a day less than settling's horizon, so that publishing has time
MAX_TAPS_A_VOLUNTEER_DAY = 4
HALF_YEAR_DAYS = 181
HALF_YEAR_ACTIVITIES = 9_936  # of as many volunteers as the district has
_SEQUENCE = 3  # raise it with every change of the sequence, so that no old run is resumed with it


@dataclass(frozen=True)
class Plan:
    """What to simulate. Raises ValueError, with a line for people, if it can't be.

    `start` stands for the first day's midnight (microseconds since the epoch). With `until`,
    nothing happens after that instant: whoever has come but not left by then is still present.
    `taps` is about how many taps to make, fewer if teams have too few members free; None takes what
    such a district does on such days. `activities` is how many to hold, None as many as it takes
    with 5 to 40 volunteers each. In a surge, which takes one day, all volunteers are of other
    organisations and check in within ten minutes. A plan for a district of one's own has its number
    of `volunteers`.
    """

    start: int
    days: int = 7
    seed: int = 1
    volunteers: int = VOLUNTEER_COUNT
    taps: int | None = None
    until: int | None = None
    faults: Faults = Faults()  # noqa: RUF009  (immutable)
    activities: int | None = None
    surge: bool = False

    def __post_init__(self) -> None:
        taps, held = 2 if self.taps is None else self.taps, self.activities
        if self.days < 1 or self.volunteers < 1 or taps < 2 or held == 0:
            raise ValueError(
                "模拟至少要有1天、1名志愿者、2次签到签退、1个活动。 "
                "A simulation takes at least 1 day, 1 volunteer, 2 taps and 1 activity."
            )
        if self.surge and self.days != 1:
            raise ValueError("集中签到只有1天。 A surge takes 1 day.")
        most = MAX_TAPS_A_VOLUNTEER_DAY * self.volunteers * self.days
        if self.taps is not None and self.taps > most:
            raise ValueError(
                f"{self.volunteers}名志愿者{self.days}天至多{most}次，请增加志愿者或天数。 "
                f"{self.volunteers} volunteers tap at most {most} times in {self.days} days: "
                "take more volunteers or more days."
            )

    @property
    def fingerprint(self) -> str:
        """Equal for plans that give the same deliveries."""
        return sha256(f"{_SEQUENCE} {self!r}".encode()).hexdigest()

    def moved_to(self, until: int) -> "Plan":
        """The same plan ending at another instant."""
        if self.until is None:
            return self
        return replace(self, start=self.start + until - self.until, until=until)


def plan_from(first_day: str, **options: int | Faults | None) -> Plan:
    """A plan whose first day is a civil day (`YYYY-MM-DD`) in China; options are `Plan`'s."""
    start = (date.fromisoformat(first_day) - EPOCH.date()).days * DAY - UTC_OFFSET
    return Plan(start, **options)  # type: ignore[arg-type]


def plan_ending_now(now: int, days: int = 7, **options: int | Faults | None) -> Plan:
    """A plan whose last day's midnight is `now`, so that a broker takes its events as punctual.

    Only kiosks with wrong clocks say a time later than `now`.
    """
    if days > MAX_DAYS_ENDING_NOW:
        raise ValueError(
            f"到此刻为止的模拟至多{MAX_DAYS_ENDING_NOW}天，更早的会被判为过迟。 "
            f"A simulation that ends now takes at most {MAX_DAYS_ENDING_NOW} days: "
            "anything older would be rejected as too late."
        )
    return Plan(now - days * DAY, days, until=now, **options)  # type: ignore[arg-type]


def demo_day(now: int, seed: int = 1, taps: int = 6_000, volunteers: int = 3_000) -> Plan:
    """Yesterday, and today up to `now`, which stands for twenty past seven in the evening.

    So, at whatever hour it is run, some volunteers are present and some of yesterday's
    check-outs are forgotten for longer than 16 hours.
    """
    start = now - DAY - 19 * HOUR - HOUR // 3
    faults = replace(Faults(), forgotten_permille=40)
    return Plan(start, 2, seed, volunteers, taps=taps, until=now, faults=faults)


def half_year_from(first_day: str, seed: int = 1, volunteers: int = VOLUNTEER_COUNT) -> Plan:
    """181 days from a civil day in China: nearly 10,000 activities that serve 800,000 people.

    So for the district's number of volunteers; in proportion for others, and one a day at least.
    """
    held = max(2 * HALF_YEAR_DAYS, HALF_YEAR_ACTIVITIES * volunteers // VOLUNTEER_COUNT)
    return plan_from(
        first_day, days=HALF_YEAR_DAYS, seed=seed, volunteers=volunteers, activities=held
    )


def surging(plan: Plan) -> Plan:
    """A plan's first day as a surge, with no faults: each volunteer checks in and out, once."""
    return replace(plan, days=1, faults=Faults.none(), surge=True)


def district_for(plan: Plan) -> District:
    """The seed district with a plan's volunteers."""
    return (surge_district if plan.surge else seed_district)(plan.seed, plan.volunteers)


def activities(plan: Plan, district: District | None = None) -> Iterator[Activity]:
    """All activities of a plan, day by day: those whose codes are in its events.

    ValueError, with a line for people, where nobody in the district can serve.
    """
    programme = Programme(plan.seed, district or district_for(plan))
    return (activity for day in _days(plan) for activity in programme.on(day))


def simulate(plan: Plan, district: District | None = None) -> Iterator[Delivery]:
    """All deliveries of a plan, `recorded_at` never decreasing; by the seed district unless told.

    Memory holds one day and what offline kiosks still owe. To resume, skip as many as before.
    ValueError, with a line for people, where nobody in the district can serve.
    """
    district = district or district_for(plan)
    return _in_order(_days_delivered(plan, district, Programme(plan.seed, district)))


def _days_delivered(
    plan: Plan, district: District, programme: Programme
) -> Iterator[tuple[int, list[Delivery]]]:
    """Each day's deliveries, and the instant before which no later day's can come."""
    for day, attendances in attended(plan.seed, district, programme, _days(plan)):
        yield (
            day.start + DAY,
            delivered(plan.seed, district, day, attendances, plan.faults, plan.until),
        )


def _in_order(days: Iterable[tuple[int, list[Delivery]]]) -> Iterator[Delivery]:
    owed: list[Delivery] = []
    for settled_before, deliveries in days:
        owed += deliveries
        owed.sort(key=_recorded_at)  # stable, so equal instants keep their order
        due = [one for one in owed if one.recorded_at < settled_before]
        del owed[: len(due)]
        yield from due
    yield from owed


def _recorded_at(delivery: Delivery) -> int:
    return delivery.recorded_at


def _days(plan: Plan) -> Iterator[SimulatedDay]:
    """Weekends see twice the sessions and activities of weekdays."""
    starts = [plan.start + number * DAY for number in range(plan.days)]
    weekends = [is_weekend(start + DAY // 2) for start in starts]
    weights = [2 if weekend else 1 for weekend in weekends]
    sessions = _dealt(_sessions(plan, sum(weights)), weights)
    held = [None] * plan.days if plan.activities is None else _dealt(plan.activities, weights)
    for number, start in enumerate(starts):
        yield SimulatedDay(
            number, start, weekends[number], sessions[number], held[number], plan.surge
        )


def _sessions(plan: Plan, weights: int) -> int:
    return plan.volunteers * 15 * weights // 100 if plan.taps is None else plan.taps // 2


def _dealt(total: int, weights: Sequence[int]) -> list[int]:
    """Shares of a whole in proportion to weights; they add up to it."""
    ends = [total * so_far // sum(weights) for so_far in accumulate(weights, initial=0)]
    return [end - start for start, end in pairwise(ends)]
