"""`hours import`: the roster from spreadsheets; a workbook to fill in; the seed district as one.

The command reads files, has the rows planned against the roster, and shows or makes the plan.
Invariant: with a refusal nothing changes; what changes is one transaction and one change set.
"""

from collections.abc import Sequence
from pathlib import Path

import click
from sqlalchemy import Connection

from hours import import_deeds, import_showing, import_workbooks, showing
from hours.import_deeds import Outcome
from hours.import_files import Files, read_files
from hours.roster_options import as_json_option, by_and_why, deed, roster_engine, today, zone_of
from hours.settings import Settings, WrongUse
from ledger import queries
from ledger.roster import store
from ledger.roster.importing import Enrolment, Imported, plan_import
from ledger.roster.naming import new_serial, new_volunteer
from ledger.roster.private_values import mentions
from ledger.roster.records import Person
from ledger.roster.roster import Roster
from ledger.roster.store import Deed
from ledger.roster.vault import Sealed, Vault
from producers.district_seed import VOLUNTEER_COUNT

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("import")
@click.argument("files", nargs=-1, metavar="FILE…", type=_FILE)
@click.option("--apply", "applies", is_flag=True, help="Do it; else it is only shown.")
@click.option("--all", "shows_all", is_flag=True, help="Show all, not the first 50 of each.")
@as_json_option
@by_and_why(required=False)
@click.option("--template", type=_FILE, metavar="FILE", help="Write a workbook to fill in.")
@click.option("--district", type=_FILE, metavar="FILE", help="Write the seed district.")
@click.option(
    "--people",
    type=click.IntRange(0, 1_000_000),
    default=VOLUNTEER_COUNT,
    show_default=True,
    help="How many invented people the district has.",
)
@click.option("--seed", default=1, show_default=True, help="Another seed, other people.")
@click.option("--surge", is_flag=True, help="The district's surge: 100 other organisations.")
@click.pass_obj
def import_(
    settings: Settings,
    files: tuple[Path, ...],
    applies: bool,
    shows_all: bool,
    as_json: bool,
    by: str | None,
    why: str | None,
    template: Path | None,
    district: Path | None,
    people: int,
    seed: int,
    surge: bool,
) -> None:
    """从表格导入名册。 Import the roster from spreadsheets, XLSX or CSV.

    One sheet (or CSV file) for each kind of thing. Shows what would be added, changed and ended,
    and everything that is refused; with --apply, and nothing refused, does it in one transaction.
    Importing again changes nothing. Exit code 1: something was refused, and nothing changed.
    """
    if sum(map(bool, (files, template, district))) != 1:
        raise WrongUse(
            "请给出文件，或 --template，或 --district，三者之一。 "
            "Give files, or --template, or --district: one of the three."
        )
    if template:
        import_workbooks.write_template(template)
    if district:
        import_workbooks.write_district(district, people, seed, surge)
    if written := template or district:
        showing.say(f"已写入 {written}。 {written} is written.")
        return
    outcome = _import(settings, files, applies, by, why)
    if as_json:
        showing.print_json(import_deeds.as_json(outcome))
    else:
        import_showing.tell(outcome, shows_all)
    if outcome.faults:
        raise click.exceptions.Exit(1)


def _import(
    settings: Settings, paths: Sequence[Path], applies: bool, by: str | None, why: str | None
) -> Outcome:
    with showing.counting("读取 reading") as moved:
        files = read_files(paths, moved)
    done = deed(by, why or files.source)._replace(source=files.source)
    with roster_engine(settings) as engine:
        if applies:
            with store.changing(engine) as connection:
                return _applied(settings, connection, files, done)
        with queries.reading(engine) as connection:
            imported, _ = _planned(settings, connection, files)
            return _outcome(settings, files, imported)


def _applied(settings: Settings, connection: Connection, files: Files, done: Deed) -> Outcome:
    imported, roster = _planned(settings, connection, files)
    outcome = _outcome(settings, files, imported)
    if outcome.faults or not imported.changes:
        return outcome
    _refuse_names(done, imported)
    sealed = _sealed(settings.vault(), imported) if imported.private else {}
    number = store.apply(connection, roster, imported.changes, done, sealed)
    return outcome._replace(change_set=number)


def _refuse_names(done: Deed, imported: Imported) -> None:
    """WrongUse where the history, which is kept for ever, would say who somebody is."""
    said = f"{done.why} {done.source}"
    if any(mentions(said, who.after) for who in imported.private.values()):
        raise WrongUse(
            "--why 或文件名里有志愿者的姓名、手机或证件号码，而它会永久留在历史里：请改一改。 "
            "--why or a file's name holds a volunteer's name, phone or document number, and the "
            "history keeps it for ever: call it something else."
        )


def _planned(settings: Settings, connection: Connection, files: Files) -> tuple[Imported, Roster]:
    roster = store.load(connection)
    enrolment = _enrolment(settings, connection, files, roster)
    zone, day = zone_of(settings), today(settings)
    with showing.counting("核对 checking"):
        imported = plan_import(files.rows, files.unsound, roster, enrolment, zone, day)
    return imported, roster


def _enrolment(
    settings: Settings, connection: Connection, files: Files, roster: Roster
) -> Enrolment:
    """Who people are is looked at only where the files have people."""
    rows = [*files.rows, *files.unsound]
    volunteers = {*roster.people, *(row.cells.get("volunteer", "") for row in rows)}
    serials = {one.badge_serial or "" for one in roster.all(Person)}
    has_people = any(row.kind == Person.KIND for row in files.rows)
    return Enrolment(
        store.load_private(connection, settings.vault()) if has_people else {},
        store.latest_versions(connection) if has_people else {},
        lambda: _taken(volunteers, new_volunteer(volunteers)),
        lambda: _taken(serials, new_serial(serials)),
    )


def _taken(names: set[str], name: str) -> str:
    names.add(name)
    return name


def _sealed(vault: Vault, imported: Imported) -> dict[tuple[str, int], Sealed]:
    """What the roster keeps of who people are, by volunteer and version."""
    people = [one.after for one in imported.changes if isinstance(one.after, Person)]
    with showing.counting("封存 sealing") as moved:
        sealed: dict[tuple[str, int], Sealed] = {}
        for person in people:
            if who := imported.private.get(person.volunteer):
                version = (person.volunteer, person.private_version)
                sealed[version] = vault.seal(person.volunteer, who.after)
                moved(len(sealed), len(imported.private))
    return sealed


def _outcome(settings: Settings, files: Files, imported: Imported) -> Outcome:
    faults = [*files.faults, *map(files.fault, imported.refused)]
    return Outcome(imported, faults, files.tables.skipped, zone_of(settings))
