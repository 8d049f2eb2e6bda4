"""The peers' tables: the ledger's columns, without what only the ledger promises.

No gapless sequence, no triggers against change, no claims: entries get their number from the
database. The indices are the ledger's own, since the same questions are asked.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Identity, Index, MetaData, Table, create_engine

from benchmarks.settling import grain_of
from ledger import tables
from ledger.entries import Entry
from ledger.settling import Half

metadata = MetaData()

day_totals = tables.day_totals.to_metadata(metadata)
halves = tables.halves.to_metadata(metadata)
rejections = tables.rejections.to_metadata(metadata)
entries = Table(
    "entries",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    *(
        Column(column.name, column.type, nullable=column.nullable)
        for column in tables.entries.c
        if column.name != "seq"
    ),
    Index("entries_by_volunteer", "volunteer"),
    Index("entries_by_day_and_team", "day", "team"),
)
ENTRY_COLUMNS = [column.name for column in entries.c if column.name != "number"]
HALF_KEY = ["shard", "volunteer", "source", "id", "occurred_at"]

Row = tuple[Any, ...]


def create(url: str) -> None:
    """All tables, in an empty database."""
    engine = create_engine(url)
    metadata.create_all(engine)
    engine.dispose()


def entry_row(shard: int, entry: Entry) -> Row:
    """In the order of ENTRY_COLUMNS."""
    grain = grain_of(entry)
    return (
        *(shard, entry.type, entry.volunteer, entry.session),
        *(grain.team, grain.place, grain.activity, grain.day),
        *(entry.sessions, entry.seconds, entry.body, entry.leaf),
    )


def half_row(shard: int, half: Half) -> Row:
    """In the order of `halves`."""
    tap = half.tap
    return (
        *(shard, tap.volunteer, tap.source, tap.id, tap.occurred_at, tap.kind),
        *(tap.team or "", tap.place or "", tap.activity or "", half.status),
    )
