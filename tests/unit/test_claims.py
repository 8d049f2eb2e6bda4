"""What a claim's reading makes of fetches: batches in log order, nothing twice, no hole unseen."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.claims import Batch, Reading, SeekBack


@dataclass
class Fetched:
    """A record of which only its place matters."""

    offset: int
    timestamp: int = 0
    value: bytes | None = None
    headers: list[tuple[str, bytes | None]] = field(default_factory=list)


def records(*offsets: int) -> list[Fetched]:
    return [Fetched(offset) for offset in offsets]


def taken(reading: Reading, *offsets: int) -> list[int] | SeekBack | None:
    """The offsets of the batch that a fetch of `offsets` gives, or what it gives instead."""
    given = reading.take(records(*offsets))
    if not isinstance(given, Batch):
        return given
    assert (given.shard, given.epoch) == (reading.shard, reading.epoch)
    return [record.offset for record in given.records]


@pytest.fixture
def reading() -> Reading:
    """Claim 7 of shard 2, to be read from offset 10."""
    return Reading(2, 7, 10)


def test_what_is_expected_is_taken_and_then_what_follows(reading: Reading) -> None:
    assert taken(reading, 10, 11, 12) == [10, 11, 12]
    assert taken(reading, 13) == [13]
    assert reading.expected == 14


def test_what_was_taken_before_is_trimmed(reading: Reading) -> None:
    assert taken(reading, 7, 8, 9, 10, 11) == [10, 11]
    assert taken(reading, 11, 12) == [12]


def test_a_fetch_that_brings_nothing_new_is_nothing(reading: Reading) -> None:
    assert taken(reading, 8, 9) is None
    assert taken(reading) is None
    assert reading.expected == 10


def test_a_hole_is_read_again_and_nothing_of_the_fetch_is_taken(reading: Reading) -> None:
    assert taken(reading, 12, 13) == SeekBack(10)
    assert reading.expected == 10
    assert taken(reading, 10, 11, 12, 13) == [10, 11, 12, 13]


def test_a_hole_seen_twice_in_a_row_is_one_in_the_log(reading: Reading) -> None:
    assert taken(reading, 12, 13) == SeekBack(10)
    assert taken(reading, 12, 13, 14) == [12, 13, 14]
    assert reading.expected == 15


def test_another_hole_is_doubted_anew(reading: Reading) -> None:
    assert taken(reading, 12) == SeekBack(10)
    assert taken(reading, 13) == SeekBack(10)
    assert taken(reading, 12) == SeekBack(10)
    assert taken(reading, 12) == [12]


def test_a_hole_that_was_filled_is_no_longer_doubted(reading: Reading) -> None:
    assert taken(reading, 12) == SeekBack(10)
    assert taken(reading, 10) == [10]
    assert taken(reading, 12) == SeekBack(11)
    assert taken(reading, 12) == [12]


def test_a_late_fetch_of_what_was_taken_neither_fills_nor_confirms_a_hole(reading: Reading) -> None:
    assert taken(reading, 12) == SeekBack(10)
    assert taken(reading, 8, 9) is None
    assert taken(reading, 12) == [12]


def test_a_hole_behind_what_was_taken_before_is_seen(reading: Reading) -> None:
    """A fetch may begin with old records: the first new one counts."""
    assert taken(reading, 9, 12) == SeekBack(10)
    assert taken(reading, 9, 12) == [12]


def test_holes_within_a_fetch_are_the_log_s_own(reading: Reading) -> None:
    """The broker sends what there is between two offsets; only whole fetches get lost."""
    assert taken(reading, 10, 14, 20) == [10, 14, 20]
    assert reading.expected == 21


@given(
    st.sets(st.integers(0, 40)),
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 8), st.booleans()), max_size=20),
)
def test_each_record_of_a_log_with_holes_is_taken_once_and_in_order_though_fetches_get_lost(
    log: set[int], fetches: list[tuple[int, int, bool]]
) -> None:
    """A fetch may bring some old records first; any may get lost but the one after a seek back.

    What was lost at the very end shows when the next record comes.
    """
    ordered, reading, got, position = [*sorted(log), 99], Reading(0, 1, 0), list[int](), 0
    undisturbed = [(0, 8, False)] * (2 * len(ordered) + 2)
    for back, most, lost in [*fetches, *undisturbed]:
        behind = [offset for offset in ordered if offset < position]
        ahead = [offset for offset in ordered if position <= offset < (99 if lost else 100)][:most]
        position = ahead[-1] + 1 if ahead else position
        if lost and reading.doubted is None:
            continue
        given = taken(reading, *behind[len(behind) - back :], *ahead)
        if isinstance(given, SeekBack):
            position = given.offset
        elif given is not None:
            got += given
    assert got == ordered
