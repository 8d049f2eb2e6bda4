"""The shards this worker owns: claimed from the ledger, settled, appended to.

Blocking, and called from one thread only, which is what keeps a claim and an append of the
same shard in order. Not Kafka: it is told what to settle, and says where to read from.
Invariant: a shard in memory is never used once the ledger is known to stand elsewhere.
"""

import logging
from collections.abc import Callable
from threading import Event
from time import perf_counter
from typing import Any, NamedTuple

from sqlalchemy.exc import DBAPIError

from ledger.refusals import Fenced
from ledger.schema import is_outage
from ledger.shard import Changes, Head, Shard
from ledger.store import Claim, Store
from ledger.taps import Record
from streams.claims import Batch
from streams.decoding import decode
from streams.metrics import Metrics

logger = logging.getLogger(__name__)

_LONGEST_PAUSE_SECONDS = 5.0


class Stopped(Exception):
    """The worker is stopping; what was in hand is still in the log."""


class Claimed(NamedTuple):
    """A shard taken over: the claim's number, and the offset to read from."""

    epoch: int
    read_from: int
    next_offset: int


class Settled(NamedTuple):
    """What a batch came to; `changes` is None where it only rebuilt the window."""

    next_offset: int
    changes: Changes | None


class Shards:
    """Owned shards, by number."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self._shards: dict[int, Shard] = {}
        self._rejected: dict[int, frozenset[int]] = {}
        self._read_to: dict[int, int] = {}
        self._stop = Event()

    def stop(self) -> None:
        """Let a wait for the database end with Stopped. Safe from any thread."""
        self._stop.set()

    def claim(self, number: int) -> Claimed:
        """Take the shard over; waits while the database is away."""
        claim = self._persist(lambda: self._store.claim(number))
        self._metrics.epoch.labels(number).set(claim.epoch)
        head = claim.head
        if self._is_whole(number, head):
            return Claimed(claim.epoch, head.next_offset, head.next_offset)
        self._begin(number, claim)
        return Claimed(claim.epoch, head.replay_from, head.next_offset)

    def settle(self, batch: Batch[Any]) -> Settled:
        """Settle and append one batch; waits while the database is away.

        Fenced where a later claim exists: nothing was stored.
        """
        shard = self._shards.get(batch.shard)
        if shard is None:
            raise Fenced(f"shard {batch.shard} was given up")
        self._follow(batch)
        started = perf_counter()
        count = self._store.policy.shard_count
        records = [decode(record, batch.shard, count) for record in batch.records]
        self._metrics.decode_seconds.observe(perf_counter() - started)
        start = shard.head.next_offset
        known = [record for record in records if record.offset < start]
        if known:
            self._rebuild(shard, known)
        if len(known) == len(records):
            return Settled(start, None)
        return Settled(*self._append(shard, batch, start, records[len(known) :]))

    def _is_whole(self, number: int, head: Head) -> bool:
        """Whether the shard in memory stands where the ledger does, its window filled up."""
        shard = self._shards.get(number)
        return (
            shard is not None and shard.head == head and self._read_to[number] == head.next_offset
        )

    def _follow(self, batch: Batch[Any]) -> None:
        """A batch that was lost on its way must not pass for a hole in the log: claim again."""
        read_to = self._read_to[batch.shard]
        if batch.start != read_to:
            raise Fenced(f"shard {batch.shard} was read to {read_to}, not to {batch.start}")
        self._read_to[batch.shard] = batch.records[-1].offset + 1

    def _begin(self, number: int, claim: Claim) -> None:
        head = claim.head
        self._read_to[number] = head.replay_from
        self._shards[number] = Shard(number, self._store.policy, head)
        self._rejected[number] = self._persist(
            lambda: self._store.rejected_offsets(number, head.replay_from, head.next_offset)
        )
        self._metrics.rebuild_remaining.labels(number).set(head.next_offset - head.replay_from)
        self._metrics.tree_size.labels(number).set(head.next_seq)

    def _rebuild(self, shard: Shard, records: list[Record]) -> None:
        shard.rebuild(records, self._rejected[shard.number])
        remaining = shard.head.next_offset - records[-1].offset - 1
        self._metrics.rebuild_remaining.labels(shard.number).set(remaining)
        self._metrics.window_events.labels(shard.number).set(shard.window_taps)

    def _append(
        self, shard: Shard, batch: Batch[Any], start: int, records: list[Record]
    ) -> tuple[int, Changes]:
        before = shard.head
        started = perf_counter()
        changes = shard.fold(records)
        folded = perf_counter()
        try:
            self._persist(lambda: self._store.append(shard.number, batch.epoch, start, changes))
        except (Fenced, Stopped):
            # The next claim compares heads: equal, if it was this append whose outcome was lost.
            raise
        except BaseException:
            del self._shards[shard.number]
            raise
        self._metrics.settle_seconds.observe(folded - started)
        self._metrics.append_seconds.observe(perf_counter() - folded)
        self._metrics.count(shard.number, before, changes)
        self._metrics.window_events.labels(shard.number).set(shard.window_taps)
        self._metrics.rebuild_remaining.labels(shard.number).set(0)
        return changes.head.next_offset, changes

    def _persist(self, deed: Callable[[], Any]) -> Any:
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
        if not self._metrics.ledger_away:
            logger.warning(
                "账本数据库没有回应，正在重试。 "
                "The ledger's database does not answer, retrying: %s",
                str(error.orig).strip().splitlines()[0],
            )
        self._metrics.set_ledger_away(True)

    def _say_back(self) -> None:
        if self._metrics.ledger_away:
            logger.warning("账本数据库恢复了。 The ledger's database is back.")
            self._metrics.set_ledger_away(False)
