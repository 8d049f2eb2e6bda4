"""What a tap costs as the ledger grows: the same taps settled onto ledgers of several sizes.

A large ledger is made in the database directly: plausible older entries, each 420 bytes, beneath
the first real one. The worker goes on from there; only an audit would see through it, since no
log stands behind those entries.
"""

import os

from sqlalchemy import Engine, text

from benchmarks.arena import SHARDS, Arena
from benchmarks.figures import Contested, Figure
from benchmarks.load import Log
from benchmarks.ours import Product, open_product, settle_all
from ledger.merkle import Frontier

_OLDER = text(
    "INSERT INTO entries SELECT :shard, seq, 'credit', 'VOLD' || (hash % 200000), "
    "md5(seq::text), 'team-' || (hash % 121), 'place-' || (hash % 231), "
    "'activity-' || (hash % 997), ((now() - interval '14 days')::date - (seq * 700 / :count)"
    "::int)::text, 1, 5400, convert_to(repeat('x', 420), 'UTF8'), sha256(int8send(seq)) "
    "FROM (SELECT seq, abs(hashint8(seq)::bigint) AS hash "
    "FROM generate_series(1::bigint, :count) AS seq) AS made"
)
_OLDER_TOTALS = text(
    "INSERT INTO day_totals SELECT shard, team, day, place, activity, sum(sessions), sum(seconds) "
    "FROM entries WHERE seq > 0 GROUP BY shard, team, day, place, activity"
)
_HEAD = text("UPDATE shards SET next_seq = :next_seq, frontier = :frontier WHERE shard = :shard")


def measure_growth(arena: Arena, log: Log, sizes: list[int]) -> list[Figure]:
    """Worker's and database's CPU a tap at each size, and how each compares with the first."""
    figures: list[Figure] = []
    first: Contested | None = None
    for size in sizes:
        with open_product(arena, f"growth-{size}", log) as product:
            arena.say(f"  {size:,} older entries…")
            _fill(product.engine, size)
            done, _ = settle_all(product, f"{size} entries")
        first = first or done
        for name, cost, at_first in (
            ("worker", done.cpu_microseconds, first.cpu_microseconds),
            ("database", done.database_cpu_microseconds, first.database_cpu_microseconds),
            ("elapsed", done.seconds / done.records * 1e6, first.seconds / first.records * 1e6),
        ):
            note = "" if done is first else f"{cost / at_first:.2f} × that at {sizes[0]:,} entries"
            unit = "µs/tap" if name == "elapsed" else "CPU µs/tap"
            figures.append(Figure("growth", f"{name}, {size:,} entries", cost, unit, note))
    return figures


def measure_storage(product: Product) -> list[Figure]:
    """Bytes an entry takes in PostgreSQL with its indices, and a record in the log."""
    with product.engine.connect() as connection:
        stored = int(connection.scalar(text("SELECT pg_total_relation_size('entries')")) or 0)
    parts = (product.arena.home / "services/kafka/log").glob(f"{product.log.topic}-*/*.log")
    logged = sum(part.stat().st_size for part in parts)
    return [
        Figure("storage", "an entry, indices included", stored / product.entries(), "bytes"),
        Figure("storage", "a record of the log", logged / product.log.records, "bytes"),
    ]


def _fill(engine: Engine, size: int) -> None:
    count = size // SHARDS
    with engine.begin() as connection:
        for shard in range(SHARDS):
            connection.execute(_OLDER, {"shard": shard, "count": count})
            # The edge of a tree of that size; of which leaves, no worker asks.
            edge = Frontier(count + 1, os.urandom(32 * (count + 1).bit_count()))
            head = {"shard": shard, "next_seq": count + 1, "frontier": edge.pack()}
            connection.execute(_HEAD, head)
        connection.execute(_OLDER_TOTALS)
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for statement in ("VACUUM ANALYZE", "CHECKPOINT"):  # else their cost falls on the taps
            connection.execute(text(statement))
