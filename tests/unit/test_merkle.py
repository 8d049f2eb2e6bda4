"""The tree of a shard is RFC 6962's: against its published roots, a naive one, and pymerkle's."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from ledger.merkle import EMPTY_ROOT, Frontier, leaf_hash

# The leaves and roots by size of the test vectors that certificate transparency logs share.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243"),
        *("5051525354555657", "606162636465666768696a6b6c6d6e6f"),
    )
]
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)

bodies = st.lists(st.binary(max_size=8), max_size=70)


def naive_root(leaves: list[bytes]) -> bytes:
    if len(leaves) <= 1:
        return sha256(b"\0" + leaves[0]).digest() if leaves else sha256().digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\1" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def grown(leaves: list[bytes]) -> Frontier:
    frontier = Frontier()
    frontier.extend(map(leaf_hash, leaves))
    return frontier


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_that_other_logs_publish(size: int) -> None:
    assert grown(LEAVES[:size]).root().hex() == ROOTS[size]


@given(bodies)
def test_the_root_is_that_of_the_naive_definition(leaves: list[bytes]) -> None:
    assert grown(leaves).root() == naive_root(leaves)


@given(bodies.filter(bool))
def test_the_root_is_the_one_another_library_computes(leaves: list[bytes]) -> None:
    tree = InmemoryTree(algorithm="sha256")
    for leaf in leaves:
        tree.append_entry(leaf)
    assert grown(leaves).root() == tree.get_root()


@given(bodies, bodies)
def test_a_frontier_that_was_stored_grows_on_as_if_it_had_not_been(
    before: list[bytes], after: list[bytes]
) -> None:
    stored = grown(before)
    restored = Frontier(stored.size, stored.pack())
    restored.extend(map(leaf_hash, after))
    assert restored.root() == grown(before + after).root()
    assert restored.size == len(before) + len(after)


def test_an_empty_tree_has_the_hash_of_nothing() -> None:
    assert Frontier().root() == EMPTY_ROOT == sha256().digest()


def test_a_frontier_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="can't be of a tree of 3"):
        Frontier(3, b"\0" * 32)
