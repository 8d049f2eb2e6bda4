"""Hours from paper: the cells of one row as text -> what it says, or why it can't be taken.

Pure. Not the reading of files, and no roster: which code a name stands for is asked of others.
A row's identity is what is written in it, and never where it stands: so a file that was renamed,
sorted, saved by another program or given one row more still has the same rows. Invariant: rows of
one identity, made on one day, are events with one content.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from producers.durations import seconds_of
from producers.events import Adjusted, AdjustedData, Code, Day, Identifier, Reason
from producers.private_numbers import has_private_number

SOURCE = "/imports/past-hours"
FIRST_DAY = "2000-01-01"
LONGEST_SECONDS = 86_400
PERSON_FIELDS = ("volunteer", "document", "phone", "name")

_KINDS: dict[str, TypeAdapter[str]] = {
    "volunteer": TypeAdapter(Identifier),
    "team": TypeAdapter(Code),
    "activity": TypeAdapter(Code),
    "day": TypeAdapter(Day),
    "by": TypeAdapter(Identifier),
    "approved_by": TypeAdapter(Identifier),
    "reason": TypeAdapter(Reason),
    "id": TypeAdapter(Code),
}
_REQUIRED = ("team", "day", "hours", "by", "approved_by", "reason")
_WHAT = {
    "missing": "这一格不能空：请填写。 This cell can't be blank: fill it in.",
    "nobody": (
        "没有写是谁：请填志愿者编号（或证件号码，或手机号码和姓名）。 "
        "It doesn't say who: give the volunteer's id (or document number, or phone and name)."
    ),
    "bad-volunteer": (
        "志愿者编号应是字母和数字，不是姓名：请填名册里的编号。 "
        "A volunteer's id is letters and digits, no name: give the id in the roster."
    ),
    "name-for-id": (
        "请填录入人和审批人的编号（字母和数字），不要填姓名：姓名不进账本。 "
        "Give the id (letters and digits) of who entered and approved it, no name: "
        "names never enter the ledger."
    ),
    "private-number": (
        "像是手机号码或证件号码：账本里不能有，请删去。 "
        "It looks like a phone or document number, which must not be in the ledger: take it out."
    ),
    "bad-code": (
        "编号是一行至多128个字：请改正。 A code is one line of at most 128 characters: mend it."
    ),
    "bad-reason": (
        "原因至多1000个字：请写短些。 A reason has at most 1,000 characters: make it shorter."
    ),
    "bad-id": (
        "行号太长：至多约120个字母和数字（约13个汉字）。 "
        "The row id is too long: about 120 letters and digits, or 13 Chinese characters, at most."
    ),
    "bad-day": "日期应写成 2026-07-01。 Write the day as 2026-07-01.",
    "future-day": "日期还没到：请改正。 The day is yet to come: correct it.",
    "ancient-day": f"日期早于 {FIRST_DAY}：请改正。 The day is before {FIRST_DAY}: correct it.",
    "bad-hours": (
        "看不懂时长：请写成 1.5、1:30、1小时30分 或 90分钟。 "
        "No duration: write 1.5, 1:30, 1h30m or 90min."
    ),
    "no-hours": "时长是0：请改正或删去这一行。 It is 0 hours: correct it, or delete the row.",
    "over-a-day": (
        "一行至多24小时：请按天拆成几行。 A row is at most 24 hours: split it, a row for each day."
    ),
    "same-person": (
        "录入人和审批人不能是同一个人。 Who entered it and who approved it must be two people."
    ),
}


class Flaw(NamedTuple):
    """Why a row's cell can't be taken, and what to do; whether what stands in it may be private."""

    field: str
    reason: str
    what: str
    private: bool = False


class PastHours(NamedTuple):
    """What a row says. `volunteer` is None where it names a person in another way.

    `team` is as written; `seconds` negative in a correction; `id` is its author's, if there is one.
    """

    volunteer: str | None
    team: str
    activity: str | None
    day: str
    seconds: int
    by: str
    approved_by: str
    reason: str
    id: str | None


def read_row(cells: Mapping[str, str], today: str) -> PastHours | list[Flaw]:
    """The row, or all that is wrong with it. `today` is an ISO date in the ledger's timezone."""
    said = {name: text for name, text in cells.items() if name in _KINDS}
    flaws = [flaw("missing", name) for name in _REQUIRED if name not in cells]
    flaws += _flaws_of_person(said, cells)
    flaws += [found for name, text in said.items() if (found := _flaw_of(name, text, today))]
    seconds = seconds_of(cells.get("hours", ""))
    if "hours" in cells and (found := _flaw_of_hours(cells["hours"], seconds)):
        flaws.append(found)
    if said.get("by", "").casefold() == said.get("approved_by", " ").casefold():
        flaws.append(flaw("same-person", "approved_by"))
    if flaws or seconds is None:
        return flaws
    optional = {name: said.get(name) for name in ("volunteer", "activity", "id")}
    given = {name: said[name] for name in _REQUIRED if name != "hours"}
    return PastHours(**optional, **given, seconds=seconds)  # type: ignore[arg-type]


def flaw(reason: str, field: str) -> Flaw:
    """A flaw of one of the reasons that are known here."""
    private = field in PERSON_FIELDS or reason in ("private-number", "name-for-id")
    return Flaw(field, reason, _WHAT[reason], private)


def identity_of(row: PastHours, volunteer: str, turn: int) -> str:
    """The id of the event a row becomes: its author's, or a hash over what is written in it.

    `turn` counts, from 1, the rows of one file that say the same: a volunteer may have served the
    same team twice on a day. The team is hashed as written, so that another name or code of it in
    the roster makes no other row of this one.
    """
    if row.id is not None:
        return f"id-{quote(row.id)}"
    said = (volunteer, *row[1:-1], turn)
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return f"row-{sha256(text.encode()).hexdigest()[:32]}"


def event_of(
    row: PastHours, volunteer: str, team: str, id: str, entered_at: int, imported_from: str
) -> Adjusted:
    """The event. `entered_at` (microseconds) is the start of the day it is imported on.

    So a row that is published again on that day, by somebody else or after a crash, has the same
    content; and it is far within settling's horizon.
    """
    return Adjusted(
        id=id,
        source=SOURCE,
        subject=volunteer,
        time=entered_at,
        importedfrom=imported_from,
        data=AdjustedData(
            team=team,
            activity=row.activity,
            day=row.day,
            seconds=row.seconds,
            by=row.by,
            approved_by=row.approved_by,
            reason=row.reason,
        ),
    )


def _flaws_of_person(said: Mapping[str, str], cells: Mapping[str, str]) -> list[Flaw]:
    if "volunteer" in said or "document" in cells or {"phone", "name"} <= cells.keys():
        return []
    return [flaw("nobody", "volunteer")]


def _flaw_of(name: str, text: str, today: str) -> Flaw | None:
    if name != "day" and has_private_number(text):
        return flaw("private-number", name)
    try:
        _KINDS[name].validate_python(text)
    except ValidationError:
        return flaw(_BAD[name], name)
    if name == "id" and len(quote(text)) > 120:
        return flaw("bad-id", name)
    if name == "day" and not FIRST_DAY <= text <= today:
        return flaw("future-day" if text > today else "ancient-day", name)
    return None


_BAD = {
    **{"volunteer": "bad-volunteer", "team": "bad-code", "activity": "bad-code", "day": "bad-day"},
    **{"by": "name-for-id", "approved_by": "name-for-id", "reason": "bad-reason", "id": "bad-id"},
}


def _flaw_of_hours(text: str, seconds: int | None) -> Flaw | None:
    if seconds is None:
        return flaw("bad-hours", "hours")
    if seconds == 0:
        return flaw("no-hours", "hours")
    if abs(seconds) > LONGEST_SECONDS:
        return flaw("over-a-day", "hours")
    return None
