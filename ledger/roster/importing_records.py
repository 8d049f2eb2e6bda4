"""Rows of every kind but people, as the records that they want the roster to have.

A blank cell leaves a record that there is as it is. A unit, team or project may have several
periods: a row for a later one ends the open one before it. Pure. Invariant: the records of rows
that were imported are those that the roster then has.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from ledger.roster.importing_cells import read_cell
from ledger.roster.importing_names import Names
from ledger.roster.importing_reasons import Reason, Wrong
from ledger.roster.importing_tables import TABLES
from ledger.roster.importing_values import Refused, Row, refused
from ledger.roster.records import EVER, KINDS, Project, Record, Team, Unit
from ledger.roster.roster import Key, Roster

_OF_PERIODS = (Unit.KIND, Team.KIND, Project.KIND)


class Cause(NamedTuple):
    """The row that wants a record, and which of its fields are about which of the record's."""

    row: Row
    fields: Mapping[str, str] = {}


@dataclass
class Wanted:
    """Records by kind and key, each with the row that wants it; what is wrong with rows."""

    records: dict[tuple[str, Key], Record] = field(default_factory=dict)
    unwanted: list[Record] = field(default_factory=list)
    causes: dict[tuple[str, Key], Cause] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    repeated: list[Row] = field(default_factory=list)

    def want(self, record: Record, cause: Cause) -> None:
        self.records[record.KIND, record.key] = record
        self.causes[record.KIND, record.key] = cause

    def of(self, kind: str) -> Iterable[Record]:
        return [one for (its, _), one in self.records.items() if its == kind]


class Reading(NamedTuple):
    """What rows are read against."""

    roster: Roster
    names: Names
    zone: ZoneInfo
    today: str


def read_row(row: Row, reading: Reading) -> tuple[dict[str, Any], list[Refused]]:
    """A row's values by field, and what is wrong with its cells."""
    values: dict[str, Any] = {}
    wrong: list[Refused] = []
    for column in TABLES[row.kind].fields:
        text = row.cells.get(column.field)
        if text is not None:
            value = read_cell(column, text, reading.names, reading.zone)
        elif column.required:
            value = Wrong(Reason.MISSING)
        else:
            continue
        if isinstance(value, Wrong):
            wrong.append(refused(row, column, value))
        else:
            values[column.field] = value
    return values, wrong


def want_records(kind: str, rows: Iterable[Row], reading: Reading, wanted: Wanted) -> None:
    """Add the records that rows of one kind want."""
    for row in rows:
        values, wrong = read_row(row, reading)
        made = wrong or _record(row, values, reading)
        if isinstance(made, Record):
            _take(row, made, wanted)
        else:
            wanted.refused += made
    if kind in _OF_PERIODS:
        _end_earlier(kind, reading.roster, wanted)


def _record(row: Row, values: dict[str, Any], reading: Reading) -> Record | list[Refused]:
    base = _base(row.kind, values, reading.roster)
    if isinstance(base, Wrong):
        return [refused(row, TABLES[row.kind].by_name["valid_from"], base)]
    fields = {**(dict(base) if base else {}), **values}
    try:
        return KINDS[row.kind].model_validate(fields)
    except ValidationError as error:
        return [_told(row, fields, str(one["type"]), one["msg"]) for one in error.errors()]


def _base(kind: str, values: Mapping[str, Any], roster: Roster) -> Any:
    """The record that there is, if any; a row that names no period means the one that there is."""
    found = roster.records.get(kind, {})
    if kind not in _OF_PERIODS:
        return found.get(tuple(str(values[name]) for name in KINDS[kind].KEY))
    if "valid_from" in values:
        return found.get((values["code"], values["valid_from"]))
    periods = _periods(roster, kind).get(values["code"], [])
    agreeing = [one for one in periods if all(getattr(one, k) == v for k, v in values.items())]
    if len(periods) > 1 and not agreeing:
        return Wrong(Reason.WHICH_PERIOD, "、".join(one.valid_from for one in periods))
    return (agreeing or periods or [None])[0]


def _periods(roster: Roster, kind: str) -> Mapping[str, Sequence[Any]]:
    if kind == Unit.KIND:
        return roster.units
    return roster.teams if kind == Team.KIND else roster.projects


def _told(row: Row, fields: Mapping[str, Any], kind: str, message: str) -> Refused:
    """What a record's own check says, as a refusal of one of its cells."""
    columns = TABLES[row.kind].by_name
    if kind == "period":
        start, end = ("since", "until") if "until" in columns else ("valid_from", "valid_until")
        begins = fields.get(start, EVER)
        return refused(row, columns[end], Wrong(Reason.ENDS_BEFORE_IT_BEGINS, begins))
    if kind == "times":
        return _told_of_times(row, fields)
    return refused(row, None, Wrong(Reason.UNFIT, message))


def _told_of_times(row: Row, fields: Mapping[str, Any]) -> Refused:
    columns = TABLES[row.kind].by_name
    for name in ("planned", "held"):
        start, end = fields.get(f"{name}_start"), fields.get(f"{name}_end")
        if end is not None and start is None:
            return refused(row, columns[f"{name}_end"], Wrong(Reason.END_WITHOUT_START))
        if end is not None and end <= start:
            begins = columns[f"{name}_start"].header
            late = Wrong(Reason.ENDS_BEFORE_IT_BEGINS, begins)
            return refused(row, columns[f"{name}_end"], late)
    return refused(row, columns["held_start"], Wrong(Reason.HELD_BUT_WHEN))


def _take(row: Row, record: Record, wanted: Wanted) -> None:
    first = wanted.causes.get((record.KIND, record.key))
    if first is None:
        wanted.want(record, Cause(row))
    elif wanted.records[record.KIND, record.key] == record:
        wanted.repeated.append(row)
    else:
        column = TABLES[row.kind].by_name[record.KEY[0]]
        wanted.refused.append(refused(row, column, Wrong(Reason.TWICE), (first.row.number,)))


def _end_earlier(kind: str, roster: Roster, wanted: Wanted) -> None:
    """End each open period on the day on which a wanted one of the same code begins."""
    there = {
        one.key: one
        for code in {one.key[0] for one in wanted.of(kind)}
        for one in _periods(roster, kind).get(code, [])
    }
    rows: dict[str, list[Any]] = defaultdict(list)
    for record in {**there, **{one.key: one for one in wanted.of(kind)}}.values():
        rows[record.key[0]].append(record)
    for periods in rows.values():
        periods.sort(key=lambda one: str(one.valid_from))
        for one, following in pairwise(periods):
            if one.valid_until is None:
                ended = one.model_copy(update={"valid_until": following.valid_from})
                cause = wanted.causes.get((kind, one.key))
                wanted.want(ended, cause or wanted.causes[kind, following.key])
