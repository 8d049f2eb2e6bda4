"""The store: shards claimed and appended to, each append one transaction fenced by its epoch.

Not the read side (`queries`), not what an hour is (`shard`). Invariant: entries, counters,
halves, rejections and the shard's head change together or not at all, and only for the claim
that is the latest.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, Engine, delete, insert, select, text, update
from sqlalchemy.exc import OperationalError

from ledger import entries as entry_types
from ledger import schema, tables, window_segments
from ledger.bulk import add_rows, delete_rows, insert_rows
from ledger.engine import open_engine
from ledger.entries import Entry
from ledger.genesis import refuse_other
from ledger.policy import Policy
from ledger.refusals import Fenced, NotInitialised
from ledger.settling import Half
from ledger.shard import Changes, Head
from ledger.window import Accepted

_HEAD = tuple(Head.__dataclass_fields__)
_STALLED_MILLISECONDS = 2_000
_SEGMENT_OFFSETS = 1_024
# Who changed a row and hasn't committed stands in the row's xmax, and holds a lock of that name.
_END_STALLED = text(
    "SELECT pg_terminate_backend(held.pid) FROM shards JOIN pg_locks AS held "
    "ON held.transactionid = shards.xmax AND held.granted AND held.pid <> pg_backend_pid() "
    "WHERE shards.shard = :shard"
)


@dataclass(frozen=True)
class Claim:
    """A shard taken over: the claim's number, and where the shard stands."""

    epoch: int
    head: Head


def open_store(url: str, name: str, policy: Policy) -> "Store":
    """The ledger at a SQLAlchemy URL, not yet checked. NoDatabase where it can't be served."""
    return Store(open_engine(url), name, policy)


@contextmanager
def checked_store(url: str, name: str, policy: Policy) -> Iterator["Store"]:
    """The same, checked, and let go of at the end. LedgerRefusal."""
    store = open_store(url, name, policy)
    try:
        store.check()
        yield store
    finally:
        store.engine.dispose()


class Store:
    """The write side of one ledger, of one name and policy."""

    def __init__(self, engine: Engine, name: str, policy: Policy) -> None:
        self.engine = engine
        self.name = name
        self.policy = policy

    def init(self) -> None:
        """Bring the schema up to date and write each shard's genesis; safe to repeat.

        NoDatabase, NewerSchema; OtherGenesis where the ledger began differently.
        """
        from ledger import migrating  # noqa: PLC0415 - it loads Alembic, for this alone

        migrating.upgrade(self.engine)
        with self._transaction() as connection:
            schema.wait_for_turn(connection)
            if not _genesis_bodies(connection):
                for shard in range(self.policy.shard_count):
                    self._begin_shard(connection, shard)
            refuse_other(_genesis_bodies(connection), self.name, self.policy)

    def check(self) -> None:
        """Refuse a database that isn't this ledger: NotInitialised, NewerSchema, OtherGenesis."""
        schema.check(self.engine)
        with schema.reaching(self.engine), self.engine.connect() as connection:
            refuse_other(_genesis_bodies(connection), self.name, self.policy)

    def claim(self, shard: int) -> Claim:
        """Take the shard over: every earlier claim of it is fenced from now on.

        An append that an earlier owner has left standing for two seconds is ended first: that
        process may be stopped or cut off, and would hold the shard for as long as it is.
        """
        try:
            return self._claim(shard)
        except OperationalError as blocked:
            if not isinstance(blocked.orig, LockNotAvailable):
                raise
        with self.engine.connect() as connection:
            connection.execute(_END_STALLED, {"shard": shard})
        return self._claim(shard)

    def accepted(self, shard: int, head: Head) -> list[Accepted] | None:
        """What was accepted from `replay_from` up to the head; None where not all of it is kept."""
        table = tables.window_segments
        accepted: list[Accepted] = []
        covered = head.replay_from
        with self.engine.connect() as connection:
            rows = connection.execute(
                select(table.c.first_offset, table.c.next_offset, table.c.events)
                .where(table.c.shard == shard, table.c.next_offset > head.replay_from)
                .order_by(table.c.first_offset)
            )
            for first, following, events in rows:
                if first > covered:
                    return None
                accepted += window_segments.unpack(events)
                covered = following
        if covered != head.next_offset:
            return None
        return [one for one in accepted if one[0] >= head.replay_from]

    def append(self, shard: int, epoch: int, changes: Changes) -> None:
        """Store what settling did, if `epoch` is the latest claim's.

        Fenced, and nothing is stored, where it isn't, or where the shard doesn't end at their
        start; also after an append whose outcome was lost, if it had gone through: claim again
        and see.
        """
        table = tables.shards
        with self._transaction() as connection:
            moved = connection.execute(
                update(table)
                .where(table.c.shard == shard)
                .where(table.c.epoch == epoch)
                .where(table.c.next_offset == changes.start)
                .values(**asdict(changes.head))
            )
            if moved.rowcount != 1:
                raise Fenced(f"shard {shard}, epoch {epoch}, offset {changes.start}")
            self._write(connection, shard, changes)
            self._keep_window(connection, shard, changes)

    def rejected_offsets(self, shard: int, start: int, stop: int) -> frozenset[int]:
        """The offsets in start..stop that the ledger refused."""
        table = tables.rejections
        with self.engine.connect() as connection:
            offsets = connection.execute(
                select(table.c.log_offset)
                .where(table.c.shard == shard)
                .where(table.c.log_offset >= start)
                .where(table.c.log_offset < stop)
            ).scalars()
            return frozenset(offsets)

    def _claim(self, shard: int) -> Claim:
        table = tables.shards
        with self._transaction() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = {_STALLED_MILLISECONDS}"))
            row = connection.execute(
                update(table)
                .where(table.c.shard == shard)
                .values(epoch=table.c.epoch + 1)
                .returning(table.c.epoch, *(table.c[name] for name in _HEAD))
            ).one_or_none()
        if row is None:
            raise NotInitialised(
                f"账本里没有分片 {shard}：请运行 hours init。 "
                f"The ledger has no shard {shard}: run hours init."
            )
        epoch, *head = row
        return Claim(epoch, Head(*head))

    def _begin_shard(self, connection: Connection, shard: int) -> None:
        first = entry_types.genesis(shard, self.name, self.policy)
        head = asdict(Head.after(first))
        connection.execute(insert(tables.shards), {"shard": shard, "epoch": 0, **head})
        insert_rows(connection, tables.entries, [entry_row(shard, first)])

    def _write(self, connection: Connection, shard: int, changes: Changes) -> None:
        entries = [entry_row(shard, entry) for entry in changes.entries]
        insert_rows(connection, tables.entries, entries)
        counters = [
            (shard, grain.team, grain.day, grain.place, grain.activity, *gain)
            for grain, gain in changes.counters.items()
        ]
        add_rows(connection, tables.day_totals, counters)
        gone = [(shard, *key) for key in changes.halves_gone]
        key = ("shard", "volunteer", "source", "id", "occurred_at")
        delete_rows(connection, tables.halves, key, gone)
        insert_rows(
            connection, tables.halves, [half_row(shard, half) for half in changes.halves_come]
        )
        refused = [(shard, *rejection) for rejection in changes.rejections]
        insert_rows(connection, tables.rejections, refused)

    def _keep_window(self, connection: Connection, shard: int, changes: Changes) -> None:
        """Keep what was accepted, and drop what the window has passed."""
        table, start, head = tables.window_segments, changes.start, changes.head
        block = start - start % _SEGMENT_OFFSETS
        first, accepted = start, changes.accepted
        if block + _SEGMENT_OFFSETS <= head.next_offset < start + _SEGMENT_OFFSETS:
            # The end of a block of small segments: one that holds them all is quicker to restore.
            small = connection.execute(
                delete(table)
                .where(table.c.shard == shard, table.c.first_offset >= block)
                .returning(table.c.first_offset, table.c.events)
            ).all()
            for first_offset, events in sorted(small, reverse=True):
                first, accepted = first_offset, window_segments.unpack(events) + accepted
        insert_rows(
            connection, table, [(shard, first, head.next_offset, window_segments.pack(accepted))]
        )
        connection.execute(
            delete(table).where(
                table.c.shard == shard,
                table.c.first_offset < head.replay_from,
                table.c.next_offset <= head.replay_from,
            )
        )

    def _transaction(self) -> AbstractContextManager[Connection]:
        return self.engine.execution_options(writes=True).begin()


def _genesis_bodies(connection: Connection) -> Sequence[bytes]:
    table = tables.entries
    return (
        connection.execute(select(table.c.body).where(table.c.seq == 0).order_by(table.c.shard))
        .scalars()
        .all()
    )


def entry_row(shard: int, entry: Entry) -> tuple[Any, ...]:
    """The entry as a row of `tables.entries`, in its columns' order."""
    grain = entry.grain
    team, place, activity, day = grain if grain else (None, None, None, None)
    return (
        *(shard, entry.seq, entry.type, entry.volunteer, entry.session),
        *(team, place, activity, day),
        *(entry.sessions, entry.seconds, entry.body, entry.leaf),
    )


def half_row(shard: int, half: Half) -> tuple[Any, ...]:
    """The half as a row of `tables.halves`, in its columns' order."""
    tap = half.tap
    return (
        *(shard, tap.volunteer, tap.source, tap.id, tap.occurred_at, tap.kind),
        *(tap.team or "", tap.place or "", tap.activity or "", half.status),
    )
