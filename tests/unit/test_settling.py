"""Settling one volunteer's taps: a function of the set, whatever order they arrive in."""

import random
from collections import Counter
from collections.abc import Iterable
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.policy import SECOND, Policy
from ledger.settling import Change, Fate, Half, Session, Timeline
from ledger.shard import Head, Shard
from ledger.taps import Record, Tap
from tests import oracle
from tests.facts import MINUTE, SMALL, START, tap_sets, taps

POLICY = Policy()
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Tally:
    """Adds up reported changes, and refuses one that doesn't fit what was reported before."""

    def __init__(self) -> None:
        self.fates: set[Fate] = set()

    def apply(self, change: Change) -> None:
        gone, come = change
        assert set(gone) <= self.fates
        assert not set(come) & self.fates
        assert len({*gone, *come}) == len(gone) + len(come)
        self.fates -= set(gone)
        self.fates |= set(come)

    def seen(self, policy: Policy, now: int) -> oracle.Settled:
        """What the changes add up to, looked at at `now`: time turns `open` into an exception."""
        by_status: dict[str, set[Tap]] = {
            "open": set(),
            "no-check-out": set(),
            "no-check-in": set(),
        }
        sessions, halves = sorted_out(self.fates)
        for half in halves:
            passed = half.status == "open" and now - half.tap.occurred_at > policy.cap
            by_status["no-check-out" if passed else half.status].add(half.tap)
        return oracle.Settled({tuple(session) for session in sessions}, *by_status.values())


def sorted_out(fates: Iterable[Fate]) -> tuple[list[Session], list[Half]]:
    fates = list(fates)
    return (
        [fate for fate in fates if isinstance(fate, Session)],
        [fate for fate in fates if isinstance(fate, Half)],
    )


def last_of(arrived: list[Tap]) -> int:
    return max((tap.occurred_at for tap in arrived), default=0)


def settle(arriving: list[Tap], policy: Policy = SMALL) -> oracle.Settled:
    timeline, tally = Timeline(), Tally()
    for tap in arriving:
        tally.apply(timeline.insert(tap, policy))
    return tally.seen(policy, last_of(arriving))


def at(minutes: float, kind: str, id: str, **more: str) -> Tap:
    given = {"team": "合唱队", "place": "站一"} if kind == "in" else {}
    moment = START + round(minutes * MINUTE)
    fields = {"source": "/kiosks/1", **given, **more}
    return Tap.of("V1", kind, moment, id=id, **fields)  # type: ignore[arg-type]


def paired(settled: oracle.Settled) -> set[tuple[str, str]]:
    return {(opened.id, closed.id) for opened, closed in settled.sessions}


# A function of the set


@given(tap_sets)
def test_settling_equals_sorting_everything_and_scanning_once(arriving: list[Tap]) -> None:
    assert settle(arriving) == oracle.settled(arriving, SMALL, last_of(arriving))


@given(tap_sets, st.randoms())
def test_the_order_of_arrival_leaves_no_trace(arriving: list[Tap], chance: random.Random) -> None:
    shuffled = arriving.copy()
    chance.shuffle(shuffled)
    assert settle(shuffled) == settle(arriving)


def test_a_thousand_random_orders_of_arrival_give_the_same_sessions() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    arriving = days_of_taps(chance)
    expected = oracle.settled(arriving, POLICY, last_of(arriving))
    assert expected.sessions
    for _ in range(1_000):
        chance.shuffle(arriving)
        assert settle(arriving, POLICY) == expected


def test_a_thousand_random_orders_on_the_log_leave_the_same_net_credits() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    arriving = days_of_taps(chance)
    expected = oracle.settled(arriving, POLICY, last_of(arriving)).sessions
    worth: Counter[str] = Counter()
    for opened, closed in expected:
        worth[opened.team or ""] += (closed.occurred_at - opened.occurred_at) // SECOND
    for _ in range(1_000):
        chance.shuffle(arriving)
        first = last_of(arriving)
        records = [Record(n, first + n * SECOND, tap) for n, tap in enumerate(arriving)]
        changes = Shard(0, POLICY, Head()).fold(records)
        gained: Counter[str] = Counter()
        for grain, effect in changes.counters.items():
            gained[grain.team] += effect.seconds
        assert gained == worth
        assert sum(effect.sessions for effect in changes.counters.values()) == len(expected)


def days_of_taps(chance: random.Random) -> list[Tap]:
    return [
        at(chance.randrange(0, 3 * 24 * 60), kind, f"{kind}-{n}", **team)
        for n in range(16)
        for kind, team in (("in", {"team": chance.choice(("合唱队", "义诊队"))}), ("out", {}))
    ]


# One tap more, one tap less


@given(tap_sets, st.data())
def test_taking_taps_out_again_is_as_if_they_had_never_come(
    arriving: list[Tap], data: st.DataObject
) -> None:
    gone = [tap for tap in arriving if data.draw(st.booleans())]
    timeline, tally = Timeline(), Tally()
    for tap in arriving:
        tally.apply(timeline.insert(tap, SMALL))
    for tap in gone:
        tally.apply(timeline.remove(tap, SMALL))
    stayed = [tap for tap in arriving if tap not in gone]
    now = last_of(stayed)
    assert tally.seen(SMALL, now) == oracle.settled(stayed, SMALL, now)


@given(tap_sets, taps)
def test_an_insert_and_its_removal_undo_each_other(arriving: list[Tap], tap: Tap) -> None:
    timeline = Timeline()
    for one in arriving:
        timeline.insert(one, SMALL)
    tap = tap._replace(id="one more")
    change = timeline.insert(tap, SMALL)
    undone = timeline.remove(tap, SMALL)
    assert set(undone.come) == set(change.gone)
    assert set(undone.gone) == set(change.come)


@given(tap_sets, taps)
def test_only_neighbours_change(arriving: list[Tap], tap: Tap) -> None:
    """The nearest tap left before it, itself, the tap after it, and the nearest left after that."""
    timeline = Timeline()
    for one in arriving:
        timeline.insert(one, SMALL)
    change = timeline.insert(tap._replace(id="one more"), SMALL)
    sessions, halves = sorted_out(change.gone + change.come)
    touched = {one for session in sessions for one in session} | {half.tap for half in halves}
    assert len(touched) <= 4


def test_a_new_tap_touches_only_its_neighbours() -> None:
    timeline = Timeline()
    for number in range(50):
        timeline.insert(at(60 * number, "in", f"i{number}"), POLICY)
        timeline.insert(at(60 * number + 30, "out", f"o{number}"), POLICY)
    change = timeline.insert(at(60 * 20 + 10, "out", "early"), POLICY)
    gone, come = sorted_out(change.gone), sorted_out(change.come)
    assert [s.closed.id for s in gone[0]] == ["o20"]
    assert [s.closed.id for s in come[0]] == ["early"]
    assert [h.tap.id for h in come[1]] == ["o20"]


@given(tap_sets, st.lists(taps, max_size=5), st.data())
def test_what_lies_beyond_reach_can_be_forgotten_unnoticed(
    old: list[Tap], new: list[Tap], data: st.DataObject
) -> None:
    """Whichever of the old are forgotten, and in whatever order: what comes later changes alike."""
    beyond = START + 42 * MINUTE + SMALL.reach
    new = [
        tap._replace(id=f"new {number}", occurred_at=tap.occurred_at + beyond - START)
        for number, tap in enumerate(new)
    ]
    remembering, forgetting = Timeline(), Timeline()
    for tap in old:
        remembering.insert(tap, SMALL)
        forgetting.insert(tap, SMALL)
    for tap in data.draw(st.permutations(old)):
        if data.draw(st.booleans()):
            forgetting.forget(tap)
    for tap in new:
        assert forgetting.insert(tap, SMALL) == remembering.insert(tap, SMALL)
    for tap in new:
        assert forgetting.remove(tap, SMALL) == remembering.remove(tap, SMALL)


@given(tap_sets, st.data())
def test_a_timeline_keeps_nothing_of_the_taps_it_forgot(
    all: list[Tap], data: st.DataObject
) -> None:
    """Kept, they would change nothing that it says, and fill the memory of a year."""
    timeline = Timeline.of(all, SMALL)
    forgotten = data.draw(st.lists(st.sampled_from(all), unique=True)) if all else []
    for tap in forgotten:
        timeline.forget(tap)
    assert not {*timeline._taps, *timeline._left} & set(forgotten)


def test_a_timeline_whose_taps_are_all_forgotten_is_empty() -> None:
    one, two = at(0, "in", "a"), at(0.5, "in", "b")
    timeline = Timeline.of((one, two), POLICY)
    timeline.forget(one)
    assert timeline
    timeline.forget(two)
    assert not timeline


# Order


def test_leaving_one_team_and_entering_another_in_the_same_second_is_legal() -> None:
    moving = [
        at(0, "in", "a"),
        at(60, "in", "b", team="义诊队"),
        at(60, "out", "c"),
        at(90, "out", "d"),
    ]
    for arriving in permutations(moving):
        assert paired(settle(list(arriving), POLICY)) == {("a", "c"), ("b", "d")}


def test_an_in_and_an_out_in_the_same_instant_are_no_session() -> None:
    found = settle([at(0, "in", "a"), at(0, "out", "b")], POLICY)
    assert (len(found.sessions), len(found.open), len(found.no_check_in)) == (0, 1, 1)


def test_taps_of_one_kind_in_the_same_instant_stand_by_source_then_id() -> None:
    same = [
        at(0, "in", "z", source="/kiosks/1", team="一队"),
        at(0, "in", "a", source="/kiosks/2", team="二队"),
        at(0, "in", "b", source="/kiosks/2", team="三队"),
        at(30, "out", "o"),
    ]
    for arriving in permutations(same):
        found = settle(list(arriving), POLICY)
        assert paired(found) == {("b", "o")}
        assert {tap.id for tap in found.no_check_out} == {"z", "a"}


# The cap


@pytest.mark.parametrize(("microseconds", "sessions"), [(0, 1), (1, 0)])
def test_a_session_lasts_at_most_the_cap(microseconds: int, sessions: int) -> None:
    opened = at(0, "in", "a")
    closed = at(16 * 60, "out", "b")
    found = settle([opened, closed._replace(occurred_at=closed.occurred_at + microseconds)], POLICY)
    assert len(found.sessions) == sessions
    assert (len(found.no_check_out), len(found.no_check_in)) == (1 - sessions, 1 - sessions)


def test_a_forgotten_check_out_never_turns_the_next_day_round() -> None:
    day = 24 * 60
    found = settle([at(0, "in", "a"), at(day, "in", "b"), at(day + 60, "out", "c")], POLICY)
    assert paired(found) == {("b", "c")}
    assert {tap.id for tap in found.no_check_out} == {"a"}


def test_midnight_means_nothing() -> None:
    """In the ledger's own timezone, in UTC, and on the day of a month's end."""
    for midnight in (16 * 60 * 60, 0):  # Shanghai's, in UTC, and UTC's
        start = 1_790_726_400 * SECOND + midnight * SECOND - HOUR  # 2026-09-30
        opened = at(0, "in", "a")._replace(occurred_at=start)
        closed = at(0, "out", "b")._replace(occurred_at=start + 2 * HOUR)
        assert start // DAY != (start + 2 * HOUR) // DAY or midnight
        (session,) = settle([closed, opened], POLICY).sessions
        assert Session(*session).seconds == 2 * 3_600


def test_credit_is_whole_seconds_floored() -> None:
    opened = at(0, "in", "a")
    closed = at(1, "out", "b")._replace(occurred_at=START + 5 * SECOND - 1)
    assert Session(opened, closed).seconds == 4


def test_a_check_in_is_open_only_while_nothing_follows_it_within_reach() -> None:
    first, later = at(0, "in", "a"), at(0, "in", "b", team="义诊队")
    for apart, status in ((POLICY.reach, "no-check-out"), (POLICY.reach + 1, "open")):
        timeline, tally = Timeline(), Tally()
        tally.apply(timeline.insert(first, POLICY))
        tally.apply(timeline.insert(later._replace(occurred_at=first.occurred_at + apart), POLICY))
        _, halves = sorted_out(tally.fates)
        assert {half.tap.id: half.status for half in halves} == {"a": status, "b": "open"}


# Debouncing


@pytest.mark.parametrize(("microseconds", "halves"), [(0, 0), (1, 1)])
def test_the_same_tap_within_a_minute_is_one_tap(microseconds: int, halves: int) -> None:
    again = at(1, "in", "b")
    again = again._replace(occurred_at=again.occurred_at + microseconds)
    found = settle([at(0, "in", "a"), again, at(30, "out", "c")], POLICY)
    assert len(found.no_check_out) == halves
    assert paired(found) == {("b" if halves else "a", "c")}


@pytest.mark.parametrize("other", [{"place": "站二"}, {"team": "义诊队"}])
def test_a_check_in_at_another_place_or_for_another_team_is_no_double(
    other: dict[str, str],
) -> None:
    found = settle([at(0, "in", "a"), at(0.5, "in", "b", **other), at(30, "out", "c")], POLICY)
    assert paired(found) == {("b", "c")}


def test_a_second_check_out_is_a_double_wherever_it_is_made() -> None:
    found = settle([at(0, "in", "a"), at(5, "out", "b"), at(6, "out", "c", place="站二")], POLICY)
    assert paired(found) == {("a", "b")}
    assert not found.no_check_in


def test_a_chain_of_doubles_is_ignored_link_by_link() -> None:
    """Each is held against the tap just before it, ignored or not."""
    chain = [at(0.9 * n, "in", f"{n}") for n in range(5)] + [at(30, "out", "o")]
    for arriving in permutations(chain):
        assert paired(settle(list(arriving), POLICY)) == {("0", "o")}
