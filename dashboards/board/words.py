"""Words in two languages, and how figures, times and lengths of time are said in each.

Pure. Invariant: Chinese unless English was asked for.
"""

from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from ledger.policy import SECOND

Language = Literal["zh", "en"]


class Words(NamedTuple):
    """The same said twice."""

    zh: str
    en: str

    def said(self, language: Language) -> str:
        """In one language."""
        return self.en if language == "en" else self.zh


def both(text: str) -> Words:
    """A refusal's line, `中文。 English.`, taken apart; the same twice where it has one language.

    The English half is what follows the first full stop that a space and an ASCII letter follow.
    """
    for place, letter in enumerate(text):
        behind = text[place + 1 : place + 3]
        if letter in "。：）" and behind[:1] == " " and behind[1:].isascii() and behind[1:]:
            return Words(text[: place + 1], text[place + 2 :])
    return Words(text, text)


def hours(seconds: int) -> str:
    """Hours and minutes, as on a clock that goes on past a day: `1,234:05`; rounded down."""
    sign, minutes = ("−" if seconds < 0 else ""), abs(seconds) // 60
    return f"{sign}{minutes // 60:,}:{minutes % 60:02}"


def length(seconds: int, language: Language) -> str:
    """How long something lasted or is ago, to a minute, or to a second below one."""
    seconds = max(0, seconds)
    hour, minute = ("小时", "分") if language == "zh" else (" h", " min")
    if seconds < 60:
        return f"{seconds}{' 秒' if language == 'zh' else ' s'}"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} {minute}".replace("  ", " ")
    if minutes < 48 * 60:
        return f"{minutes // 60} {hour} {minutes % 60} {minute}".replace("  ", " ")
    return f"{minutes // 1440} {'天' if language == 'zh' else 'days'}"


def clock(instant: int, timezone: str) -> str:
    """Hour and minute of an instant in microseconds."""
    return _local(instant, timezone).strftime("%H:%M")


def moment(instant: int, timezone: str) -> str:
    """Day, hour and minute of an instant in microseconds."""
    return _local(instant, timezone).strftime("%Y-%m-%d %H:%M")


def clock_second(instant: int, timezone: str) -> str:
    """Hour, minute and second."""
    return _local(instant, timezone).strftime("%H:%M:%S")


def weekday(day: str, language: Language) -> str:
    """The name of an ISO date's day of the week."""
    return weekday_name(date.fromisoformat(day).weekday(), language)


def weekday_name(number: int, language: Language) -> str:
    """The name of a day of the week, 0 being Monday."""
    return "一二三四五六日"[number] if language == "zh" else _WEEKDAYS[number]


def first_days(today: str) -> dict[str, str]:
    """The first ISO date of this day, week (from Monday), month and year."""
    day = date.fromisoformat(today)
    return {
        "day": today,
        "week": (day - timedelta(days=day.weekday())).isoformat(),
        "month": day.replace(day=1).isoformat(),
        "year": day.replace(month=1, day=1).isoformat(),
    }


def _local(instant: int, timezone: str) -> datetime:
    return datetime.fromtimestamp(instant // SECOND, ZoneInfo(timezone))


_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
