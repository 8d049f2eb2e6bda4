"""How long, as people write it: `1.5`, `1:30`, `1小时30分`, `90分钟`, `2h`, in whole seconds.

Pure, and no clock time: `1:30` is an hour and a half. Invariant: text either means one number of
seconds or none; nothing is guessed.
"""

import re
from decimal import ROUND_HALF_UP, Decimal

_NUMBER = r"([0-9]{1,6}(?:\.[0-9]{1,18})?)"
_HOUR = r"个?(?:小时|钟头)"
_HOURS = rf"(?:{_HOUR}|时|hours?|hrs?|h)"
_MINUTES = r"(?:分钟|分|minutes?|mins?|m)"
_SECONDS = r"(?:秒钟|秒|seconds?|secs?|s)"
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"{_NUMBER}{_HOURS}?()()",
        r"([0-9]{1,6}):([0-5][0-9])(?::([0-5][0-9]))?",
        rf"{_NUMBER}{_HOURS}{_NUMBER}()",
        rf"(?:{_NUMBER}{_HOURS})?(?:{_NUMBER}{_MINUTES})?(?:{_NUMBER}{_SECONDS})?",
    )
)
_HALVES = re.compile(rf"(?:([0-9]{{1,6}})(?:个半(?:小时|钟头)|{_HOUR}半)|半{_HOUR})")
_SIGNED = re.compile(r"([-\u2212]?)(.+)")
_STRAY_BLANKS = re.compile(r"(?<![0-9])\s+|\s+(?![0-9])")


def seconds_of(text: str) -> int | None:
    """Seconds, negative after a minus, rounded to the nearest; None where it is no duration.

    A bare number is hours. Only the last number may have a fraction, and minutes after hours, and
    seconds after minutes, are below 60.
    """
    signed = _SIGNED.fullmatch(_STRAY_BLANKS.sub("", text).casefold())
    if signed is None:
        return None
    seconds = _size_of(signed[2])
    return -seconds if seconds is not None and signed[1] else seconds


def _size_of(text: str) -> int | None:
    if halves := _HALVES.fullmatch(text):
        return int(halves[1] or 0) * 3_600 + 1_800
    for form in _FORMS:
        if found := form.fullmatch(text):
            return _sum_of(found[1], found[2], found[3])
    return None


def _sum_of(hours: str | None, minutes: str | None, seconds: str | None) -> int | None:
    units = ((hours, 3_600), (minutes, 60), (seconds, 1))
    given = [(Decimal(number), unit) for number, unit in units if number]
    if not given or any(number % 1 for number, _ in given[:-1]):
        return None
    if any(number >= 60 for number, _ in given[1:]):
        return None
    total = sum((number * unit for number, unit in given), Decimal(0))
    return int(total.quantize(Decimal(1), ROUND_HALF_UP))
