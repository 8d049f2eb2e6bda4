"""Instants and civil days are what the standard library's calendar says, in any zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.policy import SECOND, Policy, iso_utc

ZONES = ("Asia/Shanghai", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "UTC")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
instants = st.integers(63_072_000 * SECOND, 7_258_118_400 * SECOND)  # 1972 to 2200


@given(instants, st.sampled_from(ZONES))
@example(1_790_006_400 * SECOND - 1, "Asia/Shanghai")
def test_a_civil_day_is_the_zone_s_own_date(instant: int, zone: str) -> None:
    expected = (EPOCH + timedelta(microseconds=instant)).astimezone(ZoneInfo(zone)).date()
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
