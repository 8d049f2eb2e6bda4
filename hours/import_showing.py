"""What an import comes to, as pages for people.

Invariant: what is cut short says how much more there is.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click

from dashboards.import_deeds import Action, Outcome, Shown, deeds_of
from dashboards.import_files import Fault, place
from hours import showing
from ledger.roster.importing_tables import TABLES
from ledger.roster.records import EVER
from ledger.roster.words import KIND_WORDS, headed
from producers.sheets import Position

SHOWN = 50
"""How many of each are shown, unless all are asked for."""

_ACTIONS: Mapping[Action, tuple[str, str]] = {
    "added": ("+", "新增"),
    "changed": ("~", "改动"),
    "ended": ("-", "终止"),
    "removed": ("×", "移除"),
}
_SKIPPED = {
    "hidden": "隐藏的工作表 hidden",
    "empty": "空工作表 empty",
    "chart": "图表 chart",
}


def tell(outcome: Outcome, shows_all: bool) -> None:
    """All of it in pages: counts, what is done to what, what is refused, and what to do next."""
    deeds = list(deeds_of(outcome))
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


def _tell_counts(outcome: Outcome, deeds: Iterable[Shown]) -> None:
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


def _line(sign: str, deed: Shown) -> str:
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
