"""The ledger's tables (SQLAlchemy Core). Made and changed only by `migrations`, read by all.

Instants are integers of microseconds since the epoch, UTC; days are ISO dates. Absent places
and activities are empty strings, so that they can be part of a key.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

shards = Table(
    "shards",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    Column("next_seq", BigInteger, nullable=False),
    Column("replay_from", BigInteger, nullable=False),
    Column("watermark", BigInteger, nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("duplicates", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("skipped", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("type", String(16), nullable=False),
    Column("volunteer", String(128)),
    Column("session", String(64)),
    Column("team", String(128)),
    Column("place", String(128)),
    Column("activity", String(128)),
    Column("day", String(10)),
    Column("sessions", Integer, nullable=False),
    Column("seconds", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Index("entries_by_volunteer", "volunteer"),
    Index("entries_by_day_and_team", "day", "team"),
)

day_totals = Table(
    "day_totals",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("team", String(128), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("place", String(128), primary_key=True),
    Column("activity", String(128), primary_key=True),
    Column("sessions", BigInteger, nullable=False),
    Column("seconds", BigInteger, nullable=False),
)

# One table for who is present and for exceptions: an open check-in turns from the one into the
# other by the passing of time alone, and time writes nothing.
halves = Table(
    "halves",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("volunteer", String(128), primary_key=True),
    Column("source", String(128), primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("occurred_at", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(3), nullable=False),
    Column("team", String(128), nullable=False),
    Column("place", String(128), nullable=False),
    Column("activity", String(128), nullable=False),
    Column("status", String(16), nullable=False),
)

rejections = Table(
    "rejections",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("log_offset", BigInteger, primary_key=True, autoincrement=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("detail", Text, nullable=False),
)

# The accepted events of each append, from `first_offset` up to `next_offset`: a window is restored
# from them. They may be dropped; then it is rebuilt from the log.
window_segments = Table(
    "window_segments",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("first_offset", BigInteger, primary_key=True, autoincrement=False),
    Column("next_offset", BigInteger, nullable=False),
    Column("events", LargeBinary, nullable=False),
)
