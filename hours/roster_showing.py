"""The roster's answers as pages for people.

JSON is `showing.print_json`'s. Invariant: what a page shows of who somebody is was masked, or
disclosed, before it came here.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import click

from hours import showing
from ledger.roster.editing import TIMES, Wrong, local_time, texts
from ledger.roster.history import Told
from ledger.roster.records import KINDS, Have, Person
from ledger.roster.roster import Change
from ledger.roster.words import CHOICES, FIELD_WORDS, headed
from producers.volunteer_numbers import number_of

_LAST = ("valid_from", "valid_until")


def columns_of(kind: str) -> list[str]:
    """A kind's fields, in the order in which a table shows them."""
    fields = [name for name in KINDS[kind].model_fields if name not in _LAST]
    return fields + [name for name in _LAST if name in KINDS[kind].model_fields]


def print_records(kind: str, rows: Sequence[Mapping[str, Any]], names: bool) -> None:
    """Records as a table; with columns for the number to type and the name where there may be."""
    fields = columns_of(kind)
    if names:
        fields[1:1] = ["number", "name"]
    showing.print_table(
        [headed(name) for name in fields],
        [[_cell(kind, name, row.get(name)) for name in fields] for row in rows],
        "没有。 None.",
    )


def print_overview(found: Mapping[str, Any]) -> None:
    """Lines for single values, a table for each list."""
    kind = str(found["kind"])
    lists = {name: value for name, value in found.items() if isinstance(value, list)}
    tables = {name: rows for name, rows in lists.items() if rows and isinstance(rows[0], dict)}
    for name, value in found.items():
        if name != "kind" and name not in tables:
            click.echo(f"{headed(name)}: {_cell(kind, name, value)}")
    for name, rows in tables.items():
        click.echo(f"\n{headed(name)}")
        of_rows = Have.KIND if name == "haves" else kind
        fields = list(dict.fromkeys(field for row in rows for field in row))
        showing.print_table(
            [headed(field) for field in fields],
            [[_cell(of_rows, field, row.get(field)) for field in fields] for row in rows],
            "",
        )


def tell_page(count: int, limit: int, page: int) -> None:
    """Which page it was, and of how many, beside what a program would read."""
    pages = max(1, -(-count // limit))
    showing.say(f"第 {page}/{pages} 页，共 {count} 个。 Page {page} of {pages}, {count} in all.")


def tell_wrong(wrong: Iterable[Wrong]) -> None:
    """Each in a line."""
    for one in wrong:
        showing.say(str(one))


def print_changes(changes: Iterable[Change], zone: ZoneInfo) -> None:
    """What becomes of each record, in a line."""
    for change in changes:
        before = None if change.before is None else texts(change.before, zone)
        after = None if change.after is None else texts(change.after, zone)
        named = f"{change.kind} {'/'.join(change.key)}"
        click.echo(f"{named}: {_became(before, after)}")


def print_numbers(changes: Iterable[Change]) -> None:
    """What each volunteer who is new, or has a new badge, types at a kiosk without it."""
    for before, after in changes:
        if isinstance(after, Person) and (
            not isinstance(before, Person) or before.badge_generation != after.badge_generation
        ):
            number = number_of(after.volunteer)
            if number is not None:
                click.echo(f"签到机上输入的编号 number to type at kiosks: {number}")


def history_json(told: Told, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "number": told.number,
        "at": local_time(told.at, zone),
        "by": told.by,
        "why": told.why,
        "source": told.source,
        "undoes": told.undoes,
        "kind": told.kind,
        "key": None if told.key is None else list(told.key),
        "before": told.before,
        "after": told.after,
    }


def print_history(rows: Iterable[Told], zone: ZoneInfo) -> None:
    showing.print_table(
        (
            *("变更 number", "时间 when", "谁 by", "原因 why", "什么 what"),
            *("改动 from → to",),
        ),
        [
            (
                f"{told.number} ↶ {told.undoes}" if told.undoes else told.number,
                local_time(told.at, zone),
                told.by,
                told.why,
                f"{told.kind} {'/'.join(told.key)}" if told.key else "–",
                _became(told.before, told.after, zone) if told.key else "–",
            )
            for told in rows
        ],
        "还没有变更。 No changes yet.",
    )


def _became(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, zone: ZoneInfo | None = None
) -> str:
    if before is None:
        given = [f"{name}={_plain(name, value, zone)}" for name, value in (after or {}).items()]
        return f"新增 added ({', '.join(one for one in given if not one.endswith('='))})"
    if after is None:
        return "移除 removed"
    names = dict.fromkeys((*before, *after))
    return "; ".join(
        f"{name}: {_plain(name, before.get(name), zone) or '–'} → "
        f"{_plain(name, after.get(name), zone) or '–'}"
        for name in names
        if before.get(name) != after.get(name)
    )


def _plain(name: str, value: Any, zone: ZoneInfo | None) -> str:
    if zone is not None and isinstance(value, int) and name in TIMES:
        return local_time(value, zone)
    if isinstance(value, list | tuple):
        return "、".join(map(str, value))
    return "" if value is None else str(value)


def _cell(kind: str, name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return "、".join(f"{FIELD_WORDS.get(key, key)} {count}" for key, count in value.items())
    if isinstance(value, list | tuple):
        return "、".join(map(str, value))
    word = CHOICES.get((kind, name), {}).get(str(value))
    return f"{word} {value}" if word else str(value)
