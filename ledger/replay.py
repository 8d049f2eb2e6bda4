"""A second run of a shard's log, held against what is stored: the fifth invariant, and the second.

It finds and reports; it never mends. Entries are read once, in order, and compared as whole lists;
only lists that differ are looked into. A replay that found nothing has also proven the tree, for
its entries' leaves are hashes of their bytes; so the tree is gone through only where it did.
"""

from bisect import bisect_left
from collections.abc import Generator, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Select, or_, select

from ledger import tables
from ledger.audit import Finding, check_stored, check_tree, shown, stored_entries
from ledger.entries import Entry, genesis
from ledger.policy import Policy, iso_utc
from ledger.queries import ShardStatus
from ledger.rows import Fetch, Row, fetching
from ledger.settling import Half, HalfKey
from ledger.shard import Changes, Head, Shard
from ledger.store import entry_row, half_row
from ledger.taps import Record

_CHUNK = 5_000
_LAST_SEQ = (1 << 63) - 1
_SEQ = itemgetter(1)
_BODY = -2


def audit_shard(
    connection: Connection,
    status: ShardStatus,
    name: str,
    policy: Policy,
    log: Iterable[Sequence[Record]],
    is_whole: bool = True,
) -> Generator[Finding]:
    """All that is wrong with a shard: with what is stored alone, and beside its log from offset 0.

    Not `is_whole`: the log ends before the ledger does, and only so much of it is compared.
    """
    yield from check_stored(connection, status)
    tree_is_open = is_whole and stored_entries(connection, status.shard) == status.head.next_seq
    if not tree_is_open:
        yield from check_tree(connection, status)
    for finding in _Replay(connection, status, name, policy).run(log, is_whole):
        if tree_is_open:
            yield from check_tree(connection, status)
            tree_is_open = False
        yield finding


class _Replay:
    """One shard, settled again."""

    def __init__(
        self, connection: Connection, status: ShardStatus, name: str, policy: Policy
    ) -> None:
        self._connection = connection
        self._status = status
        self._number = status.shard
        first = genesis(status.shard, name, policy)
        self._first = first
        self._shard = Shard(status.shard, policy, Head.after(first))
        self._halves: dict[HalfKey, Half] = {}

    def run(self, log: Iterable[Sequence[Record]], is_whole: bool) -> Iterator[Finding]:
        with fetching(self._connection, _all_entries(self._number)) as fetch:
            stored = _Ordered(fetch)
            yield from self._compare_entries(stored, [self._first])
            for records in log:
                changes = self._shard.fold(records)
                yield from self._compare_entries(stored, changes.entries)
                yield from self._compare_rejections(changes)
                changes.update_halves(self._halves)
        if is_whole:
            yield from self._compare_heads()
            yield from self._compare_rejections_beyond()
            yield from self._compare_halves()

    def _compare_entries(self, stored: "_Ordered", entries: Sequence[Entry]) -> Iterator[Finding]:
        if not entries:
            return
        expected = [entry_row(self._number, entry) for entry in entries]
        there = stored.below(entries[-1].seq + 1, len(expected))
        if there != expected:
            by_seq = {_SEQ(row): row for row in there}
            for row in expected:
                if by_seq.get(_SEQ(row)) != row:
                    yield self._differing(by_seq.get(_SEQ(row)), row)

    def _differing(self, there: Row | None, expected: Row) -> Finding:
        where = f"seq {_SEQ(expected)}"
        if there is None:
            return self._finding(where, "nothing", _text(expected[_BODY]))
        if there[_BODY] == expected[_BODY]:  # then it is a column beside the body
            return self._finding(where, repr(there), repr(expected))
        return self._finding(where, _text(there[_BODY]), _text(expected[_BODY]))

    def _compare_rejections(self, changes: Changes) -> Iterator[Finding]:
        # The detail is prose, and may read otherwise in another version of this program.
        table = tables.rejections
        rows = self._connection.execute(
            select(table.c.log_offset, table.c.reason, table.c.recorded_at).where(
                table.c.shard == self._number,
                table.c.log_offset >= changes.start,
                table.c.log_offset < changes.head.next_offset,
            )
        )
        stored = {row.log_offset: (row.reason, row.recorded_at) for row in rows}
        expected = {one.offset: (one.reason, one.recorded_at) for one in changes.rejections}
        if stored == expected:
            return
        for offset in sorted(stored.keys() | expected.keys()):
            there, here = stored.get(offset), expected.get(offset)
            if there != here:
                yield self._finding(f"offset {offset}", _refused(there), _refused(here))

    def _compare_heads(self) -> Iterator[Finding]:
        stored, expected = self._status.head, self._shard.head
        for name in Head.__dataclass_fields__:
            there, here = getattr(stored, name), getattr(expected, name)
            if there != here:
                yield self._finding(name, shown(there), shown(here))

    def _compare_rejections_beyond(self) -> Iterator[Finding]:
        table = tables.rejections
        beyond = self._connection.execute(
            select(table.c.log_offset, table.c.reason, table.c.recorded_at)
            .where(
                table.c.shard == self._number,
                or_(table.c.log_offset < 0, table.c.log_offset >= self._shard.head.next_offset),
            )
            .order_by(table.c.log_offset)
        )
        for row in beyond:
            yield self._finding(
                f"offset {row.log_offset}",
                _refused((row.reason, row.recorded_at)),
                "nothing: no such record was settled",
            )

    def _compare_halves(self) -> Iterator[Finding]:
        table, missing = tables.halves, self._halves
        differing: list[tuple[Any, Row | None, Row | None]] = []
        with fetching(
            self._connection, select(table).where(table.c.shard == self._number)
        ) as fetch:
            while rows := fetch(_CHUNK):
                for row in rows:
                    half = missing.pop(row[1:5], None)
                    expected = half_row(self._number, half) if half else None
                    if row != expected:
                        differing.append((row[1:5], row, expected))
        differing += [(key, None, half_row(self._number, half)) for key, half in missing.items()]
        for key, there, here in sorted(differing, key=itemgetter(0)):
            yield self._finding(f"half {' '.join(key[:3])}", repr(there), repr(here))

    def _finding(self, where: str, stored: str, expected: str) -> Finding:
        return Finding(5, self._number, where, stored, expected)


class _Ordered:
    """Stored entries in the order of their seq, which may have gaps."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._ahead: list[Row] = []

    def below(self, seq: int, count: int) -> list[Row]:
        """All that follow and are below `seq`: `count` where nothing is amiss."""
        rows = self._ahead
        if len(rows) < count:
            rows = rows + self._fetch(count - len(rows))
        end = bisect_left(rows, seq, key=_SEQ)
        self._ahead = rows[end:]
        return rows[:end] if self._ahead else rows


def _all_entries(shard: int) -> Select[Any]:
    table = tables.entries
    return (
        select(table)
        .where(table.c.shard == shard, table.c.seq >= 0, table.c.seq < _LAST_SEQ)
        .order_by(table.c.seq)
    )


def _text(body: Any) -> str:
    return body.decode(errors="replace") if isinstance(body, bytes) else repr(body)


def _refused(how: tuple[str, int] | None) -> str:
    return "not refused" if how is None else f"{how[0]}, recorded at {iso_utc(how[1])}"
