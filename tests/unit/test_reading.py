"""Any bytes and headers end as an event or as a refusal with its reason; none of them raises."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from cloudevents.core.bindings import kafka as core_kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent as CoreEvent
from cloudevents.v1 import kafka as v1_kafka
from cloudevents.v1.http import CloudEvent as V1Event
from hypothesis import example, given
from hypothesis import strategies as st

from producers.events import Event
from producers.examples import EXAMPLES
from producers.reading import MAX_RECORD_BYTES, Headers, read_line, read_record
from producers.refusals import Refusal, RefusalReason
from producers.times import microseconds_of
from producers.writing import CONTENT_TYPE, write_line, write_record
from tests.events import ADJUSTED, CHECKED_IN, GONE, GOOD, changed, events, json_values, spoilt

EMPTY = RefusalReason.EMPTY_VALUE
TOO_LARGE = RefusalReason.TOO_LARGE
NOT_UTF_8 = RefusalReason.NOT_UTF_8
NOT_JSON = RefusalReason.NOT_JSON
NOT_A_CLOUDEVENT = RefusalReason.NOT_A_CLOUDEVENT
UNKNOWN_TYPE = RefusalReason.UNKNOWN_TYPE
INVALID_FIELD = RefusalReason.INVALID_FIELD

TAP = json.dumps(CHECKED_IN, ensure_ascii=False).encode()
NULLS = b'"supplied_by": null, "reason": null, '
DATA = json.dumps(CHECKED_IN["data"]).encode()
ATTRIBUTES: list[tuple[str, bytes | None]] = [
    (f"ce_{name}", value.encode()) for name, value in CHECKED_IN.items() if name != "data"
]
STRUCTURED = ("content-type", b"application/cloudevents+json")


def outcome(value: bytes | None, headers: Headers = ()) -> RefusalReason | Event:
    """What reading ends as, after looking at the refusal's detail."""
    read = read_record(value, headers)
    if not isinstance(read, Refusal):
        return read
    assert read.detail.isprintable()
    assert 0 < len(read.detail) <= 300
    return read.reason


def text_of(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode()


def tap_with(member: str) -> bytes:
    """A good check-in and one more member that nobody reads."""
    return TAP[:-1] + b',"x":' + member.encode() + b"}"


def padded(size: int) -> bytes:
    return TAP[:-1].ljust(size - 1) + b"}"


@pytest.mark.parametrize("value", [None, b""])
def test_a_record_without_a_value_is_empty(value: bytes | None) -> None:
    assert outcome(value) == outcome(value, ATTRIBUTES) == EMPTY


def test_a_record_over_64_kib_is_too_large_headers_and_all() -> None:
    assert isinstance(outcome(padded(MAX_RECORD_BYTES)), Event)
    assert outcome(padded(MAX_RECORD_BYTES + 1)) == TOO_LARGE
    assert outcome(padded(MAX_RECORD_BYTES - 1), [("k", b"v")]) == TOO_LARGE
    assert outcome(b"x" * 1_000_000) == TOO_LARGE
    assert outcome(TAP, [("trace", b"x" * MAX_RECORD_BYTES)]) == TOO_LARGE
    assert isinstance(read_line(padded(MAX_RECORD_BYTES)), tuple)
    assert read_line(padded(MAX_RECORD_BYTES + 1))[0] == TOO_LARGE


@pytest.mark.parametrize(
    "value",
    [
        TAP.decode().encode("gb18030"),
        TAP.decode().encode("utf-16"),
        TAP.replace("合".encode(), "\ud800".encode(errors="surrogatepass")),
        TAP[:-1] + b"\xff}",
        b"\xc3",
    ],
)
def test_text_in_another_encoding_is_not_utf_8(value: bytes) -> None:
    assert outcome(value) == NOT_UTF_8
    assert outcome(value, ATTRIBUTES) == NOT_UTF_8
    assert read_line(value)[0] == NOT_UTF_8


NESTED = "[" * 10_000 + "]" * 10_000


@pytest.mark.parametrize(
    "value",
    [
        b" ",
        b"garbage",
        TAP[:-1],
        TAP + TAP,
        TAP.replace(b'"', b"'"),
        b"\xef\xbb\xbf" + TAP,
        b"//\n" + TAP,
        TAP.replace("合".encode(), b"\0"),
        TAP.replace("合".encode(), b"\\ud800"),
        tap_with('"\\udc00"'),
        tap_with(NESTED),
        tap_with('{"a":' * 10_000 + "1" + "}" * 10_000),
        b"[" * 60_000,
        TAP.replace(b'"station-03"}', NESTED.encode() + b"}"),
        tap_with("NaN"),
        tap_with("Infinity"),
        tap_with("-Infinity"),
        tap_with("1e999"),
        tap_with("-1e999"),
        tap_with("1" * 5_000),
        tap_with("-" + "1" * 60_000),
        tap_with("01"),
        tap_with("1_0"),
        tap_with("1."),
        tap_with('{"a":1,"a":1}'),
        tap_with('1,"id":"tap-2"'),
        tap_with('1,"\\u0069d":"tap-2"'),
        TAP.replace(b'"team"', b'"team":"x","team"'),
        # As many quotes as a good event has: each null takes two away, each name brings two.
        TAP.replace(b'"data": {', b'"data": {' + NULLS + b'"x": NaN, "y": 1, '),
        TAP.replace(b'"data": {', b'"data": {' + NULLS + b'"team": "x", '),
    ],
    ids=lambda value: ascii(value[:20] + b"..." + value[-12:]),
)
def test_what_two_readers_could_read_differently_is_not_json(value: bytes) -> None:
    assert outcome(value) == NOT_JSON
    assert outcome(value, [STRUCTURED]) == NOT_JSON
    assert read_line(value)[0] == NOT_JSON


@pytest.mark.parametrize(
    "member",
    ["9" * 4_000, "5.0", "1e-999", "[" * 150 + "]" * 150, '"\\ud83d\\ude00\\u0000"', "null"],
)
def test_members_nobody_reads_may_be_any_json(member: str) -> None:
    assert outcome(tap_with(member)) == EXAMPLES[0]


@pytest.mark.parametrize("value", [b"null", b"[]", b"{}", b'"x"', b"1", b"[" + TAP + b"]"])
def test_json_of_another_shape_is_no_cloudevent(value: bytes) -> None:
    assert outcome(value) == outcome(value, [STRUCTURED]) == NOT_A_CLOUDEVENT


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (changed(CHECKED_IN, specversion=GONE), NOT_A_CLOUDEVENT),
        (changed(CHECKED_IN, specversion="0.3"), NOT_A_CLOUDEVENT),
        (changed(CHECKED_IN, specversion=1.0), NOT_A_CLOUDEVENT),
        (changed(CHECKED_IN, datacontenttype="text/xml"), NOT_A_CLOUDEVENT),
        (changed(CHECKED_IN, datacontenttype=None), NOT_A_CLOUDEVENT),
        (changed(CHECKED_IN, data_base64="e30="), NOT_A_CLOUDEVENT),
        (changed(CHECKED_IN, type=GONE), NOT_A_CLOUDEVENT),
        (changed(CHECKED_IN, type="hours.checked-in.v2"), UNKNOWN_TYPE),
        (changed(CHECKED_IN, type="hours.checked-in"), UNKNOWN_TYPE),
        (changed(CHECKED_IN, type="hours.checked-in.v1\0"), UNKNOWN_TYPE),
        (changed(CHECKED_IN, type="x" * 60_000), UNKNOWN_TYPE),
        (changed(CHECKED_IN, type=["hours.checked-in.v1"]), UNKNOWN_TYPE),
        (changed(CHECKED_IN, type=None), UNKNOWN_TYPE),
        (changed(CHECKED_IN, data=GONE), INVALID_FIELD),
        (changed(CHECKED_IN, data=[]), INVALID_FIELD),
        (changed(CHECKED_IN, data="{}"), INVALID_FIELD),
        (changed(CHECKED_IN, subject=GONE), INVALID_FIELD),
        (changed(CHECKED_IN, subject=""), INVALID_FIELD),
        (changed(CHECKED_IN, subject=7), INVALID_FIELD),
        (changed(CHECKED_IN, subject="志愿者"), INVALID_FIELD),
        (changed(CHECKED_IN, subject="V1\0"), INVALID_FIELD),
        (changed(CHECKED_IN, subject="V1\n"), INVALID_FIELD),
        (changed(CHECKED_IN, subject="V 1"), INVALID_FIELD),
        (changed(CHECKED_IN, id="x" * 129), INVALID_FIELD),
        (changed(CHECKED_IN, id=1), INVALID_FIELD),
        (changed(CHECKED_IN, source=None), INVALID_FIELD),
        (changed(CHECKED_IN, team=GONE), INVALID_FIELD),
        (changed(CHECKED_IN, team=None), INVALID_FIELD),
        (changed(CHECKED_IN, team=["合唱队"]), INVALID_FIELD),
        (changed(CHECKED_IN, team="合唱队 "), INVALID_FIELD),
        (changed(CHECKED_IN, place="\0"), INVALID_FIELD),
        (changed(CHECKED_IN, activity=5), INVALID_FIELD),
        (changed(CHECKED_IN, supplied_by="leader-12"), INVALID_FIELD),
        (changed(CHECKED_IN, reason="没带手机"), INVALID_FIELD),
        (changed(ADJUSTED, approved_by=ADJUSTED["data"]["by"]), INVALID_FIELD),
        (changed(ADJUSTED, seconds=0), INVALID_FIELD),
        (changed(ADJUSTED, seconds=-0.0), INVALID_FIELD),
        (changed(ADJUSTED, seconds=86_401), INVALID_FIELD),
        (changed(ADJUSTED, seconds=-86_401), INVALID_FIELD),
        (changed(ADJUSTED, seconds=10**4_000), INVALID_FIELD),
        (changed(ADJUSTED, seconds="5400"), INVALID_FIELD),
        (changed(ADJUSTED, seconds=5400.0), INVALID_FIELD),
        (changed(ADJUSTED, seconds=True), INVALID_FIELD),
        (changed(ADJUSTED, seconds=float("nan")), INVALID_FIELD),
        (changed(ADJUSTED, day="2026-02-30"), INVALID_FIELD),
        (changed(ADJUSTED, day="2026-2-3"), INVALID_FIELD),
        (changed(ADJUSTED, day=20_260_205), INVALID_FIELD),
        (changed(ADJUSTED, reason=GONE), INVALID_FIELD),
        (changed(ADJUSTED, reason="\t"), INVALID_FIELD),
    ],
    ids=lambda value: ascii(value)[-40:],
)
def test_a_bad_attribute_or_field_is_refused_with_its_reason(
    event: dict[str, Any], reason: RefusalReason
) -> None:
    assert outcome(text_of(event)) == outcome(text_of(event), [STRUCTURED]) == reason
    assert read_line(text_of(event))[0] == reason


@pytest.mark.parametrize(
    "time",
    [
        "2026-03-05T01:30:00",
        "2026-03-05",
        "2026-03-05 01:30:00Z",
        "2026-03-05T01:30Z",
        "20260305T013000Z",
        "2026-03-05T24:00:00Z",
        "2016-12-31T23:59:60Z",
        "2026-02-29T00:00:00Z",
        "2026-03-05T01:30:00+24:00",
        "2026-03-05T01:30:00+08",
        "2026-03-05T01:30:00.Z",
        "2026-03-05T01:30:00,5Z",
        "2026-03-05T01:30:00Z\n",
        "２０２６-03-05T01:30:00Z",
        "-001-03-05T01:30:00Z",
        "0000-12-31T23:59:59-00:01",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2026-03-05T01:30:00." + "1" * 60 + "Z",
        1_772_674_200,
        None,
    ],
)
def test_a_time_without_offset_or_without_sense_is_an_invalid_field(time: Any) -> None:
    read = read_record(text_of(changed(CHECKED_IN, time=time)), [])
    assert read[0] == INVALID_FIELD
    assert read[1].startswith("time: ")


@pytest.mark.parametrize(
    "time",
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00-23:59",
        "9999-12-31T23:59:59.9999999Z",
        "9999-12-31T23:59:59+23:59",
        "2026-03-05t09:30:00.000000999+08:00",
    ],
)
def test_the_first_and_the_last_instants_are_read(time: str) -> None:
    read = outcome(text_of(changed(CHECKED_IN, time=time)))
    assert isinstance(read, Event)
    assert read.time == microseconds_of(time)


@pytest.mark.parametrize(
    ("headers", "value", "wanted"),
    [
        ([], TAP, EXAMPLES[0]),
        ([CONTENT_TYPE], TAP, EXAMPLES[0]),
        ([("Content-Type", b"APPLICATION/CloudEvents+JSON ; charset=UTF-8")], TAP, EXAMPLES[0]),
        ([("content-type", None)], TAP, EXAMPLES[0]),
        ([("content-type", b"application/json")], TAP, EXAMPLES[0]),
        ([("trace", b"\xff"), ("trace", None)], TAP, EXAMPLES[0]),
        ([STRUCTURED, ("ce_id", b"tap-1")], TAP, EXAMPLES[0]),
        (ATTRIBUTES, DATA, EXAMPLES[0]),
        ([*ATTRIBUTES, ("content-type", b"application/json; charset=utf-8")], DATA, EXAMPLES[0]),
        ([*ATTRIBUTES, ("ce_datacontenttype", b"application/json")], DATA, EXAMPLES[0]),
        ([*ATTRIBUTES, ("ce_traceparent", b"00-1")], DATA, EXAMPLES[0]),
        ([(name.upper(), value) for name, value in ATTRIBUTES], DATA, EXAMPLES[0]),
        # Headers that lie about the mode, or about the event.
        (ATTRIBUTES, TAP, INVALID_FIELD),
        ([*ATTRIBUTES, STRUCTURED], DATA, NOT_A_CLOUDEVENT),
        ([*ATTRIBUTES, STRUCTURED], b"garbage", NOT_JSON),
        ([STRUCTURED, ("ce_id", b"tap-2")], TAP, NOT_A_CLOUDEVENT),
        ([STRUCTURED, ("ce_data", DATA)], TAP, NOT_A_CLOUDEVENT),
        ([("ce_id", b"tap-1")], TAP, NOT_A_CLOUDEVENT),
        ([("content-type", b"text/plain")], TAP, NOT_A_CLOUDEVENT),
        ([("content-type", b"application/cloudevents-batch+json")], TAP, NOT_A_CLOUDEVENT),
        ([("content-type", b"application/cloudevents+avro")], TAP, NOT_A_CLOUDEVENT),
        ([*ATTRIBUTES, ("content-type", b"text/plain")], DATA, NOT_A_CLOUDEVENT),
        ([*ATTRIBUTES, ("ce_datacontenttype", b"text/xml")], DATA, NOT_A_CLOUDEVENT),
        ([*ATTRIBUTES, ("ce_data", b"{}")], DATA, NOT_A_CLOUDEVENT),
        # Headers that two readers could read differently, or not at all.
        ([*ATTRIBUTES, ("CE_ID", b"tap-1")], DATA, NOT_A_CLOUDEVENT),
        ([STRUCTURED, STRUCTURED], TAP, NOT_A_CLOUDEVENT),
        ([("content-type", b"\xff")], TAP, NOT_A_CLOUDEVENT),
        ([*ATTRIBUTES, ("ce_x", b"\xff")], DATA, NOT_A_CLOUDEVENT),
        ([*ATTRIBUTES[1:], ("ce_specversion", None)], DATA, NOT_A_CLOUDEVENT),
        (ATTRIBUTES[1:], DATA, NOT_A_CLOUDEVENT),
        (ATTRIBUTES, b"null", INVALID_FIELD),
        (ATTRIBUTES, DATA + b',"id":"tap-2"', NOT_JSON),
        (ATTRIBUTES, b'{"team":"x","x":NaN}', NOT_JSON),
        (ATTRIBUTES, DATA[:-1] + b',"x":1e999}', NOT_JSON),
        (ATTRIBUTES, NESTED.encode(), NOT_JSON),
        # Headers that are no attributes: CloudEvents names those in letters and digits.
        ([*ATTRIBUTES, ("ce_", b"x"), ("ce_a b", b"x"), ("ce_\udc00", b"x")], DATA, EXAMPLES[0]),
        ([("ce_content-type", b"text/plain")], TAP, EXAMPLES[0]),
    ],
    ids=str,
)
def test_headers_and_value_must_tell_one_event(
    headers: Headers, value: bytes, wanted: RefusalReason | Event
) -> None:
    assert outcome(value, headers) == wanted


def test_a_detail_quotes_shortly_and_says_what_to_do() -> None:
    read = read_record(text_of(changed(CHECKED_IN, team="\x1b[31m" + "x" * 60_000)), [])
    assert read[1].startswith("data.team: String should have at most 128 characters (got '\\x1b")
    assert len(read[1]) < 150
    read = read_record(text_of(changed(CHECKED_IN, subject="V 1")), [])
    assert read[1] == "subject: not written as the contract wants it (got 'V 1')"


@given(events)
def test_an_event_written_is_read_back(event: Event) -> None:
    _, value, headers = write_record(event)
    assert read_record(value, headers) == event
    assert read_record(value, []) == event
    assert read_line(write_line(event)) == (event, event.time)


JSON_DATA = {"datacontenttype": "application/json"}


def sdk_messages(event: Event) -> Iterator[Any]:
    """The event as both generations of the cloudevents SDK write it, in each mode."""
    attributes = json.loads(write_line(event))
    data = attributes.pop("data")
    yield v1_kafka.to_structured(V1Event(attributes, data))
    yield v1_kafka.to_structured(V1Event(attributes | JSON_DATA, data))
    yield v1_kafka.to_binary(V1Event(attributes | JSON_DATA, data))
    moment = {"time": datetime.fromisoformat(attributes["time"])}
    core_event = CoreEvent(attributes | moment | JSON_DATA, data)
    yield core_kafka.to_structured(core_event, JSONFormat())
    yield core_kafka.to_binary(core_event, JSONFormat())


@given(events)
def test_an_event_the_cloudevents_sdk_writes_is_read_back(event: Event) -> None:
    for message in sdk_messages(event):
        assert read_record(message.value, list(message.headers.items())) == event


def test_a_line_says_when_it_was_recorded_or_means_its_time() -> None:
    event = EXAMPLES[0]
    assert read_line(TAP) == (event, event.time)
    assert read_line(text_of(changed(CHECKED_IN, recordedat=None))) == (event, event.time)
    at = "2026-03-06T00:00:00+08:00"
    assert read_line(text_of(changed(CHECKED_IN, recordedat=at))) == (event, microseconds_of(at))
    for bad in ("yesterday", "2026-03-06T00:00:00", 5, True, [], {}, 10**4_000, "\ud800"):
        read = read_line(text_of(changed(CHECKED_IN, recordedat=bad)))
        assert read[0] in (INVALID_FIELD, NOT_JSON)


names = st.sampled_from(["content-type", "Content-Type", *(name for name, _ in ATTRIBUTES)])
contents = st.sampled_from(
    [b"application/cloudevents+json", b"application/json", *(content for _, content in ATTRIBUTES)]
)
headers_of_any_kind = st.lists(
    st.tuples(
        names | st.text(st.characters(exclude_categories=()), max_size=12),
        contents | st.none() | st.binary(max_size=12),
    ),
    max_size=8,
)


def ends_well(value: bytes | None, headers: Headers) -> None:
    """It ends as an event that is read back, or as a refusal, each time the same."""
    first = outcome(value, headers)
    assert outcome(value, headers) == first
    if isinstance(first, Event):
        assert outcome(write_line(first)) == first
    line = read_line(value or b"")
    assert isinstance(line, Refusal) or isinstance(line[0], Event)


@given(st.none() | st.binary(), headers_of_any_kind)
@example(b"[" * 65_536, [])
@example(b'{"a":' * 13_000, ATTRIBUTES)
@example(b"9" * 65_000, ATTRIBUTES)
def test_no_bytes_and_no_headers_make_reading_raise(value: bytes | None, headers: Headers) -> None:
    ends_well(value, headers)


@given(st.sampled_from([TAP, DATA, *map(text_of, GOOD.values())]), headers_of_any_kind)
def test_no_headers_on_a_good_value_make_reading_raise(value: bytes, headers: Headers) -> None:
    ends_well(value, headers)
    ends_well(value, [*ATTRIBUTES, *headers])


@given(
    st.sampled_from(list(map(text_of, GOOD.values()))),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 9), st.binary(max_size=5)), max_size=4),
)
def test_no_bytes_cut_out_or_put_in_make_reading_raise(
    value: bytes, edits: list[tuple[int, int, bytes]]
) -> None:
    for start, length, put in edits:
        value = value[:start] + put + value[start + length :]
    ends_well(value, [])
    ends_well(value, ATTRIBUTES)


@given(json_values)
def test_no_json_makes_reading_raise(value: Any) -> None:
    ends_well(json.dumps(value).encode(), [])
    ends_well(json.dumps(value).encode(), ATTRIBUTES)


@given(spoilt())
def test_no_event_spoilt_makes_reading_raise(event: dict[str, Any]) -> None:
    ends_well(text_of(event), [STRUCTURED])


@given(spoilt())
def test_both_modes_read_one_event(event: dict[str, Any]) -> None:
    attributes = {name: value for name, value in event.items() if name != "data"}
    told = all(isinstance(value, str) for value in attributes.values())
    named = all(name.isascii() and name.isalnum() and name.islower() for name in attributes)
    if told and named and "data" in event:
        binary = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
        assert outcome(json.dumps(event["data"]).encode(), binary) == outcome(text_of(event))
