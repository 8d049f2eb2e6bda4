"""The simulator: seeded, lazy, in order of delivery, faulty as planned, resumable."""

import io
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest

from producers import simulation
from producers.district import District, district_of
from producers.district_seed import seed_district
from producers.events import ANY_EVENT, Adjusted, CheckedIn, CheckedOut, Event, TapVoided
from producers.reading import read_line
from producers.simulated_activities import DAY, HOUR, MINUTE, SECOND
from producers.simulated_days import Attendance
from producers.simulated_run import AnotherPlan, line_of, run_to_kafka, write_lines
from producers.simulated_taps import delivered
from producers.simulation import (
    Delivery,
    Faults,
    Plan,
    activities,
    demo_day,
    district_for,
    half_year_from,
    plan_ending_now,
    plan_from,
    simulate,
    surging,
)
from producers.times import microseconds_of

NOW = microseconds_of("2026-11-23T03:14:15.926535Z")
WEEK = plan_from("2026-11-02", days=7, volunteers=3_000)  # a Monday
IDEAL = replace(WEEK, faults=Faults.none())
SMALL = plan_from("2026-11-06", days=2, volunteers=600)
GOLDEN = "ef0c3ba4586e1ab9e10946b3940e4f5c0e80e76709a76fe057c29109599bb17e"


@pytest.fixture(scope="module")
def week() -> list[Delivery]:
    return list(simulate(WEEK))


@pytest.fixture(scope="module")
def ideal() -> list[Delivery]:
    return list(simulate(IDEAL))


def only(**shares: int) -> list[Delivery]:
    """The week with no fault but these."""
    return list(simulate(replace(WEEK, faults=replace(Faults.none(), **shares))))


def test_a_plan_gives_the_same_lines_on_every_machine() -> None:
    lines = b"".join(map(line_of, islice(simulate(WEEK), 1_000)))
    assert sha256(lines).hexdigest() == GOLDEN


def test_another_seed_gives_other_deliveries(week: list[Delivery]) -> None:
    assert next(simulate(replace(WEEK, seed=2))) != week[0]


def test_deliveries_come_in_order_of_delivery(week: list[Delivery]) -> None:
    assert all(one.recorded_at <= after.recorded_at for one, after in pairwise(week))


def test_every_event_is_well_formed_and_read_back(week: list[Delivery]) -> None:
    kinds = Counter(type(one.event) for one in week)
    assert set(kinds) == {CheckedIn, CheckedOut, TapVoided, Adjusted}
    for one in week:
        assert ANY_EVENT.validate_json(one.event.model_dump_json(exclude_none=True)) == one.event


def test_only_the_days_asked_for_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def spied(*arguments: object) -> list[Delivery]:
        made.append(1)
        return delivered(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(simulation, "delivered", spied)
    assert len(list(islice(simulate(replace(SMALL, days=13)), 10))) == 10
    assert len(made) == 1


def test_weekday_evenings_and_weekends_are_peaks(ideal: list[Delivery]) -> None:
    days: Counter[int] = Counter()
    hours: Counter[int] = Counter()
    for one in _check_ins(ideal):
        day, clock = divmod(one.time - WEEK.start, DAY)
        days[day] += 1
        if day < 5:
            hours[clock // HOUR] += 1
    assert min(days[5], days[6]) > 1.8 * max(days[day] for day in range(5))
    evening = hours[17] + hours[18] + hours[19]
    assert 0.35 < evening / sum(hours.values()) < 0.6
    assert hours[18] + hours[19] > 3 * max(hours[hour] for hour in range(17))


def test_without_faults_each_check_in_is_followed_by_its_check_out(ideal: list[Delivery]) -> None:
    taps = _taps_by_volunteer(ideal)
    assert sum(map(len, taps.values())) == len(ideal) > 5_000
    for own in taps.values():
        own.sort(key=lambda event: event.time)
        assert [type(event) for event in own] == [CheckedIn, CheckedOut] * (len(own) // 2)
        assert all(one.time < after.time for one, after in pairwise(own))
        for opened, closed in zip(own[::2], own[1::2], strict=True):
            assert opened.source == closed.source
            assert 30 * MINUTE < closed.time - opened.time < 4 * HOUR


def test_who_comes_together_is_up_to_40_of_the_activitys_teams_at_its_place(
    ideal: list[Delivery],
) -> None:
    planned = {one.code: one for one in activities(IDEAL)}
    gathered: dict[str, list[CheckedIn]] = defaultdict(list)
    for one in _check_ins(ideal):
        gathered[str(one.data.activity)].append(one)
    assert gathered.keys() <= planned.keys()
    teams_of = {one.id: {team.code for team in one.teams} for one in district_for(IDEAL).volunteers}
    for code, taps in gathered.items():
        activity = planned[code]
        assert {tap.data.place for tap in taps} == {activity.place.code}
        assert {tap.data.team for tap in taps} <= {team.code for team in activity.teams}
        assert all(tap.data.team in teams_of[tap.subject] for tap in taps)
        assert len({tap.subject for tap in taps}) == len(taps) <= activity.size <= 40
        assert all(-10 * MINUTE <= tap.time - activity.start <= 15 * MINUTE for tap in taps)
    assert sum(len(taps) >= 5 for taps in gathered.values()) > 0.9 * len(gathered)
    joint = [one for one in planned.values() if len(one.teams) > 1]
    assert any(len({tap.data.team for tap in gathered[one.code]}) > 1 for one in joint)


def test_activities_are_made_without_what_comes_of_them_and_are_the_same_again() -> None:
    planned = list(activities(SMALL))
    assert planned == list(activities(replace(SMALL, faults=Faults.none())))
    assert planned != list(activities(replace(SMALL, seed=2)))
    assert len({one.code for one in planned}) == len(planned) > 10
    assert planned == sorted(planned, key=lambda one: (one.start, one.code))


def test_activities_are_near_their_teams_on_a_platform_of_theirs_some_for_a_project() -> None:
    planned = list(activities(WEEK))
    for one in planned:
        office = one.teams[0].office
        assert office is None or one.place.office in (office, None)
        assert one.platform in one.teams[0].platforms
        assert one.start < one.end
        assert one.held_start < one.held_end
        assert 0 < one.size <= one.capacity
    projects = [one.project for one in planned if one.project]
    assert 0.1 < len(projects) / len(planned) < 0.5
    assert {one.category for one in planned} >= {"class", "talk", "performance", "training"}


def test_a_half_year_is_nearly_10_000_activities_serving_800_000_people() -> None:
    for seed in (1, 2):
        held = list(activities(half_year_from("2026-01-01", seed)))
        assert 9_800 <= len(held) <= 10_000
        assert 784_000 <= sum(one.served for one in held) <= 816_000
        days = {one.code[:17] for one in held}
        assert len(days) == 181
        assert (min(days), max(days)) == ("activity-20260101", "activity-20260630")


def test_a_half_year_has_more_than_half_a_million_sessions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attended = 0

    def counted(
        seed: int, district: District, day: object, came: list[Attendance], *more: object
    ) -> list[Delivery]:
        nonlocal attended
        attended += len(came)
        return []

    monkeypatch.setattr(simulation, "delivered", counted)
    assert list(simulate(half_year_from("2026-01-01"))) == []
    assert 550_000 < attended < 650_000


def test_a_half_year_of_fewer_volunteers_holds_fewer_activities() -> None:
    assert len(list(activities(half_year_from("2026-01-01", volunteers=1_780)))) == 993


def test_in_a_surge_all_of_100_organisations_check_in_within_ten_minutes() -> None:
    plan = surging(plan_from("2026-11-02"))
    taps = _taps_by_volunteer(list(simulate(plan)))
    assert taps.keys() == {one.id for one in district_for(plan).volunteers}
    assert len(taps) == 17_800
    opened, closed = zip(*(sorted(own, key=_time) for own in taps.values()), strict=True)
    assert {type(event) for event in opened} == {CheckedIn}
    assert {type(event) for event in closed} == {CheckedOut}
    assert max(map(_time, opened)) - min(map(_time, opened)) <= 10 * MINUTE
    assert min(map(_time, closed)) - max(map(_time, opened)) > HOUR
    assert len({event.data.team for event in opened}) == 100
    codes = {event.data.activity for event in opened}
    assert codes == {one.code for one in activities(plan)}


def test_a_district_of_ones_own_is_simulated_at_its_places_by_its_people() -> None:
    own = _village()
    plan = replace(IDEAL, volunteers=len(own.serving), taps=200)
    events = [one.event for one in simulate(plan, own)]
    assert len(events) > 100
    assert {event.subject for event in events} <= {one.id for one in own.volunteers}
    assert {event.source for event in events} == {"/kiosks/station-a", "/kiosks/station-b"}
    planned = list(activities(plan, own))
    assert {one.teams[0].code for one in planned} == {"choir"}
    assert {(one.platform, one.project) for one in planned} == {(None, None)}


def test_where_nobody_can_serve_nothing_is_simulated() -> None:
    for nobody in (seed_district(1, 0), district_of([], [("t", "other", "", None, ())])):
        with pytest.raises(ValueError, match="import a roster first"):
            simulate(SMALL, nobody)
        with pytest.raises(ValueError, match="import a roster first"):
            activities(SMALL, nobody)


def test_about_as_many_taps_are_made_as_asked_for() -> None:
    count = sum(1 for _ in simulate(replace(IDEAL, taps=12_000)))
    assert 11_500 < count <= 12_000


def test_even_the_fullest_plan_finds_nearly_all_its_volunteers_free() -> None:
    fullest = 4 * 10_000
    plan = replace(IDEAL, days=1, volunteers=10_000, taps=fullest)
    assert 0.9 * fullest < sum(1 for _ in simulate(plan)) <= fullest


def test_forgotten_check_outs_are_missing_at_the_planned_share() -> None:
    deliveries = only(forgotten_permille=100)
    opened = len(_check_ins(deliveries))
    assert 0.08 < 1 - (len(deliveries) - opened) / opened < 0.12


def test_a_desk_supplies_its_share_of_forgotten_check_outs_the_next_day() -> None:
    deliveries = only(forgotten_permille=100, supplied_permille=600)
    opened = len(_check_ins(deliveries))
    supplied = [
        one
        for one in deliveries
        if isinstance(one.event, CheckedOut) and one.event.data.supplied_by
    ]
    assert 0.04 < len(supplied) / opened < 0.08
    for one in supplied:
        assert one.event.source.startswith("/desks/")
        assert 6 * HOUR < one.recorded_at - one.event.time < 36 * HOUR


def test_doubled_taps_have_their_own_ids_and_come_within_20_seconds(
    ideal: list[Delivery],
) -> None:
    deliveries = only(doubled_permille=50)
    assert 0.04 < len(deliveries) / len(ideal) - 1 < 0.06
    assert len({one.event.id for one in deliveries}) == len(deliveries)
    again = 0
    for own in _taps_by_volunteer(deliveries).values():
        own.sort(key=lambda event: event.time)
        for one, after in pairwise(own):
            if type(one) is type(after):
                again += 1
                assert SECOND <= after.time - one.time <= 20 * SECOND
                assert one.data == after.data
    assert again == len(deliveries) - len(ideal)


def test_resent_taps_are_the_same_event_delivered_again(ideal: list[Delivery]) -> None:
    deliveries = only(resent_permille=50)
    assert 0.04 < len(deliveries) / len(ideal) - 1 < 0.06
    assert len({repr(one.event) for one in deliveries}) == len(ideal)


def test_offline_kiosks_deliver_hours_days_or_too_late_and_shuffled() -> None:
    deliveries = only(offline_permille=200)
    late = [one for one in deliveries if one.recorded_at - one.event.time > MINUTE]
    assert 0.15 < len(late) / len(deliveries) < 0.25
    delays = [one.recorded_at - one.event.time for one in late]
    assert min(delays) > HOUR
    assert 0.4 < sum(delay < 32 * HOUR for delay in delays) / len(delays) < 0.8
    assert 0.01 < sum(delay > 14 * DAY for delay in delays) / len(delays) < 0.12
    kiosks: dict[str, list[int]] = defaultdict(list)
    for one in late:
        kiosks[one.event.source].append(one.event.time)
    assert sum(times != sorted(times) for times in kiosks.values()) > len(kiosks) // 2


def test_wrong_clocks_are_minutes_off_far_ahead_hours_behind_or_reset() -> None:
    deliveries = only(wrong_clock_permille=200)
    errors = [one.event.time - one.recorded_at for one in deliveries]
    wrong = [error for error in errors if not -2 * SECOND <= error < 0]
    assert 0.15 < len(wrong) / len(errors) < 0.25
    assert any(error > 5 * MINUTE for error in wrong)
    assert any(0 < error < 5 * MINUTE for error in wrong)
    assert any(-10 * HOUR - MINUTE < error < -HOUR for error in wrong)
    assert any(error < -29 * DAY for error in wrong)


def test_a_void_names_a_tap_that_was_delivered_before_it(ideal: list[Delivery]) -> None:
    deliveries = only(voided_permille=50, offline_permille=100)
    delivered: set[tuple[str, str, str]] = set()
    voids = 0
    for _, event in deliveries:
        if isinstance(event, TapVoided):
            voids += 1
            assert (event.subject, event.data.tap_source, event.data.tap_id) in delivered
        delivered.add((event.subject, event.source, event.id))
    assert 0.04 < voids / (len(ideal) / 2) < 0.06


def test_adjustments_are_about_a_day_before_and_approved_by_another(
    ideal: list[Delivery],
) -> None:
    adjusted = [one.event for one in only(adjusted_permille=50) if isinstance(one.event, Adjusted)]
    assert 0.04 < len(adjusted) / (len(ideal) / 2) < 0.06
    assert {event.data.seconds > 0 for event in adjusted} == {True, False}
    for event in adjusted:
        midnight = microseconds_of(f"{event.data.day}T00:00:00+08:00")
        assert DAY < event.time - midnight < 2 * DAY


def test_a_plan_that_ends_now_stays_within_a_brokers_horizon() -> None:
    plan = plan_ending_now(NOW, days=13, volunteers=1_000, faults=Faults(wrong_clock_permille=0))
    times = [one.event.time for one in simulate(plan)]
    assert NOW - 13 * DAY <= min(times) < NOW - 12 * DAY
    assert NOW - 3 * HOUR < max(times) <= NOW


def test_a_plan_that_ends_now_takes_no_more_than_13_days() -> None:
    with pytest.raises(ValueError, match="at most 13 days"):
        plan_ending_now(NOW, days=14)


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_a_demo_day_has_volunteers_present_and_yesterdays_check_outs_forgotten(hour: int) -> None:
    now = NOW + hour * HOUR
    deliveries = list(simulate(demo_day(now)))
    assert 2_000 < len(deliveries) < 8_000
    halves = _left_open(deliveries)
    assert sum(now - 4 * HOUR < time <= now for time in halves) > 20
    assert sum(time < now - 16 * HOUR for time in halves) > 5


def test_impossible_plans_are_refused_with_one_line_each() -> None:
    plans: tuple[dict[str, Any], ...] = (
        {"days": 0},
        {"volunteers": 0},
        {"taps": 1},
        {"volunteers": 2, "taps": 900},
        {"activities": 0},
        {"surge": True, "days": 2},
    )
    for impossible in plans:
        with pytest.raises(ValueError, match=r"^[^\n]+$"):
            Plan(WEEK.start, **impossible)
    with pytest.raises(ValueError, match="forgotten_permille"):
        Faults(forgotten_permille=1_001)


def test_lines_are_events_with_their_delivery_time() -> None:
    out = io.BytesIO()
    deliveries = list(islice(simulate(SMALL), 300))
    assert write_lines(deliveries, out) == 300
    lines = out.getvalue().splitlines()
    assert len(lines) == 300
    for line, delivery in zip(lines, deliveries, strict=True):
        event = read_line(line)[0]
        assert event == delivery.event
        assert microseconds_of(json.loads(line)["recordedat"]) == delivery.recorded_at


def test_a_run_publishes_everything_in_order_of_delivery(tmp_path: Path) -> None:
    log: list[Event] = []
    expected = [one.event for one in simulate(SMALL)]
    assert run_to_kafka(SMALL, log.extend, tmp_path / "position") == len(expected)
    assert log == expected
    assert run_to_kafka(SMALL, log.extend, tmp_path / "position") == 0


def test_a_killed_run_resumes_with_nothing_lost(tmp_path: Path) -> None:
    log: list[Event] = []
    position = tmp_path / "position"
    with pytest.raises(KeyboardInterrupt):
        run_to_kafka(SMALL, _Dying(log, 3), position, rate=200, sleep=_no_sleep)
    run_to_kafka(SMALL, log.extend, position)
    expected = [one.event for one in simulate(SMALL)]
    assert len(log) == len(expected) + 20  # the chunk that was sent but not counted
    assert list(dict.fromkeys(map(repr, log))) == list(dict.fromkeys(map(repr, expected)))


def test_a_run_that_ended_now_resumes_at_its_own_now(tmp_path: Path) -> None:
    log: list[Event] = []
    position = tmp_path / "position"
    plan = plan_ending_now(NOW, days=1, volunteers=200)
    with pytest.raises(KeyboardInterrupt):
        run_to_kafka(plan, _Dying(log, 2), position, rate=200, sleep=_no_sleep)
    run_to_kafka(plan_ending_now(NOW + HOUR, days=1, volunteers=200), log.extend, position)
    assert {event.id for event in log} == {one.event.id for one in simulate(plan)}


@pytest.mark.parametrize("other", [replace(SMALL, seed=2), replace(SMALL, until=NOW)])
def test_a_position_of_another_plan_is_refused(tmp_path: Path, other: Plan) -> None:
    run_to_kafka(SMALL, len, tmp_path / "position")
    with pytest.raises(AnotherPlan, match="another simulation plan"):
        run_to_kafka(other, len, tmp_path / "position")


def test_a_position_of_another_district_is_refused(tmp_path: Path) -> None:
    own = _village()
    plan = replace(SMALL, volunteers=len(own.serving))
    assert run_to_kafka(plan, len, tmp_path / "position", district=own) > 0
    assert run_to_kafka(plan, len, tmp_path / "position", district=own) == 0
    with pytest.raises(AnotherPlan, match="another simulation plan"):
        run_to_kafka(plan, len, tmp_path / "position")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"plan":"","until":0,"published":-1}', "\xff"])
def test_a_file_that_is_no_position_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    position = tmp_path / "position"
    position.write_text(text, encoding="latin-1")
    with pytest.raises(AnotherPlan, match="no position"):
        run_to_kafka(SMALL, len, position)
    assert position.read_text(encoding="latin-1") == text


def test_a_rate_is_kept_by_the_clock_given() -> None:
    now = 0.0
    sent: list[tuple[float, int]] = []

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    count = run_to_kafka(
        SMALL,
        lambda events: sent.append((now, len(events))),
        rate=100,
        clock=lambda: now,
        sleep=sleep,
    )
    assert now == pytest.approx((count - sent[-1][1]) / 100)
    assert [moment for moment, _ in sent[:3]] == pytest.approx([0, 0.1, 0.2])
    assert {size for _, size in sent[:-1]} == {10}


class _Dying:
    """Publishes, and is killed once it has published so many chunks, before it can say so."""

    def __init__(self, log: list[Event], chunks: int) -> None:
        self._log = log
        self._left = chunks

    def __call__(self, events: Sequence[Event]) -> None:
        self._log.extend(events)
        self._left -= 1
        if not self._left:
            raise KeyboardInterrupt


def _village() -> District:
    """Two stations, a choir of thirty, and no platform."""
    return district_of(
        units=[
            ("centre", "centre", "中心", None),
            ("station-a", "station", "甲站", "centre"),
            ("station-b", "station", "乙站", "centre"),
        ],
        teams=[("choir", "other", "合唱队", "centre", ())],
        volunteers=[(f"V{number}", None, ["choir"]) for number in range(30)],
    )


def _time(event: Event) -> int:
    return event.time


def _no_sleep(seconds: float) -> None:
    assert seconds > 0


def _check_ins(deliveries: list[Delivery]) -> list[CheckedIn]:
    return [one.event for one in deliveries if isinstance(one.event, CheckedIn)]


def _taps_by_volunteer(deliveries: list[Delivery]) -> dict[str, list[Event]]:
    taps: dict[str, list[Event]] = defaultdict(list)
    for one in deliveries:
        taps[one.event.subject].append(one.event)
    return taps


def _left_open(deliveries: list[Delivery]) -> list[int]:
    """Times of check-ins with no check-out of the same volunteer directly after them."""
    halves = []
    for own in _taps_by_volunteer(deliveries).values():
        taps = sorted(
            (event for event in own if isinstance(event, CheckedIn | CheckedOut)),
            key=lambda event: event.time,
        )
        for index, tap in enumerate(taps):
            after = taps[index + 1 : index + 2]
            if isinstance(tap, CheckedIn) and not (after and isinstance(after[0], CheckedOut)):
                halves.append(tap.time)
    return halves
