"""Proof bundles (C2SP tlog-proof): that some bytes are an entry of a log, for anyone's tools.

Pure. The entry itself goes along as the format's `extra` data; it is what the proof is about, so
that nobody has to trust it.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from typing import NamedTuple

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
        hashes = "".join(f"{_encoded(one)}\n" for one in self.hashes)
        extra = f"extra {_encoded(self.entry)}\n"
        return f"{HEADER}\n{extra}index {self.place}\n{hashes}\n{self.checkpoint}"


def read_tlog_proof(text: str) -> TlogProof:
    """The bundle in a file. NotAProof where it isn't one to the letter, or lacks the entry."""
    head, blank, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines[0] != HEADER or len(lines) < 3:
        raise NotAProof(f"no {HEADER} with the entry as its extra data")
    extra, place, *hashes = lines[1:]
    entry = _decoded(extra.removeprefix("extra ")) if extra.startswith("extra ") else None
    found = _INDEX.fullmatch(place)
    if entry is None or found is None:
        raise NotAProof("its second line is not the entry in base64, or its third not an index")
    beside = [one for one in map(_decoded, hashes) if one is not None and len(one) == HASH_BYTES]
    if len(beside) != len(hashes) or len(beside) > _MOST_HASHES:
        raise NotAProof("a hash in it is not 32 bytes in base64")
    return TlogProof(entry, int(found[1]), tuple(beside), checkpoint)


def verified_proof(proof: TlogProof, keys: Iterable[Key]) -> SignedCheckpoint:
    """The checkpoint that the entry is under. NotANote, NotAProof."""
    signed = verified_checkpoint(proof.checkpoint, keys)
    _, size, root = signed.checkpoint
    if not is_included(leaf_hash(proof.entry), proof.place, size, proof.hashes, root):
        raise NotAProof(f"these bytes are not entry {proof.place} of that tree")
    return signed


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
