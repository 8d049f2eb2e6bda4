"""The Merkle tree of a shard (RFC 6962): leaf hashes, and the frontier that grows with each entry.

Pure. Not proofs, not checkpoints. A frontier is the roots of the perfect subtrees that make up
a tree, largest first: all that is needed to append and to know the root, 32 bytes for each set
bit of the size. Invariant: `root(extend(frontier, leaves))` is the RFC 6962 root of all leaves.
"""

from collections.abc import Iterable
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()


def leaf_hash(body: bytes) -> bytes:
    """RFC 6962 section 2.1: SHA-256(0x00 ‖ entry)."""
    return sha256(b"\0" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962 section 2.1: SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\1" + left + right).digest()


class Frontier:
    """The growing edge of a tree: its size and its perfect subtrees' roots, largest first."""

    __slots__ = ("_roots", "size")

    def __init__(self, size: int = 0, packed: bytes = b"") -> None:
        """`packed` as `pack` gives it. ValueError where it can't belong to a tree of `size`."""
        if len(packed) != size.bit_count() * HASH_BYTES:
            raise ValueError(f"a frontier of {len(packed)} bytes can't be of a tree of {size}")
        self.size = size
        self._roots = [packed[i : i + HASH_BYTES] for i in range(0, len(packed), HASH_BYTES)]

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Append leaves, in order."""
        roots, size = self._roots, self.size
        for node in leaf_hashes:
            merges = size
            while merges & 1:
                node = node_hash(roots.pop(), node)  # noqa: PLW2901 - the node climbs
                merges >>= 1
            roots.append(node)
            size += 1
        self.size = size

    def root(self) -> bytes:
        """The root hash of the whole tree; of an empty one, SHA-256 of nothing."""
        if not self._roots:
            return EMPTY_ROOT
        *larger, node = self._roots
        for left in reversed(larger):
            node = node_hash(left, node)
        return node

    def pack(self) -> bytes:
        """The subtree roots, one after the other: what the store keeps."""
        return b"".join(self._roots)
