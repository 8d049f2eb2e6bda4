"""Asking witnesses to cosign the district's checkpoint (C2SP tlog-witness).

A witness signs only what grew from what it signed before; so two people who ask for its signature
can't be shown two different ledgers. One that doesn't answer holds nothing up: its signature is
missing, and is asked for again with the next checkpoint.
"""

import base64
from collections.abc import Callable
from typing import NamedTuple

import httpx2 as httpx

from ledger.evidence.notes import Key, NotAKey, NotANote, key_of, verified

_PATIENCE_SECONDS = 10.0
_MOST_BYTES = 100_000


class Witness(NamedTuple):
    """Who it is, and the address that its `add-checkpoint` stands below."""

    key: Key
    address: str


class Unwitnessed(Exception):
    """A witness did not sign; the message says why."""


Proof = Callable[[int], list[bytes]]
"""That the checkpoint's tree only grew from one of that size."""


def read_witnesses(text: str) -> list[Witness]:
    """Lines `vkey address`; empty ones and those that begin with # are not looked at. NotAKey."""
    witnesses = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        vkey, _, address = line.strip().partition(" ")
        key = key_of(vkey)
        if not key.is_witness or not address.strip().startswith(("http://", "https://")):
            raise NotAKey(f"not a witness's key and its address: {line[:100]}")
        witnesses.append(Witness(key, address.strip().rstrip("/")))
    return witnesses


def cosigned(witness: Witness, note: str, known_size: int, proof: Proof) -> str:
    """The witness's signature line for a checkpoint; `known_size` is what it signed last, or 0.

    Where it knows of another size it is asked once more with that. Unwitnessed.
    """
    answer = _asked(witness, note, known_size, proof)
    if answer.status_code == httpx.codes.CONFLICT:
        size = answer.text.strip()
        if not size.isdecimal() or len(size) > 18:
            raise Unwitnessed(f"{witness.key.name}: 409 without a size")
        answer = _asked(witness, note, int(size), proof)
    if answer.status_code != httpx.codes.OK:
        raise Unwitnessed(f"{witness.key.name}: HTTP {answer.status_code} {answer.text[:200]}")
    return _line(witness, note, answer.text)


def _asked(witness: Witness, note: str, known_size: int, proof: Proof) -> httpx.Response:
    try:
        hashes = proof(known_size)
    except ValueError as error:
        raise Unwitnessed(f"{witness.key.name} knows a tree of {known_size}: {error}") from error
    lines = "".join(f"{base64.b64encode(one).decode()}\n" for one in hashes)
    body = f"old {known_size}\n{lines}\n{note}"
    try:
        return httpx.post(
            f"{witness.address}/add-checkpoint",
            content=body.encode(),
            timeout=_PATIENCE_SECONDS,
            follow_redirects=False,
        )
    except httpx.HTTPError as error:
        raise Unwitnessed(f"{witness.key.name}: {type(error).__name__} {error}") from error


def _line(witness: Witness, note: str, answer: str) -> str:
    """The line in an answer that is this witness's, verified. Unwitnessed."""
    if len(answer) > _MOST_BYTES:
        raise Unwitnessed(f"{witness.key.name}: an answer of {len(answer)} characters")
    text = note.partition("\n\n")[0] + "\n"
    for line in answer.splitlines():
        try:
            verified(f"{text}\n{line}\n", [witness.key])
        except NotANote:
            continue
        return f"{line}\n"
    raise Unwitnessed(f"{witness.key.name}: no signature of its key in the answer")
