"""The command that makes a simulated district's events and activities.

What is simulated stands in `producers.simulation`; here it is chosen, and sent where it belongs.
"""

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

import click

from hours import showing
from hours.opened_ledger import reading_ledger
from hours.settings import Settings, WrongUse
from hours.simulated_roster import SERVING, district_on
from ledger.roster.store import load
from producers.district import District
from producers.district_rows import activity_rows
from producers.district_seed import VOLUNTEER_COUNT
from producers.district_tables import write_csv
from producers.publishing import open_producer, publish_events, refuse_missing
from producers.simulated_activities import DAY, civil_day
from producers.simulated_run import run_to_kafka, write_lines
from producers.simulation import (
    HALF_YEAR_DAYS,
    Plan,
    activities,
    half_year_from,
    plan_ending_now,
    plan_from,
    simulate,
    surging,
)

_DAYS = 7


@click.command("simulate")
@click.option("--days", type=int, help=f"How many days.  [default: {_DAYS}]")
@click.option("--from", "first_day", metavar="YYYY-MM-DD", help="First day; else it ends now.")
@click.option("--half-year", is_flag=True, help="181 days, nearly 10,000 activities.")
@click.option("--surge", is_flag=True, help="100 organisations check in within ten minutes.")
@click.option("--seed", default=1, show_default=True, help="Another seed, other volunteers.")
@click.option("--volunteers", type=int, help=f"How many.  [default: {VOLUNTEER_COUNT}]")
@click.option("--roster", is_flag=True, help="Those of the ledger's roster, at its places.")
@click.option("--taps", type=int, help="About how many; else what such a district makes.")
@click.option(
    "--activities",
    "activities_file",
    metavar="FILE.csv",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the activities there too, as a sheet that can be imported.",
)
@click.option("--to-kafka", is_flag=True, help="Publish to Kafka, not to standard output.")
@click.option(
    "--rate", type=click.IntRange(min=1), help="Events a second; else as fast as it goes."
)
@click.option(
    "--position",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that remembers how far it came, so that it can be resumed.",
)
@click.pass_obj
def simulate_(
    settings: Settings,
    days: int | None,
    first_day: str | None,
    half_year: bool,
    surge: bool,
    seed: int,
    volunteers: int | None,
    roster: bool,
    taps: int | None,
    activities_file: Path | None,
    to_kafka: bool,
    rate: int | None,
    position: Path | None,
) -> None:
    """模拟一个区。 Events of a seeded district: to standard output, or to Kafka at a rate.

    14 offices, 231 stations, 122 teams; evening and weekend peaks; forgotten check-outs, double
    taps, kiosks that deliver late and shuffled, wrong clocks. Lines carry `recordedat`, the time
    at which the log would have taken them, which `hours settle` understands. A surge has no faults.
    """
    _refuse(half_year and surge, "--half-year", "--surge")
    for whole, name in ((half_year, "--half-year"), (surge, "--surge")):
        _refuse(whole and days is not None, "--days", name)
        _refuse(whole and taps is not None, "--taps", name)
    _refuse(roster and surge, "--roster", "--surge")
    _refuse(roster and volunteers is not None, "--roster", "--volunteers")
    _take(position and not to_kafka, "--position", "--to-kafka")
    _take(rate and not to_kafka, "--rate", "--to-kafka")
    # Resumed, a run that ends now ends when it first did, and its activities would be others.
    _take(activities_file and position and not first_day, "--activities, --position", "--from")
    district = _of_roster(settings, first_day) if roster else None
    people = VOLUNTEER_COUNT if volunteers is None else volunteers
    options = {"seed": seed, "volunteers": len(district.serving) if district else people}
    if half_year:
        plan = _half_year(first_day, to_kafka, **options)
    elif surge:
        plan = surging(_plan(first_day, days=1, **options))
    else:
        plan = _plan(first_day, days=_DAYS if days is None else days, taps=taps, **options)
    if activities_file:
        _write_activities(activities_file, plan, district, ZoneInfo(settings.timezone))
    if to_kafka:
        _publish(settings, plan, district, position, rate)
    else:
        with _counting_beside(sys.stdout) as moved:
            write_lines(simulate(plan, district), sys.stdout.buffer, moved)


def _refuse(both: object, one: str, other: str) -> None:
    if both:
        raise WrongUse(f"{one} 和 {other} 不能同用。 {one} and {other} don't go together.")


def _take(without: object, one: str, other: str) -> None:
    if without:
        raise WrongUse(f"{one} 只用于 {other}。 {one} goes with {other}.")


def _plan(first_day: str | None, **options: int | None) -> Plan:
    try:
        if first_day is None:
            return plan_ending_now(_now(), **options)  # type: ignore[arg-type]
        return plan_from(first_day, **options)
    except ValueError as error:
        raise WrongUse(str(error)) from error


def _half_year(first_day: str | None, to_kafka: bool, **options: int) -> Plan:
    """From the day given, or else what ended yesterday, which is too long ago for Kafka's stamp."""
    if first_day is None and to_kafka:
        return _plan(None, days=HALF_YEAR_DAYS, **options)
    try:
        return half_year_from(first_day or _days_ago(HALF_YEAR_DAYS), **options)
    except ValueError as error:
        raise WrongUse(str(error)) from error


def _of_roster(settings: Settings, first_day: str | None) -> District:
    """The roster's district as it is on the first day, today unless told. WrongUse, NoDatabase."""
    with reading_ledger(settings) as connection:
        roster = load(connection, SERVING)
    district = district_on(roster, first_day or _days_ago(0))
    if district.serving and district.kiosk_places:
        return district
    raise WrongUse(
        "名册里那天没有单位，或没有一名在册志愿者在队：请先导入名册。 "
        "On that day the roster has no unit, or no active volunteer in a team: import it first."
    )


def _write_activities(
    file: Path, plan: Plan, district: District | None, timezone: ZoneInfo
) -> None:
    rows = activity_rows(activities(plan, district), plan.until, timezone)
    try:
        with file.open("w", encoding="utf-8-sig", newline="") as out:  # Excel wants the mark
            count = write_csv("activity", rows, out)
    except OSError as error:
        raise WrongUse(
            f"写不了 {file}：请换一个位置。 "
            f"{file} can't be written ({error.strerror}): name another place."
        ) from error
    showing.say(f"{count} 个活动已写入 {file}。 {count} activities written to {file}.")


def _publish(
    settings: Settings,
    plan: Plan,
    district: District | None,
    position: Path | None,
    rate: int | None,
) -> None:
    streams = settings.streams()
    refuse_missing(streams.kafka, streams.taps_topic)
    with open_producer(streams.kafka) as producer, showing.counting("模拟 simulating") as moved:
        count = run_to_kafka(
            plan,
            lambda events: publish_events(events, producer, streams.taps_topic),
            position,
            rate,
            moved,
            district=district,
        )
    click.echo(f"已发布 {count} 个事件。 {count} events published.")


def _counting_beside(out: TextIO) -> AbstractContextManager[Callable[..., None]]:
    """A count on standard error, but where the events themselves go to the terminal."""
    return nullcontext(_uncounted) if out.isatty() else showing.counting("模拟 simulating")


def _uncounted(done: int) -> None:
    """Nothing is shown."""


def _days_ago(days: int) -> str:
    return civil_day(_now() - days * DAY)


def _now() -> int:
    return time.time_ns() // 1_000
