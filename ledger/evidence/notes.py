"""Signed notes and the keys they are verified with (C2SP signed-note, tlog-cosignature).

A note is a text, a blank line, and signature lines `— name base64(key id ‖ signature)`. Pure but
for the arithmetic of Ed25519, which is cryptography's. Signatures of unknown keys are ignored, as
the format asks; one of a known key that doesn't verify makes the whole note malformed.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ledger.evidence.base64_text import decoded, encoded

_ED25519 = 1
_COSIGNATURE = 4
_KEY_BYTES = 32
_SIGNATURE_BYTES = 64
_TIME_BYTES = 8
_NAME = re.compile(r"[^\s+]+")
_SIGNATURE_LINE = re.compile(r"— (\S+) (\S+)")
_MOST_NOTE_BYTES = 1_000_000
_MOST_SIGNATURES = 100


class NotANote(ValueError):
    """These bytes are no signed note, or one with a known key's signature that is wrong."""


class NotAKey(ValueError):
    """This text is no verifier key of a kind that is known."""


class Key(NamedTuple):
    """A public key under a name: a log's (it signs the text) or a witness's (with a time)."""

    name: str
    public: bytes
    is_witness: bool = False

    @property
    def id(self) -> bytes:
        """Four bytes that tell it from others of the same name."""
        return sha256(self.name.encode() + b"\n" + self._typed).digest()[:4]

    @property
    def vkey(self) -> str:
        """As other programs take it: `name+id+base64(type ‖ key)`."""
        return f"{self.name}+{self.id.hex()}+{encoded(self._typed)}"

    @property
    def _typed(self) -> bytes:
        return bytes([_COSIGNATURE if self.is_witness else _ED25519]) + self.public

    def named(self, name: str) -> "Key":
        """The same key under another name."""
        return Key(name, self.public, self.is_witness)


class Verified(NamedTuple):
    """What was signed, and by whom: a witness's with the POSIX second of its signature."""

    text: str
    keys: dict[Key, int | None]


class Note(NamedTuple):
    """A note as it was read: its text, which ends with a line feed, and its signatures."""

    text: str
    signatures: tuple[tuple[str, bytes], ...]


Sign = Callable[[bytes], bytes]
"""Signs bytes by Ed25519."""


def key_of(vkey: str) -> Key:
    """The key a line names. NotAKey, saying why."""
    name, _, rest = vkey.strip().partition("+")
    shown_id, _, shown_key = rest.partition("+")
    typed = decoded(shown_key)
    if not _NAME.fullmatch(name) or typed is None or len(typed) != _KEY_BYTES + 1:
        raise NotAKey("a key is a line name+id+base64, of an Ed25519 key")
    if typed[0] not in (_ED25519, _COSIGNATURE):
        raise NotAKey(f"a key of type {typed[0]} is not known")
    key = Key(name, typed[1:], typed[0] == _COSIGNATURE)
    if key.id.hex() != shown_id.lower():
        raise NotAKey(f"the id of {name} is not {shown_id}: the line was altered")
    return key


def signed(text: str, signers: Sequence[tuple[Key, Sign]]) -> str:
    """The note of a text, signed by each: the same keys give the same bytes for ever."""
    lines = [signature_line(key, sign(text.encode())) for key, sign in signers]
    return text + "\n" + "".join(lines)


def signature_line(key: Key, signature: bytes) -> str:
    """A signature as a note holds it."""
    return f"— {key.name} {encoded(key.id + signature)}\n"


def with_signatures(note: str, lines: str) -> str:
    """A note with more signature lines, those it has already left out. NotANote."""
    there = set(note.splitlines())
    more = [line for line in lines.splitlines() if line not in there]
    joined = note + "".join(f"{line}\n" for line in dict.fromkeys(more))
    read_note(joined)
    return joined


def read_note(note: str) -> Note:
    """A note's parts, nothing verified. NotANote where it isn't one to the letter."""
    text, blank, signatures = note.rpartition("\n\n")
    if not blank or not text or not signatures.endswith("\n"):
        raise NotANote("no text, blank line and signatures")
    if len(note.encode()) > _MOST_NOTE_BYTES or any(ord(one) < 32 and one != "\n" for one in note):
        raise NotANote("too long, or with control characters")
    lines = signatures[:-1].split("\n")
    if len(lines) > _MOST_SIGNATURES:
        raise NotANote(f"more than {_MOST_SIGNATURES} signatures")
    return Note(text + "\n", tuple(map(_signature_in, lines)))


def verified(note: str, keys: Iterable[Key]) -> Verified:
    """The text, and which of the keys signed it, at least one. NotANote."""
    read = read_note(note)
    known = {(key.name, key.id): key for key in keys}
    found: dict[Key, int | None] = {}
    for name, signature in read.signatures:
        key = known.get((name, signature[:4]))
        if key is not None and key not in found:
            found[key] = _verify(key, read.text.encode(), signature[4:])
    if not found:
        raise NotANote("none of the keys given has signed it")
    return Verified(read.text, found)


def cosigned_text(text: str, at: int) -> bytes:
    """What a witness signs of a note's text at a POSIX second."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def _verify(key: Key, text: bytes, signature: bytes) -> int | None:
    at = None
    if key.is_witness:
        at = int.from_bytes(signature[:_TIME_BYTES], "big")
        text, signature = cosigned_text(text.decode(), at), signature[_TIME_BYTES:]
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, text)
    except (InvalidSignature, ValueError) as error:
        raise NotANote(f"the signature of {key.name} is wrong") from error
    return at


def _signature_in(line: str) -> tuple[str, bytes]:
    found = _SIGNATURE_LINE.fullmatch(line)
    signature = decoded(found[2]) if found else None
    if found is None or signature is None or len(signature) < 5 or "+" in found[1]:
        raise NotANote(f"not a signature line: {line[:80]}")
    return found[1], signature
