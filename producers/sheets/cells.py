"""One cell: from what a file holds to canonical text, or to the fault that it is.

Pure. Invariant: cleaning clean text changes nothing.
"""

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from producers.sheets.limits import LONGEST_CELL
from producers.sheets.refusals import Reason


class Fault(NamedTuple):
    """A cell that can't be taken, with what stands in it."""

    reason: Reason
    value: str


class Dated(NamedTuple):
    """The canonical text of a cell that Excel holds as a date."""

    text: str


Cell = str | Dated | Fault
MIDNIGHT = " 00:00"

# Full-width ASCII becomes ASCII, but for what is Chinese punctuation: ！（），：；？～ and quotes.
_FULL_WIDTH = {
    code: code - 0xFEE0
    for code in range(0xFF01, 0xFF5F)
    if chr(code - 0xFEE0).isalnum() or chr(code - 0xFEE0) in "-./+_@#&%*="
}
_SPACES = dict.fromkeys([0x09, 0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " ")
# What comes along when numbers are copied from chats and web pages, and nobody sees.
_INVISIBLE = dict.fromkeys(
    [0xAD, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0xFEFF]
)
_CLEAN: dict[int, int | str | None] = {
    **_FULL_WIDTH,
    **_SPACES,
    **_INVISIBLE,
    0x2028: "\n",
    0x2029: "\n",
}
_COLON_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])：(?=[0-9])")
# How Excel shows a number of twelve digits and more, and so writes it to CSV.
_SCIENTIFIC = re.compile(r"[+-]?[0-9](?:\.[0-9]+)?[Ee]\+([0-9]{2,3})")
_FIRST_SCIENTIFIC_EXPONENT = 11
# Excel keeps fifteen digits; a number of fifteen may have had more.
_TOO_MANY_DIGITS = 10**14
_MOMENT = re.compile(
    r"([0-9]{4}) ?[-/.年] ?([0-9]{1,2}) ?[-/.月] ?([0-9]{1,2}) ?日?"
    r"(?:[ T]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?)?"
)
_FORCED_TEXT = re.compile(r'="([^"]*)"')


def cleaned(text: str) -> str:
    """Text without stray spaces, invisible characters and full-width letters and digits.

    Spaces are stripped, those of other widths become plain ones; line breaks are `\\n`.
    """
    if not (text.isascii() and text.isprintable()):
        text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_CLEAN)
        text = _COLON_BETWEEN_DIGITS.sub(":", text)
    return text.strip()


def text_cell(text: str) -> Cell:
    """A cell that holds text."""
    clean = cleaned(text)
    if len(clean) > LONGEST_CELL:
        return Fault(Reason.TOO_LONG, clean)
    if not clean.isprintable() and any(map(_is_control, clean)):
        return Fault(Reason.CONTROL_CHARACTER, clean)
    return clean


def csv_cell(text: str) -> Cell:
    """A cell of a CSV file: Excel's ways of spoiling and of forcing text are known."""
    cell = text_cell(text)
    if not isinstance(cell, str):
        return cell
    if forced := _FORCED_TEXT.fullmatch(cell):
        return text_cell(forced[1])
    if cell.startswith("="):
        return Fault(Reason.FORMULA, cell)
    scientific = _SCIENTIFIC.fullmatch(cell)
    if scientific and int(scientific[1]) >= _FIRST_SCIENTIFIC_EXPONENT:
        return Fault(Reason.TOO_MANY_DIGITS, cell)
    return cell


def number_cell(number: float, least_digits: int = 0) -> Cell:
    """A cell that holds a number, with as many digits as Excel shows, padded with zeros."""
    if not abs(number) < _TOO_MANY_DIGITS:
        return Fault(Reason.TOO_MANY_DIGITS, f"{Decimal(number):f}")
    text = f"{Decimal(f'{number:.15g}'):f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.zfill(least_digits)


def moment_cell(value: date | datetime | time | timedelta, with_time: bool) -> Cell:
    """A cell that Excel shows as a date, a time or a duration. Parts of a second are dropped."""
    match value:
        case timedelta():
            return _duration(value)
        case time():
            return _clock(value.hour, value.minute, value.second)
        case datetime() if with_time or value.time() != time():
            clock = _clock(value.hour, value.minute, value.second)
            return Dated(f"{value.date().isoformat()} {clock}")
        case datetime():
            return Dated(value.date().isoformat())
        case _:
            return Dated(value.isoformat())


def canonical_moment(text: str) -> str:
    """A day or moment as people and Excel write it, in canonical form; anything else as it is."""
    if not (found := _MOMENT.fullmatch(text)):
        return text
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        moment = datetime(year, month, day, hour, minute, second)
    except ValueError:
        return text
    cell = moment_cell(moment, with_time=found[4] is not None)
    return cell.text if isinstance(cell, Dated) else text


def _is_control(letter: str) -> bool:
    if letter in "\n\ufffe\uffff":
        return letter != "\n"
    return unicodedata.category(letter) in ("Cc", "Cs")


def _duration(value: timedelta) -> str:
    sign = "-" if value < timedelta() else ""
    minutes, seconds = divmod(int(abs(value).total_seconds()), 60)
    return sign + _clock(*divmod(minutes, 60), seconds)


def _clock(hours: int, minutes: int, seconds: int) -> str:
    return f"{hours:02}:{minutes:02}" + (f":{seconds:02}" if seconds else "")
