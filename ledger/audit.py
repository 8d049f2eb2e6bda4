"""The auditor's questions about a shard, answered from what is stored, and from a replay.

It finds and reports; it never mends. Invariants 1 to 4 are asked of the stored ledger alone,
the fifth of a second, independent run of the log. The numbers are those of ARCHITECTURE.md.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, or_, select
from sqlalchemy.engine import Row

from ledger import tables
from ledger.entries import Entry, genesis
from ledger.merkle import Frontier, leaf_hash
from ledger.policy import Policy, iso_utc
from ledger.queries import ShardStatus
from ledger.settling import Half, HalfKey
from ledger.shard import Changes, Effect, Head, Shard
from ledger.store import entry_row, half_row
from ledger.taps import Record

_CHUNK = 5_000


class Finding(NamedTuple):
    """One difference: which invariant, in which shard, where, what is stored, what should be."""

    invariant: int
    shard: int
    where: str
    stored: str
    expected: str

    def __str__(self) -> str:
        return (
            f"invariant {self.invariant}, shard {self.shard}, {self.where}:\n"
            f"  ledger: {self.stored}\n  log:    {self.expected}"
        )


def check_shards(
    connection: Connection, statuses: Sequence[ShardStatus], policy: Policy
) -> Iterator[Finding]:
    """Whether the ledger has the policy's shards, and no row belongs to any other.

    What is asked of one shard at a time can't notice that a whole one is gone.
    """
    there, expected = {status.shard for status in statuses}, set(range(policy.shard_count))
    for shard in sorted(expected - there):
        yield Finding(2, shard, "table shards", "nothing", "where the shard stands")
    for shard in sorted(there - expected):
        yield Finding(2, shard, "table shards", "a row", f"nothing: {len(expected)} shards in all")
    for table in (tables.entries, tables.day_totals, tables.halves, tables.rejections):
        strays = connection.execute(
            select(table.c.shard, func.count())
            .where(table.c.shard.not_in(there))
            .group_by(table.c.shard)
            .order_by(table.c.shard)
        )
        for shard, rows in strays:
            yield Finding(2, shard, f"table {table.name}", f"{rows} rows", "none: no such shard")


def check_stored(connection: Connection, status: ShardStatus) -> Iterator[Finding]:
    """What the stored shard alone says against itself: invariants 1 to 4."""
    yield from _check_counts(status)
    yield from _check_tree(connection, status)
    yield from _check_counters(connection, status.shard)
    yield from _check_sessions(connection, status.shard)


class Replay:
    """A second run of one shard's log, held against what is stored."""

    def __init__(
        self, connection: Connection, status: ShardStatus, name: str, policy: Policy
    ) -> None:
        self._connection = connection
        self._status = status
        first = genesis(status.shard, name, policy)
        frontier = Frontier()
        frontier.extend([first.leaf])
        self._first = first
        self._shard = Shard(status.shard, policy, Head(next_seq=1, frontier=frontier.pack()))
        self._halves: dict[HalfKey, Half] = {}

    def begin(self) -> Iterator[Finding]:
        """Compare the genesis."""
        yield from self._compare_entries([self._first])

    def follow(self, records: Sequence[Record]) -> Iterator[Finding]:
        """Settle the next records and compare what they did."""
        start = self._shard.head.next_offset
        changes = self._shard.fold(records)
        yield from self._compare_entries(changes.entries)
        yield from self._compare_rejections(start, changes)
        changes.update_halves(self._halves)

    def end(self) -> Iterator[Finding]:
        """Compare where the shard stands, and its halves; nothing was refused beyond the log."""
        stored, expected = self._status.head, self._shard.head
        for name in Head.__dataclass_fields__:
            there, here = getattr(stored, name), getattr(expected, name)
            if there != here:
                yield self._finding(name, _shown(there), _shown(here))
        yield from self._compare_rejections_beyond()
        yield from self._compare_halves()

    def _compare_entries(self, entries: Sequence[Entry]) -> Iterator[Finding]:
        if not entries:
            return
        rows = _entries(self._connection, self._status.shard, entries[0].seq, entries[-1].seq + 1)
        stored = {row.seq: tuple(row) for row in rows}
        for entry in entries:
            expected = entry_row(self._status.shard, entry)
            there = stored.get(entry.seq)
            if there != expected:
                differing = _body(there) == entry.body.decode()
                yield self._finding(
                    f"seq {entry.seq}",
                    "nothing" if there is None else repr(there) if differing else _body(there),
                    repr(expected) if differing else entry.body.decode(),
                )

    def _compare_rejections(self, start: int, changes: Changes) -> Iterator[Finding]:
        # The detail is prose, and may read otherwise in another version of this program.
        table = tables.rejections
        rows = self._connection.execute(
            select(table.c.log_offset, table.c.reason, table.c.recorded_at).where(
                table.c.shard == self._status.shard,
                table.c.log_offset >= start,
                table.c.log_offset < changes.head.next_offset,
            )
        )
        stored = {row.log_offset: (row.reason, row.recorded_at) for row in rows}
        expected = {one.offset: (one.reason, one.recorded_at) for one in changes.rejections}
        for offset in sorted(stored.keys() | expected.keys()):
            there, here = stored.get(offset), expected.get(offset)
            if there != here:
                yield self._finding(f"offset {offset}", _refused(there), _refused(here))

    def _compare_rejections_beyond(self) -> Iterator[Finding]:
        table = tables.rejections
        beyond = self._connection.execute(
            select(table.c.log_offset, table.c.reason, table.c.recorded_at)
            .where(
                table.c.shard == self._status.shard,
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
        table, shard = tables.halves, self._status.shard
        stored = {
            (row.volunteer, row.source, row.id, row.occurred_at): tuple(row)
            for row in self._connection.execute(select(table).where(table.c.shard == shard))
        }
        for key in sorted(stored.keys() | self._halves.keys()):
            half = self._halves.get(key)
            there, here = stored.get(key), half_row(shard, half) if half else None
            if there != here:
                yield self._finding(f"half {' '.join(key[:3])}", repr(there), repr(here))

    def _finding(self, where: str, stored: str, expected: str) -> Finding:
        return Finding(5, self._status.shard, where, stored, expected)


def _check_counts(status: ShardStatus) -> Iterator[Finding]:
    head = status.head
    ended = head.accepted + head.duplicates + head.rejected + head.skipped
    if ended != head.next_offset:
        yield Finding(
            1,
            status.shard,
            "counts",
            f"accepted {head.accepted} + duplicates {head.duplicates} + rejected "
            f"{head.rejected} + skipped {head.skipped} = {ended}",
            f"next offset {head.next_offset}",
        )


def _check_tree(connection: Connection, status: ShardStatus) -> Iterator[Finding]:
    shard, head = status.shard, status.head
    frontier, expected = Frontier(), 0
    for start in range(0, head.next_seq, _CHUNK):
        leaves = []
        for row in _entries(connection, shard, start, min(start + _CHUNK, head.next_seq)):
            if row.seq != expected:
                yield Finding(2, shard, f"seq {expected}", "nothing", "an entry")
                return
            expected += 1
            leaf = leaf_hash(bytes(row.body))
            if leaf != bytes(row.leaf):
                yield Finding(2, shard, f"leaf {row.seq}", bytes(row.leaf).hex(), leaf.hex())
            leaves.append(leaf)
        frontier.extend(leaves)
    beyond = connection.scalar(
        select(func.count()).where(
            tables.entries.c.shard == shard,
            or_(tables.entries.c.seq < 0, tables.entries.c.seq >= head.next_seq),
        )
    )
    if expected != head.next_seq or beyond:
        yield Finding(2, shard, "size", f"{expected + (beyond or 0)} entries", f"{head.next_seq}")
    elif frontier.pack() != head.frontier:
        yield Finding(2, shard, "frontier", head.frontier.hex(), frontier.pack().hex())


def _check_counters(connection: Connection, shard: int) -> Iterator[Finding]:
    table, counters = tables.entries, tables.day_totals
    grain = ("team", "place", "activity", "day")
    summed = connection.execute(
        select(
            *(table.c[name] for name in grain),
            func.sum(table.c.sessions),
            func.sum(table.c.seconds),
        )
        .where(table.c.shard == shard, table.c.team.is_not(None))
        .group_by(*(table.c[name] for name in grain))
    )
    expected = _effects(summed)
    stored = _effects(
        connection.execute(
            select(*(counters.c[name] for name in (*grain, "sessions", "seconds"))).where(
                counters.c.shard == shard
            )
        )
    )
    for key in sorted(stored.keys() | expected.keys()):
        if stored.get(key) != expected.get(key):
            yield Finding(
                3, shard, f"counter {' '.join(key)}", str(stored.get(key)), str(expected.get(key))
            )


def _effects(rows: Any) -> dict[tuple[str, ...], Effect]:
    return {tuple(row[:4]): Effect(int(row[4]), int(row[5])) for row in rows}


def _check_sessions(connection: Connection, shard: int) -> Iterator[Finding]:
    table = tables.entries
    # An identity may come again once the window has passed it, and a session's name with it: days
    # later, so that a session is told by its name and its day.
    before = func.lag(table.c.type).over(
        partition_by=(table.c.session, table.c.day), order_by=table.c.seq
    )
    each = (
        select(table.c.seq, table.c.session, table.c.type, before.label("before"))
        .where(table.c.shard == shard, table.c.session.is_not(None))
        .subquery()
    )
    out_of_turn: Select[Any] = (
        select(each)
        .where(func.coalesce(each.c.before, "reversal") == each.c.type)
        .order_by(each.c.seq)
    )
    for row in connection.execute(out_of_turn):
        yield Finding(
            4,
            shard,
            f"seq {row.seq}",
            f"{row.type} of session {row.session} after {row.before or 'nothing'}",
            "credits and reversals take turns, a credit first",
        )


def _entries(connection: Connection, shard: int, start: int, stop: int) -> Sequence[Row[Any]]:
    table = tables.entries
    return connection.execute(
        select(table)
        .where(table.c.shard == shard, table.c.seq >= start, table.c.seq < stop)
        .order_by(table.c.seq)
    ).all()


def _body(row: tuple[Any, ...] | None) -> str:
    return "" if row is None else bytes(row[-2]).decode(errors="replace")


def _refused(how: tuple[str, int] | None) -> str:
    return "not refused" if how is None else f"{how[0]}, recorded at {iso_utc(how[1])}"


def _shown(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
