"""How often an address may try a code: guesses are slowed down, and counted.

It knows nothing of codes. Invariant: within a minute no more than `each` tries of one address, and
`all_together` of all, are let through.
"""

import time
from collections import deque
from collections.abc import Callable

_MINUTE = 60.0


class Tries:
    """Tries of the last minute; `clock` counts seconds."""

    def __init__(
        self,
        each: int = 10,
        all_together: int = 60,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._each, self._all, self._clock = each, all_together, clock
        self._tries: deque[tuple[float, str]] = deque()

    def allow(self, address: str) -> bool:
        """Whether this try may be made; it is counted if so."""
        now = self._clock()
        while self._tries and self._tries[0][0] <= now - _MINUTE:
            self._tries.popleft()
        of_address = sum(one == address for _, one in self._tries)
        if of_address >= self._each or len(self._tries) >= self._all:
            return False
        self._tries.append((now, address))
        return True
