"""The volunteers' index of a shard: how many entries each has, and a chain over all of them.

Pure. A Merkle tree over one leaf a volunteer, in the order of their ids; its root stands in each
moment. So whoever is shown entries of a volunteer can tell that none was left out, and that a
volunteer has none. The chain starts with 32 zero bytes; each entry's leaf hash is hashed onto it.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from ledger.entries import canonical
from ledger.evidence.proofs import inclusion_proof
from ledger.merkle import EMPTY_ROOT, HASH_BYTES, leaf_hash, node_hash

EMPTY_CHAIN = bytes(HASH_BYTES)


class Indexed(NamedTuple):
    """A volunteer's leaf."""

    volunteer: str
    entries: int
    chain: bytes

    @property
    def body(self) -> bytes:
        """The bytes that are hashed into the index."""
        return canonical(
            {"chain": self.chain.hex(), "entries": self.entries, "volunteer": self.volunteer}
        )


def chained(leaves: Iterable[bytes], chain: bytes = EMPTY_CHAIN) -> bytes:
    """The chain over leaf hashes, in order."""
    for leaf in leaves:
        chain = sha256(chain + leaf).digest()
    return chain


class VolunteerIndex:
    """All leaves of a shard, as they are at one moment and the next."""

    def __init__(self, leaves: Iterable[Indexed] = ()) -> None:
        self._names: list[bytes] = []
        self._leaves: dict[bytes, Indexed] = {}
        self._hashes: dict[bytes, bytes] = {}
        self._rows: list[list[bytes]] | None = None
        self.update(leaves)

    def update(self, leaves: Iterable[Indexed]) -> None:
        """Put leaves in the place of those their volunteers had."""
        new = {leaf.volunteer.encode(): leaf for leaf in leaves}
        if new:
            self._leaves |= new
            self._hashes |= {name: leaf_hash(leaf.body) for name, leaf in new.items()}
            self._names, self._rows = sorted(self._leaves), None

    @property
    def size(self) -> int:
        """How many volunteers it holds."""
        return len(self._names)

    @property
    def root(self) -> bytes:
        """The root over them."""
        return self._levels()[-1][0] if self._names else EMPTY_ROOT

    def place(self, volunteer: str) -> tuple[int, Indexed] | None:
        """Where a volunteer stands, and the leaf; None where there is none."""
        name = volunteer.encode()
        at = bisect_left(self._names, name)
        if at == len(self._names) or self._names[at] != name:
            return None
        return at, self._leaves[name]

    def proof(self, at: int) -> list[bytes]:
        """That the leaf stands there (RFC 6962)."""
        return inclusion_proof(at, self.size, self._node)

    def _node(self, level: int, index: int) -> bytes:
        return self._levels()[level][index]

    def _levels(self) -> list[list[bytes]]:
        if self._rows is None:
            self._rows = _levels([self._hashes[name] for name in self._names])
        return self._rows


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """All nodes: a row's last one, if it has no neighbour, is taken up as it is.

    Over any number of leaves that is RFC 6962's tree, whose perfect subtrees these are.
    """
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        row = levels[-1]
        pairs = iter(row)
        above = [node_hash(left, right) for left, right in zip(pairs, pairs, strict=False)]
        if len(row) % 2:
            above.append(row[-1])
        levels.append(above)
    return levels
