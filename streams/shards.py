"""The shards this worker owns: batches decoded and folded, each shard's window kept in memory.

Called from one thread only. Not Kafka, not the database: it is told what to settle and what it
claimed, and says what came of it. Invariant: a shard in memory is never used once the ledger is
known to stand elsewhere.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from time import perf_counter
from typing import Any, NamedTuple

from ledger.policy import Policy
from ledger.refusals import Fenced
from ledger.shard import Changes, Shard
from ledger.store import Claim
from ledger.taps import Record
from streams.appending import Window
from streams.claims import Batch
from streams.decoding import decode
from streams.metrics import Metrics


class Claimed(NamedTuple):
    """A shard taken over: the claim's number, and the offset to read from."""

    epoch: int
    read_from: int
    next_offset: int


@dataclass
class _Owned:
    epoch: int
    shard: Shard
    read_to: int
    rejected_offsets: frozenset[int] = frozenset()


class Shards:
    """Owned shards, by number."""

    def __init__(self, policy: Policy, metrics: Metrics) -> None:
        self._policy = policy
        self._metrics = metrics
        self._owned: dict[int, _Owned] = {}

    def resume(self, number: int, claim: Claim) -> Claimed | None:
        """Go on with a shard claimed again; None where what is in memory doesn't stand there."""
        owned, head = self._owned.get(number), claim.head
        if owned is None or owned.shard.head != head or owned.read_to != head.next_offset:
            return None
        owned.epoch = claim.epoch
        return Claimed(claim.epoch, head.next_offset, head.next_offset)

    def begin(self, number: int, claim: Claim, window: Window) -> Claimed:
        """Take a claimed shard over, with its window, or else to be read again from the log."""
        head = claim.head
        shard = Shard(number, self._policy, head)
        read_from = head.next_offset if window.accepted is not None else head.replay_from
        if window.accepted is not None:
            shard.restore(window.accepted)
        self._owned[number] = _Owned(claim.epoch, shard, read_from, window.rejected_offsets)
        self._metrics.tree_size.labels(number).set(head.next_seq)
        self._show(shard, head.next_offset - read_from)
        return Claimed(claim.epoch, read_from, head.next_offset)

    def forget(self, number: int) -> None:
        """Let go of a shard that is another worker's now."""
        self._owned.pop(number, None)

    def fold(self, batch: Batch[Any]) -> Changes | None:
        """What a batch comes to; None where it only filled the window.

        Fenced where the batch belongs to an earlier claim, or another before it was lost.
        """
        owned = self._owned.get(batch.shard)
        if owned is None or owned.epoch != batch.epoch:
            raise Fenced(f"shard {batch.shard}, epoch {batch.epoch} was given up")
        if batch.start != owned.read_to:  # must not pass for a hole in the log: claim again
            raise Fenced(f"shard {batch.shard} was read to {owned.read_to}, not to {batch.start}")
        owned.read_to = batch.records[-1].offset + 1
        records = self._decode(batch)
        shard, start = owned.shard, owned.shard.head.next_offset
        known = bisect_left(records, start, key=attrgetter("offset"))
        if known:
            shard.rebuild(records[:known], owned.rejected_offsets)
            self._show(shard, start - records[known - 1].offset - 1)
        if known == len(records):
            return None
        return self._fold(shard, records[known:])

    def _decode(self, batch: Batch[Any]) -> list[Record]:
        started = perf_counter()
        count = self._policy.shard_count
        records = [decode(record, batch.shard, count) for record in batch.records]
        self._metrics.decode_seconds.observe(perf_counter() - started)
        return records

    def _fold(self, shard: Shard, records: Sequence[Record]) -> Changes:
        started = perf_counter()
        changes = shard.fold(records)
        self._metrics.settle_seconds.observe(perf_counter() - started)
        self._show(shard, 0)
        return changes

    def _show(self, shard: Shard, remaining: int) -> None:
        self._metrics.window_events.labels(shard.number).set(shard.window_taps)
        self._metrics.rebuild_remaining.labels(shard.number).set(remaining)
