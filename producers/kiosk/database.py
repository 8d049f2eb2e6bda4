"""The gateway's own SQLite file: taps on their way, kiosks and their keys, the roster it has read.

It knows no SQL but the tables'. Invariant: what was committed is on the disk (WAL,
synchronous=FULL), so that a power cut takes nothing that was answered.
"""

import sqlite3
import threading
from pathlib import Path

WRITING = threading.Lock()
"""Held while something is written, so that threads take turns.

SQLite lets one write at a time; its own way to wait is to sleep, ever longer, and look again.
"""

_VERSION = 1
_BUSY_MILLISECONDS = 10_000

_TABLES = """
CREATE TABLE taps (
    number INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of arrival, which publishing keeps
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    volunteer TEXT NOT NULL,
    kind TEXT NOT NULL,                        -- the event's type
    place TEXT NOT NULL,
    event BLOB NOT NULL,                       -- one CloudEvent as JSON
    received_at INTEGER NOT NULL,              -- by the gateway's best time
    boot TEXT NOT NULL,                        -- this and the next: see gateway_clock
    clock_base INTEGER NOT NULL,
    offered INTEGER NOT NULL DEFAULT 0,        -- 1: Kafka may have it, its bytes never change
    published_at INTEGER,
    partition INTEGER,
    log_offset INTEGER,                        -- -1: Kafka had it already
    refused TEXT,                              -- why Kafka will not take it, ever
    UNIQUE (source, id)
);
CREATE INDEX taps_waiting ON taps (number) WHERE published_at IS NULL AND refused IS NULL;
CREATE INDEX taps_refused ON taps (number) WHERE refused IS NOT NULL;
CREATE INDEX taps_published ON taps (published_at);
CREATE INDEX taps_at_place ON taps (place, received_at);
CREATE TABLE refusals (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    source TEXT NOT NULL,                      -- who spoke; empty: nobody known
    id TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    body BLOB NOT NULL                         -- what was sent, the beginning of it
);
CREATE TABLE kiosks (
    code TEXT PRIMARY KEY,
    role TEXT NOT NULL,                        -- kiosk, operator
    place TEXT NOT NULL,                       -- empty for an operator
    teams TEXT NOT NULL,                       -- JSON list of codes; []: the place's own
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    key_hash BLOB UNIQUE,                      -- SHA-256 of its key; NULL until enrolled
    enrolled_at INTEGER,
    revoked_at INTEGER,
    revoked_by TEXT,
    revoked_why TEXT
);
CREATE TABLE codes (
    hash BLOB PRIMARY KEY,                     -- SHA-256 of the one-time code
    kiosk TEXT NOT NULL REFERENCES kiosks (code),
    expires_at INTEGER NOT NULL,
    used_at INTEGER
);
CREATE TABLE reports (
    kiosk TEXT PRIMARY KEY REFERENCES kiosks (code),
    seen_at INTEGER NOT NULL,
    report TEXT NOT NULL                       -- messages.Report as JSON
);
CREATE TABLE roster (
    key TEXT PRIMARY KEY,                      -- as on the topic: volunteer/V7K2M9QXTA1
    value TEXT NOT NULL,
    since TEXT NOT NULL                        -- JSON: since when each field is so
);
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class OtherVersion(Exception):
    """The file was made by another version of the program; one line says what to do."""


def open_database(file: Path) -> sqlite3.Connection:
    """A connection of one's own, for one thread at a time; tables are made where there are none.

    Autocommit: whoever changes more than a row says BEGIN IMMEDIATE. OtherVersion, sqlite3.Error,
    OSError.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    _make_tables(connection, file)
    return connection


def _make_tables(connection: sqlite3.Connection, file: Path) -> None:
    if _version(connection) == 0:
        connection.execute("BEGIN IMMEDIATE")
        if _version(connection) == 0:  # nobody else was quicker
            for statement in _TABLES.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.execute("COMMIT")
    found = _version(connection)
    if found != _VERSION:
        raise OtherVersion(
            f"{file} 是另一个版本的程序写的（{found}）：请用那个版本发完里面的签到。 "
            f"{file} is of another version of the program ({found}, here {_VERSION}): let that "
            "version send what is in it."
        )


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
