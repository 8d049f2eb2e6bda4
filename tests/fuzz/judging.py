"""What must hold of any record's decoding, as somebody sees it who knows the rules alone.

Reading never raises and always ends the same; what is accepted is what an independent reader
reads, is valid by the shipped JSON Schema, and is read back when it is written; what an
independent reader and the schema find good is refused only for a reason beyond the schema.
"""

import json
import math
from datetime import UTC, datetime
from typing import Any

from jsonschema import FormatChecker

from producers.events import Event
from producers.reading import MAX_RECORD_BYTES, read_record
from producers.refusals import Refusal
from producers.schemas import CONTRACT
from producers.writing import write_line, write_record
from tests.fuzz.records import RawRecord
from tests.unit.test_schemas import Ecma

_SCHEMA = Ecma(
    json.loads((CONTRACT / "hours.event.schema.json").read_text()), format_checker=FormatChecker()
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS, _DEPTH = 4_000, 120


class Unreadable(Exception):
    """An independent reader finds no event here, for a reason that no schema can say."""


def complaints(record: RawRecord, with_schema: bool = True) -> list[str]:
    """What is wrong with how the record is read: nothing, if all is well."""
    try:
        read = read_record(record.value, record.headers)
        again = read_record(record.value, record.headers)
    except Exception as error:  # whatever it is: nothing may be raised
        return [f"raised {error!r}"]
    found = [] if read == again else [f"read {read!r}, then {again!r}"]
    try:
        envelope = read_independently(record)
    except Unreadable as why:
        return found if isinstance(read, Refusal) else [*found, f"accepted, but {why}"]
    if not isinstance(read, Refusal):
        found += _of_accepted(read, envelope)
    if with_schema:
        found += _of_schema(read, envelope)
    return found


def _of_accepted(event: Event, envelope: Any) -> list[str]:
    found = []
    _, value, headers = write_record(event)
    if not read_record(value, headers) == read_record(write_line(event), []) == event:
        found.append(f"{event!r} is not read back")
    if (said := _as_said(event)) != (seen := _as_seen(envelope, event)):
        found.append(f"read {said!r}, another reads {seen!r}")
    return found


def _of_schema(read: Event | Refusal, envelope: Any) -> list[str]:
    is_valid = _SCHEMA.is_valid(envelope)
    if isinstance(read, Refusal):
        beyond = _beyond_schema(envelope) if is_valid else "the schema"
        return [] if beyond else [f"{read!r}, but the schema finds it good"]
    if is_valid or "datacontenttype" in envelope:  # of which reading takes more spellings
        return []
    return ["accepted, but the schema refuses it"]


def _beyond_schema(envelope: dict[str, Any]) -> str | None:
    """Why an event the schema finds good may be refused: all such reasons there are."""
    data = envelope["data"]
    if type(data.get("seconds", 0)) is not int:
        return "JSON Schema takes 60.0 for an integer"
    if data.get("by", "") == data.get("approved_by"):
        return "no schema compares two members"
    if _microseconds(envelope["time"]) is None:
        return "its UTC year is not 1 to 9999"
    if _has_surrogate(envelope):
        return "a lone surrogate is no character"
    if _is_beyond_limits(envelope):
        return "RFC 8259 lets a reader set limits to numbers and nesting"
    return None


def read_independently(record: RawRecord) -> Any:
    """The event as CloudEvents' Kafka binding and RFC 8259 have it. Unreadable."""
    value, headers = record.value, record.headers
    if not value:
        raise Unreadable("there is no value")
    if len(value) + sum(len(name) + len(it or b"") for name, it in headers) > MAX_RECORD_BYTES:
        raise Unreadable("it is too large")
    attributes = _attributes(record)
    media = attributes.pop("content-type", "").partition(";")[0].strip().lower()
    is_structured = media == "application/cloudevents+json"
    is_json = media in ("", "application/json") or (
        media.endswith("+json") and "cloudevents" not in media
    )
    if not is_structured and not is_json:
        raise Unreadable(f"of media type {media}")
    said = _json(value)
    if not attributes:
        return said
    if is_structured:
        if not isinstance(said, dict) or any(
            said.get(name) != it for name, it in attributes.items()
        ):
            raise Unreadable("headers contradict it")
        return said
    if "data" in attributes:
        raise Unreadable("data stands in a header")
    return {**attributes, "data": said}


def _attributes(record: RawRecord) -> dict[str, str]:
    found: dict[str, str] = {}
    for header, content in record.headers:
        name = header.lower()
        if name != "content-type":
            name = name.removeprefix("ce_") if name.startswith("ce_") else ""
            if not (name.isascii() and name.isalnum()):
                continue
        if name in found:
            raise Unreadable("a header comes twice")
        try:
            found[name] = (content or b"").decode()
        except UnicodeDecodeError:
            raise Unreadable("a header is not UTF-8") from None
    return found


def _json(value: bytes) -> Any:
    try:
        return json.loads(
            value.decode(),
            object_pairs_hook=_once_each,
            parse_constant=_no_constant,
            parse_int=lambda digits: int(digits) if len(digits) < _DIGITS else math.inf,
        )
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {str(error)[:80]}") from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name comes twice")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _as_said(event: Event) -> dict[str, Any]:
    envelope = {name: getattr(event, name) for name in type(event).model_fields if name != "data"}
    return {
        **envelope,
        **{name: getattr(event.data, name) for name in type(event.data).model_fields},
    }


def _as_seen(envelope: dict[str, Any], event: Event) -> dict[str, Any]:
    data = envelope["data"]
    seen = {name: envelope.get(name) for name in type(event).model_fields if name != "data"}
    seen |= {name: data.get(name) for name in type(event.data).model_fields}
    return seen | {"time": _microseconds(envelope["time"])}


def _microseconds(text: str) -> int | None:
    """By arithmetic of its own; None where the UTC year is not 1 to 9999."""
    text = text.upper()
    clock, _, fraction = text[:-1].partition(".") if text[-1] == "Z" else text[:-6].partition(".")
    local = datetime.fromisoformat(clock).replace(tzinfo=UTC) - _EPOCH
    minutes = 0
    if text[-1] != "Z":
        minutes = int(text[-5:-3]) * 60 + int(text[-2:])
        minutes = -minutes if text[-6] == "-" else minutes
    seconds = local.days * 86_400 + local.seconds - minutes * 60
    if not -62_135_596_800 <= seconds < 253_402_300_800:
        return None
    return seconds * 1_000_000 + int(fraction.ljust(6, "0")[:6] or 0)


def _is_beyond_limits(value: Any, depth: int = 0) -> bool:
    if depth > _DEPTH or value in (math.inf, -math.inf):
        return True
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_is_beyond_limits(one, depth + 1) for one in inner)


def _has_surrogate(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False
