"""From the log's bytes to what they say, by the contract's words alone.

The oracle's own reader: it shares no line with the product's. Not a validator of everything the
contract forbids: it knows the mistakes that `kiosks` makes, and refuses to guess at others.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from kafka.partitioner import murmur2

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_BYTES = 65_536
_LONGEST = 128
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")

# What each type's data must say, and may say.
_DATA: dict[str, tuple[set[str], set[str]]] = {
    "hours.checked-in.v1": ({"team", "place"}, {"activity", "supplied_by", "reason"}),
    "hours.checked-out.v1": (set(), {"place", "supplied_by", "reason"}),
    "hours.tap-voided.v1": ({"tap_source", "tap_id", "by", "reason"}, set()),
    "hours.adjusted.v1": (
        {"team", "day", "seconds", "by", "approved_by", "reason"},
        {"activity"},
    ),
}


class Logged(NamedTuple):
    """A record as it stands in the log; `recorded_at` in microseconds."""

    partition: int
    offset: int
    recorded_at: int
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class Event(NamedTuple):
    """An event; `data` holds what the contract knows, sorted, so that equal means equal."""

    type: str
    volunteer: str
    source: str
    id: str
    at: int
    data: tuple[tuple[str, Any], ...]

    def says(self, name: str) -> Any:
        """What `data` says of it; the empty string where it says nothing."""
        return dict(self.data).get(name, "")


class Bad(ValueError):
    """Why a record is no event; its one argument is the reason."""


def read(record: Logged, partitions: int) -> Event:
    """The event in a record. Bad."""
    if not record.value:
        raise Bad("empty-value")
    size = len(record.value) + sum(len(name) + len(it) for name, it in record.headers)
    if size > _LARGEST_BYTES:
        raise Bad("too-large")
    event = _event(_envelope(_json(record.value), record.headers))
    if (murmur2(event.volunteer.encode()) & 0x7FFFFFFF) % partitions != record.partition:
        raise Bad("wrong-partition")
    return event


def instant(text: str) -> int:
    """Microseconds since the epoch of RFC 3339 text. Bad."""
    if not _TIME.fullmatch(text):
        raise Bad("invalid-field")
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND
    except ValueError:
        raise Bad("invalid-field") from None


def _json(value: bytes) -> Any:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise Bad("not-utf-8") from None
    try:
        return json.loads(text, object_pairs_hook=_once_each, parse_constant=_refuse)
    except ValueError:
        raise Bad("not-json") from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name comes twice")
    return dict(pairs)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _envelope(said: Any, headers: tuple[tuple[str, bytes], ...]) -> dict[str, Any]:
    """The event with its attributes, whether they came in the value or in the headers."""
    attributes = {name[3:]: it.decode() for name, it in headers if name.startswith("ce_")}
    envelope = {**attributes, "data": said} if attributes else said
    if not isinstance(envelope, dict) or "type" not in envelope:
        raise Bad("not-a-cloudevent")
    if envelope["type"] not in _DATA:
        raise Bad("unknown-type")
    if envelope.get("specversion") != "1.0":
        raise Bad("not-a-cloudevent")
    return envelope


def _event(envelope: dict[str, Any]) -> Event:
    must, may = _DATA[envelope["type"]]
    for name in ("id", "source", "subject"):
        if not 0 < len(envelope.get(name, "")) <= _LONGEST:
            raise Bad("invalid-field")
    data = {name: it for name, it in envelope["data"].items() if name in must | may}
    if any(data.get(name, "") == "" for name in must):
        raise Bad("invalid-field")
    return Event(
        envelope["type"], envelope["subject"], envelope["source"], envelope["id"],
        instant(envelope["time"]), tuple(sorted(data.items())),
    )  # fmt: skip
