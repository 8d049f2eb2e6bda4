"""The tables of assessments. Made and changed only by the migrations.

A scheme is never altered: a change is a new version of it. An assessment that was published is
never altered either. Instants are microseconds since the epoch, UTC; bodies are JSON.
"""

from sqlalchemy import BigInteger, Column, String, Table, Text

from ledger.tables import metadata

_NAME_LENGTH = 64

schemes = Table(
    "board_schemes",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("made_at", BigInteger, nullable=False),
    Column("made_by", String(_NAME_LENGTH), nullable=False),
    Column("body", Text, nullable=False),
)

assessments = Table(
    "board_assessments",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("scheme", BigInteger, nullable=False),
    Column("first", String(10), nullable=False),
    Column("last", String(10), nullable=False),
    Column("published_at", BigInteger, nullable=False),
    Column("published_by", String(_NAME_LENGTH), nullable=False),
    # Each shard's size and root as it was assessed.
    Column("heads", Text, nullable=False),
    Column("body", Text, nullable=False),
)
