"""A growth in a file: that one checkpoint only grew into another, and that nothing else passes."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.evidence.checkpoints import Checkpoint, origin_of, shard_tree
from ledger.evidence.growths import Growth, growth, read_growth, verified_growth
from ledger.evidence.notes import Key, NotANote, signed
from ledger.evidence.proofs import consistency_proof
from ledger.evidence.tiles import TileNodes
from ledger.evidence.tlog_proofs import NotAProof
from ledger.merkle import leaf_hash
from tests.unit.test_proofs import leaves, root, tiled

LEDGER = "tongzhou.hours.example"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32))
KEY = Key(LEDGER, PRIVATE.public_key().public_bytes_raw())
OTHER_KEY = Key(LEDGER, STRANGER.public_key().public_bytes_raw())
OLD, NEW = 5, 13


def note(
    size: int, *, tree: str = shard_tree(1), by: Ed25519PrivateKey = PRIVATE, altered: bytes = b""
) -> str:
    """The signed checkpoint of a tree of so many leaves."""
    hashes = leaves(size)
    if altered:
        hashes[0] = leaf_hash(altered)
    origin = origin_of(LEDGER, tree)
    key = Key(LEDGER, by.public_key().public_bytes_raw()).named(origin)
    return signed(Checkpoint(origin, size, root(hashes)).text, [(key, by.sign)])


def between() -> list[bytes]:
    nodes = TileNodes(NEW, tiled(leaves(NEW)).__getitem__)
    return consistency_proof(OLD, NEW, nodes)


def test_a_growth_is_read_from_its_file_and_gives_both_checkpoints() -> None:
    text = growth(note(OLD), note(NEW), between()).text
    assert text.endswith("}\n")
    told = json.loads(text)
    assert {name: told[name] for name in ("format", "version")} == {
        "format": "hours-growth",
        "version": 1,
    }
    old, new = verified_growth(read_growth(text.encode()), [KEY])
    assert (old.checkpoint, new.checkpoint) == (
        Checkpoint(origin_of(LEDGER, shard_tree(1)), OLD, root(leaves(OLD))),
        Checkpoint(origin_of(LEDGER, shard_tree(1)), NEW, root(leaves(NEW))),
    )
    assert verified_growth(read_growth(text), iter([OTHER_KEY, KEY])) == (old, new)


@pytest.mark.parametrize(
    ("old", "new", "hashes", "why"),
    [
        (note(OLD, tree=shard_tree(2)), note(NEW), between(), "two trees: .*shard-2 and .*shard-1"),
        (note(OLD, altered=b"x"), note(NEW), between(), "of 13 did not grow from that of 5"),
        (note(OLD), note(NEW, altered=b"x"), between(), "did not grow"),
        (note(NEW), note(OLD), between(), "of 5 did not grow from that of 13"),
        (note(OLD), note(NEW), between()[1:], "did not grow"),
        (note(OLD), note(NEW), [*between(), bytes(32)], "did not grow"),
        (note(OLD), note(NEW), [bytes(31)], "hash"),
    ],
)
def test_what_is_no_growth_of_one_tree_is_refused(
    old: str, new: str, hashes: list[bytes], why: str
) -> None:
    with pytest.raises(NotAProof, match=why):
        verified_growth(growth(old, new, hashes), [KEY])


@pytest.mark.parametrize("stranger", ["old", "new"])
def test_each_of_both_checkpoints_must_be_signed_by_a_known_key(stranger: str) -> None:
    notes = {"old": note(OLD), "new": note(NEW)}
    notes[stranger] = note({"old": OLD, "new": NEW}[stranger], by=STRANGER)
    with pytest.raises(NotANote):
        verified_growth(growth(notes["old"], notes["new"], between()), [KEY])


SPOILED: list[Callable[[dict[str, Any]], Any]] = [
    lambda said: said.update(format="hours-record"),
    lambda said: said.update(version=2),
    lambda said: said.update(more="?"),
    lambda said: said.update(hashes="?"),
    lambda said: said.pop("old"),
    lambda said: said.pop("new"),
]


@pytest.mark.parametrize("spoil", SPOILED)
def test_a_file_that_is_no_growth_is_refused_and_says_where(
    spoil: Callable[[dict[str, Any]], Any],
) -> None:
    said = Growth(old="o", new="n", hashes=[]).model_dump()
    spoil(said)
    with pytest.raises(NotAProof, match=r"format|version|more|hashes|old|new"):
        read_growth(json.dumps(said))
    with pytest.raises(NotAProof):
        read_growth(b"no JSON")
