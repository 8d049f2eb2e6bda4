"""Turning what the ledger answers into JSON lines, or into tables for people."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from ledger.policy import iso_utc
from ledger.queries import ExceptionItem, RejectedRecord, ShardStatus, Total
from ledger.settling import Half
from ledger.shard import Rejection

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


def entry_row(entry: Mapping[str, Any]) -> tuple[Any, ...]:
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


def exception_row(item: ExceptionItem) -> tuple[str, ...]:
    return (
        item.volunteer,
        _KINDS[item.kind],
        iso_utc(item.occurred_at),
        item.team or "",
        item.place or "",
        item.reason,
        f"{item.source} {item.id}",
    )


def duration(seconds: int) -> str:
    """Seconds as h:mm:ss, with a sign where they are taken away."""
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{rest // 3600}:{rest % 3600 // 60:02}:{rest % 60:02}"
