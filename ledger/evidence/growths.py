"""A growth: that a tree of one checkpoint only grew into that of another, in one file.

Pure. JSON: both signed checkpoints, and the hashes between them (RFC 6962 section 2.1.2), base64.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ledger.evidence.base64_text import encoded
from ledger.evidence.checkpoints import SignedCheckpoint, verified_checkpoint
from ledger.evidence.notes import Key
from ledger.evidence.proofs import is_consistent
from ledger.evidence.tlog_proofs import NotAProof, hashes_of
from ledger.faults import first_fault


class Growth(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    format: Literal["hours-growth"] = "hours-growth"
    version: Literal[1] = 1
    old: str
    new: str
    hashes: list[str]

    @property
    def text(self) -> str:
        """As it is kept in a file."""
        return self.model_dump_json() + "\n"


def growth(old: str, new: str, hashes: Sequence[bytes]) -> Growth:
    """From two signed checkpoints and the hashes between them."""
    return Growth(old=old, new=new, hashes=[encoded(one) for one in hashes])


def read_growth(data: bytes | str) -> Growth:
    """The growth in a file. NotAProof."""
    try:
        return Growth.model_validate_json(data)
    except ValidationError as error:
        raise NotAProof(first_fault(error)) from error


def verified_growth(
    grown: Growth, keys: Iterable[Key]
) -> tuple[SignedCheckpoint, SignedCheckpoint]:
    """Both checkpoints, if the one only grew into the other. NotANote, NotAProof."""
    keys = list(keys)
    old, new = verified_checkpoint(grown.old, keys), verified_checkpoint(grown.new, keys)
    hashes = hashes_of(grown.hashes)
    (origin, old_size, old_root), (other, size, root) = old.checkpoint, new.checkpoint
    if origin != other:
        raise NotAProof(f"two trees: {origin} and {other}")
    if not is_consistent(old_size, size, hashes, old_root, root):
        raise NotAProof(f"the tree of {size} did not grow from that of {old_size}")
    return old, new
