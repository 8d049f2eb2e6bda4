"""Proof bundles (C2SP tlog-proof): that some bytes are an entry of a log, for anyone's tools.

Pure. The entry itself goes along as the format's `extra` data; it is what the proof is about, so
that nobody has to trust it.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from ledger.evidence.base64_text import decoded, encoded
from ledger.evidence.checkpoints import SignedCheckpoint, verified_checkpoint
from ledger.evidence.notes import Key
from ledger.evidence.proofs import is_included
from ledger.merkle import HASH_BYTES, leaf_hash

HEADER = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9]\d{0,18})")
_MOST_HASHES = 63


class NotAProof(ValueError):
    """This is no proof, or it proves something else."""


class TlogProof(NamedTuple):
    """An entry, where it stands, the hashes beside its way up, and the checkpoint above."""

    entry: bytes
    place: int
    hashes: tuple[bytes, ...]
    checkpoint: str

    @property
    def text(self) -> str:
        """The bundle, as it is kept in a file."""
        hashes = "".join(f"{encoded(one)}\n" for one in self.hashes)
        extra = f"extra {encoded(self.entry)}\n"
        return f"{HEADER}\n{extra}index {self.place}\n{hashes}\n{self.checkpoint}"


def read_tlog_proof(text: str) -> TlogProof:
    """The bundle in a file. NotAProof where it isn't one to the letter, or lacks the entry."""
    head, blank, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines[0] != HEADER or len(lines) < 3:
        raise NotAProof(f"no {HEADER} with the entry as its extra data")
    extra, place, *hashes = lines[1:]
    entry = decoded(extra.removeprefix("extra ")) if extra.startswith("extra ") else None
    found = _INDEX.fullmatch(place)
    if entry is None or found is None:
        raise NotAProof("its second line is not the entry in base64, or its third not an index")
    if len(hashes) > _MOST_HASHES:
        raise NotAProof(f"{len(hashes)} hashes: no tree is as high")
    return TlogProof(entry, int(found[1]), tuple(hashes_of(hashes)), checkpoint)


def verified_proof(proof: TlogProof, keys: Iterable[Key]) -> SignedCheckpoint:
    """The checkpoint that the entry is under. NotANote, NotAProof."""
    signed = verified_checkpoint(proof.checkpoint, keys)
    _, size, root = signed.checkpoint
    if not is_included(leaf_hash(proof.entry), proof.place, size, proof.hashes, root):
        raise NotAProof(f"these bytes are not entry {proof.place} of that tree")
    return signed


def hashes_of(shown: Iterable[str]) -> list[bytes]:
    """The hashes in a file. NotAProof where one isn't 32 bytes in base64."""
    hashes = [decoded(one) or b"" for one in shown]
    if any(len(one) != HASH_BYTES for one in hashes):
        raise NotAProof("a hash in it is not 32 bytes in base64")
    return hashes
