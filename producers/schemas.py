"""The contract as documents: JSON Schema 2020-12 of the events, AsyncAPI 3.0 of their topic.

Written by `python -m producers.schemas` (`make contract`). They are for producers in any language
and judge nothing: that is `producers.reading`. Invariant: the files in `contract/` are what this
module makes of the models, so that the contract and the code can't say two things.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from producers.events import (
    ANY_EVENT,
    EVENT_MODELS,
    AdjustedSeconds,
    Code,
    Day,
    Event,
    Identifier,
    Instant,
    Reason,
)
from producers.examples import EXAMPLES
from producers.reading import MAX_RECORD_BYTES
from producers.writing import CONTENT_TYPE, write_line

CONTRACT = Path(__file__).with_name("contract")

BEYOND_SCHEMA = (
    f"Beyond JSON Schema: a record is at most {MAX_RECORD_BYTES} bytes with its headers; its "
    "text is UTF-8, names no key twice and writes integers without a fraction; the UTC year of "
    "a time is 1 to 9999; who approves an adjustment is not its author."
)
_TOPIC = (
    "The log of record. Kept for ever, and the broker stamps each record's time. The key is the "
    "volunteer's id, the same as the event's subject, and the partition is Kafka's own murmur2 of "
    "it: the default of the Java client and of kafka-python; librdkafka clients, such as kcat, "
    "need partitioner=murmur2_random. A record in another partition is rejected. Structured mode "
    "is described here; CloudEvents' binary mode (ce_ headers) and a missing content-type are "
    "read too. The first part of the topic's name is a setting of the ledger."
)
_NAMED: dict[str, tuple[Any, str]] = {
    "Identifier": (Identifier, "1 to 128 printable ASCII characters, none of them blank."),
    "Instant": (Instant, "RFC 3339 with an offset; finer than microseconds is cut off."),
    "Code": (Code, "1 to 128 characters of one line, with no blank at either end."),
    "Reason": (Reason, "1 to 1000 characters in lines, not all of them blank."),
    "Day": (Day, "A civil day in the ledger's timezone."),
    "AdjustedSeconds": (AdjustedSeconds, "Seconds to add or take away: at most 24 hours, not 0."),
}
_ENVELOPE = {
    "datacontenttype": {"type": "string", "pattern": "^application/json(?: ?;.*)?$"},
    "data_base64": {"not": {}},
}
_LOG_OF_RECORD = {
    "cleanup.policy": ["delete"],
    "retention.ms": -1,
    "retention.bytes": -1,
    "message.timestamp.type": "LogAppendTime",
}
_BINDING = {"bindingVersion": "0.5.0"}
_KEY = {
    **TypeAdapter(Identifier).json_schema(),
    "description": "The volunteer's id, as in subject; the partition is its murmur2.",
}
_CONTENT_TYPE = CONTENT_TYPE[1].decode()
_COMPONENTS = "#/components/schemas/"


def contract() -> dict[str, str]:
    """Each file of the contract, by name: its text."""
    documents = {
        f"{name}.schema.json": json_schema(TypeAdapter(model))
        for name, model in EVENT_MODELS.items()
    }
    documents["hours.event.schema.json"] = json_schema(ANY_EVENT)
    documents["asyncapi.json"] = asyncapi()
    return {
        name: json.dumps(document, ensure_ascii=False, indent=2) + "\n"
        for name, document in documents.items()
    }


def json_schema(event: TypeAdapter[Any]) -> dict[str, Any]:
    """JSON Schema 2020-12 of one type of event, or of any."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": BEYOND_SCHEMA,
        **_schema(event, "#/$defs/"),
    }


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0 of the topic `hours.taps`, as the ledger reads it."""
    messages = {type(example).__name__: _message(example) for example in EXAMPLES}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "The ledger of volunteer hours",
            "version": "1.0.0",
            "description": f"What kiosks and desks write. {BEYOND_SCHEMA}",
        },
        "defaultContentType": _CONTENT_TYPE,
        "channels": {
            "taps": {
                "address": "hours.taps",
                "description": _TOPIC,
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {"kafka": {"topicConfiguration": _LOG_OF_RECORD, **_BINDING}},
            }
        },
        "operations": {
            "settle": {
                "action": "receive",
                "channel": {"$ref": "#/channels/taps"},
                "summary": "The ledger accepts, recognises as duplicate or rejects each record.",
            }
        },
        "components": {
            "messages": messages,
            "schemas": _schema(ANY_EVENT, _COMPONENTS)["$defs"],
        },
    }


def write(folder: Path = CONTRACT) -> None:
    """Write the files of the contract."""
    folder.mkdir(exist_ok=True)
    for name, text in contract().items():
        (folder / name).write_text(text, encoding="utf-8")


class _Plain(GenerateJsonSchema):
    """Events as they are written: constants are not left out, nothing has a default."""

    def field_is_required(self, field: Any, total: bool) -> bool:
        return super().field_is_required(field, total) or _is_constant(field["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        found = super().tagged_union_schema(schema)
        found.pop("discriminator")  # OpenAPI's word, not JSON Schema's
        return found

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        found = super().model_schema(schema)
        if "specversion" in found["properties"]:
            found["properties"] |= _ENVELOPE
        return found


def _is_constant(schema: Any) -> bool:
    return bool(schema.get("schema", {}).get("type") == "literal")


def _schema(event: TypeAdapter[Any], prefix: str) -> dict[str, Any]:
    """A schema whose repeated parts stand once, named, in its `$defs`."""
    bare = event.json_schema(ref_template=prefix + "{model}", schema_generator=_Plain)
    names = {name: TypeAdapter(kind).json_schema() for name, (kind, _) in _NAMED.items()}
    schema = _with_names(bare, names, prefix)
    text = json.dumps(schema)
    for name, (_, description) in _NAMED.items():
        if f'"{prefix}{name}"' in text:
            schema["$defs"][name] = {"description": description, **names[name]}
    return schema  # type: ignore[no-any-return]


def _with_names(node: Any, names: dict[str, Any], prefix: str) -> Any:
    for name, named in names.items():
        if node == named:
            return {"$ref": prefix + name}
    if isinstance(node, dict):
        return {key: _with_names(value, names, prefix) for key, value in node.items()}
    if isinstance(node, list):
        return [_with_names(value, names, prefix) for value in node]
    return node


def _message(example: Event) -> dict[str, Any]:
    return {
        "name": example.type,
        "summary": type(example).__doc__,
        "contentType": _CONTENT_TYPE,
        "payload": {"$ref": _COMPONENTS + type(example).__name__},
        "examples": [{"payload": json.loads(write_line(example))}],
        "bindings": {"kafka": {"key": _KEY, **_BINDING}},
    }


if __name__ == "__main__":
    write()
