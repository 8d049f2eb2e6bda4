"""The worker's way into the ledger: claims and appends that wait while the database is away.

Blocking, and called from one thread only, which is what keeps a claim and an append of the same
shard in order. Not settling: it stores what it is given. Invariant: nothing is given up because
the database is away; only because a later claim exists, or because the worker is stopping.
"""

import logging
from collections.abc import Callable
from threading import Event
from time import perf_counter
from typing import NamedTuple, TypeVar

from sqlalchemy.exc import DBAPIError

from ledger.schema import is_outage
from ledger.shard import Changes, Head
from ledger.store import Claim, Store
from ledger.window import Accepted
from streams.metrics import Metrics

logger = logging.getLogger(__name__)

_LONGEST_PAUSE_SECONDS = 5.0

Done = TypeVar("Done")


class Stopped(Exception):
    """The worker is stopping; what was in hand is still in the log."""


class Window(NamedTuple):
    """What fills a claimed shard's window: what was accepted, or else how to read it again.

    `accepted` is None where the ledger doesn't keep it; then `rejected_offsets` are those of the
    records to be read again that the ledger had refused.
    """

    accepted: list[Accepted] | None
    rejected_offsets: frozenset[int]


class Ledger:
    """One ledger, as a worker writes it."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self._heads: dict[int, Head] = {}
        self._stop = Event()

    def stop(self) -> None:
        """Let a wait for the database end with Stopped. Safe from any thread."""
        self._stop.set()

    def claim(self, shard: int) -> Claim:
        """Take the shard over."""
        claim = self._persist(lambda: self._store.claim(shard))
        self._metrics.epoch.labels(shard).set(claim.epoch)
        self._heads[shard] = claim.head
        return claim

    def window(self, shard: int, head: Head) -> Window:
        """What fills the window of a shard that stands at `head`."""
        accepted = self._persist(lambda: self._store.accepted(shard, head))
        if accepted is not None:
            return Window(accepted, frozenset())
        rejected = self._persist(
            lambda: self._store.rejected_offsets(shard, head.replay_from, head.next_offset)
        )
        return Window(None, rejected)

    def append(self, shard: int, epoch: int, changes: Changes) -> None:
        """Store what settling came to. Fenced where a later claim exists: nothing was stored."""
        started = perf_counter()
        self._persist(lambda: self._store.append(shard, epoch, changes))
        self._metrics.append_seconds.observe(perf_counter() - started)
        self._metrics.count(shard, self._heads[shard], changes)
        self._heads[shard] = changes.head

    def _persist(self, deed: Callable[[], Done]) -> Done:
        """Do `deed`, again and again while the database is away."""
        pause = 0.1
        while True:
            try:
                done = deed()
            except DBAPIError as error:
                if not is_outage(error):
                    raise
                self._say_away(error)
            else:
                self._say_back()
                return done
            if self._stop.wait(pause):
                raise Stopped
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _say_away(self, error: DBAPIError) -> None:
        if self._metrics.ledger.went():
            logger.warning(
                "账本数据库没有回应，正在重试。 "
                "The ledger's database does not answer, retrying: %s",
                str(error.orig).strip().splitlines()[0],
            )

    def _say_back(self) -> None:
        if self._metrics.ledger.came():
            logger.warning("账本数据库恢复了。 The ledger's database is back.")
