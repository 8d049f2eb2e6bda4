"""`hours import`: the roster from spreadsheets; a workbook to fill in; the seed district as one.

The command reads files, has the rows planned against the roster, and shows or makes the plan.
Invariant: with a refusal nothing changes; what changes is one transaction and one change set.
"""

from collections.abc import Sequence
from pathlib import Path

import click

from dashboards import import_deeds
from dashboards.import_deeds import Outcome
from dashboards.import_files import read_files
from dashboards.importing import Importer
from hours import import_showing, import_workbooks, showing
from hours.roster_options import as_json_option, by_and_why, deed, roster_engine, today, zone_of
from hours.settings import Settings, WrongUse
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
        importer = Importer(
            engine, settings.vault, zone_of(settings), today(settings), showing.counting
        )
        return importer.applied(files, done) if applies else importer.planned(files)
