"""What an import comes to, as pages for people or as JSON lines.

Invariant: names, phones and documents are masked; an id that somebody would be given is not shown
before it is theirs.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import click

from hours import showing
from hours.import_files import Fault, place
from hours.sheets import Position, Skipped
from ledger.roster.editing import texts
from ledger.roster.importing import Imported
from ledger.roster.importing_tables import TABLES
from ledger.roster.records import EVER, Person, Record
from ledger.roster.roster import Change
from ledger.roster.vault import called, masked
from ledger.roster.words import KIND_WORDS, headed

SHOWN = 50
"""How many of each are shown, unless all are asked for."""

Action = Literal["added", "changed", "ended", "removed"]

_ACTIONS: Mapping[Action, tuple[str, str]] = {
    "added": ("+", "新增"),
    "changed": ("~", "改动"),
    "ended": ("-", "终止"),
    "removed": ("×", "移除"),
}
_ENDS = ("valid_until", "until")
_SKIPPED = {
    "hidden": "隐藏的工作表 hidden",
    "empty": "空工作表 empty",
    "chart": "图表 chart",
}


class Outcome(NamedTuple):
    """What an import comes to; `change_set` where it was made."""

    imported: Imported
    faults: Sequence[Fault]
    skipped: Sequence[Skipped]
    zone: ZoneInfo
    applies: bool = False
    change_set: int | None = None


class _Deed(NamedTuple):
    """A change as it is shown; `key` and `called` may be those of somebody without an id yet."""

    action: Action
    change: Change
    key: tuple[str | None, ...]
    called: str
    fields: Mapping[str, tuple[Any, Any]]
    private: Mapping[str, tuple[str | None, str | None]]


def tell(outcome: Outcome, shows_all: bool) -> None:
    """All of it in pages: counts, what is done to what, what is refused, and what to do next."""
    deeds = list(_deeds(outcome))
    most = len(deeds) + len(outcome.faults) if shows_all else SHOWN
    for skipped in outcome.skipped:
        if skipped.why == "notes":
            continue  # it is ours
        where = place(Position(skipped.file, skipped.sheet, 0))
        click.echo(f"未读 not read: {where} ({_SKIPPED.get(skipped.why, skipped.why)})")
    if outcome.imported.rows:
        _tell_counts(outcome, deeds)
    for action, (sign, word) in _ACTIONS.items():
        of_action = [deed for deed in deeds if deed.action == action]
        _tell_some(f"{word} {action}", of_action, most, lambda one, sign=sign: _line(sign, one))  # type: ignore[misc]
    _tell_some("拒绝 refused", outcome.faults, most, _fault_line)
    click.echo(_conclusion(outcome, len(deeds)))


def as_json(outcome: Outcome) -> Iterator[dict[str, Any]]:
    """Each change, refusal and skipped sheet, then a summary."""
    deeds = list(_deeds(outcome))
    for deed in deeds:
        yield {
            "change": {
                "action": deed.action,
                "kind": deed.change.kind,
                "key": list(deed.key),
                "fields": {name: list(values) for name, values in deed.fields.items()},
                "private": {name: list(values) for name, values in deed.private.items()},
            }
        }
    for fault in outcome.faults:
        also = [position._asdict() for position in fault.also]
        yield {"refused": {**fault.refusal._asdict(), "also": also}}
    for skipped in outcome.skipped:
        yield {"skipped": skipped._asdict()}
    actions = Counter(deed.action for deed in deeds)
    yield {
        "summary": {
            "applied": outcome.change_set is not None,
            "change_set": outcome.change_set,
            "rows": sum(outcome.imported.rows.values()),
            "repeated": sum(outcome.imported.repeated.values()),
            **{action: actions[action] for action in _ACTIONS},
            "refused": len(outcome.faults),
        }
    }


def _deeds(outcome: Outcome) -> Iterator[_Deed]:
    for change in outcome.imported.changes:
        before = texts(change.before, outcome.zone) if change.before else {}
        after = texts(change.after, outcome.zone) if change.after else {}
        fields = {
            name: (before.get(name), after.get(name))
            for name in dict.fromkeys((*before, *after))
            if before.get(name) != after.get(name)
        }
        private = _private(outcome, change)
        key = _key(outcome, change.record)
        if None in key and "volunteer" in fields:
            del fields["volunteer"]
        action = _action(change, fields)
        yield _Deed(action, change, key, _called(outcome, change.record), fields, private)


def _action(change: Change, fields: Mapping[str, tuple[Any, Any]]) -> Action:
    if change.before is None:
        return "added"
    if change.after is None:
        return "removed"
    ends = any(name in fields and fields[name][0] is None for name in _ENDS)
    return "ended" if ends else "changed"


def _key(outcome: Outcome, record: Record) -> tuple[str | None, ...]:
    """None in place of an id that would be another next time."""
    if outcome.change_set is not None:
        return record.key
    return tuple(None if part in outcome.imported.given else part for part in record.key)


def _called(outcome: Outcome, record: Record) -> str:
    if isinstance(record, Person):
        who = outcome.imported.private.get(record.volunteer)
        return called(who.after.name) if who else ""
    return str(getattr(record, "name_zh", None) or getattr(record, "title", ""))


def _private(outcome: Outcome, change: Change) -> dict[str, tuple[str | None, str | None]]:
    """Which private fields change, masked."""
    who = outcome.imported.private.get(change.key[0])
    if who is None or not isinstance(change.record, Person):
        return {}
    before, after = who.before, who.after
    shown_before = masked(before) if before else {}
    return {
        name: (shown_before.get(name), shown)
        for name, shown in masked(after).items()
        if (getattr(before, name) if before else None) != getattr(after, name)
    }


def _tell_counts(outcome: Outcome, deeds: Iterable[_Deed]) -> None:
    counts = Counter((deed.change.kind, deed.action) for deed in deeds)
    kinds = [
        kind
        for kind in TABLES
        if outcome.imported.rows.get(kind) or any(counts[kind, action] for action in _ACTIONS)
    ]
    showing.print_table(
        (
            *("表 table", "行 rows", "重复 repeated"),
            *(f"{word} {action}" for action, (_, word) in _ACTIONS.items()),
        ),
        [
            (
                f"{KIND_WORDS[kind]} {kind}",
                outcome.imported.rows.get(kind, 0),
                outcome.imported.repeated.get(kind, 0),
                *(counts[kind, action] for action in _ACTIONS),
            )
            for kind in kinds
        ],
        "",
    )


def _tell_some(heading: str, found: Sequence[Any], most: int, line: Callable[[Any], str]) -> None:
    if not found:
        return
    click.echo(f"\n{heading}: {len(found)}")
    for one in found[:most]:
        click.echo(line(one))
    if len(found) > most:
        left = len(found) - most
        click.echo(f"… 还有 {left} 个，用 --all 全部显示。 {left} more; --all shows them.")


def _line(sign: str, deed: _Deed) -> str:
    key = "/".join(part or "（新编号 new id）" for part in deed.key if part != EVER)
    named = f"{sign} {KIND_WORDS[deed.change.kind]} {deed.change.kind} {key} {deed.called}".rstrip()
    if deed.change.before is None or deed.change.after is None:
        return named
    fields = {name: pair for name, pair in deed.fields.items() if name != "private_version"}
    changed = {**fields, **deed.private}
    return f"{named}: " + "; ".join(
        f"{headed(name)}: {_plain(before)} → {_plain(after)}"
        for name, (before, after) in changed.items()
    )


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "、".join(value) or "–"
    return "–" if value is None else str(value)


def _fault_line(fault: Fault) -> str:
    refusal = fault.refusal
    where = place(Position(refusal.file, refusal.sheet, refusal.row))
    cell = f" {refusal.column}" if refusal.column else ""
    header = f"（{refusal.header}）" if refusal.header else ""
    value = f" “{refusal.value}”" if refusal.value else ""
    return f"✗ {where}{cell}{header}{value}: {refusal.reason}: {refusal.what}"


def _conclusion(outcome: Outcome, changes: int) -> str:
    if outcome.faults:
        count = len(outcome.faults)
        return (
            f"\n有 {count} 处被拒绝，什么也没有改动：改好文件再导入。 "
            f"{count} refusals, and nothing was changed: mend the files and import again."
        )
    if not changes:
        return "没有变化：名册已经是这样。 Nothing to change: the roster says so already."
    if outcome.change_set is not None:
        return (
            f"\n已导入：变更 {outcome.change_set}，{changes} 处改动；由 worker 发布。 "
            f"Imported as change set {outcome.change_set}, {changes} changes; a worker publishes "
            "them."
        )
    return (
        f"\n只是预览，{changes} 处改动：加 --apply 导入。 "
        f"A dry run, {changes} changes: import them with --apply."
    )
