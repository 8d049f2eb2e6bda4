"""A log that grows while nobody settles it, seen by a worker that was given none of it. Pure.

Kafka's client can stop asking for a share without a word: what looks after its group ends on any
error that isn't Kafka's own. Such a worker ends, so that what keeps it running starts it anew.
Invariant: a worker with a share, or beside another that settles, is never told to end.
"""

from collections.abc import Mapping

from ledger.refusals import LedgerRefusal

PATIENCE_SECONDS = 120.0
"""Longer than a worker takes to build its window anew, during which it settles nothing either."""


class StandsStill(LedgerRefusal):
    """This worker was given no shard, and nobody settles; one line says what to do."""


class Standstill:
    """What waits to be settled, and since when it has been the same. Seconds of any clock."""

    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._waiting: dict[int, int] = {}
        self._since = 0.0

    def see(self, waiting: Mapping[int, int], now: float) -> bool:
        """Whether nothing of it has moved for too long.

        `waiting` is the next offset of each shard whose log holds more; none where this worker has
        a share, or can't tell.
        """
        if not waiting or waiting != self._waiting:
            self._waiting, self._since = dict(waiting), now
            return False
        return now - self._since > self._patience


def stands_still() -> StandsStill:
    """What to say of it."""
    return StandsStill(
        "这个 worker 没有分到分片，也没有别的 worker 在结算：它已退出，请重新启动。 "
        "This worker was given no shard, and no other settles: it has ended; start it again."
    )
