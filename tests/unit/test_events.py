"""An event that exists is well-formed: nothing is coerced, and nothing changes it later."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from producers.events import ANY_EVENT, EVENT_MODELS, AdjustedData, CheckedInData, Event
from producers.examples import EXAMPLES
from producers.times import EARLIEST, LATEST
from producers.writing import CONTENT_TYPE, write_line, write_record
from tests.events import events


def test_there_is_one_example_of_each_type_of_event() -> None:
    assert [example.type for example in EXAMPLES] == list(EVENT_MODELS)


@given(events)
def test_reading_what_an_event_prints_gives_it_back(event: Event) -> None:
    assert ANY_EVENT.validate_json(write_line(event)) == event


@given(events)
def test_an_event_is_written_on_one_line_under_its_volunteers_id(event: Event) -> None:
    key, value, headers = write_record(event)
    assert key.decode() == event.subject
    assert value.splitlines() == [value]
    assert headers == [CONTENT_TYPE]


def test_what_was_not_said_is_not_written() -> None:
    assert b"null" not in b"".join(map(write_line, EXAMPLES))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.type)
def test_an_event_cannot_be_changed(example: Event) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        example.subject = "V2"
    with pytest.raises(ValidationError, match="frozen"):
        example.data.reason = "other"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.type)
def test_fields_it_does_not_know_are_kept_out(example: Event) -> None:
    more = example.model_dump() | {"traceparent": "00-1"}
    more["data"] = more["data"] | {"mood": "good"}
    assert ANY_EVENT.validate_python(more) == example


def test_inside_a_time_is_microseconds_and_nothing_else() -> None:
    fields = EXAMPLES[0].model_dump()
    for time in (EARLIEST, LATEST):
        assert ANY_EVENT.validate_python(fields | {"time": time}).time == time
    for time in (
        EARLIEST - 1, LATEST + 1, 0.0, "2026-01-01T00:00:00Z", datetime.now(UTC), True, None,
    ):  # fmt: skip
        with pytest.raises(ValidationError):
            ANY_EVENT.validate_python(fields | {"time": time})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seconds", 0),
        ("seconds", 86_401),
        ("seconds", -86_401),
        ("seconds", "60"),
        ("seconds", 60.0),
        ("seconds", True),
        ("approved_by", "leader-12"),
        ("day", "2026-02-30"),
        ("day", "20260205"),
        ("day", "0000-01-01"),
        ("team", ""),
        ("team", " 合唱队"),
        ("team", "合唱队\u3000"),
        ("team", "合\x00唱"),
        ("team", "合\n唱"),
        ("team", "合\ud800唱"),
        ("team", "队" * 129),
        ("reason", " \n "),
        ("reason", "a\rb"),
        ("reason", "a\u2028b"),
        ("reason", "因" * 1_001),
    ],
)
def test_an_adjustment_with_one_bad_field_does_not_exist(field: str, value: Any) -> None:
    good = EXAMPLES[3].data.model_dump()
    with pytest.raises(ValidationError):
        AdjustedData(**(good | {field: value}))


@pytest.mark.parametrize("one", ["supplied_by", "reason"])
def test_a_desk_says_who_and_why_or_neither(one: str) -> None:
    both = {"supplied_by": "leader-12", "reason": "忘记签到"}
    kiosk = {"team": "合唱队", "place": "station-03"}
    assert CheckedInData(**kiosk, **both).supplied_by == "leader-12"
    assert CheckedInData(**kiosk).reason is None
    with pytest.raises(ValidationError, match="together"):
        CheckedInData(**kiosk, **{one: both[one]})
