"""Proofs about RFC 6962 trees: that a leaf is in one, that one only grew into another.

Pure. Making a proof asks for the hashes of perfect subtrees; verifying it needs the proof alone
(the algorithms of RFC 9162, sections 2.1.3.2 and 2.1.4.2, for the same trees).
"""

from collections.abc import Callable, Sequence

from ledger.merkle import EMPTY_ROOT, node_hash

Nodes = Callable[[int, int], bytes]
"""The hash of a perfect subtree: of 2^level leaves, the index-th of that level from the left."""


def tree_root(size: int, nodes: Nodes) -> bytes:
    """The root of the tree of the first `size` leaves."""
    return _hash_of(0, size, nodes) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """RFC 6962 section 2.1.1, from the leaf's sibling up. ValueError where `index` isn't below."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    begin, end, beside = 0, size, list[bytes]()
    while end - begin > 1:
        middle = begin + _left_size(end - begin)
        if index < middle:
            beside.append(_hash_of(middle, end, nodes))
            end = middle
        else:
            beside.append(_hash_of(begin, middle, nodes))
            begin = middle
    return beside[::-1]


def consistency_proof(old_size: int, size: int, nodes: Nodes) -> list[bytes]:
    """RFC 6962 section 2.1.2. ValueError unless 0 ≤ old ≤ new; empty where either says nothing."""
    if not 0 <= old_size <= size:
        raise ValueError(f"a tree of {old_size} does not grow into one of {size}")
    if old_size in (0, size):
        return []
    begin, end, is_whole, beside = 0, size, True, list[bytes]()
    while old_size != end:
        middle = begin + _left_size(end - begin)
        if old_size <= middle:
            beside.append(_hash_of(middle, end, nodes))
            end = middle
        else:
            beside.append(_hash_of(begin, middle, nodes))
            begin, is_whole = middle, False
    if not is_whole:
        beside.append(_hash_of(begin, end, nodes))
    return beside[::-1]


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof shows the leaf hash at `index` of the tree of `size` with that root."""
    if not 0 <= index < size:
        return False
    at, last, node = index, size - 1, leaf
    for beside in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            node = node_hash(beside, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, beside)
        at, last = at >> 1, last >> 1
    return last == 0 and node == root


def is_consistent(
    old_size: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes
) -> bool:
    """Whether the proof shows that the tree with `old_root` only grew into that with `root`."""
    if not 0 <= old_size <= size:
        return False
    if old_size == size:
        return not proof and old_root == root
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    path = list(proof) if old_size.bit_count() > 1 else [old_root, *proof]
    at, last = old_size - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    if not path:
        return False
    old_node = node = path[0]
    for beside in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old_node, node = node_hash(beside, old_node), node_hash(beside, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, beside)
        at, last = at >> 1, last >> 1
    return last == 0 and old_node == old_root and node == root


def _left_size(size: int) -> int:
    """How many of `size` > 1 leaves are in the left subtree: the largest power of two below."""
    return 1 << ((size - 1).bit_length() - 1)


def _hash_of(begin: int, end: int, nodes: Nodes) -> bytes:
    """The hash of the subtree over leaves `begin` ≤ i < `end`, where a tree's split can put it."""
    parts = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        parts.append(nodes(level, begin >> level))
        begin += 1 << level
    node = parts.pop()
    while parts:
        node = node_hash(parts.pop(), node)
    return node
