"""Checkpoints: the size and root of a tree under its name, as a signed note (C2SP tlog-checkpoint).

The district's tree has the ledger's name as its origin, a shard's that name and `/shard-<p>`. One
key signs them all, in each under the tree's own name, as the format asks.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from ledger.evidence.base64_text import decoded, encoded
from ledger.evidence.notes import Key, NotANote, read_note, verified
from ledger.merkle import HASH_BYTES

DISTRICT = "district"
_LINE = "hours-checkpoint/1"
_SIZE = re.compile(r"0|[1-9]\d{0,18}")
_SHARD = re.compile(r"shard-(0|[1-9]\d{0,5})")


class Checkpoint(NamedTuple):
    """A tree at one moment of its growth."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The lines that are signed."""
        return f"{self.origin}\n{self.size}\n{encoded(self.root)}\n"


class SignedCheckpoint(NamedTuple):
    """A checkpoint as it was verified: by which keys, a witness's with its POSIX second."""

    checkpoint: Checkpoint
    keys: dict[Key, int | None]
    note: str


def shard_tree(shard: int) -> str:
    """What the tree of a shard is called."""
    return f"shard-{shard}"


def trees_of(shard_count: int) -> list[str]:
    """All trees of a ledger, the district's first."""
    return [DISTRICT, *map(shard_tree, range(shard_count))]


def shard_of(tree: str) -> int | None:
    """Whose tree it is; None for the district's."""
    found = _SHARD.fullmatch(tree)
    return int(found[1]) if found else None


def origin_of(ledger: str, tree: str) -> str:
    """The name a tree is signed under."""
    return ledger if tree == DISTRICT else f"{ledger}/{tree}"


def tree_of(ledger: str, origin: str) -> str | None:
    """The tree that is signed under a name; None where it is none of this ledger's."""
    if origin == ledger:
        return DISTRICT
    tree = origin.removeprefix(f"{ledger}/")
    return tree if tree != origin and _SHARD.fullmatch(tree) else None


def one_line(note: str) -> str:
    """A checkpoint in a line, for paper: origin, size, root, and the log's own signatures."""
    read = read_note(note)
    origin, size, root = read_checkpoint(read.text).text.splitlines()
    signatures = [encoded(signature) for name, signature in read.signatures if name == origin]
    return " ".join((_LINE, origin, size, root, *signatures))


def note_of_line(line: str) -> str | None:
    """The checkpoint that stands in a line; None where it is no such line."""
    words = line.split()
    if len(words) < len(("", "origin", "size", "root", "signature")) or words[0] != _LINE:
        return None
    _, origin, size, root, *signatures = words
    return f"{origin}\n{size}\n{root}\n\n" + "".join(f"— {origin} {one}\n" for one in signatures)


def read_checkpoint(text: str) -> Checkpoint:
    """The checkpoint in a note's text. NotANote."""
    origin, size, shown = [*text.split("\n"), "", "", ""][:3]
    root = decoded(shown) or b""
    checkpoint = Checkpoint(origin, int(size) if _SIZE.fullmatch(size) else -1, root)
    if checkpoint.size < 0 or len(root) != HASH_BYTES or not text.startswith(checkpoint.text):
        raise NotANote("no checkpoint: origin, size and root are not to the letter")
    return checkpoint


def stated_checkpoint(note: str) -> Checkpoint:
    """What a signed note says, whoever signed it: nothing is verified. NotANote."""
    return read_checkpoint(read_note(note).text)


def verified_checkpoint(note: str, keys: Iterable[Key]) -> SignedCheckpoint:
    """A checkpoint signed by one of the log's keys under its own origin. NotANote.

    A log's key stands for all trees of its ledger: `name` and `name/shard-<p>`. Witnesses' keys
    among them are verified too; a witness alone does not make it the log's.
    """
    origin = note.partition("\n")[0]
    logs = [key.named(origin) for key in keys if not key.is_witness and _signs(key, origin)]
    found = verified(note, [*logs, *(key for key in keys if key.is_witness)])
    if all(key.is_witness for key in found.keys):
        raise NotANote("the log itself has not signed it with any of the keys given")
    return SignedCheckpoint(read_checkpoint(found.text), found.keys, note)


def _signs(key: Key, origin: str) -> bool:
    return tree_of(key.name, origin) is not None or key.name == origin
