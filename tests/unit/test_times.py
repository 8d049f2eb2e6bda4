"""Instants: RFC 3339 on the outside, microseconds inside, and nothing lost but finer fractions."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rfc3339_validator import validate_rfc3339

from producers.times import EARLIEST, LATEST, RFC_3339, microseconds_of, rfc_3339_of

OFFSETS = st.integers(-1_439, 1_439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("1970-01-01T08:00:00+08:00", 0),
        ("1969-12-31T16:00:00-08:00", 0),
        ("1970-01-01T00:00:00-00:00", 0),
        ("1970-01-01t00:00:01z", 1_000_000),
        ("1970-01-01T00:00:00.5Z", 500_000),
        ("1970-01-01T00:00:00.0000019999Z", 1),
        ("1969-12-31T23:59:59.9999999Z", -1),
        ("0001-01-01T00:00:00Z", EARLIEST),
        ("0001-01-01T23:59:00+23:59", EARLIEST),
        ("9999-12-31T23:59:59.9999999Z", LATEST),
        ("9999-12-31T00:00:59.999999-23:59", LATEST),
        ("2024-02-29T12:00:00+05:45", 1_709_187_300_000_000),
    ],
)
def test_a_text_is_its_instant_cut_to_microseconds(text: str, microseconds: int) -> None:
    assert microseconds_of(text) == microseconds


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "0000-12-31T23:59:59-00:01",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
    ],
)
def test_a_day_of_no_calendar_and_a_utc_year_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        microseconds_of(text)


@given(st.integers(EARLIEST, LATEST))
def test_an_instant_prints_as_the_text_it_is_read_from(instant: int) -> None:
    text = rfc_3339_of(instant)
    assert len(text) == len("1970-01-01T00:00:00.000000Z")
    assert validate_rfc3339(text)
    assert microseconds_of(text) == instant


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=OFFSETS))
def test_the_offset_moves_the_text_and_not_the_instant(moment: datetime) -> None:
    assert microseconds_of(moment.isoformat()) == microseconds_of(
        moment.astimezone(UTC).isoformat()
    )


@given(st.lists(st.integers(EARLIEST, LATEST)))
def test_texts_sort_as_their_instants_do(instants: list[int]) -> None:
    assert sorted(map(rfc_3339_of, instants)) == list(map(rfc_3339_of, sorted(instants)))


@given(st.from_regex(RFC_3339, fullmatch=True))
def test_whatever_the_pattern_lets_through_is_an_instant_or_a_value_error(text: str) -> None:
    try:
        assert EARLIEST <= microseconds_of(text) <= LATEST
    except ValueError:
        assert text.startswith(("0000", "0001", "9999")) or not validate_rfc3339(text.upper())
