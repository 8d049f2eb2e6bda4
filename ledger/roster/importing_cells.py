"""One cell's text, as what it stands for, or as what is wrong with it.

Pure. Not who somebody is (`private_forms`), and not which code a name means
(`importing_names`). Invariant: a value it gives fits its record's field.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ledger.roster.editing import codes_in, is_on_the_clock
from ledger.roster.importing_names import Names
from ledger.roster.importing_reasons import Reason, Wrong
from ledger.roster.importing_tables import Field
from ledger.roster.private_forms import document_text, person_name, phone_number

_SEPARATORS = "、，,；;"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}(?::[0-9]{2})?")
_PSEUDONYM = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?")
_NUMBER_OF_A_PERSON = re.compile(r"1[0-9]{10}|[0-9]{15}|[0-9]{17}[0-9Xx]")
_LARGEST_COUNT = 10_000_000
_LONGEST = {"code": 128, "line": 200, "note": 1000}


def read_cell(field: Field, text: str, names: Names, zone: ZoneInfo) -> Any | Wrong:
    """The value of a cell that isn't blank: a text, a number, or a tuple of codes."""
    if field.form == "named":
        return _named(field, text, names)
    if field.form == "choice":
        return _choice(field, text)
    if field.form == "time":
        return _instant(text, zone)
    return _READERS[field.form](text)


def _named(field: Field, text: str, names: Names) -> Any | Wrong:
    if not field.many:
        return names.code(field.names, text)
    codes: dict[str, None] = {}
    for part in codes_in(text):
        code = names.code(field.names, part)
        if isinstance(code, Wrong):
            return code
        codes[code] = None
    return tuple(codes) or Wrong(Reason.MISSING)


def _choice(field: Field, text: str) -> str | Wrong:
    word = text.casefold()
    for value, chinese in field.choices.items():
        if word in (value, chinese):
            return value
    offered = "、".join(f"{chinese} {value}" for value, chinese in field.choices.items())
    return Wrong(Reason.NOT_A_CHOICE, offered)


def _code(text: str) -> str | Wrong:
    line = _line_of("code", text)
    if isinstance(line, Wrong):
        return line
    has_separator = any(letter in _SEPARATORS for letter in text)
    return Wrong(Reason.SEPARATOR_IN_CODE) if has_separator else text


def _line(text: str) -> str | Wrong:
    return _line_of("line", text)


def _note(text: str) -> str | Wrong:
    return _line_of("note", " ".join(text.split("\n")))


def _line_of(form: str, text: str) -> str | Wrong:
    if "\n" in text:
        return Wrong(Reason.SEVERAL_LINES)
    return Wrong(Reason.TOO_LONG, str(_LONGEST[form])) if len(text) > _LONGEST[form] else text


def _day(text: str) -> str | Wrong:
    try:
        date.fromisoformat(text)
    except ValueError:
        return Wrong(Reason.NOT_A_DAY)
    return text if _DAY.fullmatch(text) else Wrong(Reason.NOT_A_DAY)


def _instant(text: str, zone: ZoneInfo) -> int | Wrong:
    """Microseconds since the epoch."""
    try:
        local = datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        return Wrong(Reason.NOT_A_TIME)
    if not _TIME.fullmatch(text) or local.year < 1971:
        return Wrong(Reason.NOT_A_TIME)
    if not is_on_the_clock(local):
        return Wrong(Reason.NO_SUCH_TIME, zone.key)
    return int(local.timestamp()) * 1_000_000


def _count(text: str) -> int | Wrong:
    if not text.isascii() or not text.isdigit():
        return Wrong(Reason.NOT_A_COUNT)
    digits = text.lstrip("0") or "0"
    if len(digits) > len(str(_LARGEST_COUNT)) or int(digits) > _LARGEST_COUNT:
        return Wrong(Reason.COUNT_TOO_LARGE, f"{_LARGEST_COUNT:,}")
    return int(digits)


def _pseudonym(text: str) -> str | Wrong:
    """A volunteer's id, which goes into the log for ever: nothing that says who it is."""
    if not _PSEUDONYM.fullmatch(text) or _NUMBER_OF_A_PERSON.fullmatch(text):
        return Wrong(Reason.NOT_A_PSEUDONYM)
    return text


_READERS: Mapping[str, Callable[[str], Any]] = {
    "code": _code,
    "line": _line,
    "note": _note,
    "day": _day,
    "count": _count,
    "pseudonym": _pseudonym,
    "person": person_name,
    "phone": phone_number,
    "document": document_text,
}
