"""Plain Faust as its documentation teaches: a record, an agent, a table, a transaction an event.

Written as a competent author would: the table in memory, Faust's quickest; statements built once;
one actor for each partition. The database is called without asyncio: measured, that takes a
quarter less time than SQLAlchemy's asyncio engine, commits being short. What it can't promise:
its offsets and its database are two things, and a crash between them counts an event twice.
"""

import pickle
from typing import Any

import faust
from faust.worker import Worker
from sqlalchemy import Connection, and_, bindparam, create_engine, delete, insert
from sqlalchemy.dialects.postgresql import insert as upsert

from benchmarks import peer_tables as tables
from benchmarks.arena import SHARDS
from benchmarks.peer_program import told
from benchmarks.settling import Account, Settled, fact_of, grain_of, settle
from ledger.taps import Record


class CloudEvent(faust.Record, serializer="json"):  # type: ignore[misc, call-arg]
    """An event of the contract."""

    id: str
    source: str
    type: str
    subject: str
    time: str
    data: dict[str, Any]


this = told()
app = faust.App(
    f"faust-{this.topic}",
    broker=f"kafka://{this.kafka}",
    store="memory://",
    datadir=this.folder,
    topic_partitions=SHARDS,
    consumer_auto_offset_reset="earliest",
    web_enabled=False,
)
taps = app.topic(this.topic, key_type=str, value_type=CloudEvent)
accounts = app.Table("accounts", key_type=str, value_type=bytes, partitions=SHARDS)
engine = create_engine(this.database)

_ADDING = upsert(tables.day_totals)
ADD = _ADDING.on_conflict_do_update(
    index_elements=list(tables.day_totals.primary_key),
    set_={
        name: tables.day_totals.c[name] + _ADDING.excluded[name] for name in ("sessions", "seconds")
    },
)
REMOVE = delete(tables.halves).where(
    and_(*(tables.halves.c[name] == bindparam(f"gone_{name}") for name in tables.HALF_KEY))
)
ADD_ENTRY = insert(tables.entries)
ADD_HALF = insert(tables.halves)
ADD_REJECTION = insert(tables.rejections)


@app.agent(taps, isolated_partitions=True)  # type: ignore[untyped-decorator]
async def settle_taps(stream: Any) -> None:
    async for event in stream.events():
        this.begin()
        message, value = event.message, event.value
        kept = accounts.get(value.subject)
        account = Account() if kept is None else pickle.loads(kept)  # noqa: S301 - our own bytes
        fact = fact_of(value.asdict())
        record = Record(message.offset, round(message.timestamp * 1_000_000), fact)
        settled = settle(account, record, message.partition)
        accounts[value.subject] = pickle.dumps(account, protocol=5)
        if settled is not None:
            with engine.begin() as connection:
                write(connection, message.partition, record, settled)


def write(connection: Connection, shard: int, record: Record, settled: Settled) -> None:
    """One event's rows."""
    for entry in settled.entries:
        row = tables.entry_row(shard, entry)
        connection.execute(ADD_ENTRY, dict(zip(tables.ENTRY_COLUMNS, row, strict=True)))
        gain = {"sessions": entry.sessions, "seconds": entry.seconds}
        connection.execute(ADD, {"shard": shard, **grain_of(entry)._asdict(), **gain})
    for key in settled.halves_gone:
        gone = zip(tables.HALF_KEY, (shard, *key), strict=True)
        connection.execute(REMOVE, {f"gone_{name}": it for name, it in gone})
    for half in settled.halves_come:
        row = tables.half_row(shard, half)
        connection.execute(ADD_HALF, dict(zip(tables.halves.c.keys(), row, strict=True)))
    if settled.refusal is not None:
        connection.execute(
            ADD_REJECTION,
            {
                "shard": shard, "log_offset": record.offset, "recorded_at": record.recorded_at,
                "reason": settled.refusal.reason, "detail": settled.refusal.detail,
            },
        )  # fmt: skip


if __name__ == "__main__":
    Worker(app, loglevel="warning", redirect_stdouts=False).execute_from_commandline()
