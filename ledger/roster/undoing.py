"""Taking a change set back: the changes that do, or why it can't be.

Pure; what came after a change set is the store's to say. Invariant: nothing that was changed since
is overwritten, and nobody who was erased comes back.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ledger.refusals import LedgerRefusal
from ledger.roster.records import Person, Record
from ledger.roster.roster import Change, Key, Roster


class NotUndone(LedgerRefusal):
    """A change set can't be taken back; the message names what stands against it."""


class Later(NamedTuple):
    """Which change set last touched each record, by kind and key, of those after one."""

    touched: Mapping[tuple[str, Key], int]


def undoing(roster: Roster, number: int, changes: Sequence[Change], later: Later) -> list[Change]:
    """The changes that take back those of a change set. NotUndone."""
    if not changes:
        raise NotUndone(
            f"变更 {number} 没有改动名册，没有可撤销的。 "
            f"Change set {number} changed no record: there is nothing to take back."
        )
    for change in changes:
        _refuse_erased(roster, number, change)
    for change in changes:
        _refuse_changed(roster, number, change, later)
    return [change.undone() for change in reversed(changes)]


def volunteer_of(record: Record) -> str | None:
    """The volunteer whom a record is about."""
    return getattr(record, "volunteer", None)


def _refuse_erased(roster: Roster, number: int, change: Change) -> None:
    named = {volunteer_of(change.record), *getattr(change.before, "leaders", ())}
    for volunteer in sorted(filter(None, named)):
        person = roster.get(Person, volunteer)
        if person is not None and person.status == "erased":
            raise NotUndone(
                f"变更 {number} 涉及 {volunteer}，而此人已被删除：不能撤销。 "
                f"Change set {number} is about {volunteer}, who was erased: it stays."
            )


def _refuse_changed(roster: Roster, number: int, change: Change, later: Later) -> None:
    if roster.records[change.kind].get(change.key) == change.after:
        return
    named = f"{change.kind} {'/'.join(change.key)}"
    by = later.touched.get((change.kind, change.key))
    raise NotUndone(
        f"变更 {number} 之后，变更 {by} 又改动了 {named}：请先撤销变更 {by}。 "
        f"After change set {number}, change set {by} changed {named}: undo {by} first."
    )
