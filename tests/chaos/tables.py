"""The ledger as its tables say, read by plain SQL.

Nothing is worked out here but which credits stand. Invariant: nothing here writes.
"""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, text

from tests.chaos.oracle import CAP, Grain, Half, Session
from tests.chaos.reading import instant

Adjustment = tuple[str, str, str, str, str, str, int]
"""Volunteer, source, id, team, activity, day, seconds."""


@dataclass
class Ledger:
    """What the ledger holds."""

    heads: dict[int, dict[str, int]]
    """Next offset, next seq, accepted, duplicates, rejected and skipped, by shard."""
    seqs: dict[int, list[int]]
    rejections: dict[tuple[int, int], str]
    """Reason, by partition and offset."""
    sessions: Counter[Session]
    """How often each is credited and not taken back; right is once."""
    adjustments: Counter[Adjustment]
    entry_totals: dict[Grain, tuple[int, int]]
    """Sessions and seconds, as the entries add up."""
    counters: dict[Grain, tuple[int, int]]
    halves: Counter[Half]


def read_ledger(engine: Engine, watermark: int) -> Ledger:
    """The ledger; open halves looked at at `watermark`."""
    with engine.connect() as connection:
        sessions, adjustments = _stand(connection)
        return Ledger(
            {it["shard"]: dict(it) for it in _rows(connection, _HEADS)},
            _seqs(connection),
            {
                (it["shard"], it["log_offset"]): it["reason"]
                for it in _rows(connection, "SELECT shard, log_offset, reason FROM rejections")
            },
            sessions,
            adjustments,
            _totals(connection, "entries"),
            _totals(connection, "day_totals"),
            Counter(_half(it, watermark) for it in _rows(connection, _HALVES)),
        )


_HEADS = "SELECT shard, next_offset, next_seq, accepted, duplicates, rejected, skipped FROM shards"
_HALVES = (
    "SELECT volunteer, source, id, occurred_at, kind, team, place, activity, status FROM halves"
)
_ENTRIES = "SELECT shard, seq, type, session, sessions, body FROM entries ORDER BY shard, seq"
_TOTALS = (
    "SELECT team, place, activity, day, SUM(sessions) AS sessions, SUM(seconds) AS seconds "
    "FROM {table} WHERE team IS NOT NULL GROUP BY team, place, activity, day"
)


def _rows(connection: Connection, statement: str) -> list[Any]:
    return list(connection.execute(text(statement)).mappings())


def _stand(connection: Connection) -> tuple[Counter[Session], Counter[Adjustment]]:
    """Credits less reversals, and adjustments."""
    standing: Counter[tuple[int, str]] = Counter()
    credited: dict[tuple[int, str], Session] = {}
    adjustments: Counter[Adjustment] = Counter()
    for row in _rows(connection, _ENTRIES):
        body = json.loads(bytes(row["body"]))
        if row["type"] == "adjustment":
            adjustments[_adjustment(body)] += 1
        elif row["type"] in ("credit", "reversal"):
            key = (row["shard"], row["session"])
            standing[key] += row["sessions"]
            if row["type"] == "credit":
                credited[key] = _session(body)
    sessions: Counter[Session] = Counter()
    for key, times in standing.items():
        if times:
            sessions[credited[key]] += times
    return sessions, adjustments


def _session(body: dict[str, Any]) -> Session:
    opened, closed = body["opened_by"], body["closed_by"]
    return Session(
        body["volunteer"], (opened["source"], opened["id"]), (closed["source"], closed["id"]),
        instant(body["opened_at"]), instant(body["closed_at"]),
        body["team"], body.get("place", ""), body.get("activity", ""), body["seconds"],
    )  # fmt: skip


def _adjustment(body: dict[str, Any]) -> Adjustment:
    event = body["event"]
    return (
        body["volunteer"], event["source"], event["id"],
        body["team"], body.get("activity", ""), body["day"], body["seconds"],
    )  # fmt: skip


def _half(row: Any, watermark: int) -> Half:
    """An open one is an exception once the cap has passed."""
    fields = {**row, "at": row["occurred_at"]}
    del fields["occurred_at"]
    if row["status"] == "open" and watermark - row["occurred_at"] > CAP:
        fields["status"] = "no-check-out"
    return Half(**fields)


def _seqs(connection: Connection) -> dict[int, list[int]]:
    seqs: dict[int, list[int]] = {}
    for row in _rows(connection, "SELECT shard, seq FROM entries ORDER BY shard, seq"):
        seqs.setdefault(row["shard"], []).append(row["seq"])
    return seqs


def _totals(connection: Connection, table: str) -> dict[Grain, tuple[int, int]]:
    totals = {
        (it["team"], it["place"] or "", it["activity"] or "", it["day"]): (
            int(it["sessions"]),
            int(it["seconds"]),
        )
        for it in _rows(connection, _TOTALS.format(table=table))
    }
    return {grain: worth for grain, worth in totals.items() if worth != (0, 0)}
