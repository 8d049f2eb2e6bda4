"""The tables of corrections. Made and changed only by the migrations.

Instants are microseconds since the epoch, UTC. What a correction is stands in `corrections`, all
that happened to it in `steps`, which is appended to and never changed.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from ledger.tables import metadata

_CODE_LENGTH = 128
_NAME_LENGTH = 64
_TEXT_LENGTH = 1000

corrections = Table(
    "board_corrections",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    # check-in, check-out, void or adjustment
    Column("kind", String(16), nullable=False),
    Column("volunteer", String(_CODE_LENGTH), nullable=False),
    # The tap it is about: the half that it heals, or the tap that it takes back; empty: none.
    Column("tap_source", String(_CODE_LENGTH), nullable=False),
    Column("tap_id", String(_CODE_LENGTH), nullable=False),
    Column("team", String(_CODE_LENGTH), nullable=False),
    Column("place", String(_CODE_LENGTH), nullable=False),
    Column("activity", String(_CODE_LENGTH), nullable=False),
    # When the supplied tap was; of an adjustment its day and seconds.
    Column("occurred_at", BigInteger),
    Column("day", String(10), nullable=False),
    Column("seconds", BigInteger, nullable=False),
    Column("reason", String(_TEXT_LENGTH), nullable=False),
    # Those proposed together say the first one's number; one that undoes another says which.
    Column("batch", BigInteger),
    Column("undoes", BigInteger),
    Column("proposed_by", String(_NAME_LENGTH), nullable=False),
    Column("proposed_at", BigInteger, nullable=False),
    # proposed → approved → sent → settled or refused; or declined, withdrawn
    Column("state", String(16), nullable=False),
    Column("decided_by", String(_NAME_LENGTH)),
    Column("decided_at", BigInteger),
    # Unique while it is open, so that one tap is put right by one correction at a time.
    Column("open_for", String(400), unique=True),
    # The event as it is sent, the same bytes each time, and where in the log it came to stand.
    Column("event", Text),
    Column("log_partition", Integer),
    Column("log_offset", BigInteger),
    Column("outcome", Text),
    Index("board_corrections_by_state", "state"),
    Index("board_corrections_by_volunteer", "volunteer"),
)

steps = Table(
    "board_correction_steps",
    metadata,
    Column("correction", BigInteger, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", String(_NAME_LENGTH), nullable=False),
    Column("why", String(_TEXT_LENGTH), nullable=False),
)

# What a volunteer asks to be put right, in their own words.
requests = Table(
    "board_requests",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("volunteer", String(_CODE_LENGTH), nullable=False),
    Column("team", String(_CODE_LENGTH), nullable=False),
    Column("day", String(10), nullable=False),
    Column("said", String(_TEXT_LENGTH), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("answered_by", String(_NAME_LENGTH)),
    Column("answered_at", BigInteger),
    Column("answer", String(_TEXT_LENGTH)),
    Index("board_requests_by_volunteer", "volunteer"),
)

# Which exceptions were told of, and by which channel, so that none is told of twice.
notices = Table(
    "board_notices",
    metadata,
    Column("channel", String(255), primary_key=True),
    Column("volunteer", String(_CODE_LENGTH), primary_key=True),
    Column("source", String(_CODE_LENGTH), primary_key=True),
    Column("id", String(_CODE_LENGTH), primary_key=True),
    Column("occurred_at", BigInteger, primary_key=True, autoincrement=False),
    Column("told_at", BigInteger, nullable=False),
)
