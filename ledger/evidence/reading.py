"""Reading what a signer signs and a prover proves: entries' bytes, signed checkpoints, tiles.

Not what is checked about them. Invariant: leaves' hashes are of the stored bytes; where a tile of
level 0 is asked for, the hashes that stand beside the entries are given, for the root to judge.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, select

from ledger import tables
from ledger.evidence.checkpoints import shard_of
from ledger.evidence.notes import with_signatures
from ledger.evidence.refusals import EvidenceRefusal
from ledger.evidence.tables import (
    certificate_fates,
    checkpoints,
    cosignatures,
    district_entries,
    tree_tiles,
    volunteer_index,
)
from ledger.evidence.tiles import WIDTH, Tile
from ledger.evidence.volunteer_index import Indexed
from ledger.merkle import HASH_BYTES, Frontier
from ledger.rows import fetching

_CHUNK = 5_000


class StoredHead(NamedTuple):
    """Where a shard stands by its worker's word: how many entries, and the root over them."""

    size: int
    root: bytes


class StoredCheckpoint(NamedTuple):
    """A signed checkpoint, with what witnesses added to it."""

    tree: str
    size: int
    root: bytes
    note: str
    signed_at: int


def heads(connection: Connection) -> dict[int, StoredHead]:
    """Every shard's."""
    table = tables.shards
    rows = connection.execute(select(table.c.shard, table.c.next_seq, table.c.frontier))
    return {shard: StoredHead(size, _root(size, packed)) for shard, size, packed in rows}


def bodies(connection: Connection, tree: str, start: int, stop: int) -> Iterator[list[bytes]]:
    """Entries' bytes of a tree from `start` up to `stop`, in chunks. EvidenceRefusal at a gap."""
    expected = start
    with fetching(connection, _entries(tree, "body", start, stop)) as fetch:
        while rows := fetch(_CHUNK):
            for seq, body in rows:
                if seq != expected or not isinstance(body, bytes):
                    raise _gap(tree, expected)
                expected += 1
            yield [body for _, body in rows]
    if expected < stop:
        raise _gap(tree, expected)


def district_entries_from(connection: Connection, seq: int) -> list[tuple[int, bytes]]:
    """The entries of the district's log from there on, each with its number."""
    table = district_entries
    rows = connection.execute(
        select(table.c.seq, table.c.body).where(table.c.seq >= seq).order_by(table.c.seq)
    )
    return [(number, body) for number, body in rows]


def latest_checkpoint(connection: Connection, tree: str) -> StoredCheckpoint | None:
    """The largest that is signed; None where none is."""
    table = checkpoints
    size = connection.scalar(select(func.max(table.c.size)).where(table.c.tree == tree))
    return None if size is None else checkpoint_at(connection, tree, size)


def checkpoint_at(connection: Connection, tree: str, size: int) -> StoredCheckpoint | None:
    """The signed checkpoint of that size; None where there is none."""
    table, more = checkpoints, cosignatures
    row = connection.execute(
        select(table).where(table.c.tree == tree, table.c.size == size)
    ).one_or_none()
    if row is None:
        return None
    lines = connection.execute(
        select(more.c.line).where(more.c.tree == tree, more.c.size == size).order_by(more.c.witness)
    ).scalars()
    found = StoredCheckpoint(*row)
    return found._replace(note=with_signatures(found.note, "".join(lines)))


def stored_tile(connection: Connection, tree: str, tile: Tile) -> bytes:
    """A tile's hashes. EvidenceRefusal where they aren't there."""
    hashes = _leaves(connection, tree, tile) if tile.level == 0 else _above(connection, tree, tile)
    if len(hashes) != tile.width * HASH_BYTES:
        raise EvidenceRefusal(
            f"{tree} 的 {tile.path} 不完整：请等签名者下一次签名。 {tile.path} of {tree} is not "
            "whole: wait for the signer's next turn, or run hours sign --once."
        )
    return hashes


def fates_after(connection: Connection, known: int) -> list[Any]:
    """Certificates' fates behind the first `known`, in order."""
    table = certificate_fates
    return list(
        connection.execute(select(table).where(table.c.fate >= known).order_by(table.c.fate))
    )


def shard_of_volunteer(connection: Connection, volunteer: str) -> int | None:
    """Whose index has them, as of the latest moment; None where none has."""
    table = volunteer_index
    return connection.scalar(
        select(table.c.shard).where(table.c.volunteer == volunteer).order_by(table.c.shard).limit(1)
    )


def indexed_volunteers(connection: Connection, shard: int) -> Iterator[Indexed]:
    """The leaves of a shard's index, as of the latest moment."""
    table = volunteer_index
    rows = connection.execute(
        select(table.c.volunteer, table.c.entries, table.c.chain).where(table.c.shard == shard)
    )
    return (Indexed(*row) for row in rows)


def _entries(tree: str, column: str, start: int, stop: int) -> Select[Any]:
    """A column of a tree's entries from `start` up to `stop`, in order, with their numbers."""
    shard = shard_of(tree)
    table = district_entries if shard is None else tables.entries
    where = () if shard is None else (table.c.shard == shard,)
    seq = table.c.seq
    return select(seq, table.c[column]).where(*where, seq >= start, seq < stop).order_by(seq)


def _leaves(connection: Connection, tree: str, tile: Tile) -> bytes:
    start = tile.number * WIDTH
    rows = connection.execute(_entries(tree, "leaf", start, start + tile.width))
    return b"".join(leaf for _, leaf in rows)


def _above(connection: Connection, tree: str, tile: Tile) -> bytes:
    table = tree_tiles
    found = connection.scalar(
        select(table.c.hashes).where(
            table.c.tree == tree, table.c.level == tile.level, table.c.number == tile.number
        )
    )
    return (found or b"")[: tile.width * HASH_BYTES]


def _root(size: int, packed: bytes) -> bytes:
    """The root of a worker's frontier; nothing, which is no root, where it can't be of `size`."""
    try:
        return Frontier(size, packed).root()
    except ValueError:
        return b""


def _gap(tree: str, seq: int) -> EvidenceRefusal:
    return EvidenceRefusal(
        f"{tree} 缺条目 {seq}：账本被改动过，请运行 hours audit。 Entry {seq} of {tree} is missing "
        "or no bytes: the ledger was altered; run hours audit."
    )
