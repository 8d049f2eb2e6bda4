"""Where a claimed shard's reading stands, and what to make of records a fetch brings.

Pure bookkeeping. Faust drops fetched records silently whenever a partition stops being active,
so each claim knows the offset it expects next. Invariant: batches taken from one claim follow
each other without a hole, except where two fetches in a row saw the same hole in the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from streams.decoding import LogRecord

R = TypeVar("R", bound=LogRecord)


class Batch(NamedTuple, Generic[R]):
    """Records of one partition fetched together, under one claim.

    `start` is where the batch before it ended: up to the first record, the log holds nothing.
    """

    shard: int
    epoch: int
    start: int
    records: Sequence[R]


class SeekBack(NamedTuple):
    """Records are missing: read again from `offset`."""

    offset: int


@dataclass
class Reading:
    """One claim's place in the log: `expected` is the next offset to take."""

    shard: int
    epoch: int
    expected: int
    doubted: int | None = None

    def take(self, records: Sequence[R]) -> Batch[R] | SeekBack | None:
        """The batch to settle; or where to seek; or None, where all was taken before."""
        if records and records[0].offset < self.expected:
            records = [record for record in records if record.offset >= self.expected]
        if not records:
            return None
        first = records[0].offset
        if first > self.expected and self.doubted != first:
            self.doubted = first
            return SeekBack(self.expected)
        self.doubted = None
        start, self.expected = self.expected, records[-1].offset + 1
        return Batch(self.shard, self.epoch, start, records)

    def lost(self) -> int:
        """A fetch was dropped unseen: where to read again. It says nothing about holes."""
        self.doubted = None
        return self.expected
