"""A shard's log, folded: the same bytes however it was cut, replayed or rebuilt."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.entries import genesis
from ledger.merkle import Frontier
from ledger.policy import SECOND, Policy, iso_utc
from ledger.settling import Half, HalfKey
from ledger.shard import Changes, Effect, Head, Shard
from ledger.taps import Adjustment, Fact, Record, Refusal, Tap, Void
from ledger.window import Window
from tests import oracle
from tests.facts import MINUTE, SMALL, START, lengths, random_log, seeds

POLICY = Policy()
DAY = 24 * 60 * MINUTE


def begin(head: Head | None = None, policy: Policy = SMALL) -> Shard:
    return Shard(0, policy, head or Head.after(genesis(0, "test", policy)))


def batches_of(log: list[Record], seed: int, cuts: int) -> list[list[Record]]:
    """The log cut at `cuts` places that `seed` chooses."""
    places = sorted((seed * prime) % (len(log) + 1) for prime in (7, 11, 13, 17, 19)[:cuts])
    edges = [0, *places, len(log)]
    return [log[start:stop] for start, stop in pairwise(edges)]


def fold_each(batches: Iterable[list[Record]]) -> list[Changes]:
    shard = begin()
    return [shard.fold(batch) for batch in batches]


def bodies(changes: list[Changes]) -> list[bytes]:
    return [entry.body for one in changes for entry in one.entries]


def halves_of(changes: list[Changes]) -> dict[HalfKey, Half]:
    """The halves that stand after all the changes; each change must fit those before it."""
    halves: dict[HalfKey, Half] = {}
    for one in changes:
        for key in one.halves_gone:
            del halves[key]
        for half in one.halves_come:
            assert half.key not in halves
            halves[half.key] = half
    return halves


def seen(changes: list[Changes], policy: Policy) -> oracle.Settled:
    """The sessions that net credits speak of and the halves, looked at when the last record came.

    Sessions as in the oracle's answer, each tap shrunk to what an entry says of it.
    """
    now = changes[-1].head.watermark
    by_status: dict[str, set[Tap]] = {"open": set(), "no-check-out": set(), "no-check-in": set()}
    for half in halves_of(changes).values():
        passed = half.status == "open" and now - half.tap.occurred_at > policy.cap
        by_status["no-check-out" if passed else half.status].add(half.tap)
    return oracle.Settled(set(), *by_status.values())


def net_credits(changes: list[Changes]) -> Counter[tuple[object, ...]]:
    net: Counter[tuple[object, ...]] = Counter()
    for body in bodies(changes):
        entry = json.loads(body)
        if entry["type"] in ("credit", "reversal"):
            said = (entry["volunteer"], entry["opened_at"], entry["team"], entry["place"])
            net[(*said, entry["seconds"])] += 1 if entry["type"] == "credit" else -1
    return +net


def expected_credits(settled: oracle.Settled) -> Counter[tuple[object, ...]]:
    return Counter(
        (
            *(opened.volunteer, iso_utc(opened.occurred_at), opened.team, opened.place),
            (closed.occurred_at - opened.occurred_at) // SECOND,
        )
        for opened, closed in settled.sessions
    )


# As the rules say


@given(seeds, lengths, st.booleans())
@settings(max_examples=300)
def test_each_record_ends_and_counts_as_the_rules_say(seed: int, length: int, reused: bool) -> None:
    log = random_log(seed, length, reused)
    changes = begin().fold(log)
    expected = oracle.run(log, SMALL)
    ends = Counter(expected.ends.values())
    head = changes.head
    assert {one.offset: one.reason for one in changes.rejections} == {
        offset: end for offset, end in expected.ends.items() if end not in ("accepted", "duplicate")
    }
    assert (head.accepted, head.duplicates) == (ends["accepted"], ends["duplicate"])
    assert head.accepted + head.duplicates + head.rejected == len(log)
    ended = head.accepted + head.duplicates + head.rejected + head.skipped
    assert ended == head.next_offset == (log[-1].offset + 1 if log else 0)


@given(seeds, lengths, st.booleans())
@settings(max_examples=300)
def test_the_entries_are_worth_what_the_taps_are(seed: int, length: int, reused: bool) -> None:
    log = random_log(seed, length, reused)
    changes = begin().fold(log)
    expected = oracle.run(log, SMALL)
    assert net_credits([changes]) == expected_credits(expected.settled(SMALL))
    worth: Counter[tuple[str, str]] = Counter()
    summed: dict[object, Effect] = {}
    for entry in changes.entries:
        assert entry.grain is not None
        worth[(entry.volunteer or "", entry.grain.team)] += entry.seconds
        then = summed.get(entry.grain, Effect(0, 0))
        summed[entry.grain] = Effect(then.sessions + entry.sessions, then.seconds + entry.seconds)
    assert {who: seconds for who, seconds in worth.items() if seconds} == expected.seconds(SMALL)
    assert changes.counters == summed


@given(seeds, lengths, st.booleans())
@settings(max_examples=300)
def test_the_halves_are_those_of_the_rules(seed: int, length: int, reused: bool) -> None:
    log = random_log(seed, length, reused)
    expected = oracle.run(log, SMALL).settled(SMALL)
    assert seen([begin().fold(log)], SMALL)[1:] == expected[1:]


def test_random_logs_hold_everything_that_can_go_wrong() -> None:
    """So that the properties above aren't about nothing."""
    ends: Counter[str] = Counter()
    for seed in range(50):
        ends.update(oracle.run(random_log(seed, 80, reused=True), SMALL).ends.values())
    assert ends.keys() == {
        *("accepted", "duplicate", "not-json", "too-late", "from-the-future"),
        *("conflicting-identity", "unknown-tap"),
    }
    assert min(ends.values()) > 20


@given(seeds, lengths)
def test_a_session_is_credited_and_reversed_in_turn(seed: int, length: int) -> None:
    standing: set[str] = set()
    for entry in begin().fold(random_log(seed, length)).entries:
        if entry.session is not None:
            assert (entry.session in standing) == (entry.type == "reversal")
            standing ^= {entry.session}


@given(seeds, lengths)
def test_entries_follow_each_other_without_a_gap_and_grow_the_tree(seed: int, length: int) -> None:
    changes = begin().fold(random_log(seed, length))
    assert [entry.seq for entry in changes.entries] == list(range(1, changes.head.next_seq))
    frontier = Frontier()
    frontier.extend([genesis(0, "test", SMALL).leaf, *(entry.leaf for entry in changes.entries)])
    assert changes.head.frontier == frontier.pack()
    assert changes.head.root() == frontier.root()


# A function of the log, not of batches, restarts or memory


@given(seeds, lengths, st.booleans(), st.integers(1, 5))
@settings(max_examples=200)
def test_how_the_log_was_cut_into_batches_leaves_no_trace(
    seed: int, length: int, reused: bool, cuts: int
) -> None:
    log = random_log(seed, length, reused)
    whole, cut = fold_each([log]), fold_each(batches_of(log, seed, cuts))
    assert bodies(cut) == bodies(whole)
    assert cut[-1].head == whole[-1].head
    assert [one for changes in cut for one in changes.rejections] == whole[0].rejections
    assert halves_of(cut) == halves_of(whole)


@given(seeds, lengths, st.booleans())
@settings(max_examples=100)
def test_one_record_at_a_time_is_no_other_ledger(seed: int, length: int, reused: bool) -> None:
    log = random_log(seed, length, reused)
    whole, single = fold_each([log]), fold_each([[record] for record in log] + [[]])
    assert bodies(single) == bodies(whole)
    assert single[-1].head == whole[-1].head
    assert halves_of(single) == halves_of(whole)


@given(seeds, lengths, st.booleans(), st.integers(1, 5))
@settings(max_examples=300)
def test_a_shard_rebuilt_from_the_log_goes_on_as_if_it_had_never_stopped(
    seed: int, length: int, reused: bool, cuts: int
) -> None:
    log = random_log(seed, length, reused)
    batches = batches_of(log, seed, cuts)
    shard, rejected = begin(), set[int]()
    for batch, expected in zip(batches, fold_each(batches), strict=True):
        assert shard.fold(batch) == expected
        rejected |= {one.offset for one in expected.rejections}
        head = expected.head
        shard = begin(head)
        replayed = [r for r in log if head.replay_from <= r.offset < head.next_offset]
        for start in range(0, len(replayed), 7):
            shard.rebuild(replayed[start : start + 7], rejected)
        assert shard.head == head


@given(seeds, lengths, st.booleans())
@settings(max_examples=200)
def test_what_was_forgotten_can_not_be_noticed(seed: int, length: int, reused: bool) -> None:
    log = random_log(seed, length, reused)
    with patch.object(Window, "forget", lambda window, watermark: None):
        remembering = begin().fold(log)
    forgetting = fold_each([[record] for record in log] + [[]])
    assert bodies(forgetting) == bodies([remembering])
    assert replace(forgetting[-1].head, replay_from=remembering.head.replay_from) == (
        remembering.head
    )
    assert halves_of(forgetting) == halves_of([remembering])


def test_memory_is_tidied_as_the_window_moves_on() -> None:
    shard = begin()
    for number in range(2_000):
        at = START + number * 10 * MINUTE
        shard.fold([Record(number, at, IN._replace(occurred_at=at, id=f"t{number}"))])
    assert shard.window_taps < 20
    assert shard.head.replay_from > 1_980


def test_a_quiet_shard_has_nothing_to_rebuild() -> None:
    shard = begin()
    shard.fold([record(0, IN)])
    assert shard.head.replay_from == 0
    shard.fold([Record(1, START + 10 * DAY, Refusal("not-json", "broken"))])
    assert (shard.window_taps, shard.head.replay_from) == (0, 2)


# Record by record


def record(offset: int, content: Fact | Refusal, later: int = 0) -> Record:
    return Record(offset, START + 10 * MINUTE + later * SECOND, content)


IN = Tap.of("V1", "in", START, "/kiosks/1", "a", "合唱队", "站一")
OUT = Tap.of("V1", "out", START + 5 * MINUTE, "/kiosks/1", "b")
VOID = Void("V1", START + 10 * MINUTE, "/desks/1", "v", "/kiosks/1", "b", "leader", "错了")
ADJUSTMENT = Adjustment(
    "V1", START, "/desks/1", "x", "合唱队", None, "2026-09-20", -900, "leader", "office", "多记了"
)


def ends(*records: Record, policy: Policy = POLICY) -> list[str]:
    """How each record ended, told from what the shard wrote after each."""
    shard, told = begin(policy=policy), []
    for one in records:
        before = shard.head
        changes = shard.fold([one])
        if changes.rejections:
            told.append(changes.rejections[0].reason)
        else:
            told.append("duplicate" if changes.head.duplicates > before.duplicates else "accepted")
    return told


@pytest.mark.parametrize(
    ("early", "end"),
    [
        (14 * DAY, "accepted"),
        (14 * DAY + 1, "too-late"),
        (-5 * MINUTE, "accepted"),
        (-5 * MINUTE - 1, "from-the-future"),
    ],
)
def test_a_tap_is_accepted_fourteen_days_back_and_five_minutes_ahead_to_the_microsecond(
    early: int, end: str
) -> None:
    assert ends(Record(0, START, IN._replace(occurred_at=START - early))) == [end]


@pytest.mark.parametrize(
    ("early", "told"),
    [
        (14 * DAY + 1, "reached the log over 14 days after its time"),
        (-5 * MINUTE - 90 * SECOND, "its time is 390 s ahead of the broker's clock"),
    ],
)
def test_a_refused_tap_is_told_by_how_much(early: int, told: str) -> None:
    changes = begin(policy=POLICY).fold([Record(7, START, IN._replace(occurred_at=START - early))])
    (rejection,) = changes.rejections
    assert (rejection.offset, rejection.recorded_at, rejection.detail) == (7, START, told)


@pytest.mark.parametrize("back", [0, 30 * MINUTE, 60 * MINUTE])
def test_record_time_may_step_back_an_hour(back: int) -> None:
    """Within it, a record is judged by its own time alone."""
    first = Record(0, START, Refusal("not-json", "broken"))
    edge = IN._replace(occurred_at=START - back - 14 * DAY)
    assert ends(first, Record(1, START - back, edge))[1] == "accepted"
    edge = IN._replace(occurred_at=START - back - 14 * DAY - 1)
    assert ends(first, Record(1, START - back, edge))[1] == "too-late"


def test_record_time_that_steps_back_farther_is_judged_an_hour_before_the_latest() -> None:
    first = Record(0, START, Refusal("not-json", "broken"))
    edge = START - 60 * MINUTE - 14 * DAY
    stepped = START - 2 * DAY
    assert ends(first, Record(1, stepped, IN._replace(occurred_at=edge)))[1] == "accepted"
    assert ends(first, Record(1, stepped, IN._replace(occurred_at=edge - 1)))[1] == "too-late"


def test_the_first_record_may_be_from_any_time() -> None:
    for year_1 in (-62_135_596_800 * SECOND, -SECOND, 0):
        assert ends(Record(0, year_1, IN._replace(occurred_at=year_1))) == ["accepted"]


def test_the_same_event_twice_is_a_duplicate_and_another_under_its_name_is_refused() -> None:
    assert ends(
        record(0, IN),
        record(1, IN),
        record(2, IN._replace(data=IN.data._replace(team="义诊队"))),
        record(3, IN._replace(occurred_at=START + 1)),
        record(4, VOID._replace(source=IN.source, id=IN.id)),
        record(5, ADJUSTMENT._replace(source=IN.source, id=IN.id)),
        record(6, IN._replace(volunteer="V2")),
        record(7, IN),
    ) == [
        *("accepted", "duplicate", *["conflicting-identity"] * 4),
        *("accepted", "duplicate"),
    ]


def test_every_type_of_event_is_known_again() -> None:
    for event in (IN, OUT, ADJUSTMENT):
        assert ends(record(0, event), record(1, event)) == ["accepted", "duplicate"]
    assert ends(record(0, OUT), record(1, VOID), record(2, VOID))[1:] == ["accepted", "duplicate"]


def test_a_void_takes_the_credit_back_and_a_second_one_changes_nothing() -> None:
    changes = begin().fold(
        [record(0, IN), record(1, OUT), record(2, VOID), record(3, VOID._replace(id="w"))]
    )
    assert [entry.type for entry in changes.entries] == ["credit", "reversal"]
    assert [half.status for half in changes.halves_come] == ["open"]
    assert changes.head.accepted == 4


def test_a_voided_tap_that_is_sent_again_stays_void() -> None:
    changes = begin().fold([record(0, IN), record(1, OUT), record(2, VOID), record(3, OUT)])
    assert (changes.head.accepted, changes.head.duplicates) == (3, 1)
    assert sum(entry.seconds for entry in changes.entries) == 0


def test_a_void_names_an_accepted_tap_of_the_same_volunteer() -> None:
    assert ends(record(0, VOID)) == ["unknown-tap"]
    (rejection,) = begin(policy=POLICY).fold([record(0, VOID)]).rejections
    assert f"no tap {VOID.tap_source} {VOID.tap_id} of this volunteer" in rejection.detail
    assert ends(record(0, OUT), record(1, VOID._replace(volunteer="V2")))[1] == "unknown-tap"
    assert ends(record(0, OUT), record(1, VOID._replace(tap_id="z")))[1] == "unknown-tap"
    late = OUT._replace(occurred_at=START - 15 * DAY)
    assert ends(record(0, late), record(1, VOID)) == ["too-late", "unknown-tap"]
    of_a_void = VOID._replace(id="w", tap_source=VOID.source, tap_id=VOID.id)
    assert ends(record(0, OUT), record(1, VOID), record(2, of_a_void))[2] == "unknown-tap"
    of_an_adjustment = VOID._replace(tap_source=ADJUSTMENT.source, tap_id=ADJUSTMENT.id)
    assert ends(record(0, ADJUSTMENT), record(1, of_an_adjustment))[1] == "unknown-tap"


@pytest.mark.parametrize(("beyond", "end"), [(0, "accepted"), (1, "unknown-tap")])
def test_a_tap_can_be_voided_to_the_end_of_the_window_to_the_microsecond(
    beyond: int, end: str
) -> None:
    """Horizon, cap and skew, and the hour's margin: whatever memory still holds beyond it."""
    now = OUT.occurred_at + POLICY.window + beyond
    void = VOID._replace(occurred_at=now)
    assert ends(record(0, OUT), Record(1, now, void))[1] == end


@pytest.mark.parametrize("apart", [POLICY.cap, 5 * MINUTE])
def test_a_void_at_the_end_of_the_window_still_finds_the_partner_beyond_it(apart: int) -> None:
    opened = IN._replace(occurred_at=OUT.occurred_at - apart)
    now = OUT.occurred_at + POLICY.window
    shard = begin(policy=POLICY)
    shard.fold([record(0, opened), record(1, OUT)])
    shard.fold([Record(2, now, Refusal("not-json", "broken"))])
    changes = shard.fold([Record(3, now, VOID._replace(occurred_at=now))])
    assert [entry.type for entry in changes.entries] == ["reversal"]
    assert [(half.tap, half.status) for half in changes.halves_come] == [(opened, "open")]


def test_a_check_in_that_another_tap_follows_is_no_longer_open_though_its_cap_has_not_passed() -> (
    None
):
    """The skew lets the next day's tap arrive before the clock has reached the cap."""
    first, second = START + POLICY.cap - MINUTE, START + POLICY.cap + MINUTE
    next_in = IN._replace(id="c", occurred_at=second)
    changes = begin(policy=POLICY).fold([Record(0, START, IN), Record(1, first, next_in)])
    assert {half.tap.id: half.status for half in changes.halves_come} == {
        "a": "no-check-out",
        "c": "open",
    }


def test_a_void_may_be_older_than_its_tap() -> None:
    """A desk's clock can be days off: the void is forgotten first, the tap stays void."""
    older = VOID._replace(occurred_at=OUT.occurred_at - 13 * DAY)
    log = [record(0, IN), record(1, OUT), record(2, older)]
    log += [Record(3, START + 4 * DAY, Refusal("not-json", "broken"))]
    log += [Record(4, START + 4 * DAY, OUT)]
    shard = begin(policy=POLICY)
    head = shard.fold(log[:4]).head
    rebuilt = begin(head, POLICY)
    rebuilt.rebuild(log[head.replay_from : 4], {3})
    for one in (shard, rebuilt):
        changes = one.fold(log[4:])
        assert (changes.entries, changes.head.duplicates) == ([], 1)


def test_an_adjustment_is_an_entry_and_pairs_with_nothing() -> None:
    changes = begin().fold([record(0, IN), record(1, ADJUSTMENT), record(2, OUT)])
    assert [entry.type for entry in changes.entries] == ["adjustment", "credit"]
    assert [tuple(effect) for effect in changes.counters.values()] == [(0, -900), (1, 300)]


def test_a_healed_half_is_gone_though_it_came_in_the_same_batch() -> None:
    shard = begin()
    changes = shard.fold([record(0, IN), record(1, OUT)])
    assert (changes.halves_gone, changes.halves_come) == ([], [])
    changes = shard.fold([record(2, VOID)])
    assert [half.tap for half in changes.halves_come] == [IN]
    assert shard.fold([record(3, OUT._replace(id="c"))]).halves_gone == [Half(IN, "open").key]


def test_changes_say_where_they_begin() -> None:
    shard = begin()
    first, second = (shard.fold([record(at, Refusal("not-json", "broken"))]) for at in (3, 4))
    assert (first.start, first.head.next_offset) == (0, 4)
    assert (second.start, second.head.next_offset) == (4, 5)


def test_a_log_that_skips_offsets_accounts_for_them() -> None:
    changes = begin().fold([record(3, IN), record(9, OUT)])
    assert (changes.head.next_offset, changes.head.skipped) == (10, 8)


def test_records_out_of_log_order_are_the_caller_s_mistake() -> None:
    shard = begin()
    shard.fold([record(5, IN)])
    with pytest.raises(AssertionError, match="log order"):
        shard.fold([record(5, OUT)])
