"""What an import comes to, as values to show, and as JSON lines.

Invariant: names, phones and documents are masked; an id that somebody would be given is not shown
before it is theirs.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

from dashboards.import_files import Fault
from ledger.roster.editing import texts
from ledger.roster.importing import Imported
from ledger.roster.records import Person, Record
from ledger.roster.roster import Change
from ledger.roster.vault import called, masked
from producers.sheets import Skipped

Action = Literal["added", "changed", "ended", "removed"]

_ENDS = ("valid_until", "until")


class Outcome(NamedTuple):
    """What an import comes to; `change_set` where it was made."""

    imported: Imported
    faults: Sequence[Fault]
    skipped: Sequence[Skipped]
    zone: ZoneInfo
    change_set: int | None = None


class Shown(NamedTuple):
    """A change as it is shown; `key` and `called` may be those of somebody without an id yet."""

    action: Action
    change: Change
    key: tuple[str | None, ...]
    called: str
    fields: Mapping[str, tuple[Any, Any]]
    private: Mapping[str, tuple[str | None, str | None]]


def as_json(outcome: Outcome) -> Iterator[dict[str, Any]]:
    """Each change, refusal and skipped sheet, then a summary."""
    deeds = list(deeds_of(outcome))
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
            **{action: actions[action] for action in get_args(Action)},
            "refused": len(outcome.faults),
        }
    }


def deeds_of(outcome: Outcome) -> Iterator[Shown]:
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
        yield Shown(action, change, key, _called(outcome, change.record), fields, private)


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
