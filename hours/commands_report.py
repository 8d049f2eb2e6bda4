"""Reports: every second served, by place, team, platform, project, activity, volunteer and time."""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from click.core import ParameterSource

from dashboards.terminal import duration
from hours import report_showing, showing
from hours.opened_ledger import reading_ledger
from hours.report_pages import (
    half_year_json,
    half_year_rows,
    print_half_year,
    print_history,
    print_unknown,
    unknown_json,
)
from hours.roster_options import as_json_option, day_option, page_of, paged, today
from hours.roster_showing import tell_page
from hours.settings import Settings, WrongUse
from ledger.evidence.moments import SignedMoment
from ledger.policy import SECOND
from ledger.roster.records import EVER
from ledger.roster.reports import report as answer
from ledger.roster.reports_half_year import half_year as figures_of
from ledger.roster.reports_history import history
from ledger.roster.reports_question import LAST_DAY, TIMES, Question, groupings
from ledger.roster.reports_statement import Page
from ledger.roster.reports_unknown import unknown_codes

_Command = Callable[..., None]
_FILTERS = ("unit", "team", "platform", "project", "activity", "volunteer")
_LIMIT = 50


def _asked(command: _Command) -> _Command:
    """The options that make a question."""
    beneath = "Only it and all beneath it."
    options: tuple[Callable[[_Command], _Command], ...] = (
        click.option(
            "--as-of",
            metavar="TIME",
            help="As the ledger stood then: YYYY-MM-DD HH:MM[:SS], or at a signed `moment N`.",
        ),
        click.option(
            "--tree",
            type=click.Choice(["now", "then"]),
            default="now",
            show_default=True,
            help="Units and teams as they are, or as they were on the day served.",
        ),
        *(click.option(f"--{name}", metavar="CODE") for name in reversed(_FILTERS[2:])),
        *(click.option(f"--{name}", metavar="CODE", help=beneath) for name in ("team", "unit")),
        day_option("--to", help="Last day."),
        day_option("--from", help="First day."),
        click.option(
            "--by",
            multiple=True,
            metavar="GROUPING",
            help="unit, unit:LEVEL, team, team:corps, team:kind, platform, project, activity, "
            "volunteer, day, week, month, or total; several at once (default: unit).",
        ),
    )
    for option in options:
        command = option(command)
    return command


@click.group(invoke_without_command=True)
@_asked
@click.option("--sort", type=click.Choice(["time", "hours"]), help="Default: by time, if grouped.")
@click.option("--limit", type=click.IntRange(1), help=f"Rows a page (default: {_LIMIT}).")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True)
@click.option("--decimal", is_flag=True, help="Hours as decimals instead of h:mm:ss.")
@click.option("--csv", type=click.Path(dir_okay=False, path_type=Path), help="All rows to a file.")
@click.option("--xlsx", type=click.Path(dir_okay=False, path_type=Path), help="All rows to a file.")
@as_json_option
@click.pass_context
def report(
    context: click.Context,
    /,
    sort: str | None,
    limit: int | None,
    page: int,
    decimal: bool,
    csv: Path | None,
    xlsx: Path | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """时长报表。 Hours, sessions, volunteers, activities held and people served, grouped.

    \b
    hours report --by unit:office --by month
    hours report --by activity --team choir --from 2026-01-01 --to 2026-06-30
    hours report --by total --as-of "2026-04-01 00:00"

    Codes that the roster lacks are in the row 未登记 unknown: see `hours roster unknown`.
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    settings: Settings = context.obj
    question = _question(settings, **asked)
    if limit is None and not (as_json or csv or xlsx):
        limit = _LIMIT
    skipped = (page - 1) * (limit or 0)
    order = sort or ("time" if any(one.dimension in TIMES for one in question.by) else "hours")
    with reading_ledger(settings) as connection:
        asked_for = Page("time" if order == "time" else "hours", skipped, limit)
        found = answer(connection, question, settings.policy, asked_for)
    hours = report_showing.decimal_hours if decimal else duration
    if csv or xlsx:
        report_showing.write_report(question.by, found, hours, csv, xlsx)
    elif as_json:
        rows = found.rows if question.by else [found.whole]
        showing.print_json(report_showing.report_json(question.by, row) for row in rows)
    else:
        report_showing.print_report(question.by, found, hours)
    report_showing.tell_rest(found, skipped, page)


@report.command("half-year")
@day_option("--ending", help="The last of the six months' days (default: today).")
@click.option("--xlsx", type=click.Path(dir_okay=False, path_type=Path), help="To a workbook.")
@as_json_option
@click.pass_obj
def half_year(settings: Settings, ending: str | None, xlsx: Path | None, as_json: bool) -> None:
    """半年报。 The figures a district reports of half a year, on a page to hand in."""
    day = today(settings)
    with reading_ledger(settings) as connection:
        found = figures_of(connection, ending or day, day, settings.policy)
    if as_json:
        showing.print_json([half_year_json(found)])
    elif xlsx:
        report_showing.write_rows(*half_year_rows(found), None, xlsx)
    else:
        print_half_year(found)


@report.command()
@click.argument("id", metavar="VOLUNTEER")
@click.option("--as-of", metavar="TIME", help="As the ledger stood then.")
@paged
@as_json_option
@click.pass_obj
def volunteer(
    settings: Settings, id: str, as_of: str | None, limit: int, page: int, as_json: bool
) -> None:
    """一名志愿者的服务经历。 One volunteer's sessions and adjustments, and their total."""
    with reading_ledger(settings) as connection:
        found = history(connection, id, settings.policy, _instant(settings, as_of))
    shown = page_of(found, limit, page)
    if as_json:
        showing.print_json(one._asdict() for one in shown)
    else:
        print_history(shown, found, ZoneInfo(settings.timezone))
    tell_page(len(found), limit, page)


@click.command()
@paged
@as_json_option
@click.pass_obj
def unknown(settings: Settings, limit: int, page: int, as_json: bool) -> None:
    """名册里没有的编号。 Codes in the ledger that the roster lacks, and what to do about them."""
    with reading_ledger(settings) as connection:
        found = unknown_codes(connection, settings.policy)
    shown = page_of(found, limit, page)
    if as_json:
        showing.print_json(map(unknown_json, shown))
    else:
        print_unknown(shown)
    tell_page(len(found), limit, page)


def _question(
    settings: Settings, by: tuple[str, ...], tree: str, as_of: str | None, **given: str | None
) -> Question:
    """WrongUse, WrongQuestion."""
    return Question(
        groupings([one for one in by or ("unit",) if one != "total"]),
        first=given["from"] or EVER,
        last=given["to"] or LAST_DAY,
        today=today(settings) if tree == "now" else None,
        as_of=_instant(settings, as_of),
        **{name: given[name] for name in _FILTERS},
    )


def _refuse_options(context: click.Context) -> None:
    """What stands before a page's name would be asked for in vain."""
    for name in context.params:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"{context.invoked_subcommand} 之前不能有选项：请写在它后面。 "
                f"{context.invoked_subcommand} takes its own options, behind its name."
            )


def _instant(settings: Settings, text: str | None) -> int | SignedMoment | None:
    """Microseconds of a time in the ledger's timezone, or with its own offset; or `moment 17`.

    WrongUse where it is neither.

    A day alone is refused: it could mean its beginning or its end.
    """
    if text is None:
        return None
    if (signed := re.fullmatch(r"moment (\d{1,15})", text)) is not None:
        return SignedMoment(int(signed[1]))
    try:
        found = datetime.fromisoformat(text) if len(text) > len("2026-01-01") else None
    except ValueError:
        found = None
    if found is None:
        raise WrongUse(
            f"--as-of {text} 不是时间：写成 2026-04-01 00:00[:00]。 "
            f"--as-of {text} is no time: write it as 2026-04-01 00:00[:00]."
        )
    aware = found if found.tzinfo else found.replace(tzinfo=ZoneInfo(settings.timezone))
    return int(aware.timestamp()) * SECOND + aware.microsecond
