"""An import of past hours for people to read, and as JSON lines."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Any

import click

from dashboards.terminal import duration
from hours import showing
from hours.past_hours_plan import Fate, Notice, Plan
from producers.sheets import Position, Refusal

_SHOWN = 50


def print_plan(planned: Plan, warned: Sequence[Notice]) -> None:
    """What would be added, refusals and warnings; of long lists the beginning."""
    _print_some(map(_refusal_line, planned.refusals), len(planned.refusals))
    _print_some(map(_warning_line, warned), len(warned))
    showing.print_table(
        ("月份 month", "队伍 team", "行 rows", "时长 hours"),
        [(one.month, one.team, one.rows, duration(one.seconds)) for one in planned.sums()],
        "没有新的时长。 No new hours.",
    )
    counts = counts_of(planned, warned)
    click.echo(
        f"新的 {counts['new']} 行，共 {duration(counts['seconds'])}；"
        f"账本里已有 {counts['there']} 行，正在结算 {counts['on_their_way']} 行，"
        f"文件之间重复 {counts['repeated']} 行；"
        f"拒绝 {counts['refusals']} 处，提醒 {counts['warnings']} 处。 "
        f"{counts['new']} new rows, {duration(counts['seconds'])} in all; "
        f"{counts['there']} already there, {counts['on_their_way']} on their way, "
        f"{counts['repeated']} repeated in another file; "
        f"{counts['refusals']} refusals, {counts['warnings']} warnings."
    )


def print_plan_json(planned: Plan, warned: Sequence[Notice]) -> None:
    """Refusals, warnings, sums, then the counts."""
    showing.print_json({"refusal": one._asdict()} for one in planned.refusals)
    showing.print_json({"warning": _warning_json(one)} for one in warned)
    showing.print_json({"sum": one._asdict()} for one in planned.sums())
    showing.print_json([{"plan": counts_of(planned, warned)}])


def counts_of(planned: Plan, warned: Sequence[Notice]) -> dict[str, int]:
    return {
        "new": len(planned.new),
        "seconds": sum(line.row.seconds for line in planned.new),
        "there": len(planned.there),
        "on_their_way": len(planned.on_their_way),
        "repeated": len(planned.repeated),
        "refusals": len(planned.refusals),
        "warnings": len(warned),
    }


def print_fates(fates: Sequence[Fate]) -> None:
    """How many rows ended how, and each that was not credited by this import."""
    others = [one for one in fates if one.outcome != "credited"]
    _print_some(map(_fate_line, others), len(others))
    counts = outcomes_of(fates)
    click.echo(
        f"已记入 {counts['credited']} 行，重复 {counts['duplicate']} 行，"
        f"被拒绝 {counts['rejected']} 行，尚未结算 {counts['waiting']} 行。 "
        f"{counts['credited']} rows credited, {counts['duplicate']} duplicates, "
        f"{counts['rejected']} rejected, {counts['waiting']} not settled yet."
    )


def print_fates_json(fates: Sequence[Fate]) -> None:
    """Each row's end, then the counts."""
    showing.print_json({"row": _fate_json(one)} for one in fates)
    showing.print_json([{"outcomes": outcomes_of(fates)}])


def outcomes_of(fates: Iterable[Fate]) -> dict[str, int]:
    found = Counter(one.outcome for one in fates)
    return {name: found[name] for name in ("credited", "duplicate", "rejected", "waiting")}


def _print_some(lines: Iterable[str], count: int) -> None:
    more = f"…还有 {count - _SHOWN} 条，--json 全部列出。 {count - _SHOWN} more: --json lists all."
    for line in chain(islice(lines, _SHOWN), [more] if count > _SHOWN else []):
        click.echo(line)


def _place(position: Position, column: str = "") -> str:
    sheet = f" {position.sheet}" if position.sheet else ""
    row = f" {column}{position.row}" if position.row else ""
    return f"{position.file}{sheet}{row}"


def _refusal_line(one: Refusal) -> str:
    place = _place(Position(one.file, one.sheet, one.row), one.column)
    said = " ".join(filter(None, (one.header, f"“{one.value}”" if one.value else "")))
    return f"拒绝 refused: {place} {said}: {one.reason}: {one.what}"


def _warning_line(one: Notice) -> str:
    rows = f" ×{one.rows}" if one.rows > 1 else ""
    return f"提醒 warning: {_place(one.position)} “{one.value}”{rows}: {one.reason}: {one.what}"


def _fate_line(one: Fate) -> str:
    why = f": {one.reason}: {one.detail}" if one.reason else ""
    return f"{_place(one.line.position)} {one.line.event.subject}: {one.outcome}{why}"


def _warning_json(one: Notice) -> Mapping[str, Any]:
    said = one._asdict()
    return {**said.pop("position")._asdict(), **said}


def _fate_json(one: Fate) -> Mapping[str, Any]:
    line = one.line
    return {
        **line.position._asdict(),
        "volunteer": line.event.subject,
        "id": line.event.id,
        "outcome": one.outcome,
        "reason": one.reason,
        "detail": one.detail,
    }
