"""When a worker that was given nothing is told to end, and when it isn't."""

from streams.standstill import Standstill

WAITING = {0: 10, 2: 7}


def test_what_waits_unmoved_for_too_long_is_a_standstill() -> None:
    seen = Standstill(patience=60)
    assert [seen.see(WAITING, now) for now in (0, 30, 60, 61)] == [False, False, False, True]


def test_any_shard_that_moves_begins_the_patience_anew() -> None:
    seen = Standstill(patience=60)
    assert not seen.see(WAITING, 0)
    assert not seen.see({**WAITING, 2: 8}, 50)
    assert not seen.see({**WAITING, 2: 8}, 100)
    assert seen.see({**WAITING, 2: 8}, 111)


def test_nothing_that_waits_or_a_share_of_ones_own_is_none() -> None:
    seen = Standstill(patience=60)
    assert not any(seen.see({}, now) for now in (0, 100, 1_000))
    assert not seen.see(WAITING, 1_001)
    assert not seen.see({}, 1_050)
    assert not seen.see(WAITING, 1_070)
