"""The demo's last act: a kiosk to tap on, somebody's badge to try it with, and the totals moving.

By the product's own commands and a gateway in a process of its own; nothing here is a second way of
doing anything. Invariant: what it started ends with it.
"""

import json
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

from rich.console import Console, RenderableType
from rich.live import Live
from sqlalchemy import Engine

from hours.demo_board import demo_board, tell_board
from hours.demo_roster import run_hours
from hours.kiosk_showing import qr_lines
from hours.services.embedded import free_port
from hours.services.guard import Command, Guarded
from hours.services.unavailable import ServiceUnavailable
from ledger import queries
from ledger.roster import store
from ledger.roster.records import Person, Team
from ledger.roster.tree import above
from producers.badge_keys import private_key_in
from producers.badges import Badge, sign_badge
from producers.volunteer_numbers import number_of

_READY_SECONDS = 60
_LOOKS_A_SECOND = 5

Look = Callable[[], RenderableType]


def let_people_tap(
    environment: Mapping[str, str],
    home: Path,
    engine: Engine,
    ledger_name: str,
    look: Look,
    console: Console,
) -> None:
    """Show a kiosk's address and a badge, then the ledger as people tap, until Ctrl-C."""
    told = _with_badge_keys(environment, home)
    person, place = _somebody(engine)
    team, office = _team_and_office(engine, person, place)
    with _gateway(told, home) as address, demo_board(told, home, team, office, address) as board:
        made = json.loads(run_hours(told, "kiosks", "add", place, "--json"))
        run_hours(told, "badges", str(home / "badge.pdf"), "--volunteer", person.volunteer)
        tell_board(board, console)
        _tell(made["address"], address, person, home, ledger_name, console)
        live = Live(console=console, refresh_per_second=_LOOKS_A_SECOND)
        with _others_tapping(told, home), suppress(KeyboardInterrupt), live:
            while True:
                live.update(look())
                time.sleep(1 / _LOOKS_A_SECOND)
        console.print("正在停止… Stopping…")


def _with_badge_keys(environment: Mapping[str, str], home: Path) -> dict[str, str]:
    private, public = home / "badge.pem", home / "badge-public.pem"
    told = {**environment, "HOURS_BADGE_KEY_FILE": str(private)}
    run_hours(told, "badges", "--new-key", str(private))
    public.write_text(run_hours(told, "badges", "--public-key"))
    return {**told, "HOURS_BADGE_PUBLIC_KEY_FILE": str(public)}


def _somebody(engine: Engine) -> tuple[Person, str]:
    """A member of the largest team that is at home at a place, and that place."""
    with queries.reading(engine) as connection:
        roster = store.load(connection)
    at_home = {team.code: team.unit for team in roster.all(Team) if team.unit is not None}
    members = [(one.team, one.volunteer) for each in roster.memberships.values() for one in each]
    size = Counter(team for team, _ in members if team in at_home)
    largest = max(size, key=lambda team: (size[team], team))
    volunteer = min(one for team, one in members if team == largest)
    return roster.people[volunteer], at_home[largest]


@contextmanager
def _others_tapping(environment: Mapping[str, str], home: Path) -> Iterator[None]:
    """A few taps a second of other people, so that figures move before anybody taps."""
    asked = ("--roster", "--days", "1", "--seed", "20", "--to-kafka", "--rate", "3")
    command = Command([sys.executable, "-m", "hours", "simulate", *asked], str(Path.cwd()))
    others = Guarded(command, dict(environment), home / "others.log")
    try:
        yield
    finally:
        others.stop()


def _team_and_office(engine: Engine, person: Person, place: str) -> tuple[str, str]:
    """A team of somebody's, and the office that a place stands beneath."""
    with queries.reading(engine) as connection:
        roster = store.load(connection)
    day = date.today().isoformat()
    line = [*above(roster.units, place, day), place]
    kinds = {code: rows[-1].kind for code, rows in roster.units.items()}
    office = next((code for code in line if kinds[code] == "office"), place)
    return roster.memberships[person.volunteer][0].team, office


@contextmanager
def _gateway(environment: Mapping[str, str], home: Path) -> Iterator[str]:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    told = {**environment, "HOURS_KIOSK_ADDRESS": address}
    command = Command(
        [sys.executable, "-m", "hours", "kiosk", "--port", str(port)], str(Path.cwd())
    )
    gateway = Guarded(command, told, home / "gateway.log")
    try:
        _await(address, gateway, home)
        yield address
    finally:
        gateway.stop()


def _await(address: str, gateway: Guarded, home: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and not gateway.ended():
        try:
            with urllib.request.urlopen(f"{address}/api/time", timeout=1):  # noqa: S310 - ours
                return
        except OSError:
            time.sleep(0.1)
    raise ServiceUnavailable(
        f"签到机网关没有启动，详见 {home / 'gateway.log'}。 "
        "The kiosk's gateway did not start; its log says why."
    )


def _tell(
    link: str, address: str, person: Person, home: Path, ledger_name: str, console: Console
) -> None:
    key = private_key_in((home / "badge.pem").read_bytes())
    badge = Badge(person.volunteer, str(person.badge_serial), person.badge_generation)
    link = link.replace(link.partition("/#")[0], address)
    console.print("\n[bold]试一试签到机 Try the kiosk[/bold]")
    console.print(f"  在浏览器打开 open in a browser:  {link}", highlight=False, soft_wrap=True)
    console.print(
        f"  输入编号 type the number:        {number_of(person.volunteer)}", highlight=False
    )
    console.print(
        f"  志愿者证 the badge, to print:     {home / 'badge.pdf'}", highlight=False, soft_wrap=True
    )
    console.print("  或把这个码对准签到机的摄像头 or hold this before the kiosk's camera:")
    for line in qr_lines(sign_badge(badge, ledger_name, key)):
        console.print(line, style="black on bright_white", highlight=False)
    console.print("Ctrl-C 结束 ends it.\n")
