"""A simulated district's events in the order the log receives them, with the field's faults.

It publishes nothing and reads no clock. Invariant: the same plan gives the same deliveries, on
any machine; they come in order of delivery, and only the days asked for are ever made.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256

from producers.district import VOLUNTEER_COUNT, District, district_of
from producers.simulated_days import DAY, HOUR, UTC_OFFSET, SimulatedDay, attended, is_weekend
from producers.simulated_taps import Delivery, Faults, delivered
from producers.times import EPOCH

__all__ = ["Delivery", "Faults", "Plan", "demo_day", "plan_ending_now", "plan_from", "simulate"]

MAX_DAYS_ENDING_NOW = 13  # a day less than settling's horizon, so that publishing has time
MAX_TAPS_A_VOLUNTEER_DAY = 4
_SEQUENCE = 1  # raise it with every change of the sequence, so that no old run is resumed with it


@dataclass(frozen=True)
class Plan:
    """What to simulate. Raises ValueError, with a line for people, if it can't be.

    `start` stands for the first day's midnight (microseconds since the epoch). With `until`,
    nothing happens after that instant: whoever has come but not left by then is still present.
    `taps` is about how many taps to make, fewer if teams have too few members free; None takes what
    such a district does on such days.
    """

    start: int
    days: int = 7
    seed: int = 1
    volunteers: int = VOLUNTEER_COUNT
    taps: int | None = None
    until: int | None = None
    faults: Faults = Faults()  # noqa: RUF009  (immutable)

    def __post_init__(self) -> None:
        if self.days < 1 or self.volunteers < 1 or (self.taps is not None and self.taps < 2):
            raise ValueError(
                "模拟至少要有1天、1名志愿者、2次签到签退。 "
                "A simulation takes at least 1 day, 1 volunteer and 2 taps."
            )
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


def demo_day(now: int, seed: int = 1, taps: int = 6_000) -> Plan:
    """Yesterday, and today up to `now`, which stands for twenty past seven in the evening.

    So, at whatever hour it is run, some volunteers are present and some of yesterday's
    check-outs are forgotten for longer than 16 hours.
    """
    start = now - DAY - 19 * HOUR - HOUR // 3
    faults = replace(Faults(), forgotten_permille=40)
    return Plan(start, 2, seed, taps=taps, until=now, faults=faults)


def simulate(plan: Plan) -> Iterator[Delivery]:
    """All deliveries of a plan, `recorded_at` never decreasing.

    Memory holds one day and what offline kiosks still owe. To resume, skip as many as before.
    """
    district = district_of(plan.seed, plan.volunteers)
    return _in_order(_days_delivered(plan, district))


def _days_delivered(plan: Plan, district: District) -> Iterator[tuple[int, list[Delivery]]]:
    """Each day's deliveries, and the instant before which no later day's can come."""
    for day, attendances in attended(plan.seed, district, _days(plan)):
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
    """Weekends see twice the sessions of weekdays."""
    starts = [plan.start + number * DAY for number in range(plan.days)]
    weekends = [is_weekend(start + DAY // 2) for start in starts]
    weights = [2 if weekend else 1 for weekend in weekends]
    sessions = plan.volunteers * 15 * sum(weights) // 100 if plan.taps is None else plan.taps // 2
    for number, weight in enumerate(weights):
        before = sum(weights[:number])
        share = sessions * (before + weight) // sum(weights) - sessions * before // sum(weights)
        yield SimulatedDay(number, starts[number], weekends[number], share)
