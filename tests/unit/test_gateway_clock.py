"""What time a gateway believes it is: boards that start in 1970, clocks that are set, restarts."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from producers.kiosk.gateway_clock import GatewayClock, Moment, better, corrected, measured

TRUE = 1_790_000_000_000_000
SECOND = 1_000_000
DAY = 86_400 * SECOND


@dataclass
class Board:
    """A machine: true time goes on; its clock may be wrong, and be set."""

    wrong: int
    true: int = TRUE
    up: int = 5 * SECOND

    @property
    def system(self) -> int:
        return self.true + self.wrong

    def wait(self, amount: int) -> None:
        self.true, self.up = self.true + amount, self.up + amount

    def clock(self, boot: str = "a") -> GatewayClock:
        return GatewayClock(lambda: self.system, lambda: self.up, boot)


wrongs = st.integers(-60 * 365 * DAY, 365 * DAY)
waits = st.integers(0, 10 * DAY)


@given(wrongs, waits, waits)
def test_a_board_that_learns_the_time_at_last_puts_all_of_its_boot_right(
    wrong: int, before: int, after: int
) -> None:
    board = Board(wrong)
    clock = board.clock()
    board.wait(before)
    received, when = clock.now(), board.true
    board.wait(after)
    clock.heard("kafka", board.true, board.up, board.up)
    found = corrected(received.best_at, received, clock.now())
    assert abs(found - when) <= SECOND
    assert clock.now().best_at == board.true
    assert clock.ahead == wrong


@given(wrongs, waits)
def test_a_system_clock_that_somebody_sets_is_believed_and_puts_right_what_came_before(
    wrong: int, before: int
) -> None:
    board = Board(wrong)
    clock = board.clock()
    received, when = clock.now(), board.true
    board.wait(before)
    board.wrong = 0
    assert abs(corrected(received.best_at, received, clock.now()) - when) <= SECOND


@given(wrongs, wrongs)
def test_what_another_boot_received_stays_as_it_is(wrong: int, now_wrong: int) -> None:
    received = Board(wrong).clock("a").now()
    now = Board(now_wrong, TRUE + DAY, SECOND).clock("b").now()
    assert corrected(received.best_at, received, now) == received.best_at


@given(st.integers(-SECOND, SECOND), st.integers(0, TRUE))
def test_what_is_a_second_wrong_or_less_is_left_alone(moved: int, at: int) -> None:
    assert corrected(at, Moment(at, "a", 7), Moment(at, "a", 7 + moved)) == at


@given(st.integers(0, 10 * SECOND), st.integers(0, 10 * SECOND), st.integers(0, 10 * SECOND))
def test_a_measurement_is_wrong_by_no_more_than_half_the_way_there_and_back(
    there: int, back: int, ahead: int
) -> None:
    """Somebody's clock read true time when it was asked, `there` after we sent."""
    sent, base = 100, TRUE + ahead
    told = base + sent + there
    offset = measured("ntp", told, sent, sent + there + back)
    assert abs(offset.base - base) <= offset.error + 1


def test_the_surer_measurement_is_kept_until_it_has_drifted() -> None:
    sure = measured("kafka", TRUE, 0, 2_000)
    vague = measured("kafka", TRUE + 9, SECOND, SECOND + 80_000)
    assert better(None, vague) is vague
    assert better(sure, vague) is sure
    much_later = measured("kafka", TRUE + 9, 10**12, 10**12 + 80_000)
    assert better(sure, much_later) is much_later
