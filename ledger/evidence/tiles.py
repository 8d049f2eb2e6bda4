"""Trees as tiles: 256 hashes of one level side by side (C2SP tlog-tiles, height 8).

Pure. A tile of level L holds hashes of perfect subtrees of 256^L leaves; a full one is hashed
into the level above. `Edge` is a tree as it grows, and gives each tile as it fills; `TileNodes`
finds any node of a tree in its tiles. Levels, numbers and widths count from 0, 0 and 1.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ledger.evidence.proofs import tree_root
from ledger.merkle import HASH_BYTES, node_hash

WIDTH = 256
_HEIGHT = 8
_MOST_ENTRY_BYTES = (1 << 16) - 1
_NUMBER = r"(?:x\d{3}/)*\d{3}"
_PATH = re.compile(
    rf"tile/(?P<level>entries|0|[1-9]\d?)/(?P<number>{_NUMBER})(?:\.p/(?P<width>[1-9]\d{{0,2}}))?"
)


class Tile(NamedTuple):
    """Which tile: its level (None: the entries themselves), its number there, how much of it."""

    level: int | None
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where the log keeps it, below its prefix."""
        level = "entries" if self.level is None else str(self.level)
        digits = f"{self.number:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        number = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{number}{partial}"


def tile_at(path: str) -> Tile | None:
    """The tile a path names; None where it isn't one as the format writes it."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    level = None if found["level"] == "entries" else int(found["level"])
    tile = Tile(level, int(re.sub("[x/]", "", found["number"])), int(found["width"] or WIDTH))
    is_one = tile.path == path and (level or 0) < 64 and tile.width <= WIDTH
    return tile if is_one else None


def tiles_of(size: int, old_size: int = 0) -> Iterator[Tile]:
    """The tiles of a tree of `size` that one of `old_size` has not, lower levels first."""
    level = 0
    while size:
        for number in range(old_size // WIDTH, size // WIDTH):
            yield Tile(level, number)
        if size % WIDTH and old_size < size:
            yield Tile(level, size // WIDTH, size % WIDTH)
        size, old_size, level = size // WIDTH, old_size // WIDTH, level + 1


def bundle(entries: Iterable[bytes]) -> bytes:
    """Entries as a bundle holds them. ValueError for one of more than 65,535 bytes."""
    parts = []
    for entry in entries:
        if len(entry) > _MOST_ENTRY_BYTES:
            raise ValueError(f"an entry of {len(entry)} bytes is too long for a bundle")
        parts += [len(entry).to_bytes(2, "big"), entry]
    return b"".join(parts)


def unbundle(data: bytes) -> list[bytes]:
    """The entries in a bundle. ValueError where it ends within one."""
    entries, at = [], 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or end > len(data):
            raise ValueError(f"an entry at byte {at} is cut off")
        entries.append(data[at + 2 : end])
        at = end
    return entries


class Edge:
    """A growing tree: its size, and of each level the hashes that fill no tile yet."""

    __slots__ = ("_levels", "size")

    def __init__(self, size: int = 0, packed: bytes = b"") -> None:
        """`packed` as `pack` gives it. ValueError where it can't be of a tree of `size`."""
        widths, rest = [], size
        while rest:
            widths.append(rest % WIDTH)
            rest //= WIDTH
        if len(packed) != sum(widths) * HASH_BYTES:
            raise ValueError(f"an edge of {len(packed)} bytes can't be of a tree of {size}")
        self.size = size
        self._levels: list[list[bytes]] = []
        hashes = hashes_in(packed)
        for width in widths:
            self._levels.append(hashes[:width])
            hashes = hashes[width:]

    def extend(self, leaf_hashes: Iterable[bytes]) -> list[tuple[Tile, bytes]]:
        """Append leaves, in order; the tiles that are full now, each with its content."""
        filled: list[tuple[Tile, bytes]] = []
        for leaf in leaf_hashes:
            self.size += 1
            self._add(0, leaf, filled)
        return filled

    def partial(self) -> list[tuple[Tile, bytes]]:
        """The tiles at the edge, which are not full, with their content."""
        return [
            (Tile(level, self.size // WIDTH ** (level + 1), len(hashes)), b"".join(hashes))
            for level, hashes in enumerate(self._levels)
            if hashes
        ]

    def root(self) -> bytes:
        """The root hash of the whole tree."""
        return tree_root(self.size, self._node)

    def pack(self) -> bytes:
        """The hashes at the edge, one after the other, lower levels first."""
        return b"".join(b"".join(hashes) for hashes in self._levels)

    def _add(self, level: int, node: bytes, filled: list[tuple[Tile, bytes]]) -> None:
        if level == len(self._levels):
            self._levels.append([])
        hashes = self._levels[level]
        hashes.append(node)
        if len(hashes) == WIDTH:
            number = self.size // WIDTH ** (level + 1) - 1
            filled.append((Tile(level, number), b"".join(hashes)))
            self._levels[level] = []
            self._add(level + 1, _perfect(hashes), filled)

    def _node(self, level: int, index: int) -> bytes:
        # What the root asks for are the largest perfect subtrees: all of them at the edge.
        tile_level, height = divmod(level, _HEIGHT)
        begin = (index << height) % WIDTH
        return _perfect(self._levels[tile_level][begin : begin + (1 << height)])


class TileNodes:
    """The nodes of a tree of `size`, found in its tiles. Call it as `proofs.Nodes`."""

    def __init__(self, size: int, fetch: Callable[[Tile], bytes]) -> None:
        self._size, self._fetch = size, fetch
        self._tiles: dict[Tile, list[bytes]] = {}

    def __call__(self, level: int, index: int) -> bytes:
        tile_level, height = divmod(level, _HEIGHT)
        number, begin = divmod(index << height, WIDTH)
        hashes = self._hashes(tile_level, number)
        return _perfect(hashes[begin : begin + (1 << height)])

    def _hashes(self, level: int, number: int) -> list[bytes]:
        width = min(WIDTH, self._size // WIDTH**level - number * WIDTH)
        tile = Tile(level, number, width)
        if tile not in self._tiles:
            self._tiles[tile] = hashes_in(self._fetch(tile))
        return self._tiles[tile]


def hashes_in(packed: bytes) -> list[bytes]:
    """The hashes that stand one after the other."""
    return [packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)]


def tile_root(hashes: bytes) -> bytes:
    """The hash of a full tile: what stands for it in the level above."""
    return _perfect(hashes_in(hashes))


def _perfect(hashes: list[bytes]) -> bytes:
    """The root over a power of two of hashes. ValueError where they are not."""
    if len(hashes).bit_count() != 1:
        raise ValueError(f"{len(hashes)} hashes make no perfect subtree")
    while len(hashes) > 1:
        pairs = iter(hashes)
        hashes = [node_hash(left, right) for left, right in zip(pairs, pairs, strict=True)]
    return hashes[0]
