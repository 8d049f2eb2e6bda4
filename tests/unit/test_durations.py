"""Durations as people write them mean one number of seconds, or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.durations import seconds_of

DAYS = st.integers(0, 3 * 86_400)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("1.5", 5_400), ("1:30", 5_400), ("1小时30分", 5_400), ("90分钟", 5_400), ("2h", 7_200)),
        *(("2h30m", 9_000), ("1h30", 5_400), ("半小时", 1_800), ("1个半小时", 5_400)),
        *(("1小时半", 5_400), ("1 hour 30 min", 5_400), ("01:30:15", 5_415), ("24:00", 86_400)),
        *(("-1:30", -5_400), ("\u22122", -7_200), ("- 30分", -1_800), ("305s", 305)),
        *(("1.3333333333", 4_800), ("0.0001", 0), ("0.00014", 1), ("8", 28_800)),
    ],
)
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "-",
            "--1",
            "1,5",
            "1 30",
            "1:75",
            "1小时75分",
            "1.5h30m",
            "两小时",
            "上午",
            "1.",
            ".5",
        ),
        *("1h60", "2026-07-01", "9:00-11:00", "1.5.2", "1e3", "٣", "1234567", "h", "3天", "1:3"),
    ],
)
def test_nothing_is_guessed(text: str) -> None:
    assert seconds_of(text) is None


@given(DAYS)
def test_a_time_written_in_any_form_is_read_back(seconds: int) -> None:
    hours, minutes, rest = seconds // 3_600, seconds // 60 % 60, seconds % 60
    for text in (
        f"{hours}:{minutes:02}:{rest:02}",
        f"{hours}小时{minutes}分{rest}秒",
        f"{hours} 个小时 {minutes} 分钟 {rest} 秒",
        f"{hours}h{minutes}m{rest}s",
        f"{seconds}秒",
        f"{seconds / 3_600:.9f}",
    ):
        assert seconds_of(text) == seconds
        assert seconds_of(f"-{text}") == -seconds


@given(st.text() | st.text("0123456789.:-小时分秒半个hm ", max_size=12))
def test_any_text_is_a_duration_or_none_and_blanks_around_it_mean_nothing(text: str) -> None:
    seconds = seconds_of(text)
    assert seconds is None or isinstance(seconds, int)
    assert seconds_of(f" {text}\u3000") == seconds
