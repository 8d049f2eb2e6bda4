"""The contract's documents say what the models say, to parsers that don't know our models."""

import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.validators import extend
from pydantic import TypeAdapter

from producers.events import EVENT_MODELS, EXTENSIONS, Event
from producers.examples import EXAMPLES
from producers.reading import read_record
from producers.refusals import Refusal
from producers.schemas import CONTRACT, contract, write
from producers.writing import write_line
from tests.events import ADJUSTED, CHECKED_IN, GONE, GOOD, changed, events, spoilt

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its own fields named "schema"
    from asyncapi3 import AsyncAPI3

DOCUMENTS = {name: json.loads(text) for name, text in contract().items()}
SCHEMAS = {name: text for name, text in DOCUMENTS.items() if name != "asyncapi.json"}
ASYNCAPI = DOCUMENTS["asyncapi.json"]


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[Any]:
    """ECMA 262's `$` is the end; Python's is also before a last line feed."""
    if isinstance(instance, str):
        yield from Draft202012Validator({"pattern": pattern.replace("$", r"\Z")}).iter_errors(
            instance
        )


Ecma = extend(Draft202012Validator, {"pattern": _pattern})
ANY = Ecma(DOCUMENTS["hours.event.schema.json"], format_checker=FormatChecker())


def test_the_committed_contract_is_what_the_models_make(tmp_path: Path) -> None:
    write(tmp_path / "contract")
    made = {file.name: file.read_text() for file in (tmp_path / "contract").iterdir()}
    committed = {file.name: file.read_text() for file in CONTRACT.iterdir()}
    assert made == committed, "run: make contract"
    assert set(made) == {f"{name}.schema.json" for name in [*GOOD, "hours.event"]} | {
        "asyncapi.json"
    }


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_json_schema_is_one_by_its_own_metaschema(name: str) -> None:
    assert SCHEMAS[name]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMAS[name], format_checker=FormatChecker())


@pytest.mark.parametrize("name", SCHEMAS)
def test_patterns_keep_to_what_ecmascript_python_and_rust_read_alike(name: str) -> None:
    patterns = re.findall(r'"pattern": "(.*)"', contract()[name])
    assert patterns
    for pattern in map(json.loads, (f'"{text}"' for text in patterns)):
        assert pattern[0] == "^"
        assert pattern[-1] == "$"
        assert "$" not in pattern[:-1]
        escapes = set(re.findall(r"\\(.)", pattern))
        assert escapes <= {"x", "u", "r", "n", "."}
        assert not re.search(r"\(\?(?!:)", pattern)


@given(events)
def test_every_event_there_can_be_is_accepted(event: Event) -> None:
    said = json.loads(write_line(event))
    ANY.validate(said)
    own = DOCUMENTS[f"{event.type}.schema.json"]
    Ecma(own, format_checker=FormatChecker()).validate(said)


@pytest.mark.parametrize("event", GOOD.values(), ids=GOOD)
def test_an_event_is_accepted_by_its_own_schema_only(event: dict[str, Any]) -> None:
    accepting = [
        name
        for name in EVENT_MODELS
        if Draft202012Validator(DOCUMENTS[f"{name}.schema.json"]).is_valid(event)
    ]
    assert accepting == [event["type"]]


INVALID = [
    *(changed(CHECKED_IN, **{name: GONE}) for name in CHECKED_IN),
    *(changed(ADJUSTED, **{name: GONE}) for name in ADJUSTED["data"]),
    *(changed(CHECKED_IN, **{name: 5}) for name in CHECKED_IN),
    *(changed(CHECKED_IN, **{name: None}) for name in CHECKED_IN),
    *(changed(ADJUSTED, **{name: []}) for name in ADJUSTED["data"]),
    changed(CHECKED_IN, specversion="0.3"),
    changed(CHECKED_IN, type="hours.checked-in.v2"),
    changed(CHECKED_IN, type="hours.checked-out.v2"),
    changed(CHECKED_IN, data_base64="e30="),
    changed(CHECKED_IN, datacontenttype="text/xml"),
    *(changed(CHECKED_IN, subject=text) for text in ("", "V 1", "中", "V1\n", "V\0", "x" * 129)),
    *(changed(CHECKED_IN, team=text) for text in ("", " a", "a\u3000", "a\n", "\0", "队" * 129)),
    *(changed(ADJUSTED, reason=text) for text in ("", " \n", "a\rb", "\t", "因" * 1_001)),
    *(changed(ADJUSTED, day=text) for text in ("2026-02-30", "20260205", "2026-02-05\n")),
    *(changed(ADJUSTED, seconds=value) for value in (0, 86_401, -86_401, 0.5, "5", True, 10**40)),
    *({**ADJUSTED, "importedfrom": value} for value in ("", " a", "a\n", 7, "表" * 129)),
    changed({**ADJUSTED, "importedfrom": "补录!7"}, specversion=GONE),
    *({**CHECKED_IN, "kioskclock": value} for value in ("", "2026-03-05", 7, "now")),
    *({**CHECKED_IN, "identifiedby": value} for value in ("", "face", 7)),
    changed(CHECKED_IN, supplied_by="leader-12"),
    changed(CHECKED_IN, reason="没带手机"),
    changed(CHECKED_IN, supplied_by="leader-12", reason=None),
    changed(CHECKED_IN, supplied_by=None, reason="没带手机"),
    *(
        changed(CHECKED_IN, time=text)
        for text in (
            "2026-03-05T01:30:00",
            "2026-03-05",
            "2026-03-05T24:00:00Z",
            "2016-12-31T23:59:60Z",
            "2026-02-30T00:00:00Z",
            "2026-03-05T01:30:00+24:00",
            "2026-03-05T01:30:00." + "1" * 60 + "Z",
        )
    ),
]
BEYOND_SCHEMA = [
    changed(CHECKED_IN, time="0001-01-01T00:00:00+00:01"),
    changed(CHECKED_IN, time="9999-12-31T23:59:59-00:01"),
    changed(ADJUSTED, seconds=60.0),
    changed(ADJUSTED, approved_by=ADJUSTED["data"]["by"]),
]
EQUALLY_GOOD = [
    *GOOD.values(),
    changed(CHECKED_IN, activity=None, supplied_by=None, reason=None),
    changed(CHECKED_IN, activity="晚会", supplied_by="leader-12", reason="没带手机\n补签"),
    changed(CHECKED_IN, datacontenttype="application/json; charset=utf-8", traceparent="00-1"),
    changed(CHECKED_IN, time="2026-03-05t01:30:00.123456789+08:00"),
    changed(CHECKED_IN, subject="x" * 128, team="队" * 128),
    changed(ADJUSTED, seconds=-86_400, reason="因" * 1_000),
    {**ADJUSTED, "importedfrom": "补录!7"},
    {**CHECKED_IN, "kioskclock": "1970-01-01T00:00:07Z", "identifiedby": "badge"},
]


def accepted(event: Any) -> bool:
    return not isinstance(read_record(json.dumps(event).encode(), []), Refusal)


@pytest.mark.parametrize("event", INVALID, ids=lambda event: ascii(event)[-60:])
def test_what_reading_refuses_the_schema_refuses(event: dict[str, Any]) -> None:
    assert not accepted(event)
    assert not ANY.is_valid(event)


@pytest.mark.parametrize("event", EQUALLY_GOOD, ids=lambda event: ascii(event)[-60:])
def test_what_reading_accepts_the_schema_accepts(event: dict[str, Any]) -> None:
    assert accepted(event)
    ANY.validate(event)


@pytest.mark.parametrize("event", BEYOND_SCHEMA, ids=lambda event: ascii(event)[-60:])
def test_only_what_the_contract_says_is_beyond_it_is_refused_by_reading_alone(
    event: dict[str, Any],
) -> None:
    assert not accepted(event)
    ANY.validate(event)
    for said in ("UTC year", "without a fraction", "not its author"):
        assert said in DOCUMENTS["hours.event.schema.json"]["$comment"]


@given(spoilt())
def test_schema_and_reading_agree_on_events_spoilt_at_random(event: dict[str, Any]) -> None:
    if "datacontenttype" not in event:  # of which reading takes more spellings
        assert ANY.is_valid(event) == accepted(event)


def test_a_third_party_parser_reads_the_asyncapi_document() -> None:
    document = AsyncAPI3.model_validate(ASYNCAPI)
    assert document.asyncapi == "3.0.0"
    assert document.channels["taps"].address == "hours.taps"
    assert set(document.components.messages.root) == {type(one).__name__ for one in EXAMPLES}
    assert document.operations["settle"].action == "receive"


def test_each_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    references = re.findall(r'"\$ref": "#/(.*)"', contract()["asyncapi.json"])
    assert len(set(references)) > 10
    for reference in references:
        place = ASYNCAPI
        for step in reference.split("/"):
            place = place[step]
        assert place


@pytest.mark.parametrize("message", ASYNCAPI["components"]["messages"].values())
def test_each_message_of_the_asyncapi_document_has_a_valid_example(message: dict[str, Any]) -> None:
    schema = {**ASYNCAPI, "$ref": message["payload"]["$ref"]}
    own = Draft202012Validator(schema, format_checker=FormatChecker())
    (example,) = message["examples"]
    own.validate(example["payload"])
    assert accepted(example["payload"])
    assert not own.is_valid(changed(example["payload"], subject="V 1"))
    key = message["bindings"]["kafka"]["key"]
    Draft202012Validator(key).validate(example["payload"]["subject"])


def test_the_asyncapi_document_speaks_of_one_topic_and_how_to_partition_it() -> None:
    (channel,) = ASYNCAPI["channels"].values()
    assert {message["$ref"].split("/")[-1] for message in channel["messages"].values()} == {
        model.__name__ for model in EVENT_MODELS.values()
    }
    assert "murmur2_random" in channel["description"]
    topic = channel["bindings"]["kafka"]["topicConfiguration"]
    assert topic["message.timestamp.type"] == "LogAppendTime"
    assert topic["retention.ms"] == -1


def test_the_models_themselves_and_the_documents_are_of_one_opinion() -> None:
    for name, model in EVENT_MODELS.items():
        required = DOCUMENTS[f"{name}.schema.json"]["required"]
        assert required == [name for name in model.model_fields if name not in EXTENSIONS]
        TypeAdapter(model).validate_json(json.dumps(GOOD[name]))
