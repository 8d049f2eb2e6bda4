"""Batches of records as a broker holds them, whatever their headers are called.

Kafka calls a header's name a string and holds any bytes for it. aiokafka gives up on a name that
is not UTF-8, and with it on the partition: one record would stop every worker for ever. Here such
a batch is parsed again, by aiokafka's own slower parser, with what is not UTF-8 as surrogates
(PEP 383). Invariant: of any other batch nothing is read otherwise.
"""

from collections.abc import Iterator
from struct import unpack_from
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

_BEFORE_LENGTH, _BEFORE_BATCH = 8, 12


def read_any_header_name() -> None:
    """Let aiokafka's consumers in this process read every batch. Safe to repeat."""
    fetcher.MemoryRecords = Batches


class Batches:
    """What was fetched of a partition, batch by batch: aiokafka's `MemoryRecords`."""

    def __init__(self, fetched: bytes) -> None:
        self._records = MemoryRecords(fetched)
        self._fetched = memoryview(fetched)
        self.size_in_bytes = self._records.size_in_bytes
        self.has_next = self._records.has_next

    def next_batch(self) -> Any:
        batch = self._records.next_batch()
        if batch is None:
            return None
        (length,) = unpack_from(">i", self._fetched, _BEFORE_LENGTH)
        whole, self._fetched = (
            self._fetched[: _BEFORE_BATCH + length],
            self._fetched[_BEFORE_BATCH + length :],
        )
        return _Batch(batch, whole)


class _Batch:
    """A batch that can be parsed a second time; in all else, the one it was made of."""

    def __init__(self, batch: Any, whole: memoryview) -> None:
        self._batch = batch
        self._whole = whole

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter(list(self._batch))
        except (UnicodeDecodeError, CorruptRecordException):  # the latter from its slower parser
            return self._leniently()

    def _leniently(self) -> Iterator[Any]:
        batch = iter(_DefaultRecordBatchPy(self._whole))
        batch._buffer = _Buffer(batch._buffer)
        yield from batch


class _Buffer(bytearray):
    """Bytes whose slices decode, whatever they are."""

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return _Buffer(found) if isinstance(place, slice) else found

    def decode(self, *_: str) -> str:
        return super().decode("utf-8", "surrogateescape")
