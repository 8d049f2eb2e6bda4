"""Why bytes are no event: an enumerated reason, and a sentence that says what to do."""

from enum import StrEnum
from typing import NamedTuple

_LONGEST = 300


class RefusalReason(StrEnum):
    """The ways in which a record, or a line, can fail to be an event."""

    EMPTY_VALUE = "empty-value"
    TOO_LARGE = "too-large"
    NOT_UTF_8 = "not-utf-8"
    NOT_JSON = "not-json"
    NOT_A_CLOUDEVENT = "not-a-cloudevent"
    UNKNOWN_TYPE = "unknown-type"
    INVALID_FIELD = "invalid-field"


class Refusal(NamedTuple):
    """A refusal is a value: it is kept and counted, and stops nothing."""

    reason: RefusalReason
    detail: str


def refusal(reason: RefusalReason, detail: str) -> Refusal:
    """A refusal whose detail is one short printable line, whatever it quotes."""
    line = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in detail)
    return Refusal(reason, line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…")


def shown(value: object) -> str:
    """A short, printable quotation of something from outside."""
    text = ascii(value) if isinstance(value, str | bytes) else type(value).__name__
    return text if len(text) <= 60 else text[:59] + "…"
