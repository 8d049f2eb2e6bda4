"""The tables of evidence (SQLAlchemy Core). Made and changed only by `migrations`.

A tree is `district` or `shard-<p>`. `tree_tiles` holds the levels above the leaves' hashes, which
stand beside the entries; a tile at the edge is replaced as it grows. `volunteer_index` is as of the
latest moment; instants are microseconds since the epoch.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from ledger.tables import metadata

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("tree", String(64), primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    Column("signed_at", BigInteger, nullable=False),
)

cosignatures = Table(
    "cosignatures",
    metadata,
    Column("tree", String(64), primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("witness", String(255), primary_key=True),
    Column("line", Text, nullable=False),
    Column("signed_at", BigInteger, nullable=False),
)

tree_tiles = Table(
    "tree_tiles",
    metadata,
    Column("tree", String(64), primary_key=True),
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

district_entries = Table(
    "district_entries",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
)

volunteer_index = Table(
    "volunteer_index",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("volunteer", String(128), primary_key=True),
    Column("entries", BigInteger, nullable=False),
    Column("chain", LargeBinary, nullable=False),
)

# What was certified, by pseudonym: no name is in it. What became of one stands in its fates: the
# last is how it is.
certificates = Table(
    "certificates",
    metadata,
    Column("number", String(64), primary_key=True),
    Column("volunteer", String(128), nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("made_by", String(128), nullable=False),
    Column("statement", String(64), nullable=False),
    Column("statement_body", Text, nullable=False),
    Column("notice_until", BigInteger),
    Column("replaces", String(64)),
    Index("certificates_by_volunteer", "volunteer"),
)

certificate_fates = Table(
    "certificate_fates",
    metadata,
    Column("fate", BigInteger, primary_key=True, autoincrement=False),
    Column("number", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("statement", String(64), nullable=False),
    Column("replaced_by", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", String(128), nullable=False),
    Column("reason", String(1000), nullable=False),
    Index("certificate_fates_by_number", "number"),
)
