"""What an import of past hours comes to, before it is applied and after.

Pure: what there is already, and what became of the events, is handed in. Invariant: each line ends
as exactly one of new, there already, repeated in another of the files, or refused; and each new
one, once published, as credited, duplicate, rejected or not settled yet.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from dashboards.terminal import duration
from hours.past_hours import Line, refused
from ledger.adjustments import DayKey, Entered, Identity
from ledger.roster.roster import Roster
from producers.past_hours import Flaw
from producers.sheets import Position, Refusal

Columns = Mapping[tuple[str, str], Mapping[str, tuple[str, str]]]

_DOUBLED_ID = Flaw(
    "id",
    "doubled-id",
    "这个志愿者已有一行用这个行号：请换一个，或不填。 "
    "Another row of this volunteer has this row id: give another, or none.",
)
_CONFLICTING_ID = Flaw(
    "id",
    "conflicting-id",
    "这个行号已在账本里，内容不同：要更正请另加一行，时长填差额；否则换一个行号。 "
    "This row id is in the ledger with other content: to correct it, add a row with the difference "
    "in hours; otherwise give another id.",
)


class Notice(NamedTuple):
    """Something to look at before it is applied; stops nothing. `rows` is how many it is about."""

    position: Position
    value: str
    reason: str
    what: str
    rows: int = 1


class Sum(NamedTuple):
    """New rows of a team in a month (`2026-07`)."""

    team: str
    month: str
    rows: int
    seconds: int


@dataclass
class Plan:
    """Each line once."""

    new: list[Line] = field(default_factory=list)
    there: list[Line] = field(default_factory=list)
    on_their_way: list[Line] = field(default_factory=list)
    repeated: list[Line] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    def sums(self) -> list[Sum]:
        """What the new rows add, by month and team."""
        grouped: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for line in self.new:
            data = line.event.data
            grouped[data.day[:7], data.team].append(data.seconds)
        return [
            Sum(team, month, len(seconds), sum(seconds))
            for (month, team), seconds in sorted(grouped.items())
        ]


def plan(
    lines: Iterable[Line],
    refusals: Iterable[Refusal],
    columns: Columns,
    entered: Mapping[Identity, Entered],
    on_their_way: Mapping[Identity, Entered],
) -> Plan:
    """What is to be done with the lines, given what is an entry and what will be one."""
    planned = Plan(refusals=list(refusals))
    first: dict[Identity, Line] = {}
    for line in lines:
        earlier = first.setdefault(line.identity, line)
        there = entered.get(line.identity)
        coming = on_their_way.get(line.identity)
        if found := _flaw(line, earlier, there or coming):
            cells = {"id": line.row.id or ""}
            planned.refusals.append(refused(line.position, cells, found, columns))
        elif earlier is not line:
            planned.repeated.append(line)
        elif there is not None:
            planned.there.append(line)
        elif coming is not None:
            planned.on_their_way.append(line)
        else:
            planned.new.append(line)
    return planned


def _flaw(line: Line, earlier: Line, there: Entered | None) -> Flaw | None:
    """Only ids that people gave can stand for two contents: all others are made of it."""
    if line.row.id is None:
        return None
    same_file = earlier.position.file == line.position.file
    if earlier is not line and (same_file or earlier.row != line.row):
        return _DOUBLED_ID
    if there is not None and not _says(there, line):
        return _CONFLICTING_ID
    return None


def _says(there: Entered, line: Line) -> bool:
    """Whether the entry says what the row says; the roster may have named its team otherwise."""
    data = line.event.data
    said = (data.activity, data.day, data.seconds, data.by, data.approved_by, data.reason)
    return there.team in (data.team, line.row.team) and there[3:9] == said


def notices(
    new: Collection[Line], roster: Roster, ledger_seconds: Mapping[DayKey, int]
) -> list[Notice]:
    """What somebody should look at among the new rows; `ledger_seconds` is what days hold now."""
    return [*_unknown(new, roster), *_alike(new), *_that_day(new, ledger_seconds)]


def _unknown(lines: Collection[Line], roster: Roster) -> Iterator[Notice]:
    """Codes the roster doesn't know, each once: they settle all the same."""
    known: dict[str, Collection[str]] = {
        "team": roster.teams,
        "activity": roster.activities,
        "volunteer": roster.people,
    }
    found: dict[tuple[str, str], Notice] = {}
    for line in lines:
        event = line.event
        said = {"team": event.data.team, "activity": event.data.activity}
        for kind, code in {**said, "volunteer": event.subject}.items():
            if code is not None and code not in known[kind]:
                one = found.get((kind, code)) or _unknown_code(line, kind, code)
                found[kind, code] = one._replace(rows=one.rows + 1)
    yield from found.values()


def _unknown_code(line: Line, kind: str, code: str) -> Notice:
    return Notice(
        line.position,
        code,
        f"unknown-{kind}",
        "名册里没有：时长照记，报表列为未知，直到名册补上。 "
        "Not in the roster: the hours count, and reports call it unknown until the roster has it.",
        rows=0,
    )


def _alike(lines: Iterable[Line]) -> Iterator[Notice]:
    first: dict[tuple[str, str, str, int], Line] = {}
    for line in lines:
        data = line.event.data
        same = (line.event.subject, data.team, data.day, data.seconds)
        earlier = first.setdefault(same, line)
        if earlier is not line:
            yield Notice(
                line.position,
                f"{data.day} {duration(data.seconds)}",
                "alike-row",
                f"与第{earlier.position.row}行的人、队伍、日期、时长相同，都会记入："
                "若是重复请删去。 "
                f"Same person, team, day and hours as row {earlier.position.row}; both count: "
                "delete it if it is the same service.",
            )


def _that_day(lines: Iterable[Line], ledger_seconds: Mapping[DayKey, int]) -> Iterator[Notice]:
    days: defaultdict[DayKey, list[Line]] = defaultdict(list)
    for line in lines:
        data = line.event.data
        days[DayKey(line.event.subject, data.team, data.day)].append(line)
    for key, theirs in days.items():
        there = ledger_seconds.get(key, 0)
        changes = [line.row.seconds for line in theirs]
        if min(changes) < 0:
            if there + sum(changes) < 0:
                yield _day_notice(theirs, there, "below-zero", _BELOW_ZERO)
        elif there:
            yield _day_notice(theirs, there, "hours-that-day", _HOURS_THAT_DAY)


def _day_notice(lines: list[Line], there: int, reason: str, what: str) -> Notice:
    value = f"{lines[0].row.day} {duration(there)}"
    return Notice(lines[0].position, value, reason, what, len(lines))


_HOURS_THAT_DAY = (
    "账本里此人当天在此队已有时长：若这一行是改过的旧行，请改填差额，否则会重复。 "
    "The ledger has hours of this person in this team on that day: if this row is an earlier one "
    "that was changed, enter the difference, or it counts twice."
)
_BELOW_ZERO = (
    "更正后此人当天在此队的时长小于0：请核对。 "
    "It leaves this person less than 0 hours in this team on that day: check it."
)


Outcome = Literal["credited", "duplicate", "rejected", "waiting"]


class Fate(NamedTuple):
    """What became of a row that was published, or was on its way; why, if it was rejected."""

    line: Line
    outcome: Outcome
    reason: str = ""
    detail: str = ""


class Sent(NamedTuple):
    """Where in the log a line stands; `ours` if this import put it there."""

    line: Line
    partition: int
    offset: int
    ours: bool = True


def fates(
    sent: Iterable[Sent],
    entered: Mapping[Identity, Entered],
    refused: Mapping[tuple[int, int], tuple[str, str]],
    next_offsets: Mapping[int, int],
) -> list[Fate]:
    """What became of each, as the ledger stands."""
    return [_fate(one, entered, refused, next_offsets) for one in sent]


def _fate(
    one: Sent,
    entered: Mapping[Identity, Entered],
    refused: Mapping[tuple[int, int], tuple[str, str]],
    next_offsets: Mapping[int, int],
) -> Fate:
    there = entered.get(one.line.identity)
    if there is not None:
        first = not one.ours or one.offset == there.offset
        return Fate(one.line, "credited" if first else "duplicate")
    if next_offsets[one.partition] <= one.offset:
        return Fate(one.line, "waiting")
    reason, detail = refused.get((one.partition, one.offset), ("", ""))
    return Fate(one.line, "rejected", reason, detail)
