"""`hours desk`: a clerk enters, on somebody's behalf, what a kiosk didn't see.

Thin. By the same outbox as a kiosk's taps: on the disk first, in the log in the end.
"""

import getpass
import json
from collections.abc import Callable
from contextlib import closing

import click
from pydantic import ValidationError
from ulid import ULID

from hours import showing
from hours.desk_options import (
    at_option,
    desk_options,
    refuse_private_numbers,
    seconds_given,
    time_of,
    unknown,
    volunteer_of,
)
from hours.desk_sending import keep, send
from hours.settings import Settings, WrongUse
from producers import desk as desks
from producers.events import Event
from producers.kiosk.outbox_rows import OutboxRows
from producers.writing import write_line


@click.group()
def desk() -> None:
    """代签和更正。 Enter for somebody what a kiosk didn't see: in, out, void, adjust.

    Each needs a reason and says who entered it. It is on this machine's disk first, and then sent;
    while Kafka is away it waits, and the gateway or `hours desk send` sends it.
    """


@desk.command("in")
@click.argument("volunteer")
@click.option("--team", required=True)
@click.option("--place", required=True)
@click.option("--activity")
@at_option
@desk_options
@click.pass_obj
def check_in(
    settings: Settings,
    volunteer: str,
    team: str,
    place: str,
    activity: str | None,
    at: str | None,
    why: str,
    by: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """补签到。 VOLUNTEER came."""
    who = volunteer_of(volunteer)
    named = {"volunteer": who, "team": team, "unit": place, "activity": activity}
    _warn(settings, named)
    event = _made(
        lambda: desks.check_in(
            str(ULID()), by or _login(), who, team, place, time_of(at, settings), why, activity
        )
    )
    _enter(settings, event, place, dry_run, as_json)


@desk.command("out")
@click.argument("volunteer")
@click.option("--place")
@at_option
@desk_options
@click.pass_obj
def check_out(
    settings: Settings,
    volunteer: str,
    place: str | None,
    at: str | None,
    why: str,
    by: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """补签退。 VOLUNTEER left."""
    who = volunteer_of(volunteer)
    _warn(settings, {"volunteer": who, "unit": place})
    event = _made(
        lambda: desks.check_out(str(ULID()), by or _login(), who, time_of(at, settings), why, place)
    )
    _enter(settings, event, place or "", dry_run, as_json)


@desk.command("void")
@click.argument("volunteer")
@click.argument("source")
@click.argument("tap")
@desk_options
@click.pass_obj
def void(
    settings: Settings,
    volunteer: str,
    source: str,
    tap: str,
    why: str,
    by: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """作废一次签到。 Take back VOLUNTEER's tap, by its SOURCE and id, as hours exceptions shows."""
    who = volunteer_of(volunteer)
    event = _made(
        lambda: desks.void(
            str(ULID()), by or _login(), who, (source, tap), time_of(None, settings), why
        )
    )
    _enter(settings, event, "", dry_run, as_json)


@desk.command("adjust")
@click.argument("volunteer")
@click.option("--team", required=True)
@click.option("--day", required=True, metavar="YYYY-MM-DD")
@click.option("--hours", required=True, help="1.5, 1:30 or 90分钟; -0:30 takes away.")
@click.option("--activity")
@click.option("--approved-by", required=True, help="Who approves; somebody else.")
@desk_options
@click.pass_obj
def adjust(
    settings: Settings,
    volunteer: str,
    team: str,
    day: str,
    hours: str,
    activity: str | None,
    approved_by: str,
    why: str,
    by: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """更正一天的时长。 Change VOLUNTEER's hours of a day, as somebody else approved."""
    who, now = volunteer_of(volunteer), time_of(None, settings)
    _warn(settings, {"volunteer": who, "team": team, "activity": activity})
    seconds, id_, user = seconds_given(hours), str(ULID()), by or _login()
    event = _made(
        lambda: desks.adjustment(
            id_, user, who, team, day, seconds, approved_by, now, why, activity
        )
    )
    _enter(settings, event, "", dry_run, as_json)


@desk.command("send")
@click.pass_obj
def send_waiting(settings: Settings) -> None:
    """发送积压。 Send what waits on this machine. Exit code 1: something still waits."""
    trouble = send(settings, [])
    with closing(OutboxRows(settings.gateway_file)) as rows:
        waiting = rows.standing().waiting
    if waiting:
        showing.say(trouble or "")
        click.echo(f"还有 {waiting} 条待发。 {waiting} still wait.")
        raise click.exceptions.Exit(1)
    click.echo("全部已入日志。 All of it is in the log.")


def _enter(settings: Settings, event: Event, place: str, dry_run: bool, as_json: bool) -> None:
    refuse_private_numbers(event)
    if dry_run:
        click.echo(write_line(event).decode())
        return
    keep(settings.gateway_file, [event], place)
    trouble = send(settings, [event])
    if as_json:
        said = {"event": json.loads(write_line(event)), "in_log": trouble is None}
        click.echo(json.dumps(said, ensure_ascii=False))
    elif trouble is None:
        click.echo(f"已入日志 {event.id}。 It is in the log, as {event.id}.")
    else:
        click.echo(
            f"已存盘 {event.id}，待发：由网关或 hours desk send 发送。 It is on the disk, as "
            f"{event.id}, and waits: the gateway or hours desk send sends it."
        )
    if trouble is not None:
        showing.say(trouble)


def _made(make: Callable[[], Event]) -> Event:
    """WrongUse where a field can't be so."""
    try:
        return make()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][-1]) if first["loc"] else "event"
        raise WrongUse(
            f"{field} 不能用：{first['msg']}。 {field} can't be used: {first['msg']}."
        ) from error


def _warn(settings: Settings, named: dict[str, str | None]) -> None:
    for warning in unknown(settings, named):
        showing.say(warning)


def _login() -> str:
    return getpass.getuser()
