"""Instants and civil days are what the standard library's calendar says, in any zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.policy import SECOND, Policy, iso_utc

ZONES = sorted(available_timezones())
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
instants = st.integers(-62_135_596_800 * SECOND, 253_402_300_800 * SECOND - 1)  # years 1 to 9999
recent = st.integers(0, 4_102_444_800 * SECOND)  # 1970 to 2100
# Across the date line, off the hour, and such as changed their clocks at a minute past midnight.
odd_zones = st.sampled_from(
    [
        *("Asia/Shanghai", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham"),
        *("America/St_Johns", "America/Goose_Bay", "Pacific/Apia", "Africa/Monrovia"),
    ]
)


@given(instants | recent, odd_zones | st.sampled_from(ZONES))
@example(1_790_006_400 * SECOND - 1, "Asia/Shanghai")
@example(1_004_236_260 * SECOND, "America/St_Johns")  # 00:01 had just become 23:01 again
@example(-3 * 10**15, "Asia/Shanghai")  # by the sun, in 1874: 8 hours, 5 minutes, 43 seconds
@settings(max_examples=400)
def test_a_civil_day_is_the_zone_s_own_date(instant: int, zone: str) -> None:
    try:
        expected = (EPOCH + timedelta(microseconds=instant)).astimezone(ZoneInfo(zone)).date()
    except OverflowError:  # the zone's clock shows a year that no calendar has
        expected = date.max if instant > 0 else date.min
    assert Policy(timezone=zone).civil_day(instant) == expected.isoformat()


@given(st.integers(0, 4_102_444_800 // 86_400), st.integers(-90, 90), odd_zones)
def test_a_civil_day_ends_with_its_last_second(day: int, seconds: int, zone: str) -> None:
    """Around local midnight, where a day that is looked up by the quarter hour would be wrong."""
    midnight = (EPOCH + timedelta(days=day)).replace(tzinfo=ZoneInfo(zone))
    instant = int(midnight.timestamp() + seconds) * SECOND
    expected = datetime.fromtimestamp(instant // SECOND, ZoneInfo(zone)).date()
    assert Policy(timezone=zone).civil_day(instant) == expected.isoformat()


@pytest.mark.parametrize(("second", "day"), [(-1, "2026-09-21"), (0, "2026-09-22")])
def test_shanghai_s_day_begins_at_16_hours_utc(second: int, day: str) -> None:
    midnight = 1_790_006_400
    assert Policy().civil_day((midnight + second) * SECOND) == day


@given(instants)
def test_an_instant_is_written_with_six_digits_in_utc(instant: int) -> None:
    written = iso_utc(instant)
    assert len(written) == len("2026-09-21T14:13:20.000000Z")
    assert datetime.fromisoformat(written) == EPOCH + timedelta(microseconds=instant)
