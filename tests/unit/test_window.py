"""A window restored from what was accepted is the window that accepted it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.shard import Shard
from ledger.taps import Adjustment, Fact, Record, Tap, Void
from ledger.window import Accepted, Window
from ledger.window_segments import pack, spelt, unpack
from tests.facts import SMALL, START, lengths, random_log, seeds, tap_sets, taps
from tests.unit.test_shard import begin, bodies

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
_said = {"volunteer": texts, "source": texts, "id": texts, "occurred_at": st.integers(0, 2**53)}
voids = st.builds(Void, tap_source=texts, tap_id=texts, by=texts, reason=texts, **_said)
adjustments = st.builds(
    Adjustment,
    team=texts,
    activity=texts | st.none(),
    day=texts,
    seconds=st.integers(-86_400, 86_400),
    by=texts,
    approved_by=texts,
    reason=texts,
    **_said,
)
desk_taps = st.builds(
    Tap.of,
    kind=st.sampled_from(("in", "out")),
    team=texts | st.none(),
    place=texts | st.none(),
    activity=texts | st.none(),
    supplied_by=texts | st.none(),
    reason=texts | st.none(),
    **_said,
)
facts: st.SearchStrategy[Fact] = st.one_of(taps, desk_taps, voids, adjustments)


@given(st.dictionaries(st.integers(0, 2**40), facts, max_size=12))
def test_a_segment_unpacks_to_what_was_packed(accepted: dict[int, Fact]) -> None:
    ordered: list[Accepted] = sorted(accepted.items())
    segment = pack(ordered)
    assert unpack(segment) == ordered
    assert all(spelt(fact.volunteer) in segment for fact in accepted.values())


@given(seeds, lengths, lengths, st.booleans())
@settings(max_examples=300)
def test_a_restored_shard_goes_on_as_the_one_it_was(
    seed: int, length: int, more: int, reused: bool
) -> None:
    log = random_log(seed, length + more, reused)
    kept = begin()
    before = kept.fold(log[:length])
    restored = Shard(0, SMALL, before.head)
    restored.restore(
        unpack(pack([one for one in before.accepted if one[0] >= before.head.replay_from]))
    )
    assert restored.window_taps == kept.window_taps
    for batch in (log[length : length + more // 2], log[length + more // 2 :]):
        expected, found = kept.fold(batch), restored.fold(batch)
        assert bodies([found]) == bodies([expected])
        assert (found.head, found.rejections) == (expected.head, expected.rejections)
        assert found.halves == expected.halves


def test_many_events_can_share_an_id_and_each_is_known_by_its_own() -> None:
    shard = begin()
    same_id = [
        Tap.of(volunteer, "in", START, source, "1", "合唱队", "站一")
        for volunteer in ("V1", "V2")
        for source in ("/kiosks/1", "/kiosks/2")
    ]
    records = [Record(offset, START, tap) for offset, tap in enumerate(same_id * 2)]
    head = shard.fold(records).head
    assert (head.accepted, head.duplicates, head.rejected) == (4, 4, 0)


def test_of_two_that_share_an_id_the_old_one_is_forgotten_and_the_other_known() -> None:
    window, later = Window(SMALL), START + SMALL.window + SMALL.reach + 1
    first = Tap.of("V1", "in", START, "/kiosks/1", "1", "合唱队", "站一")
    second = Tap.of("V2", "in", later, "/kiosks/1", "1", "合唱队", "站一")
    for offset, tap in enumerate((first, second)):
        window.admit(offset, tap)
    window.forget(later)
    assert len(window) == 1
    assert window.known("V2", "/kiosks/1", "1", later) == second
    assert window.known("V1", "/kiosks/1", "1", START) is None
    assert window.replay_from(2) == 1


@given(tap_sets, st.data())
def test_of_what_was_forgotten_nothing_is_held(given_taps: list[Tap], data: st.DataObject) -> None:
    window = Window(SMALL)
    for offset, tap in enumerate(given_taps):
        window.admit(offset, tap)
        if data.draw(st.booleans()):
            window.admit(
                offset, Void(tap.volunteer, tap.occurred_at, "/desks/li", f"v{offset}", tap.source,
                             tap.id, "li", "误"),
            )  # fmt: skip
    window.forget(2**60)
    assert len(window) == 0
    # A worker runs for years: whatever it held by name is empty again.
    assert [one for one in vars(window).values() if isinstance(one, dict | set) and one] == []


def test_a_window_s_offsets_follow_its_events_however_long_it_runs() -> None:
    window = Window(SMALL)
    for number in range(1_000):
        at = START + number * SMALL.window // 10
        window.admit(7 * number, Tap.of("V1", "in", at, "/kiosks/1", f"t{number}", "队", "站"))
        window.forget(at)
        oldest = max(0, number - (SMALL.window + SMALL.reach) * 10 // SMALL.window)
        assert window.replay_from(-1) == 7 * oldest
        assert len(window) == number - oldest + 1
