"""A ledger that holds a world of `tests.reported`: its roster, its entries and their counters."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import update

from ledger import tables
from ledger.bulk import add_rows, insert_rows
from ledger.roster import store as roster_store
from ledger.roster.roster import Change
from ledger.roster.store import Deed
from ledger.store import Store, open_store
from tests.reported import POLICY, Row, World

DEED = Deed("test", "test", 1)


@contextmanager
def reported_ledger(url: str) -> Iterator[Store]:
    """Empty, of that policy."""
    store = open_store(url, "reported.example", POLICY)
    store.init()
    yield store
    store.engine.dispose()


def fill(ledger: Store, world: World) -> None:
    with roster_store.changing(ledger.engine) as connection:
        before = roster_store.load(connection)
        changes = [Change(None, record) for record in world.records]
        roster_store.apply(connection, before, changes, DEED)
    append(ledger, world.rows)


def append(ledger: Store, rows: list[Row]) -> None:
    """Entries and their counters, as an append leaves them."""
    counters: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
    watermarks: dict[int, int] = {}
    with ledger.engine.execution_options(writes=True).begin() as connection:
        insert_rows(connection, tables.entries, [row.stored() for row in rows])
        for row in rows:
            watermarks[row.shard] = max(watermarks.get(row.shard, 0), row.recorded_at)
            counter = counters[(row.shard, row.team, row.day, row.place, row.activity)]
            counter[0] += row.sessions
            counter[1] += row.seconds
            seqs = update(tables.shards).where(tables.shards.c.shard == row.shard)
            connection.execute(seqs.values(next_seq=row.seq + 1, watermark=watermarks[row.shard]))
        add_rows(connection, tables.day_totals, [(*k, *v) for k, v in counters.items()])
