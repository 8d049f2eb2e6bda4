"""Turning what the ledger answers into JSON lines, or into tables and lines for people."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from dashboards.terminal import duration
from ledger.policy import iso_utc
from ledger.queries import ExceptionItem, RejectedRecord, ShardStatus, Total
from ledger.settling import Half
from ledger.shard import Rejection

if TYPE_CHECKING:  # to load an audit takes as long as all the rest together
    from streams.audit import Audited

_KINDS = {"in": "签到 in", "out": "签退 out"}


def print_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """One JSON object a line."""
    for row in rows:
        click.echo(json.dumps(row, ensure_ascii=False))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[Any]], nothing: str) -> None:
    """A table, or one line that says that there is nothing."""
    table = Table(*headings, box=None, header_style="bold", pad_edge=False)
    count = 0
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
        count += 1
    if not count:
        click.echo(nothing)
        return
    # Wide enough for any cell where nobody is looking at a terminal.
    console = Console()
    Console(width=None if console.is_terminal else 400).print(table)


def print_entries(bodies: Iterable[bytes]) -> None:
    """Entries as a table, from their stored bytes."""
    print_table(
        (
            *("分片 shard", "序号 seq", "类型 type", "志愿者 volunteer", "队伍 team"),
            *("开始 opened at / day", "时长 hours"),
        ),
        (_entry_row(json.loads(body)) for body in bodies),
        "没有条目。 No entries.",
    )


def print_exceptions(items: Iterable[ExceptionItem]) -> None:
    print_table(
        (
            *("志愿者 volunteer", "签到签退 tap", "时间 occurred at", "队伍 team", "地点 place"),
            *("原因 reason", "事件 event"),
        ),
        map(_exception_row, items),
        "没有异常。 No exceptions.",
    )


def print_rejections(found: Iterable[tuple[int, Rejection | RejectedRecord]]) -> None:
    """Each rejection with the partition it stands in."""
    print_table(
        ("分区 partition", "偏移 offset", "原因 reason", "说明 detail"),
        ((partition, one.offset, one.reason, one.detail) for partition, one in found),
        "没有被拒绝的记录。 No rejections.",
    )


def tell_audit(audited: "Audited") -> None:
    """What an audit found, in a line, and each difference."""
    if not audited.findings and audited.uncovered:
        click.echo(
            f"存档比账本短：{audited.records} 条记录重算一致，"
            f"还有 {audited.uncovered} 条不在存档里；请运行 hours dump 补全，再审计一次。 "
            f"The archive ends before the ledger: {audited.records} records give what the ledger "
            f"says, {audited.uncovered} more are not in the archive. Add them with hours dump, "
            "and audit again."
        )
        return
    if not audited.findings:
        click.echo(
            f"一致：{audited.records} 条记录重算出 {audited.entries} 个条目，逐字节相同。 "
            f"Equal: {audited.records} records give {audited.entries} entries in "
            f"{audited.shards} shards, byte for byte."
        )
        return
    click.echo(f"不一致。第一处: Not equal. First difference: {audited.findings[0]}")
    for finding in audited.findings[1:]:
        click.echo(str(finding))


def say(line: str) -> None:
    """A line for a person, apart from what a program would read."""
    click.echo(line, err=True)


@contextmanager
def counting(what: str) -> Iterator[Callable[..., None]]:
    """A progress bar on standard error, moved by (done) or (done, total)."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    # Where nobody looks at a terminal it would only leave an empty line.
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task(what, total=None)

        def moved(done: int, total: int | None = None) -> None:
            progress.update(task, completed=done, total=total)

        yield moved


def status_json(status: ShardStatus, log_end: int | None) -> dict[str, Any]:
    head = status.head
    return {
        "shard": status.shard,
        "epoch": status.epoch,
        "next_offset": head.next_offset,
        "next_seq": head.next_seq,
        "log_end": log_end,
        "accepted": head.accepted,
        "duplicates": head.duplicates,
        "rejected": head.rejected,
    }


def total_json(total: Total) -> dict[str, Any]:
    return total._asdict()


def exception_json(item: ExceptionItem) -> dict[str, Any]:
    return {
        "volunteer": item.volunteer,
        "source": item.source,
        "id": item.id,
        "kind": item.kind,
        "occurred_at": iso_utc(item.occurred_at),
        "team": item.team,
        "place": item.place,
        "reason": item.reason,
    }


def half_item(half: Half) -> ExceptionItem:
    """A half as the exception it is once its time has passed."""
    tap = half.tap
    reason = "no-check-out" if half.status == "open" else half.status
    return ExceptionItem(
        tap.volunteer, tap.source, tap.id, tap.kind, tap.occurred_at, tap.team, tap.place, reason
    )


def rejection_json(partition: int, rejection: Rejection | RejectedRecord) -> dict[str, Any]:
    return {
        "partition": partition,
        "offset": rejection.offset,
        "reason": rejection.reason,
        "detail": rejection.detail,
    }


def _entry_row(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    """Shard, seq, type, volunteer, team, time or day, and what the entry does to the hours."""
    sign = -1 if entry["type"] == "reversal" else 1
    seconds = entry.get("seconds")
    return (
        entry["shard"],
        entry["seq"],
        entry["type"],
        entry.get("volunteer", ""),
        entry.get("team", ""),
        entry.get("opened_at", entry.get("day", "")),
        "" if seconds is None else duration(sign * seconds),
    )


def _exception_row(item: ExceptionItem) -> tuple[str, ...]:
    return (
        item.volunteer,
        _KINDS[item.kind],
        iso_utc(item.occurred_at),
        item.team or "",
        item.place or "",
        item.reason,
        f"{item.source} {item.id}",
    )
