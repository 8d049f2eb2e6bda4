"""From a Kafka record, or a line of a file, to an event or a refusal.

It judges form only: what time and the ledger make of the event is settling's. Invariant: no
bytes whatever make it raise, and the same bytes and headers always end the same way.
"""

import json
from collections.abc import Sequence
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from producers.events import (
    ANY_EVENT,
    EVENT_MODELS,
    EXTENSIONS,
    SPEC_VERSION,
    Adjusted,
    CheckedIn,
    Event,
    Instant,
)
from producers.refusals import Refusal, RefusalReason, refusal, shown

MAX_RECORD_BYTES = 65_536

Headers = Sequence[tuple[str, bytes | None]]

_STRUCTURED = "application/cloudevents+json"
_STRUCTURED_TYPES = {media.encode() for media in (_STRUCTURED, f"{_STRUCTURED}; charset=utf-8")}
_PREFIX = "ce_"
_ATTRIBUTES = frozenset(CheckedIn.model_fields) - EXTENSIONS
_validate = ANY_EVENT.validator.validate_json  # the adapter's own method adds a tenth to the time
_INSTANT: TypeAdapter[int] = TypeAdapter(Instant)


def read_record(value: bytes | None, headers: Headers) -> Event | Refusal:
    """What a record says: structured CloudEvents, binary ones, or structured with no headers."""
    if not value:
        return refusal(RefusalReason.EMPTY_VALUE, "the record has no value; send a CloudEvent")
    size = len(value)
    for name, content in headers:
        size += len(name) + len(content or b"")
    if size > MAX_RECORD_BYTES:
        return _too_large(size)
    try:
        return _read(value if _is_plain(headers) else _structured(value, headers))
    except _Refused as refused:
        return refused.refusal


def read_line(line: bytes) -> tuple[Event, int] | Refusal:
    """An event and when it was recorded: extension attribute `recordedat`, or else its time."""
    if len(line) > MAX_RECORD_BYTES:
        return _too_large(len(line))
    try:
        event = _read(line)
        return event, _recorded_at(line, event)
    except _Refused as refused:
        return refused.refusal


class _Refused(Exception):
    def __init__(self, reason: RefusalReason, detail: str) -> None:
        self.refusal = refusal(reason, detail)


class _Repeated(ValueError):
    """An object names a key twice, so two readers could read two different events."""


def _read(text: bytes) -> Event:
    """The event in structured text."""
    try:
        event: Event = _validate(text)
    except ValidationError as error:
        _refuse(error.errors(include_url=False)[0], text)
    if not _says_nothing_else(text, event):
        _check_envelope(_object(text))
    return event


def _says_nothing_else(text: bytes, event: Event) -> bool:
    """Whether `event` is all there is in the text, seen by counting its quotes.

    A member that was read has two quotes around its name, and two around its value where that is
    a string; a name that comes twice, or is none of ours, would add two more at least. False where
    quotes can't tell: with a null among the values, or a quote within a string.
    """
    envelope, data = event.model_fields_set, event.data.model_fields_set
    if not envelope >= _ATTRIBUTES or b"\\" in text or b"null" in text:
        return False
    not_strings = 2 if isinstance(event, Adjusted) else 1  # data; an adjustment's seconds
    return text.count(b'"') == 4 * (len(envelope) + len(data)) - 2 * not_strings


def _object(text: bytes) -> dict[str, Any]:
    """The text as an object in which no key is named twice and no number is beyond JSON's."""
    try:
        return _decode(text.decode())  # type: ignore[no-any-return]
    except ValueError as error:
        raise _Refused(RefusalReason.NOT_JSON, f"the value is not good JSON: {error}") from None


def _check_envelope(envelope: dict[str, Any]) -> None:
    """What the models can't see: their own defaults, and attributes that are none of theirs."""
    if "specversion" not in envelope:
        raise _Refused(
            RefusalReason.NOT_A_CLOUDEVENT, f"specversion is missing; it must be {SPEC_VERSION}"
        )
    if "data_base64" in envelope:
        raise _Refused(RefusalReason.NOT_A_CLOUDEVENT, "data_base64 is not read; send data as JSON")
    media = envelope.get("datacontenttype", "application/json")
    if not _is_json(media):
        raise _Refused(
            RefusalReason.NOT_A_CLOUDEVENT,
            f"datacontenttype is {shown(media)}; it must be application/json",
        )


def _is_plain(headers: Headers) -> bool:
    """Whether all that headers say is that the value is a structured event, as ours do."""
    if len(headers) != 1:
        return not headers
    name, content = headers[0]
    return name == "content-type" and content in _STRUCTURED_TYPES


def _structured(value: bytes, headers: Headers) -> bytes:
    """The record as structured text, whichever mode it came in."""
    given = _attributes(headers)
    media = given.pop("content-type", "")
    if _media_type(media) == _STRUCTURED:
        _compare(given, value)
        return value
    if given and (not media or _is_json(media)):
        return _joined(given, value)
    if not media or _is_json(media):
        return value
    raise _Refused(
        RefusalReason.NOT_A_CLOUDEVENT,
        f"content-type is {shown(media)}; send {_STRUCTURED}, or application/json with ce_ headers",
    )


def _attributes(headers: Headers) -> dict[str, str]:
    """CloudEvents attributes from `ce_` headers, and `content-type`; others are not ours."""
    found: dict[str, str] = {}
    for header, content in headers:
        name = _attribute(header)
        if name is None:
            continue
        if name in found:
            raise _Refused(RefusalReason.NOT_A_CLOUDEVENT, f"header {shown(header)} comes twice")
        try:
            found[name] = (content or b"").decode()
        except UnicodeDecodeError:
            raise _Refused(
                RefusalReason.NOT_A_CLOUDEVENT, f"header {shown(header)} is not UTF-8"
            ) from None
    return found


def _attribute(header: str) -> str | None:
    """The attribute a header stands for; CloudEvents names them in ASCII letters and digits."""
    name = header.lower()
    if name == "content-type":
        return name
    attribute = name.removeprefix(_PREFIX)
    ours = attribute != name and attribute.isascii() and attribute.isalnum()
    return attribute if ours else None


def _compare(given: dict[str, str], value: bytes) -> None:
    """Headers that repeat a structured event's attributes must agree with it."""
    if not given:
        return
    try:
        envelope = from_json(value)
    except ValueError:
        return  # what is wrong with the value is said when it is read
    for name, content in given.items():
        if isinstance(envelope, dict) and envelope.get(name) != content:
            raise _Refused(
                RefusalReason.NOT_A_CLOUDEVENT,
                f"header ce_{name} says {shown(content)}, the event itself says otherwise",
            )


def _joined(given: dict[str, str], value: bytes) -> bytes:
    """A binary event as structured text; its value must be JSON on its own."""
    if "data" in given:
        raise _Refused(RefusalReason.NOT_A_CLOUDEVENT, "data belongs in the value, not in ce_data")
    try:
        from_json(value, allow_inf_nan=False)
    except ValueError as error:
        raise _not_json(value, str(error)) from None
    attributes = json.dumps(given, ensure_ascii=False).encode()
    return attributes[:-1] + b',"data":' + value + b"}"


def _recorded_at(line: bytes, event: Event) -> int:
    given = _object(line).get("recordedat")
    if given is None:
        return event.time
    try:
        return _INSTANT.validate_json(json.dumps(given))
    except ValidationError:
        raise _Refused(
            RefusalReason.INVALID_FIELD, f"recordedat is {shown(given)}; RFC 3339 with an offset"
        ) from None


def _refuse(error: ErrorDetails, text: bytes) -> NoReturn:
    """Say what the first thing wrong is."""
    kind, where = error["type"], ".".join(map(str, error["loc"][1:]))
    if kind == "json_invalid":
        raise _not_json(text, str(error.get("ctx", {}).get("error", "")))
    if kind == "union_tag_invalid":
        raise _Refused(
            RefusalReason.UNKNOWN_TYPE,
            f"type {shown(error['input'].get('type'))} is not one of {', '.join(EVENT_MODELS)}",
        )
    if kind == "union_tag_not_found" or not error["loc"]:
        raise _Refused(
            RefusalReason.NOT_A_CLOUDEVENT,
            "the value is no CloudEvent: an object with a type is needed",
        )
    if where == "specversion":
        raise _Refused(
            RefusalReason.NOT_A_CLOUDEVENT,
            f"specversion is {shown(error['input'])}; it must be {SPEC_VERSION}",
        )
    fault = error["msg"]
    if kind == "string_pattern_mismatch":
        fault = "not written as the contract wants it"  # the pattern would fill the line
    got = "" if kind == "missing" else f" (got {shown(error['input'])})"
    raise _Refused(RefusalReason.INVALID_FIELD, f"{where or 'event'}: {fault}{got}")


def _not_json(text: bytes, why: str) -> _Refused:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return _Refused(RefusalReason.NOT_UTF_8, f"byte {error.start} of the value is not UTF-8")
    return _Refused(RefusalReason.NOT_JSON, f"the value is not JSON: {why}")


def _too_large(size: int) -> Refusal:
    return refusal(
        RefusalReason.TOO_LARGE, f"{size} bytes; an event is at most {MAX_RECORD_BYTES} bytes"
    )


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _is_json(content_type: object) -> bool:
    if not isinstance(content_type, str):
        return False
    media = _media_type(content_type)
    return media == "application/json" or (media.endswith("+json") and "cloudevents" not in media)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _Repeated("an object names a key twice")
    return members


def _finite(number: str) -> float:
    value = float(number)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"number {shown(number)} is too large")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


_decode = json.JSONDecoder(
    object_pairs_hook=_once_each, parse_float=_finite, parse_constant=_no_constant
).decode
