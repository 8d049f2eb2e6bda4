"""From rows of spreadsheets to the changes that make the roster say what they say.

Pure: files, clock and chance come in as values. What isn't mentioned stays as it is. Invariant:
an import with a refusal changes nothing, and importing again what was imported changes nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ledger.roster.checks import Flaw
from ledger.roster.importing_doubles import Enrolled
from ledger.roster.importing_enrolment import want_people
from ledger.roster.importing_names import Names
from ledger.roster.importing_people import enrol
from ledger.roster.importing_reasons import Reason
from ledger.roster.importing_records import Reading, Wanted, want_records
from ledger.roster.importing_tables import TABLES
from ledger.roster.importing_values import Refused, Row
from ledger.roster.planning import changes_to, checked
from ledger.roster.records import Person
from ledger.roster.roster import Change, Roster
from ledger.roster.vault import PrivateData

_ONE_SUFFICES = ("overlap",)
"""Flaws that each of the periods concerned has: the last one's is told."""


class Who(NamedTuple):
    """Who somebody was by the roster, and is by their row."""

    before: PrivateData | None
    after: PrivateData


class Enrolment(NamedTuple):
    """What is known of people, and whence new ones get an id and a badge.

    `private` is who each volunteer is, `versions` the newest version there is of that, also where
    it was taken back. `new_volunteer` and `new_serial` give what nobody has yet.
    """

    private: Mapping[str, PrivateData]
    versions: Mapping[str, int]
    new_volunteer: Callable[[], str]
    new_serial: Callable[[], str]


class Imported(NamedTuple):
    """What rows come to.

    `changes` are those of the rows that are sound, to look at; with a refusal, none may be made.
    `private` is new private data by volunteer, under their record's `private_version`. `given` are
    the ids of people who got one. `rows` and `repeated` count by kind; a repeated row says what
    one before it said.
    """

    changes: Sequence[Change]
    private: Mapping[str, Who]
    given: frozenset[str]
    refused: Sequence[Refused]
    rows: Mapping[str, int]
    repeated: Mapping[str, int]


def plan_import(
    rows: Sequence[Row],
    unsound: Sequence[Row],
    roster: Roster,
    enrolment: Enrolment,
    zone: ZoneInfo,
    today: str,
) -> Imported:
    """What the rows make of a roster; `today` is an ISO date in the ledger's timezone.

    `unsound` are rows that couldn't be read whole: refused already, but others may name them.
    """
    reading = Reading(roster, Names(roster, [*rows, *unsound], today), zone, today)
    wanted = Wanted()
    for kind in TABLES.keys() - {Person.KIND}:
        want_records(kind, (row for row in rows if row.kind == kind), reading, wanted)
    people = [row for row in rows if row.kind == Person.KIND]
    enrolled = enrol(people, reading, enrolment.private, enrolment.new_volunteer, wanted)
    want_people(enrolled, reading, enrolment.versions, enrolment.new_serial, wanted)
    changes = _changes(roster, wanted)
    flaws = _flaws(checked(roster, changes).flaws, wanted, all_read=not unsound)
    refused = sorted([*wanted.refused, *flaws])
    return Imported(
        changes,
        {one.volunteer: Who(one.before, one.private) for one in enrolled if _is_told_anew(one)},
        frozenset(one.volunteer for one in enrolled if "volunteer" not in one.values and one.new),
        refused,
        Counter(row.kind for row in rows),
        Counter(row.kind for row in wanted.repeated),
    )


def _is_told_anew(one: Enrolled) -> bool:
    return one.private != one.before


def _changes(roster: Roster, wanted: Wanted) -> list[Change]:
    removed = [Change(record, None) for record in wanted.unwanted]
    return removed + changes_to(roster, wanted.records.values())


def _flaws(flaws: Iterable[Flaw], wanted: Wanted, all_read: bool) -> list[Refused]:
    """What is wrong with the roster as it would be: of each row's field, the first."""
    found: dict[tuple[object, ...], Flaw] = {}
    for flaw in flaws:
        # A code that wasn't found was refused already, or is that of a refused row.
        if flaw.reason == Reason.UNKNOWN_CODE and (wanted.refused or not all_read):
            continue
        if flaw.reason in _ONE_SUFFICES:
            found[flaw.record.KIND, flaw.reason, flaw.record.key[:-1]] = flaw
        else:
            found.setdefault((flaw.record.KIND, flaw.record.key, flaw.field), flaw)
    return [_refused(flaw, wanted) for flaw in found.values()]


def _refused(flaw: Flaw, wanted: Wanted) -> Refused:
    cause = wanted.causes.get((flaw.record.KIND, flaw.record.key))
    if cause is None:
        return Refused(-1, flaw.field, flaw.value, flaw.reason, flaw.what)
    field = cause.fields.get(flaw.field, flaw.field)
    value = cause.row.cells.get(field, flaw.value)
    return Refused(cause.row.number, field, value, flaw.reason, flaw.what)
