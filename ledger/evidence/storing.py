"""Writing to the ledger what its signer remembers: tiles, indexes, the district's log.

All of it can be repeated: what is there already is replaced by the same, or by more of the same.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, func, select

from ledger.bulk import insert_rows, replace_rows
from ledger.evidence.memory import Memory
from ledger.evidence.tables import district_entries, tree_tiles, volunteer_index
from ledger.evidence.tiles import Edge, Tile
from ledger.evidence.volunteer_index import Indexed
from ledger.merkle import leaf_hash


def store_tree(
    connection: Connection, tree: str, edge: Edge, filled: Iterable[tuple[Tile, bytes]]
) -> None:
    """The tiles above the leaves: those that filled, and those at the edge."""
    there = [*filled, *((tile, hashes) for tile, hashes in edge.partial() if tile.level)]
    replace_rows(
        connection,
        tree_tiles,
        [(tree, tile.level, tile.number, hashes) for tile, hashes in there],
    )


def store_volunteers(connection: Connection, shard: int, changed: Iterable[Indexed]) -> None:
    """The leaves of a shard's index that changed."""
    replace_rows(connection, volunteer_index, [(shard, *one) for one in changed])


def store_district(connection: Connection, memory: Memory) -> None:
    """The entries of the district's log that aren't there yet."""
    table = district_entries
    count = connection.scalar(select(func.count()).select_from(table)) or 0
    insert_rows(
        connection,
        table,
        [
            (entry.seq, entry.kind, entry.body, leaf_hash(entry.body))
            for entry in memory.district_since(count)
        ],
    )
