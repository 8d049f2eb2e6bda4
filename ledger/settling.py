"""Settling: one volunteer's taps, in order, and the sessions and halves they make.

Pure. Not the acceptance of records (that is `shard`), not entries, not storage.
Invariant: sessions and halves are a function of the *set* of taps; `insert` and `remove` only
report how that function's value changed, and look no farther than the nearest taps left. Taps
farther apart than `Policy.reach` make no difference to each other.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
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
        return self.tap[:4]


Fate = Session | Half
"""What a tap left comes to; an out that closes a session is in that session's."""


class Change(NamedTuple):
    """What one tap more or less did: the fates that are no more, and the new ones."""

    gone: list[Fate]
    come: list[Fate]


class Timeline:
    """One volunteer's taps in order, and those of them that are left after debouncing."""

    __slots__ = ("_left", "_taps")

    def __init__(self) -> None:
        self._taps: list[Tap] = []
        self._left: list[Tap] = []

    @classmethod
    def of(cls, taps: Iterable[Tap], policy: Policy) -> "Timeline":
        """The timeline that inserting `taps`, one by one in any order, comes to."""
        timeline = cls()
        ordered = timeline._taps = sorted(taps, key=order)
        timeline._left = [
            tap
            for place, tap in enumerate(ordered)
            if place == 0 or not is_doubled(ordered[place - 1], tap, policy)
        ]
        return timeline

    def __bool__(self) -> bool:
        return bool(self._taps)

    def insert(self, tap: Tap, policy: Policy) -> Change:
        """Put `tap` into its place and say what changed."""
        taps = self._taps
        if not taps or taps[-1].occurred_at < tap.occurred_at:
            return self._extend(tap, policy)
        place = _place(taps, tap)
        taps.insert(place, tap)
        return self._resettle(tap, place, place + 2, policy)

    def remove(self, tap: Tap, policy: Policy) -> Change:
        """Take `tap`, which must be there, out and say what changed."""
        place = _place(self._taps, tap)
        del self._taps[place]
        return self._resettle(tap, place, place + 1, policy)

    def forget(self, tap: Tap) -> None:
        """Drop `tap` if it is there: it is too old to matter to any other."""
        for taps in (self._taps, self._left):
            if taps and taps[0] is tap:  # most often: what is oldest comes first in both
                del taps[0]
                continue
            place = _place(taps, tap)
            if place < len(taps) and taps[place] == tap:
                del taps[place]

    def _extend(self, tap: Tap, policy: Policy) -> Change:
        """Put `tap` behind all others, as most come: of those, the last one's fate can change."""
        taps, left = self._taps, self._left
        doubled = bool(taps) and is_doubled(taps[-1], tap, policy)
        taps.append(tap)
        if doubled:
            return Change([], [])
        left.append(tap)
        end = len(left) - 1
        own = _fate(left, end, policy)
        come = [] if own is None else [own]
        if end and left[end - 1].data.kind == "in":
            then, now = Half(left[end - 1], "open"), _fate(left, end - 1, policy)
            if now is not None and now != then:
                return Change([then], [now, *come])
        return Change([], come)

    def _resettle(self, tap: Tap, start: int, stop: int, policy: Policy) -> Change:
        """Debounce again the taps at start..stop, `tap` and its successor: no other can change.

        Beside theirs, only the fates of the taps left just before and just after can.
        """
        taps, left = self._taps, self._left
        touched = taps[start:stop]
        low = high = _place(left, tap)
        if low < len(left):
            high = bisect_right(left, order(touched[-1] if touched else tap), key=order)
        before = _fates(left, low - 1, high + 1, policy)
        now_left = [
            taken
            for place, taken in enumerate(touched, start)
            if place == 0 or not is_doubled(taps[place - 1], taken, policy)
        ]
        left[low:high] = now_left
        after = _fates(left, low - 1, low + len(now_left) + 1, policy)
        return Change(
            [fate for fate in before if fate not in after],
            [fate for fate in after if fate not in before],
        )


def order(tap: Tap) -> tuple[int, bool, str, str]:
    """The order of taps: by time, out before in, so leaving and entering in one second is legal."""
    return (tap.occurred_at, tap.data.kind == "in", tap.source, tap.id)


def is_doubled(earlier: Tap, tap: Tap, policy: Policy) -> bool:
    """Whether `tap` repeats the tap just before it: ignored, whether that one was or not."""
    then, now = earlier.data, tap.data
    if now.kind != then.kind or tap.occurred_at - earlier.occurred_at > policy.debounce:
        return False
    return now.kind == "out" or (now.team == then.team and now.place == then.place)


def _place(taps: list[Tap], tap: Tap) -> int:
    """Where `tap` stands, or belongs: most often at the end, as taps mostly come in order."""
    if not taps or taps[-1].occurred_at < tap.occurred_at:
        return len(taps)
    return bisect_left(taps, order(tap), key=order)


def _fates(left: list[Tap], start: int, stop: int, policy: Policy) -> list[Fate]:
    """The fates of the taps left at start..stop, as far as there are any."""
    fates: list[Fate] = []
    for place in range(max(start, 0), min(stop, len(left))):
        fate = _fate(left, place, policy)
        if fate is not None:
            fates.append(fate)
    return fates


def _fate(left: list[Tap], place: int, policy: Policy) -> Fate | None:
    """What the tap left at `place` comes to, by its neighbours alone; None: see the one before."""
    tap = left[place]
    if tap.data.kind == "out":
        pairs = place > 0 and _pairs(left[place - 1], tap, policy)
        return None if pairs else Half(tap, "no-check-in")
    if place + 1 == len(left):
        return Half(tap, "open")
    later = left[place + 1]
    if later.data.kind == "out" and _pairs(tap, later, policy):
        return Session(tap, later)
    beyond = later.occurred_at - tap.occurred_at > policy.reach
    return Half(tap, "open" if beyond else "no-check-out")


def _pairs(tap: Tap, out: Tap, policy: Policy) -> bool:
    return tap.data.kind == "in" and out.occurred_at - tap.occurred_at <= policy.cap
