"""Settling: one volunteer's taps, in order, and the sessions and halves they make.

Pure. Not the acceptance of records (that is `shard`), not entries, not storage.
Invariant: sessions and halves are a function of the *set* of taps; `insert` and `remove` only
report how that function's value changed, and look no farther than the nearest taps left. Taps
farther apart than `Policy.reach` make no difference to each other.
"""

from bisect import bisect_left, bisect_right
from itertools import zip_longest
from typing import Literal, NamedTuple

from ledger.policy import SECOND, Policy
from ledger.taps import Tap

HalfStatus = Literal["open", "no-check-out", "no-check-in"]
HalfKey = tuple[str, str, str, int]
"""Volunteer, source, id and time: once the window has passed it, an identity may come again."""


class Session(NamedTuple):
    """An in and the out that belongs to it."""

    opened: Tap
    closed: Tap

    @property
    def seconds(self) -> int:
        """Whole seconds served, floored."""
        return (self.closed.occurred_at - self.opened.occurred_at) // SECOND


class Half(NamedTuple):
    """A tap with no partner.

    `open`: an in with nothing after it within reach. Its volunteer may be here until the cap
    has passed; then it is a `no-check-out`, by being looked at.
    """

    tap: Tap
    status: HalfStatus

    @property
    def key(self) -> HalfKey:
        return (self.tap.volunteer, self.tap.source, self.tap.id, self.tap.occurred_at)


class Change(NamedTuple):
    """What one tap more or less did: sessions and halves that disappeared and that appeared."""

    sessions_gone: list[Session]
    sessions_come: list[Session]
    halves_gone: list[Half]
    halves_come: list[Half]


class Timeline:
    """One volunteer's taps in order, and those of them that are left after debouncing."""

    __slots__ = ("_left", "_taps")

    def __init__(self) -> None:
        self._taps: list[Tap] = []
        self._left: list[Tap] = []

    def __bool__(self) -> bool:
        return bool(self._taps)

    def insert(self, tap: Tap, policy: Policy) -> Change:
        """Put `tap` into its place and say what changed."""
        place = bisect_left(self._taps, order(tap), key=order)
        self._taps.insert(place, tap)
        return self._resettle(tap, place, place + 2, policy)

    def remove(self, tap: Tap, policy: Policy) -> Change:
        """Take `tap`, which must be there, out and say what changed."""
        place = bisect_left(self._taps, order(tap), key=order)
        del self._taps[place]
        return self._resettle(tap, place, place + 1, policy)

    def forget(self, tap: Tap) -> None:
        """Drop `tap` if it is there: it is too old to matter to any other."""
        for taps in (self._taps, self._left):
            place = bisect_left(taps, order(tap), key=order)
            if place < len(taps) and taps[place] == tap:
                del taps[place]

    def _resettle(self, tap: Tap, start: int, stop: int, policy: Policy) -> Change:
        """Debounce again the taps at start..stop, `tap` and its successor: no other can change.

        The stretch of taps left from the one before to the one after them holds every session
        and half that can have changed.
        """
        touched = self._taps[start:stop]
        left = self._left
        low = bisect_left(left, order(tap), key=order)
        high = bisect_right(left, order(touched[-1] if touched else tap), key=order)
        from_start, to_end = low == 0, high == len(left)
        before = left[max(low - 1, 0) : high + 1]
        now_left = [
            taken
            for place, taken in enumerate(touched, start)
            if place == 0 or not is_doubled(self._taps[place - 1], taken, policy)
        ]
        after = left[max(low - 1, 0) : low] + now_left + left[high : high + 1]
        left[low:high] = now_left
        return _change(before, after, policy, from_start, to_end)


def order(tap: Tap) -> tuple[int, bool, str, str]:
    """The order of taps: by time, out before in, so leaving and entering in one second is legal."""
    return (tap.occurred_at, tap.kind == "in", tap.source, tap.id)


def is_doubled(earlier: Tap, tap: Tap, policy: Policy) -> bool:
    """Whether `tap` repeats the tap just before it: ignored, whether that one was or not."""
    if tap.kind != earlier.kind or tap.occurred_at - earlier.occurred_at > policy.debounce:
        return False
    return tap.kind == "out" or (tap.team == earlier.team and tap.place == earlier.place)


def _change(
    before: list[Tap], after: list[Tap], policy: Policy, from_start: bool, to_end: bool
) -> Change:
    sessions_then, halves_then = _settled(before, policy, from_start, to_end)
    sessions_now, halves_now = _settled(after, policy, from_start, to_end)
    return Change(
        [s for s in sessions_then if s not in sessions_now],
        [s for s in sessions_now if s not in sessions_then],
        [h for h in halves_then if h not in halves_now],
        [h for h in halves_now if h not in halves_then],
    )


def _settled(
    left: list[Tap], policy: Policy, from_start: bool, to_end: bool
) -> tuple[list[Session], list[Half]]:
    """Sessions and halves within a stretch of taps left.

    What the stretch's first out and last in belong to lies outside it, unless the stretch
    reaches the start or the end of all taps; outside is never touched, so they are passed over.
    """
    sessions: list[Session] = []
    halves: list[Half] = []
    paired = not from_start
    for tap, later in zip_longest(left, left[1:]):
        if tap.kind == "out":
            if not paired:
                halves.append(Half(tap, "no-check-in"))
            paired = False
        elif later is None or later.occurred_at - tap.occurred_at > policy.reach:
            if later is not None or to_end:
                halves.append(Half(tap, "open"))
            paired = False
        elif later.kind == "out" and later.occurred_at - tap.occurred_at <= policy.cap:
            sessions.append(Session(tap, later))
            paired = True
        else:
            halves.append(Half(tap, "no-check-out"))
            paired = False
    return sessions, halves
