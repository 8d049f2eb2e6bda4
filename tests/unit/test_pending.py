"""What gathers while an append runs goes out as one, in order, and only under its own claim."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.shard import Changes, Head
from streams.pending import Pending
from tests.facts import lengths, random_log, seeds
from tests.unit.test_shard import batches_of, bodies, fold_each, halves_of


def moved(start: int, stop: int) -> Changes:
    return Changes(start, Head(next_offset=stop))


@given(seeds, lengths, st.integers(0, 5), st.booleans())
@settings(max_examples=100)
def test_changes_that_gathered_are_those_of_one_batch(
    seed: int, length: int, cuts: int, reused: bool
) -> None:
    log = random_log(seed, length, reused)
    pending = Pending()
    for changes in fold_each(batches_of(log, seed, cuts)):
        pending.put(0, 1, changes)
    (whole,) = fold_each([log])
    append = pending.take()
    assert append is not None
    gathered = append.changes
    assert (gathered.start, gathered.head) == (whole.start, whole.head)
    assert bodies([gathered]) == bodies([whole])
    assert halves_of([gathered]) == halves_of([whole])
    assert gathered.counters == whole.counters
    assert gathered.rejections == whole.rejections
    assert gathered.accepted == whole.accepted


def test_the_shard_that_has_waited_longest_goes_first() -> None:
    pending = Pending()
    for shard in (2, 0, 2):
        start = 5 if pending.has(shard) else 0
        pending.put(shard, 1, moved(start, start + 5))
    assert pending.records == 15
    assert [pending.take(), pending.take(), pending.take()] == [
        (2, 1, moved(0, 10)),
        (0, 1, moved(0, 5)),
        None,
    ]
    assert pending.records == 0


def test_what_waits_from_an_earlier_claim_goes_when_a_later_one_settles() -> None:
    pending = Pending()
    pending.put(0, 1, moved(0, 5))
    pending.put(0, 2, moved(0, 3))
    assert pending.take() == (0, 2, moved(0, 3))


def test_only_the_claim_that_was_fenced_is_dropped() -> None:
    pending = Pending()
    pending.put(0, 2, moved(0, 5))
    pending.drop(0, 1)
    assert pending.has(0)
    pending.drop(0, 2)
    assert not pending.has(0)
