"""From `field=value`, as a person writes it, to a record of the roster, or to what is wrong.

Pure. Not the private fields of people: those are for `private_values`. Times are written in the
ledger's timezone. Invariant: what is wrong names its field, and what to do about it.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ledger.roster.checks import Flaw
from ledger.roster.records import LISTS, AnyRecord, Record
from ledger.roster.words import CHOICES, offered, value_of

TIMES = {"planned_start", "planned_end", "held_start", "held_end"}
_DAYS = {"valid_from", "valid_until", "since", "until", "day", "consent", "joined"}
_OURS = {"badge_serial", "badge_generation", "private_version"}  # other deeds give these
_SEPARATORS = re.compile(r"[、,，;；\n]")
_FORMATS = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")


class Wrong(NamedTuple):
    """A value that can't be: of which field, what it was, and what to do."""

    field: str
    value: str
    what: str

    def __str__(self) -> str:
        said = f"{self.field}={self.value}" if self.value else self.field
        return f"{said}: {self.what}" if said else self.what


def written(
    model: type[AnyRecord],
    given: Mapping[str, str],
    zone: ZoneInfo,
    before: AnyRecord | None = None,
) -> AnyRecord | Sequence[Wrong]:
    """The record that the texts make, of `before` or anew; an empty text clears a field."""
    fields = [name for name in model.model_fields if name not in _OURS]
    unknown = [
        _unknown_field(model, fields, name, text)
        for name, text in given.items()
        if name not in fields
    ]
    values: dict[str, Any] = dict(before) if before is not None else {}
    wrong: list[Wrong] = []
    for name in given.keys() & set(fields):
        values.pop(name, None)
        if given[name].strip():
            try:
                values[name] = _value(model.KIND, name, given[name].strip(), zone)
            except ValueError as error:
                wrong.append(Wrong(name, given[name], str(error)))
                values[name] = None
    told = {one.field for one in wrong}
    try:
        record = model.model_validate(values)
    except ValidationError as error:
        found = (_told(model.KIND, one, given) for one in error.errors(include_url=False))
        wrong += [one for one in found if one.field not in told]
    return [*unknown, *wrong] or record


def codes_in(text: str) -> tuple[str, ...]:
    """A list of codes, as people separate them."""
    return tuple(filter(None, map(str.strip, _SEPARATORS.split(text))))


def instant(text: str, zone: ZoneInfo) -> int:
    """Microseconds since the epoch of a time in a timezone. ValueError, with what to do."""
    for form in _FORMATS:
        try:
            local = datetime.strptime(text, form).replace(tzinfo=zone)
        except ValueError:
            continue
        if is_on_the_clock(local):
            return int(local.timestamp()) * 1_000_000
    raise ValueError(
        f"时间应为 {zone.key} 时区的 YYYY-MM-DD HH:MM。 "
        f"A time is YYYY-MM-DD HH:MM, in the timezone {zone.key}."
    )


def is_on_the_clock(local: datetime) -> bool:
    """Whether a local time's clocks ever show it, and don't leap over it."""
    back = local.astimezone(UTC).astimezone(local.tzinfo)
    return back.replace(tzinfo=None) == local.replace(tzinfo=None)


def local_time(microseconds: int, zone: ZoneInfo) -> str:
    """An instant as `instant` reads it."""
    at = datetime.fromtimestamp(microseconds // 1_000_000, zone)
    return at.strftime(_FORMATS[1] if at.second else _FORMATS[0])


def texts(record: Record, zone: ZoneInfo) -> dict[str, Any]:
    """A record's fields for people and programs: lists as lists, instants as local times."""
    return {
        name: local_time(value, zone)
        if name in TIMES and value is not None
        else (list(value) if isinstance(value, tuple) else value)
        for name, value in record
    }


def wrong_of(flaw: Flaw) -> Wrong:
    """What a check of the whole roster found, as what is wrong with a field."""
    named = f"{flaw.record.KIND} {'/'.join(flaw.record.key)}"
    return Wrong(f"{named} {flaw.field}", flaw.value, flaw.what)


def _value(kind: str, name: str, text: str, zone: ZoneInfo) -> Any:
    if name in LISTS:
        return codes_in(text)
    if name in TIMES:
        return instant(text, zone)
    return value_of(kind, name, text)


def _unknown_field(model: type[Record], fields: Sequence[str], name: str, text: str) -> Wrong:
    listed = ", ".join(fields)
    what = f"没有这个字段；{model.KIND} 有这些。 There is no such field; {model.KIND} has {listed}."
    return Wrong(name, text, what)


def _told(kind: str, error: ErrorDetails, given: Mapping[str, str]) -> Wrong:
    name = str(error["loc"][0]) if error["loc"] else ""
    return Wrong(name, given.get(name, ""), _advice(kind, name, error))


def _advice(kind: str, name: str, error: ErrorDetails) -> str:
    if error["type"] == "missing":
        return "必须填写。 It must be given."
    if (kind, name) in CHOICES:
        return f"应为 {offered(kind, name)} 之一。 It must be one of these."
    if name in _DAYS:
        return "日期应为 YYYY-MM-DD。 A day is YYYY-MM-DD."
    return f"不能用：{error['msg']}。 It can't be used: {error['msg']}."
