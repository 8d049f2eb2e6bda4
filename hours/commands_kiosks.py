"""`hours kiosks`: who may speak as a kiosk, and how they are; on the gateway's file, while it runs.

Thin. A one-time code is shown once, to whoever asked for it, and stands nowhere else.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click

from hours import kiosk_showing
from hours.kiosk_authority import make_certificate
from hours.roster_options import as_json_option, by_and_why, deed
from hours.settings import Settings, WrongUse
from producers.kiosk.kiosks import CODE_HOURS, Kiosks
from producers.kiosk.outbox_rows import OutboxRows
from producers.kiosk.overview import noted, overview
from producers.kiosk.roster_cache import RosterCache
from producers.roster_view import RosterView

Command = Callable[..., None]


def _hours(command: Command) -> Command:
    return click.option(
        "--hours",
        type=click.FloatRange(0.1, 24 * 30),
        default=CODE_HOURS,
        show_default=True,
        help="For how long the code is good.",
    )(command)


def _by(command: Command) -> Command:
    return by_and_why(required=False)(command)


@click.group(invoke_without_command=True)
@as_json_option
@click.pass_context
def kiosks(context: click.Context, as_json: bool) -> None:
    """签到机：列出、新增、停用。 Kiosks: list them, add one, revoke one.

    Without a subcommand: how the gateway and each kiosk are, those with trouble first.
    """
    if context.invoked_subcommand is not None:
        return
    file = context.obj.gateway_file
    with _kiosks(context.obj) as known, closing(OutboxRows(file)) as rows:
        now = noted(known.gateway_note(), rows.standing(), _now())
        found = overview(now, known.all(), known.reports())
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        kiosk_showing.print_overview(found)


@kiosks.command()
@click.argument("place")
@click.option("--code", metavar="CODE", help="The kiosk's own (default: the first that is free).")
@click.option("--team", "teams", metavar="CODE", multiple=True, help="List its members alone.")
@_hours
@_by
@as_json_option
@click.pass_obj
def add(
    settings: Settings,
    place: str,
    code: str | None,
    teams: tuple[str, ...],
    hours: float,
    by: str | None,
    why: str | None,
    as_json: bool,
) -> None:
    """新增签到机。 Add a kiosk at PLACE, a unit's code; prints the one-time code that enrols it."""
    with closing(RosterCache(settings.gateway_file)) as roster:
        _refuse_unknown(roster.view, place, teams)
    with _kiosks(settings) as known:
        name = code or _free(known, place)
        known.create(name, "kiosk", place, teams, deed(by, why or "add").by, _now())
        kiosk_showing.print_code(
            name, known.new_code(name, _now(), hours), settings.kiosk_address, as_json
        )


@kiosks.command()
@_hours
@_by
@as_json_option
@click.pass_obj
def operator(
    settings: Settings, hours: float, by: str | None, why: str | None, as_json: bool
) -> None:
    """给运维员一个注册码。 A one-time code for the operator's page, which sees all kiosks."""
    with _kiosks(settings) as known:
        name = _free(known, "operator")
        known.create(name, "operator", "", (), deed(by, why or "operator").by, _now())
        address = f"{settings.kiosk_address}/operator"
        kiosk_showing.print_code(name, known.new_code(name, _now(), hours), address, as_json)


@kiosks.command()
@click.argument("kiosk")
@_hours
@as_json_option
@click.pass_obj
def code(settings: Settings, kiosk: str, hours: float, as_json: bool) -> None:
    """给签到机换注册码。 A new one-time code for KIOSK; its key works until the code is used."""
    with _kiosks(settings) as known:
        given = known.new_code(kiosk, _now(), hours)
        found = known.by_code(kiosk)
        path = "/operator" if found and found.role == "operator" else ""
        kiosk_showing.print_code(kiosk, given, f"{settings.kiosk_address}{path}", as_json)


@kiosks.command()
@click.argument("kiosk")
@by_and_why()
@click.pass_obj
def revoke(settings: Settings, kiosk: str, by: str | None, why: str) -> None:
    """停用签到机。 Refuse all that KIOSK says from now on; it can't be taken back."""
    with _kiosks(settings) as known:
        known.revoke(kiosk, deed(by, why).by, why, _now())
    click.echo(f"签到机 {kiosk} 已停用。 Kiosk {kiosk} is revoked.")


@kiosks.command()
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@as_json_option
@click.pass_obj
def refusals(settings: Settings, limit: int, as_json: bool) -> None:
    """网关拒绝了什么。 What was refused at the gateway's door, the newest last."""
    with closing(OutboxRows(_file(settings))) as rows:
        found = rows.refusals(limit)
    kiosk_showing.print_refusals(found, as_json)


@kiosks.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--name",
    "names",
    metavar="HOST",
    multiple=True,
    required=True,
    help="What browsers call the gateway: a host name or an IP address; may be repeated.",
)
def certificate(folder: Path, names: tuple[str, ...]) -> None:
    """自制证书。 A certificate in FOLDER for a gateway with no domain, by an authority of its own.

    The authority vouches for these names alone, and for nothing else that a tablet visits. A FOLDER
    that has the authority already gets a new certificate by it, once the old one is moved away.
    """
    kiosk_showing.print_certificate(make_certificate(folder, names))


@contextmanager
def _kiosks(settings: Settings) -> Iterator[Kiosks]:
    with closing(Kiosks(_file(settings))) as known:
        yield known


def _file(settings: Settings) -> Path:
    return settings.gateway_file


def _free(known: Kiosks, wanted: str) -> str:
    """The first code of the kind `wanted-1` that nobody has."""
    stem = wanted if wanted.isascii() and wanted.isprintable() and " " not in wanted else "kiosk"
    taken = {one.code for one in known.all()}
    return next(
        name
        for name in (f"{stem}-{number}" for number in range(1, len(taken) + 2))
        if name not in taken
    )


def _refuse_unknown(roster: RosterView, place: str, teams: tuple[str, ...]) -> None:
    if not any(key.startswith("unit/") for key in roster.told):
        click.echo(
            "网关还没有名册，没有核对地点和队伍。 "
            "The gateway has no roster yet: place and teams were not checked.",
            err=True,
        )
        return
    missing = [code for key, code in _named(place, teams) if key not in roster.told]
    if missing:
        raise WrongUse(
            f"名册里没有 {'、'.join(missing)}：用 hours roster list unit 或 list team 查编号。 "
            f"The roster doesn't know {', '.join(missing)}: look for codes with "
            "hours roster list unit, or list team."
        )


def _named(place: str, teams: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(f"unit/{place}", place), *((f"team/{team}", team) for team in teams)]


def _now() -> int:
    return time.time_ns() // 1_000
