"""The signer's own memory: what it has signed, and all that it needs to go on from there.

A SQLite file of its own, on a disk that neither workers nor the database's administrator reach.
Not the ledger. Invariant: what is signed is remembered, on the disk, before anybody can see it;
one process at a time has the memory.
"""

import fcntl
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ledger.evidence.growing import Growth
from ledger.evidence.refusals import EvidenceRefusal
from ledger.evidence.tiles import Edge, Tile
from ledger.evidence.volunteer_index import Indexed

_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS trees (
    tree TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, edge BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS tiles (
    tree TEXT NOT NULL, level INTEGER NOT NULL, number INTEGER NOT NULL, hashes BLOB NOT NULL,
    size INTEGER NOT NULL, PRIMARY KEY (tree, level, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS volunteers (
    shard INTEGER NOT NULL, volunteer TEXT NOT NULL, entries INTEGER NOT NULL, chain BLOB NOT NULL,
    size INTEGER NOT NULL, PRIMARY KEY (shard, volunteer)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS volunteers_by_size ON volunteers (shard, size);
CREATE TABLE IF NOT EXISTS district (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, body BLOB NOT NULL
) STRICT;
"""
_ASKED_AT_ONCE = 500


class Remembered(NamedTuple):
    """A tree as it was signed last."""

    size: int
    root: bytes
    edge: Edge


class DistrictEntry(NamedTuple):
    """An entry of the district's log: a moment, or a certificate's fate."""

    seq: int
    kind: str
    body: bytes


NamedGrowth = tuple[str, Growth]
"""A tree's name, and how it has grown."""


@contextmanager
def remembering(folder: Path, ledger: str) -> Iterator["Memory"]:
    """The memory in a folder, made if there is none. EvidenceRefusal: another's, or in use."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise EvidenceRefusal(
                f"另一个签名进程正在使用 {folder}。 Another signer is using {folder}."
            ) from error
        memory = Memory(folder / "memory.db", ledger)
        try:
            yield memory
        finally:
            memory.close()


class Memory:
    """What the signer has signed."""

    def __init__(self, file: Path, ledger: str) -> None:
        try:
            self._database = sqlite3.connect(file, isolation_level=None)
            self._database.executescript(
                f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {_SCHEMA}"
            )
            self._refuse_other(file, ledger)
        except sqlite3.DatabaseError as error:
            raise EvidenceRefusal(
                f"签名者的记忆 {file} 读不了（{error}）。 The signer's memory {file} can't be used "
                f"({error}): restore it, or let the signer take up the last checkpoint again "
                "(hours sign --adopt)."
            ) from error

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever signed by it."""
        return self._database.execute("SELECT 1 FROM trees LIMIT 1").fetchone() is None

    def tree(self, tree: str) -> Remembered:
        """How it was signed last; empty if it never was."""
        row = self._database.execute(
            "SELECT size, root, edge FROM trees WHERE tree = ?", (tree,)
        ).fetchone()
        if row is None:
            return Remembered(0, Edge().root(), Edge())
        return Remembered(row[0], row[1], Edge(row[0], row[2]))

    def volunteers(self, shard: int, names: Sequence[str]) -> dict[str, Indexed]:
        """The leaves of those that have one."""
        found: dict[str, Indexed] = {}
        for at in range(0, len(names), _ASKED_AT_ONCE):
            rows = self._database.execute(
                "SELECT volunteer, entries, chain FROM volunteers WHERE shard = ? AND volunteer IN "
                "(SELECT value FROM json_each(?))",
                (shard, json.dumps(names[at : at + _ASKED_AT_ONCE])),
            )
            found |= {row[0]: Indexed(*row) for row in rows}
        return found

    def volunteers_since(self, shard: int, size: int) -> list[Indexed]:
        """The leaves that changed after the tree had that size; all of them, after 0."""
        rows = self._database.execute(
            "SELECT volunteer, entries, chain FROM volunteers WHERE shard = ? AND size > ?",
            (shard, size),
        )
        return [Indexed(*row) for row in rows]

    def tiles_since(self, tree: str, size: int) -> list[tuple[Tile, bytes]]:
        """The tiles above the leaves that filled after the tree had that size."""
        rows = self._database.execute(
            "SELECT level, number, hashes FROM tiles WHERE tree = ? AND size > ?", (tree, size)
        )
        return [(Tile(level, number), hashes) for level, number, hashes in rows]

    def district_since(self, seq: int) -> list[DistrictEntry]:
        """The entries of the district's log from there on, with those that aren't signed yet."""
        rows = self._database.execute(
            "SELECT seq, kind, body FROM district WHERE seq >= ? ORDER BY seq", (seq,)
        )
        return [DistrictEntry(*row) for row in rows]

    def count(self, kind: str) -> int:
        """How many entries of a kind the district's log has."""
        row = self._database.execute("SELECT count(*) FROM district WHERE kind = ?", (kind,))
        return int(row.fetchone()[0])

    def last_of(self, kind: str) -> DistrictEntry | None:
        """The last entry of a kind in the district's log."""
        row = self._database.execute(
            "SELECT seq, kind, body FROM district WHERE kind = ? ORDER BY seq DESC LIMIT 1", (kind,)
        ).fetchone()
        return DistrictEntry(*row) if row else None

    def remember(self, shards: dict[int, NamedGrowth], entries: Iterable[DistrictEntry]) -> None:
        """Shards' trees as they are about to be signed, and what the district's log shall say."""
        with self._writing() as database:
            for shard, (tree, growth) in shards.items():
                self._write_tree(tree, growth)
                database.executemany(
                    "INSERT OR REPLACE INTO volunteers VALUES (?, ?, ?, ?, ?)",
                    [(shard, *one, growth.edge.size) for one in growth.volunteers.values()],
                )
            database.executemany("INSERT INTO district VALUES (?, ?, ?)", entries)

    def remember_tree(self, tree: str, growth: Growth) -> None:
        """The district's tree as it is about to be signed."""
        with self._writing():
            self._write_tree(tree, growth)

    def forget_district_from(self, seq: int) -> None:
        """What the district's log was to say and nobody signed: another signer was first."""
        with self._writing() as database:
            database.execute("DELETE FROM district WHERE seq >= ?", (seq,))

    def _write_tree(self, tree: str, growth: Growth) -> None:
        edge = growth.edge
        self._database.execute(
            "INSERT OR REPLACE INTO trees VALUES (?, ?, ?, ?)",
            (tree, edge.size, edge.root(), edge.pack()),
        )
        self._database.executemany(
            "INSERT OR REPLACE INTO tiles VALUES (?, ?, ?, ?, ?)",
            [(tree, tile.level, tile.number, hashes, edge.size) for tile, hashes in growth.tiles],
        )

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._database
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _refuse_other(self, file: Path, ledger: str) -> None:
        self._database.execute("INSERT OR IGNORE INTO about VALUES ('ledger', ?)", (ledger,))
        (there,) = self._database.execute(
            "SELECT value FROM about WHERE name = 'ledger'"
        ).fetchone()
        if there != ledger:
            raise EvidenceRefusal(
                f"{file} 是另一个账本（{there}）的签名记忆，这里是 {ledger}。 {file} is the memory "
                f"of a signer of another ledger ({there}); this one is {ledger}."
            )
