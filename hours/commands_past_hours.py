"""The command that brings in past hours: files, roster and ledger in, events out."""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Connection, Engine

from hours import past_hours_showing, showing
from hours.new_workbooks import write_new_workbook
from hours.past_hours import (
    COLUMNS,
    EXAMPLES,
    SPEC,
    Who,
    by_private_data,
    lines_of,
    nobody,
    private_cells,
)
from hours.past_hours_plan import Fate, Notice, Plan, Sent, fates, notices, plan
from hours.roster_options import roster_engine
from hours.settings import Settings, WrongUse
from ledger import adjustments, queries
from ledger.adjustments import Entered, Identity
from ledger.roster import store as roster_store
from ledger.roster.records import Activity, Person, Team
from producers.past_hours import SOURCE
from producers.publishing import refuse_missing
from producers.sheets import Sheet, Tables, read_tables
from streams import imports
from streams.imports import Settled


@click.command("import-hours")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--apply", is_flag=True, help="Publish them; else only show what would be.")
@click.option(
    "--wait",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=60,
    show_default=True,
    help="How long to wait until the ledger has settled them.",
)
@click.option(
    "--template",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write an example workbook to fill in, and nothing else.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def import_hours(
    settings: Settings,
    files: tuple[Path, ...],
    apply: bool,
    wait: float,
    template: Path | None,
    as_json: bool,
) -> None:
    """补录纸质和表格里的时长。 Bring in past hours from XLSX and CSV files.

    Each row becomes an adjustment, published to the log and settled like every tap. Rows that are
    in the ledger already, or on their way to it, are left out, so that importing a file again
    changes nothing. With refusals nothing is published.

    Exit code 1: rows were refused or rejected; 2: the ledger has not settled all of them yet.
    """
    if template is not None:
        write_new_workbook(template, [Sheet(SPEC.sheets[0], COLUMNS, EXAMPLES)])
        return
    if not files:
        raise WrongUse(
            "没有给文件：hours import-hours FILE…，或 --template FILE.xlsx。 "
            "No files given: hours import-hours FILE…, or --template FILE.xlsx."
        )
    if apply:
        streams = settings.streams()
        refuse_missing(streams.kafka, streams.taps_topic)
    with showing.counting("读取 reading") as moved:
        tables = read_tables(_each_once(files), [SPEC], moved)
    with roster_engine(settings) as engine:
        prepared = _prepare(settings, engine, tables)
        _show(prepared, as_json)
        if prepared.plan.refusals:
            raise click.exceptions.Exit(1)
        if apply:
            ended = _apply(settings, engine, prepared, wait)
            _tell(ended, as_json)


def _each_once(files: Iterable[Path]) -> Iterable[Path]:
    """Files by name; one that is named twice would seem to hold each row twice."""
    return {file.resolve(): file for file in files}.values()


class _Prepared(NamedTuple):
    """A plan and what it was made from."""

    plan: Plan
    notices: list[Notice]
    before: Settled
    on_their_way: Mapping[Identity, Entered]


def _prepare(settings: Settings, engine: Engine, tables: Tables) -> _Prepared:
    now = datetime.fromtimestamp(time.time(), ZoneInfo(settings.timezone))
    today = now.date().isoformat()
    entered_at, _ = queries.day_bounds(today, settings.timezone)
    with queries.reading(engine) as connection:
        roster = roster_store.load(connection, (Team, Activity, Person))
        who = _who(settings, connection, tables)
        lines, refusals = lines_of(tables, roster, who, today, entered_at)
        volunteers = {line.event.subject for line in lines}
        before = imports.settled(connection, SOURCE, volunteers)
        days = sorted(line.row.day for line in lines) or [today]
        seconds = adjustments.seconds_of_days(connection, volunteers, days[0], days[-1])
    coming: Mapping[Identity, Entered] = {}
    if settings.kafka:
        coming = imports.on_their_way(settings.streams(), SOURCE, volunteers, before)
    planned = plan(lines, refusals, tables.columns, before.entered, coming)
    return _Prepared(planned, notices(planned.new, roster, seconds), before, coming)


def _who(settings: Settings, connection: Connection, tables: Tables) -> Who:
    """Looks people up by private data, where rows hold some and the key is there."""
    some, needed = private_cells(tables)
    if not needed and not (some and settings.roster_key_file):
        return nobody
    return by_private_data(roster_store.load_private(connection, settings.vault()))


def _apply(
    settings: Settings, engine: Engine, prepared: _Prepared, patience_seconds: float
) -> list[Fate]:
    lines = prepared.plan.new
    with showing.counting("发布 publishing") as moved:
        events = [line.event for line in lines]
        places = imports.publish(
            settings.streams(), events, prepared.before, lambda done: moved(done, len(events))
        )
    sent = [Sent(line, *place) for line, place in zip(lines, places, strict=True)]
    for line in prepared.plan.on_their_way:
        there = prepared.on_their_way[line.identity]
        sent.append(Sent(line, there.partition, there.offset, ours=False))
    showing.say(f"已发布 {len(lines)} 行。 {len(lines)} rows published.")
    with showing.counting("结算 settling") as moved:
        imports.wait_until_settled(
            engine,
            [(one.partition, one.offset) for one in sent],
            patience_seconds,
            lambda done: moved(done, len(sent)),
        )
    return _fates(engine, sent)


def _fates(engine: Engine, sent: Sequence[Sent]) -> list[Fate]:
    volunteers = {one.line.event.subject for one in sent}
    with queries.reading(engine) as connection:
        now = imports.settled(connection, SOURCE, volunteers)
        refused = adjustments.refused_at(connection, [(one.partition, one.offset) for one in sent])
    return fates(sent, now.entered, refused, now.next_offsets)


def _show(prepared: _Prepared, as_json: bool) -> None:
    show = past_hours_showing.print_plan_json if as_json else past_hours_showing.print_plan
    show(prepared.plan, prepared.notices)


def _tell(ended: Sequence[Fate], as_json: bool) -> None:
    tell = past_hours_showing.print_fates_json if as_json else past_hours_showing.print_fates
    tell(ended)
    counts = past_hours_showing.outcomes_of(ended)
    if counts["waiting"]:
        showing.say(
            "还有行没有结算：请看 worker 是否在运行，再运行一次这个命令，不会重复。 "
            "Some rows are not settled yet: see that a worker runs, and give this command again; "
            "nothing counts twice."
        )
        raise click.exceptions.Exit(2)
    if counts["rejected"]:
        raise click.exceptions.Exit(1)
