"""A record of the log as a line of JSON, and back: what a segment of an archive is made of.

Bytes stand as text where they are UTF-8, and as {"base64": …} where they are not: a person can
read them, and a program gets back every byte. Pure. Invariant: reading a written line gives the
record, whole.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from pydantic_core import from_json

Headers = Sequence[tuple[str, bytes | None]]

# A header's name may be any bytes; those that are not UTF-8 are surrogates (`streams.batches`).
_NAMES = ("utf-8", "surrogateescape")
_BROKERS_TIME = 1


class WholeRecord(Protocol):
    """What both Kafka clients call a consumer record; `timestamp` is in milliseconds."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class ArchivedRecord(NamedTuple):
    """A record of the log, whole."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def write_line(record: WholeRecord) -> bytes:
    """The record as one line of JSON."""
    fields = {
        "offset": record.offset,
        "timestamp": record.timestamp,
        "timestamp_type": _NAMES_OF_TYPES[record.timestamp_type],
        "key": _shown(record.key),
        "value": _shown(record.value),
        "headers": [
            (_shown(name.encode(*_NAMES)), _shown(content)) for name, content in record.headers
        ],
    }
    return _encode(fields).encode() + b"\n"


def as_archived(record: WholeRecord) -> bytes:
    """The line of a record as the log had it first, before it was put back from an archive."""
    whole: Any = ArchivedRecord(
        record.offset, record.timestamp, _BROKERS_TIME, record.key, record.value, record.headers
    )
    return write_line(whole)


def read_line(line: bytes) -> ArchivedRecord:
    """The record a line says. ValueError, KeyError or TypeError where it says none."""
    fields = from_json(line)
    return ArchivedRecord(
        _integer(fields["offset"]),
        _integer(fields["timestamp"]),
        _TIMESTAMP_TYPES[fields["timestamp_type"]],
        _bytes(fields["key"]),
        _bytes(fields["value"]),
        tuple([(_name(name), _bytes(content)) for name, content in fields["headers"]]),
    )


_TIMESTAMP_TYPES = {"NoTimestampType": -1, "CreateTime": 0, "LogAppendTime": 1}
_NAMES_OF_TYPES = {number: name for name, number in _TIMESTAMP_TYPES.items()}

_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


def _shown(content: bytes | None) -> str | dict[str, str] | None:
    if content is None:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(content).decode()}


def _bytes(shown: Any) -> bytes | None:
    if shown is None:
        return None
    if isinstance(shown, dict):
        return b64decode(shown["base64"], validate=True)
    return _text(shown).encode()


def _name(shown: Any) -> str:
    name = _bytes(shown)
    if name is None:
        raise TypeError("a header has no name")
    return name.decode(*_NAMES)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no integer")
    return value
