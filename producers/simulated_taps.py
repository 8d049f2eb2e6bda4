"""From what really happened on a simulated day to what reaches the log, and when.

Kiosks are offline or tell a wrong time, volunteers forget and tap twice, desks repair. Invariant:
with no faults each attendance is one check-in and one check-out; with any, each event is still
well-formed, and nothing but a kiosk's clock puts one later than `until`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import NamedTuple

from producers.district import District, kiosk_of
from producers.events import CheckedIn, CheckedInData, CheckedOut, CheckedOutData, Event
from producers.simulated_activities import (
    DAY,
    HOUR,
    MILLISECOND,
    MINUTE,
    SECOND,
    Activity,
    SimulatedDay,
)
from producers.simulated_chance import Chance, weighted
from producers.simulated_days import Attendance
from producers.simulated_desks import corrected, supplied_check_out, taken_back

_HOURS_LATE, _DAYS_LATE, _TOO_LATE = 0, 1, 2
_LATENESS = weighted(((_HOURS_LATE, 12), (_DAYS_LATE, 7), (_TOO_LATE, 1)))
_MINUTES_OFF, _AHEAD, _BEHIND, _RESET = 0, 1, 2, 3
_CLOCK_ERRORS = weighted(((_MINUTES_OFF, 6), (_AHEAD, 2), (_BEHIND, 1), (_RESET, 1)))


class Delivery(NamedTuple):
    """An event, and the microsecond since the epoch when the log takes it."""

    recorded_at: int
    event: Event


@dataclass(frozen=True)
class Faults:
    """How often, in a thousand, something goes wrong, or is set right at a desk.

    forgotten: attendances with no check-out. supplied: of these, those a desk supplies next day.
    doubled: taps made again within 20 seconds, with an id of their own.
    resent: taps delivered again, unchanged.
    offline: a kiosk's days whose taps come hours or days late, and shuffled.
    wrong_clock: a kiosk's days told by a clock minutes or hours off, or reset to a month ago.
    voided: attendances begun with a tap for a wrong team, which a desk then voids.
    adjusted: attendances whose seconds two people at a desk change next day.
    """

    forgotten_permille: int = 30
    supplied_permille: int = 600
    doubled_permille: int = 20
    resent_permille: int = 10
    offline_permille: int = 40
    wrong_clock_permille: int = 20
    voided_permille: int = 5
    adjusted_permille: int = 5

    def __post_init__(self) -> None:
        for field in fields(self):
            if not 0 <= getattr(self, field.name) <= 1000:
                raise ValueError(f"{field.name} 应为0到1000。 {field.name} must be from 0 to 1000.")

    @classmethod
    def none(cls) -> "Faults":
        """The ideal district."""
        return cls(**dict.fromkeys((field.name for field in fields(cls)), 0))


def delivered(
    seed: int,
    district: District,
    day: SimulatedDay,
    attendances: Iterable[Attendance],
    faults: Faults,
    until: int | None,
) -> list[Delivery]:
    """The day's deliveries, late ones too, in no order that matters."""
    writer = _DayWriter(district, day, faults, until, Chance(seed, "taps", day.number))
    for attendance in attendances:
        writer.write(attendance)
    return writer.deliveries


class _Kiosk(NamedTuple):
    """One kiosk on one day; each of its days is drawn on its own."""

    source: str
    check_out: CheckedOutData
    clock_error: int
    back_at: int | None


class _DayWriter:
    def __init__(
        self,
        district: District,
        day: SimulatedDay,
        faults: Faults,
        until: int | None,
        chance: Chance,
    ) -> None:
        self._teams = [team.code for team in district.teams]
        self._day = day
        self._faults = faults
        self._until = until
        self._chance = chance
        self._kiosks = {place.code: self._kiosk(place.code) for place in district.kiosk_places}
        self._check_ins: dict[tuple[str, str], CheckedInData] = {}
        self.deliveries: list[Delivery] = []

    def write(self, attendance: Attendance) -> None:
        chance, faults = self._chance, self._faults
        if chance.happens(faults.voided_permille):
            self._stray_and_void(attendance)
        self._tap(attendance, "in", attendance.arrived)
        if not chance.happens(faults.forgotten_permille):
            self._tap(attendance, "out", attendance.left)
        elif chance.happens(faults.supplied_permille):
            self._supply(attendance)
        if chance.happens(faults.adjusted_permille):
            self._adjust(attendance)

    def _kiosk(self, place: str) -> _Kiosk:
        chance, faults = self._chance, self._faults
        error = _clock_error(chance) if chance.happens(faults.wrong_clock_permille) else 0
        offline = chance.happens(faults.offline_permille)
        back_at = self._day.start + DAY + _outage(chance) if offline else None
        return _Kiosk(kiosk_of(place), CheckedOutData(place=place), error, back_at)

    def _tap(self, attendance: Attendance, kind: str, moment: int) -> None:
        self._tap_once(attendance, kind, moment)
        if self._chance.happens(self._faults.doubled_permille):
            again = moment + self._chance.between(1_000, 20_000) * MILLISECOND
            self._tap_once(attendance, kind, again)

    def _tap_once(
        self, attendance: Attendance, kind: str, moment: int, team: str | None = None
    ) -> Delivery | None:
        """None if the tap would come after `until`."""
        if self._is_over(moment):
            return None
        kiosk = self._kiosks[attendance.activity.place.code]
        event = self._event(attendance, kind, kiosk, moment + kiosk.clock_error, team)
        delivery = Delivery(self._arrival(kiosk, moment), event)
        self.deliveries.append(delivery)
        if self._chance.happens(self._faults.resent_permille):
            again = delivery.recorded_at + self._chance.between(1_000, 600_000) * MILLISECOND
            self.deliveries.append(Delivery(again, event))
        return delivery

    def _event(
        self, attendance: Attendance, kind: str, kiosk: _Kiosk, told: int, team: str | None
    ) -> Event:
        id_, volunteer = self._chance.ulid(told), attendance.volunteer
        if kind == "out":
            left = kiosk.check_out
            return CheckedOut(id=id_, source=kiosk.source, subject=volunteer, time=told, data=left)
        data = self._check_in(team or attendance.team.code, attendance.activity)
        return CheckedIn(id=id_, source=kiosk.source, subject=volunteer, time=told, data=data)

    def _check_in(self, team: str, activity: Activity) -> CheckedInData:
        """What all who come to an activity for a team say, made once."""
        key = (team, activity.code)
        if key not in self._check_ins:
            self._check_ins[key] = CheckedInData(
                team=team, place=activity.place.code, activity=activity.code
            )
        return self._check_ins[key]

    def _arrival(self, kiosk: _Kiosk, moment: int) -> int:
        if kiosk.back_at is None:
            return moment + self._chance.between(50, 1_500) * MILLISECOND
        return kiosk.back_at + self._chance.between(0, 300_000) * MILLISECOND

    def _stray_and_void(self, attendance: Attendance) -> None:
        """A tap for a wrong team just before the right one; the desk acts once it has seen it."""
        wrong = self._teams[self._chance.below(len(self._teams))]
        moment = attendance.arrived - self._chance.between(20, 90) * SECOND
        stray = self._tap_once(attendance, "in", moment, wrong)
        if stray is not None:
            voided_at = stray.recorded_at + self._chance.between(10, 240) * MINUTE
            id_ = self._chance.ulid(voided_at)
            self._at_desk(voided_at, taken_back(attendance, stray.event, voided_at, id_))

    def _supply(self, attendance: Attendance) -> None:
        supplied_at = self._next_day()
        id_ = self._chance.ulid(supplied_at)
        self._at_desk(supplied_at, supplied_check_out(attendance, id_))

    def _adjust(self, attendance: Attendance) -> None:
        adjusted_at, quarters = self._next_day(), self._chance.between(1, 8)
        seconds = quarters * 900 if self._chance.happens(700) else -900
        id_ = self._chance.ulid(adjusted_at)
        self._at_desk(adjusted_at, corrected(attendance, seconds, adjusted_at, id_))

    def _at_desk(self, moment: int, event: Event) -> None:
        if not self._is_over(moment):
            self.deliveries.append(Delivery(moment + 200 * MILLISECOND, event))

    def _next_day(self) -> int:
        opens = self._day.start + DAY + 9 * HOUR
        return opens + self._chance.between(0, 8 * 3_600_000) * MILLISECOND

    def _is_over(self, moment: int) -> bool:
        return self._until is not None and moment > self._until


def _outage(chance: Chance) -> int:
    """How long after the day's end the kiosk is back: never before its night patrols left."""
    lateness = _LATENESS[chance.below(len(_LATENESS))]
    if lateness == _HOURS_LATE:
        return chance.between(120, 480) * MINUTE
    days = chance.between(1, 6) if lateness == _DAYS_LATE else chance.between(15, 17)
    return days * DAY + chance.between(360, 1200) * MINUTE


def _clock_error(chance: Chance) -> int:
    kind = _CLOCK_ERRORS[chance.below(len(_CLOCK_ERRORS))]
    if kind == _MINUTES_OFF:
        return chance.between(10, 240) * SECOND * (1 if chance.happens(500) else -1)
    if kind == _AHEAD:
        return chance.between(7, 300) * MINUTE
    if kind == _BEHIND:
        return -chance.between(60, 600) * MINUTE
    return -30 * DAY
