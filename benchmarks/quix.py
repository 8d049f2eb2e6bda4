"""Quix Streams in its own best style: state by key, and a batching sink that writes at checkpoints.

As its authors would: a volunteer's account in the RocksDB state with its changelog, a custom
`BatchingSink` that sends a checkpoint's rows by COPY and arrays, counters summed beforehand, and
checkpoints as long as throughput likes them. What it can't promise: state, offsets and database
are three things, and a crash between them counts a checkpoint twice.
"""

import pickle
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from quixstreams import Application, State, message_context
from quixstreams.sinks import BatchingSink, SinkBatch

from benchmarks import peer_tables as tables
from benchmarks.peer_program import told
from benchmarks.settling import Account, Settled, fact_of, grain_of, settle
from ledger.taps import Record

COMMIT_EVERY = 20_000
COMMIT_INTERVAL_SECONDS = 5.0

this = told()


def settle_tap(
    value: dict[str, Any], key: Any, timestamp: int, headers: Any, state: State
) -> Iterable[tuple[Record, Settled]]:
    """None or one of what an event does; `timestamp` is the broker's, in milliseconds."""
    this.begin()
    context = message_context()
    kept = state.get_bytes("account")
    account = Account() if kept is None else pickle.loads(kept)  # noqa: S301 - our own bytes
    record = Record(context.offset, timestamp * 1_000, fact_of(value))
    settled = settle(account, record, context.partition)
    state.set_bytes("account", pickle.dumps(account, protocol=5))
    return [] if settled is None else [(record, settled)]


class LedgerSink(BatchingSink):  # type: ignore[misc]
    """A checkpoint's rows of one partition, in one transaction."""

    def setup(self) -> None:
        url = this.database.replace("+psycopg", "", 1)
        self._connection = psycopg.connect(url, autocommit=True)

    def write(self, batch: SinkBatch) -> None:
        shard = batch.partition
        done = [item.value for item in batch]
        entries = [entry for _, settled in done for entry in settled.entries]
        counters: defaultdict[Any, list[int]] = defaultdict(lambda: [0, 0])
        for entry in entries:
            gain = counters[grain_of(entry)]
            gain[0] += entry.sessions
            gain[1] += entry.seconds
        halves: dict[Any, Any] = {}
        gone: list[Any] = []
        for _, settled in done:
            for key in settled.halves_gone:
                if halves.pop(key, None) is None:
                    gone.append((shard, *key))
            for half in settled.halves_come:
                halves[half.key] = tables.half_row(shard, half)
        refused = [
            (shard, record.offset, record.recorded_at, settled.refusal.reason, "")
            for record, settled in done
            if settled.refusal is not None
        ]
        with self._connection.transaction(), self._connection.cursor() as cursor:
            entry_rows = [tables.entry_row(shard, entry) for entry in entries]
            copy(cursor, "entries", tables.ENTRY_COLUMNS, entry_rows)
            add(cursor, [(shard, *_key(grain), *gain) for grain, gain in counters.items()])
            remove(cursor, gone)
            copy(cursor, "halves", tables.halves.c.keys(), list(halves.values()))
            copy(cursor, "rejections", tables.rejections.c.keys(), refused)


def copy(cursor: Any, table: str, names: Sequence[str], rows: Sequence[tables.Row]) -> None:
    if rows:
        with cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copying:
            for row in rows:
                copying.write_row(row)


def add(cursor: Any, rows: Sequence[tables.Row]) -> None:
    """Add to the counters, in the order of `day_totals`."""
    if rows:
        cursor.execute(
            "INSERT INTO day_totals SELECT * FROM unnest(%s::int[], %s::text[], %s::text[], "
            "%s::text[], %s::text[], %s::bigint[], %s::bigint[]) "
            "ON CONFLICT (shard, team, day, place, activity) DO UPDATE SET "
            "sessions = day_totals.sessions + excluded.sessions, "
            "seconds = day_totals.seconds + excluded.seconds",
            _columns(rows),
        )


def remove(cursor: Any, keys: Sequence[tables.Row]) -> None:
    if keys:
        cursor.execute(
            "DELETE FROM halves USING unnest(%s::int[], %s::text[], %s::text[], %s::text[], "
            "%s::bigint[]) AS gone (shard, volunteer, source, id, occurred_at) "
            "WHERE halves.shard = gone.shard AND halves.volunteer = gone.volunteer AND "
            "halves.source = gone.source AND halves.id = gone.id AND "
            "halves.occurred_at = gone.occurred_at",
            _columns(keys),
        )


def _key(grain: Any) -> tuple[str, str, str, str]:
    return (grain.team, grain.day, grain.place, grain.activity)


def _columns(rows: Sequence[tables.Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def main() -> None:
    app = Application(
        broker_address=this.kafka,
        consumer_group=f"quix-{this.topic}",
        auto_offset_reset="earliest",
        commit_every=COMMIT_EVERY,
        commit_interval=COMMIT_INTERVAL_SECONDS,
        state_dir=this.folder / "state",
        loglevel="WARNING",
    )
    taps = app.topic(this.topic, key_deserializer="str", value_deserializer="json")
    settled = app.dataframe(taps).apply(settle_tap, stateful=True, metadata=True, expand=True)
    settled.sink(LedgerSink())
    app.run()


if __name__ == "__main__":
    main()
