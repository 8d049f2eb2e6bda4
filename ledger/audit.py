"""The auditor's questions about the stored ledger alone: invariants 1 to 4 of ARCHITECTURE.md.

It finds and reports; it never mends. The fifth, a second run of the log, is `replay`.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Select,
    case,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)

from ledger import tables
from ledger.merkle import Frontier, leaf_hash
from ledger.policy import Policy
from ledger.queries import ShardStatus
from ledger.rows import Row, fetching

_CHUNK = 5_000
_GRAIN = ("team", "place", "activity", "day")


class Finding(NamedTuple):
    """One difference: which invariant, in which shard, where, what is stored, what should be.

    No shard: in all of them together.
    """

    invariant: int
    shard: int | None
    where: str
    stored: str
    expected: str

    def __str__(self) -> str:
        shard = "" if self.shard is None else f"shard {self.shard}, "
        return (
            f"invariant {self.invariant}, {shard}{self.where}:\n"
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
    """What the stored shard says against itself, its tree apart: invariants 1, 3 and 4."""
    yield from _check_counts(status)
    yield from _check_counters(connection, status.shard)
    yield from _check_sessions(connection, status.shard)


def check_tree(connection: Connection, status: ShardStatus) -> Iterator[Finding]:
    """Whether the stored bytes are those that were hashed, gapless: invariant 2."""
    shard, head = status.shard, status.head
    frontier, expected = Frontier(), 0
    for seq, body, leaf in _leaves(connection, status):
        if seq != expected:
            yield Finding(2, shard, f"seq {expected}", "nothing", "an entry")
            return
        expected += 1
        # SQLite takes text in place of bytes; no text is what was hashed.
        hashed = leaf_hash(body) if isinstance(body, bytes) else b""
        if leaf != hashed:
            yield Finding(2, shard, f"leaf {seq}", shown(leaf), hashed.hex())
        frontier.extend([hashed])
    beyond = stored_entries(connection, shard) - expected
    if expected != head.next_seq or beyond:
        yield Finding(2, shard, "size", f"{expected + beyond} entries", f"{head.next_seq}")
    elif frontier.pack() != head.frontier:
        yield Finding(2, shard, "frontier", head.frontier.hex(), frontier.pack().hex())


def stored_entries(connection: Connection, shard: int) -> int:
    """How many entries are stored, whatever their seq."""
    table = tables.entries
    return connection.scalar(select(func.count()).where(table.c.shard == shard)) or 0


def shown(value: Any) -> str:
    """A stored value in a finding."""
    return value.hex() if isinstance(value, bytes) else str(value)


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


def _leaves(connection: Connection, status: ShardStatus) -> Iterator[Row]:
    table = tables.entries
    statement = (
        select(table.c.seq, table.c.body, table.c.leaf)
        .where(
            table.c.shard == status.shard,
            table.c.seq >= 0,
            table.c.seq < status.head.next_seq,
        )
        .order_by(table.c.seq)
    )
    with fetching(connection, statement) as fetch:
        while rows := fetch(_CHUNK):
            yield from rows


def _check_counters(connection: Connection, shard: int) -> Iterator[Finding]:
    """Each counter beside the sum of its entries, in the database: there may be very many."""
    table, counters = tables.entries, tables.day_totals
    both = union_all(
        select(
            *(table.c[name] for name in _GRAIN),
            *(table.c.sessions, table.c.seconds, literal(1).label("entries")),
            *(literal(0).label(name) for name in ("its_sessions", "its_seconds", "counters")),
        ).where(table.c.shard == shard, table.c.team.is_not(None)),
        select(
            *(counters.c[name] for name in _GRAIN),
            *(literal(0) for _ in range(3)),
            *(counters.c.sessions, counters.c.seconds, literal(1)),
        ).where(counters.c.shard == shard),
    ).subquery()
    grain = [both.c[name] for name in _GRAIN]
    sums = [func.sum(one) for one in list(both.c)[len(_GRAIN) :]]
    sessions, seconds, entries, its_sessions, its_seconds, its_rows = sums
    differing = (
        select(*grain, *sums)
        .group_by(*grain)
        .having(
            or_(
                sessions != its_sessions,
                seconds != its_seconds,
                case((entries > 0, 1), else_=0) != its_rows,
            )
        )
        .order_by(*grain)
    )
    for row in connection.execute(differing):
        named, (sessions, seconds, entries, its_sessions, its_seconds, its_rows) = row[:4], row[4:]
        yield Finding(
            3,
            shard,
            f"counter {' '.join(named)}",
            _effect(its_sessions, its_seconds) if its_rows else "nothing",
            _effect(sessions, seconds) if entries else "nothing",
        )


def _effect(sessions: int, seconds: int) -> str:
    return f"{sessions} sessions, {seconds} seconds"


def _check_sessions(connection: Connection, shard: int) -> Iterator[Finding]:
    table = tables.entries
    # An identity may come again once the window has passed it, and a session's name with it: days
    # later, so that a session is told by its name and its day.
    session = (table.c.session, table.c.day)
    of_a_session = (table.c.shard == shard, table.c.session.is_not(None))
    # Most sessions are one credit, and need no window over them.
    more_than_a_credit = (
        select(*session)
        .where(*of_a_session)
        .group_by(*session)
        .having(or_(func.count() > 1, func.min(table.c.type) != "credit"))
    )
    before = func.lag(table.c.type).over(partition_by=session, order_by=table.c.seq)
    each = (
        select(table.c.seq, table.c.session, table.c.type, before.label("before"))
        .where(*of_a_session, tuple_(*session).in_(more_than_a_credit))
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
