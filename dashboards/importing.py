"""An import of spreadsheets into the roster: planned against it, shown, or made as one change set.

For the command and for the board alike. Invariant: with a refusal nothing changes; what is applied
is what a dry run shows.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from dashboards.import_deeds import Outcome
from dashboards.import_files import Files
from ledger import queries
from ledger.refusals import LedgerRefusal
from ledger.roster import store
from ledger.roster.importing import Enrolment, Imported, plan_import
from ledger.roster.naming import new_serial, new_volunteer
from ledger.roster.private_values import mentions
from ledger.roster.records import Person
from ledger.roster.roster import Roster
from ledger.roster.store import Deed
from ledger.roster.vault import Sealed, Vault

Counting = Callable[[str], AbstractContextManager[Callable[..., None]]]
"""What is under way, for whoever shows progress."""


class NamesInHistory(LedgerRefusal):
    """A reason or a file's name says who somebody is, and the history keeps it for ever."""


def quietly(what: str) -> AbstractContextManager[Callable[..., None]]:
    """No progress for anybody."""
    return nullcontext(lambda *moved: None)


class Importer:
    """Imports into one roster. `vault_of` is asked only where the files have people."""

    def __init__(
        self,
        engine: Engine,
        vault_of: Callable[[], Vault],
        zone: ZoneInfo,
        today: str,
        counting: Counting = quietly,
    ) -> None:
        self._engine, self._vault_of = engine, vault_of
        self._zone, self._today, self._counting = zone, today, counting

    def planned(self, files: Files) -> Outcome:
        """What the files would change, and what is wrong with them."""
        with queries.reading(self._engine) as connection:
            return self._outcome(files, self._plan(connection, files)[0])

    def applied(self, files: Files, deed: Deed) -> Outcome:
        """The same, done, if nothing is wrong. NamesInHistory."""
        with store.changing(self._engine) as connection:
            imported, roster = self._plan(connection, files)
            outcome = self._outcome(files, imported)
            if outcome.faults or not imported.changes:
                return outcome
            _refuse_names(deed, imported)
            sealed = self._sealed(imported) if imported.private else {}
            number = store.apply(connection, roster, imported.changes, deed, sealed)
            return outcome._replace(change_set=number)

    def _plan(self, connection: Connection, files: Files) -> tuple[Imported, Roster]:
        roster = store.load(connection)
        enrolment = self._enrolment(connection, files, roster)
        with self._counting("核对 checking"):
            imported = plan_import(
                files.rows, files.unsound, roster, enrolment, self._zone, self._today
            )
        return imported, roster

    def _enrolment(self, connection: Connection, files: Files, roster: Roster) -> Enrolment:
        """Who people are is looked at only where the files have people."""
        rows = [*files.rows, *files.unsound]
        volunteers = {*roster.people, *(row.cells.get("volunteer", "") for row in rows)}
        serials = {one.badge_serial or "" for one in roster.all(Person)}
        has_people = any(row.kind == Person.KIND for row in files.rows)
        return Enrolment(
            store.load_private(connection, self._vault_of()) if has_people else {},
            store.latest_versions(connection) if has_people else {},
            lambda: _taken(volunteers, new_volunteer(volunteers)),
            lambda: _taken(serials, new_serial(serials)),
        )

    def _sealed(self, imported: Imported) -> dict[tuple[str, int], Sealed]:
        """What the roster keeps of who people are, by volunteer and version."""
        vault = self._vault_of()
        people = [one.after for one in imported.changes if isinstance(one.after, Person)]
        with self._counting("封存 sealing") as moved:
            sealed: dict[tuple[str, int], Sealed] = {}
            for person in people:
                if who := imported.private.get(person.volunteer):
                    version = (person.volunteer, person.private_version)
                    sealed[version] = vault.seal(person.volunteer, who.after)
                    moved(len(sealed), len(imported.private))
        return sealed

    def _outcome(self, files: Files, imported: Imported) -> Outcome:
        faults = [*files.faults, *map(files.fault, imported.refused)]
        return Outcome(imported, faults, files.tables.skipped, self._zone)


def _refuse_names(deed: Deed, imported: Imported) -> None:
    said = f"{deed.why} {deed.source}"
    if any(mentions(said, who.after) for who in imported.private.values()):
        raise NamesInHistory(
            "理由（--why）或文件名里有志愿者的姓名、手机或证件号码，而它会永久留在历史里：请改写。 "
            "The reason (--why) or a file's name holds a volunteer's name, phone or document "
            "number, and the history keeps it for ever: call it something else."
        )


def _taken(names: set[str], name: str) -> str:
    names.add(name)
    return name
