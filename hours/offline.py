"""Settling a file of events with no services: the same code a worker runs, as one shard."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ledger.entries import Entry, genesis
from ledger.policy import Policy
from ledger.settling import Half, HalfKey
from ledger.shard import Head, Rejection, Shard
from ledger.taps import Record, Refusal
from producers.reading import read_line
from producers.refusals import Refusal as Unreadable
from streams.decoding import fact_of

_BATCH = 5_000


class Settlement(NamedTuple):
    """What a file of events comes to."""

    entries: list[Entry]
    halves: list[Half]
    rejections: list[Rejection]
    head: Head


def settle(lines: Iterable[bytes], ledger_name: str, policy: Policy) -> Settlement:
    """Settle lines as one shard's log: offset = line number from 0, no partition check."""
    first = genesis(0, ledger_name, policy)
    shard = Shard(0, policy, Head.after(first))
    entries, rejections = [first], list[Rejection]()
    halves: dict[HalfKey, Half] = {}
    for batch in _batches(_records(lines)):
        changes = shard.fold(batch)
        entries += changes.entries
        rejections += changes.rejections
        changes.update_halves(halves)
    ordered = sorted(halves.values(), key=lambda half: (half.tap.occurred_at, half.tap))
    return Settlement(entries, ordered, rejections, shard.head)


def _records(lines: Iterable[bytes]) -> Iterator[Record]:
    latest = 0
    for offset, line in enumerate(lines):
        read = read_line(line.rstrip(b"\r\n"))
        if isinstance(read, Unreadable):
            yield Record(offset, latest, Refusal(read.reason, read.detail))
        else:
            event, latest = read
            yield Record(offset, latest, fact_of(event))


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
