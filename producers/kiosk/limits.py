"""How often somebody may try a code, and how often the same refusal is kept.

It knows nothing of codes or taps. Invariant: within the time no more than `each` tries of one
address, and `all_together` of all, are let through; memory is bounded.
"""

import time
from collections import deque
from collections.abc import Callable, Hashable


class Tries:
    """Tries of the last `seconds`, by address or whatever else they are told by."""

    def __init__(
        self,
        each: int = 10,
        all_together: int = 60,
        seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._each, self._all, self._seconds, self._clock = each, all_together, seconds, clock
        self._tries: deque[tuple[float, str]] = deque()

    def is_open(self, address: str) -> bool:
        """Whether another try may be made; nothing is counted."""
        self._forget()
        of_address = sum(one == address for _, one in self._tries)
        return of_address < self._each and len(self._tries) < self._all

    def allow(self, address: str) -> bool:
        """Whether this try may be made; it is counted if so."""
        if not self.is_open(address):
            return False
        self._tries.append((self._clock(), address))
        return True

    def forgive(self, address: str) -> None:
        """The last try of an address was right: it doesn't count against those to come."""
        for place in reversed(range(len(self._tries))):
            if self._tries[place][1] == address:
                del self._tries[place]
                return

    def _forget(self) -> None:
        """What is too old to count."""
        now = self._clock()
        while self._tries and self._tries[0][0] <= now - self._seconds:
            self._tries.popleft()


class Recent:
    """The newest things that were seen, so that what is sent again and again is kept once."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._seen: dict[Hashable, None] = {}

    def __contains__(self, thing: Hashable) -> bool:
        return thing in self._seen

    def add(self, thing: Hashable) -> None:
        """It was seen; the oldest may be forgotten for it."""
        self._seen[thing] = None
        if len(self._seen) > self._most:
            del self._seen[next(iter(self._seen))]
