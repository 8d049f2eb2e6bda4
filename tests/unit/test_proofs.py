"""Proofs about trees, by published vectors, by RFC 6962's own example, and by properties."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.evidence.proofs import (
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    tree_root,
)
from ledger.evidence.tiles import (
    WIDTH,
    Edge,
    Tile,
    TileNodes,
    bundle,
    tile_at,
    tile_root,
    tiles_of,
    unbundle,
)
from ledger.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_hash

VECTORS = Path(__file__).parents[1] / "vectors"
SIZES = st.integers(1, 700)


def vectors(kind: str) -> list[Any]:
    return [
        pytest.param(one, id=one["name"])
        for one in json.loads((VECTORS / f"rfc6962_{kind}.json").read_text())
    ]


def decoded(shown: list[str] | str | None) -> Any:
    if isinstance(shown, list):
        return [decoded(one) for one in shown]
    return base64.b64decode(shown) if shown else b""


def leaves(size: int) -> list[bytes]:
    return [leaf_hash(b"%d" % number) for number in range(size)]


def root(hashes: list[bytes]) -> bytes:
    frontier = Frontier()
    frontier.extend(hashes)
    return frontier.root()


def tiled(hashes: list[bytes]) -> dict[Tile, bytes]:
    edge = Edge()
    return dict(edge.extend(hashes) + edge.partial())


@pytest.mark.parametrize("vector", vectors("inclusion"))
def test_inclusion_is_judged_as_the_vectors_say(vector: dict[str, Any]) -> None:
    holds = is_included(
        decoded(vector["leafHash"]), vector["leafIdx"], vector["treeSize"],
        decoded(vector["proof"] or []), decoded(vector["root"]),
    )  # fmt: skip
    assert holds is not vector["wantErr"]


@pytest.mark.parametrize("vector", vectors("consistency"))
def test_consistency_is_judged_as_the_vectors_say(vector: dict[str, Any]) -> None:
    holds = is_consistent(
        vector["size1"], vector["size2"], decoded(vector["proof"] or []),
        decoded(vector["root1"]), decoded(vector["root2"]),
    )  # fmt: skip
    assert holds is not vector["wantErr"]


def test_the_example_tree_of_rfc_6962_gives_the_proofs_the_text_names() -> None:
    """Section 2.1.3: seven leaves, their nodes called a to l."""
    a, b, c, d, e, f, j = leaves(7)
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, l = node_hash(g, h), node_hash(i, j)  # noqa: E741 - the text's own letters
    tiles = tiled([a, b, c, d, e, f, j])
    nodes = TileNodes(7, tiles.__getitem__)
    assert tree_root(7, nodes) == node_hash(k, l)
    assert inclusion_proof(0, 7, nodes) == [b, h, l]
    assert inclusion_proof(3, 7, nodes) == [c, g, l]
    assert inclusion_proof(4, 7, nodes) == [f, j, k]
    assert inclusion_proof(6, 7, nodes) == [i, k]
    assert consistency_proof(3, 7, nodes) == [c, d, g, l]
    assert consistency_proof(4, 7, nodes) == [l]
    assert consistency_proof(6, 7, nodes) == [i, j, k]


@given(size=SIZES, data=st.data())
def test_every_leaf_proves_and_no_other_place_hash_or_size_does(size: int, data: Any) -> None:
    hashes = leaves(size)
    top, nodes = root(hashes), TileNodes(size, tiled(hashes).__getitem__)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, nodes)
    assert is_included(hashes[index], index, size, proof, top)
    assert len(proof) <= (size - 1).bit_length()
    other = data.draw(st.integers(0, size + 3).filter(lambda one: one != index))
    assert not is_included(hashes[index], other, size, proof, top)
    assert not is_included(leaf_hash(b"other"), index, size, proof, top)
    assert not is_included(hashes[index], index, size, [*proof, top], top)
    if proof:
        assert not is_included(hashes[index], index, size, proof[:-1], top)
        spoiled = data.draw(st.integers(0, len(proof) - 1))
        bad = [bytes(32) if at == spoiled else one for at, one in enumerate(proof)]
        assert not is_included(hashes[index], index, size, bad, top)


@given(sizes=st.tuples(st.integers(0, 700), SIZES), data=st.data())
def test_every_growth_proves_and_no_other_does(sizes: tuple[int, int], data: Any) -> None:
    old, size = min(sizes), max(sizes)
    hashes = leaves(size)
    nodes = TileNodes(size, tiled(hashes).__getitem__)
    before, after = root(hashes[:old]), root(hashes)
    proof = consistency_proof(old, size, nodes)
    assert is_consistent(old, size, proof, before, after)
    assert not is_consistent(old, size, proof, bytes(32), after)
    if old > 0:
        assert not is_consistent(old, size, proof, before, bytes(32))
    assert not is_consistent(old, size, [*proof, bytes(32)], before, after)
    assert not is_consistent(size + 1, size, [], after, after)
    assert not is_consistent(-1, size, [], after, after)
    if proof:
        assert not is_consistent(old, size, [], before, after)
        assert not is_consistent(old, size, proof[:-1], before, after)
        spoiled = data.draw(st.integers(0, len(proof) - 1))
        bad = [bytes(32) if at == spoiled else one for at, one in enumerate(proof)]
        assert not is_consistent(old, size, bad, before, after)


def test_no_proof_is_made_of_what_is_not_in_the_tree() -> None:
    nodes = TileNodes(3, tiled(leaves(3)).__getitem__)
    for index in (-1, 3):
        with pytest.raises(ValueError, match=f"leaf {index} is not in a tree of 3"):
            inclusion_proof(index, 3, nodes)
    for old in (-1, 4):
        with pytest.raises(ValueError, match=f"a tree of {old} does not grow into one of 3"):
            consistency_proof(old, 3, nodes)


@pytest.mark.parametrize("second", [0, 1, 255])
def test_tiles_above_the_first_level_are_numbered_as_they_fill(second: int) -> None:
    """A tree whose next leaf fills a tile of level 1: hashes at its edge are made up."""
    edge = Edge((second + 1) * WIDTH**2 - 1, bytes(32) * ((WIDTH - 1) * 2 + second))
    (low, _), (high, _), *more = edge.extend([bytes(32)])
    assert low == Tile(0, (second + 1) * WIDTH - 1)
    assert high == Tile(1, second)
    assert [tile for tile, _ in more] == ([Tile(2, 0)] if second == 255 else [])


def test_hashes_that_can_not_be_a_tree_s_edge_are_refused() -> None:
    with pytest.raises(ValueError, match="an edge of 33 bytes can't be of a tree of 1"):
        Edge(1, bytes(33))
    with pytest.raises(ValueError, match="3 hashes make no perfect subtree"):
        tile_root(bytes(96))


@given(size=st.integers(0, 1_400), parts=st.lists(st.integers(0, 1_400), max_size=4))
def test_a_tree_grown_in_any_parts_has_the_same_tiles_and_root(size: int, parts: list[int]) -> None:
    hashes, edge, found = leaves(size), Edge(), dict[Tile, bytes]()
    for stop in [*sorted(one for one in parts if one <= size), size]:
        edge = Edge(edge.size, edge.pack())
        found |= dict(edge.extend(hashes[edge.size : stop]))
    found |= dict(edge.partial())
    assert edge.root() == root(hashes)
    assert found == tiled(hashes)
    assert set(tiles_of(size)) == found.keys()


@given(sizes=st.tuples(st.integers(0, 200_000), st.integers(0, 200_000)))
def test_new_tiles_and_old_full_ones_are_all_a_tree_has(sizes: tuple[int, int]) -> None:
    old, size = min(sizes), max(sizes)
    full = {tile for tile in tiles_of(old) if tile.width == WIDTH}
    new = set(tiles_of(size, old))
    assert not full & new
    assert {tile for tile in tiles_of(size) if tile.width == WIDTH} <= full | new


@given(st.builds(Tile, st.none() | st.integers(0, 63), st.integers(0, 10**12), st.integers(1, 256)))
def test_a_path_names_its_tile_and_no_other_spelling_does(tile: Tile) -> None:
    assert tile_at(tile.path) == tile
    assert tile_at(tile.path.upper()) is None
    assert tile_at(f"{tile.path}/") is None
    assert tile_at(tile.path.replace("tile/", "tile/0", 1)) is None


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(1, 1_234_067, 5), "tile/1/x001/x234/067.p/5"),
        (Tile(None, 1_000, 255), "tile/entries/x001/000.p/255"),
        (Tile(None, 0), "tile/entries/000"),
        (Tile(63, 0), "tile/63/000"),
    ],
)
def test_paths_are_those_of_the_format_s_own_text(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert tile_at(path) == tile


@pytest.mark.parametrize(
    "path", ["tile/64/000", "tile/00/000", "tile/0/000.p/256", "tile/0/000.p/0", "tile/0/x000/000"]
)
def test_what_is_no_tile_s_path_is_none(path: str) -> None:
    assert tile_at(path) is None


def test_the_tree_of_70_000_has_the_tiles_the_format_s_text_counts() -> None:
    tiles = list(tiles_of(70_000))
    assert sum(tile.level == 0 and tile.width == WIDTH for tile in tiles) == 273
    assert Tile(0, 273, 112) in tiles
    assert Tile(1, 0) in tiles
    assert Tile(1, 1, 17) in tiles
    assert Tile(2, 0, 1) in tiles
    assert len(tiles) == 277


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_bundle_gives_back_its_entries_and_none_that_is_cut_off(entries: list[bytes]) -> None:
    packed = bundle(entries)
    assert unbundle(packed) == entries
    if packed:
        with pytest.raises(ValueError, match="cut off"):
            unbundle(packed + b"\0")
        with pytest.raises(ValueError, match="cut off"):
            unbundle(packed[:-1] if entries[-1] else packed + b"\0\1")


def test_an_entry_too_long_for_a_bundle_is_refused() -> None:
    with pytest.raises(ValueError, match="65536 bytes"):
        bundle([bytes(65_536)])
    assert unbundle(bundle([bytes(65_535)])) == [bytes(65_535)]


def test_the_empty_tree_is_the_hash_of_nothing() -> None:
    assert Edge().root() == Frontier().root() == EMPTY_ROOT
