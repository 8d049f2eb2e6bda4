"""How a shard's tree and its volunteers' index grow with entries. Pure.

Both follow from the entries' stored bytes alone; no column beside them is asked.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pydantic_core import from_json

from ledger.evidence.tiles import Edge, Tile
from ledger.evidence.volunteer_index import EMPTY_CHAIN, Indexed, chained
from ledger.merkle import leaf_hash

Known = Callable[[Sequence[str]], dict[str, Indexed]]
"""The leaves of those volunteers that have one."""


@dataclass
class Growth:
    """A tree's edge, with what became new since it was taken up."""

    edge: Edge
    tiles: list[tuple[Tile, bytes]] = field(default_factory=list)
    volunteers: dict[str, Indexed] = field(default_factory=dict)


def grow(growth: Growth, bodies: Iterable[bytes], known: Known) -> None:
    """Append entries to the tree, in order; above the leaves, each tile that fills is kept."""
    leaves = [(leaf_hash(body), volunteer_of(body)) for body in bodies]
    filled = growth.edge.extend(leaf for leaf, _ in leaves)
    growth.tiles += [(tile, hashes) for tile, hashes in filled if tile.level]
    theirs: dict[str, list[bytes]] = {}
    for leaf, volunteer in leaves:
        if volunteer is not None:
            theirs.setdefault(volunteer, []).append(leaf)
    before = known([one for one in theirs if one not in growth.volunteers])
    for volunteer, new in theirs.items():
        _, entries, chain = growth.volunteers.get(volunteer) or before.get(
            volunteer, Indexed(volunteer, 0, EMPTY_CHAIN)
        )
        growth.volunteers[volunteer] = Indexed(volunteer, entries + len(new), chained(new, chain))


def volunteer_of(body: bytes) -> str | None:
    """Whose entry it is; None of a genesis. ValueError where the bytes are no entry."""
    entry = from_json(body)
    volunteer = entry.get("volunteer") if isinstance(entry, dict) else None
    if volunteer is not None and not isinstance(volunteer, str):
        raise ValueError("an entry's volunteer is not a text")
    return volunteer
