"""From what somebody wants the roster to be, to the changes that make it so and what is wrong.

Pure. What isn't mentioned stays as it is: nobody is ended by being left out. Invariant: a plan with
flaws has no changes to make, and planning again after a plan was applied gives none.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ledger.roster.checks import Flaw, comes_back, flaws
from ledger.roster.records import KINDS, Record, Unit
from ledger.roster.roster import Change, Roster


class Plan(NamedTuple):
    """Changes to make, in the order in which kinds build on each other, or what is wrong."""

    changes: Sequence[Change]
    flaws: Sequence[Flaw]


def plan(roster: Roster, wanted: Iterable[Record], unwanted: Iterable[Record] = ()) -> Plan:
    """The plan that adds or replaces the records wanted, and removes those that aren't."""
    changes = [Change(record, None) for record in unwanted]
    changes += changes_to(roster, wanted)
    return checked(roster, changes)


def changes_to(roster: Roster, wanted: Iterable[Record]) -> list[Change]:
    """What adds or replaces these records, of equal keys the last; those there need nothing."""
    found: list[Change] = []
    for record in {(one.KIND, one.key): one for one in wanted}.values():
        before = roster.records.get(record.KIND, {}).get(record.key)
        if before != record:
            found.append(Change(before, record))
    return sorted(found, key=_place)


def checked(roster: Roster, changes: Sequence[Change]) -> Plan:
    """The plan of these changes: none of them where what they lead to has flaws."""
    after = roster.after(changes)
    found = [flaw for one in changes for flaw in comes_back(one.before, one.after)]
    found += flaws(after, _concerned(after, changes))
    return Plan((), found) if found else Plan(changes, ())


def _concerned(after: Roster, changes: Sequence[Change]) -> Iterable[Record]:
    """What changed, and what may no longer fit because of it."""
    if any(change.after is None for change in changes):
        # What names a record that goes may be anywhere.
        return (record for found in after.records.values() for record in found.values())
    changed = [one.after for one in changes if one.after]
    # What stands beneath a unit must still stand lower.
    trees = {one.KIND for one in changed} & {Unit.KIND}
    beneath = (record for kind in trees for record in after.records[kind].values())
    return {(one.KIND, one.key): one for one in (*changed, *beneath)}.values()


_PLACES = {kind: place for place, kind in enumerate(KINDS)}


def _place(change: Change) -> int:
    return _PLACES[change.kind]
