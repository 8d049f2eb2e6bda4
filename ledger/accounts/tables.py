"""The tables of accounts. Made and changed only by the migrations.

Instants are microseconds since the epoch, UTC. Invariant: no password, token, code or session's
secret stands here, only what they hash to.
"""

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from ledger.tables import metadata

_NAME_LENGTH = 64
_TEXT_LENGTH = 1000

accounts = Table(
    "board_accounts",
    metadata,
    Column("name", String(_NAME_LENGTH), primary_key=True),
    Column("role", String(16), nullable=False),
    # JSON lists of the roster's codes: a leader's teams, an officer's units.
    Column("teams", Text, nullable=False),
    Column("units", Text, nullable=False),
    # None: signs in by the identity provider alone.
    Column("password", String(200)),
    # The identity provider's own name for whom it is.
    Column("subject", String(255), unique=True),
    Column("email", String(255)),
    Column("made_at", BigInteger, nullable=False),
    Column("made_by", String(_NAME_LENGTH), nullable=False),
    Column("disabled_at", BigInteger),
    # Wrong passwords since the last right one, and until when none is tried.
    Column("failures", BigInteger, nullable=False),
    Column("locked_until", BigInteger),
)

sessions = Table(
    "board_sessions",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("account", String(_NAME_LENGTH), nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("address", String(64), nullable=False),
    Column("browser", String(200), nullable=False),
    Index("board_sessions_by_account", "account"),
)

tokens = Table(
    "board_tokens",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("account", String(_NAME_LENGTH), nullable=False),
    Column("label", String(200), nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Index("board_tokens_by_account", "account"),
)

# What was done to accounts, and who signed in or could not: appended to, never changed.
deeds = Table(
    "board_deeds",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("by", String(_NAME_LENGTH), nullable=False),
    Column("what", String(64), nullable=False),
    Column("about", String(_TEXT_LENGTH), nullable=False),
    Column("address", String(64), nullable=False),
)

# A code that lets one volunteer in, once.
volunteer_codes = Table(
    "board_volunteer_codes",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("volunteer", String(128), nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("made_by", String(_NAME_LENGTH), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)

volunteer_sessions = Table(
    "board_volunteer_sessions",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("volunteer", String(128), nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)
