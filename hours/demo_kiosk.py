"""The demo's last act: a kiosk to tap on, somebody's badge to try it with, and the totals moving.

Invariant: what it started ends with it.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import NamedTuple

from rich.console import Console, RenderableType
from rich.live import Live
from sqlalchemy import Engine

from hours.demo_board import demo_board, tell_board
from hours.demo_commands import beside, run_hours, serving
from hours.kiosk_showing import qr_lines
from ledger import queries
from ledger.roster import store
from ledger.roster.records import Person, Team
from ledger.roster.tree import above
from producers.badge_keys import private_key_in
from producers.badges import Badge, sign_badge
from producers.volunteer_numbers import number_of

_LOOKS_A_SECOND = 5
# So that figures move before anybody taps.
_OTHERS_TAPPING = ("--roster", "--days", "1", "--seed", "20", "--to-kafka", "--rate", "3")

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
    tries = _somebody(engine)
    with serving(told, home, "kiosk", "HOURS_KIOSK_ADDRESS", "/api/time") as address:
        told["HOURS_KIOSK_ADDRESS"] = address
        made = json.loads(run_hours(told, "kiosks", "add", tries.place, "--json"))
        run_hours(told, "badges", str(home / "badge.pdf"), "--volunteer", tries.person.volunteer)
        with demo_board(told, home, tries.team, tries.office) as board:
            tell_board(board, console)
            _tell(made["address"], tries.person, home, ledger_name, console)
            live = Live(console=console, refresh_per_second=_LOOKS_A_SECOND)
            others = beside(told, home / "others.log", "simulate", *_OTHERS_TAPPING)
            with others, suppress(KeyboardInterrupt), live:
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


class _Tries(NamedTuple):
    """Who tries the kiosk, of which team; the place where it stands, and the office above."""

    person: Person
    team: str
    place: str
    office: str


def _somebody(engine: Engine) -> _Tries:
    """A member of the largest team that is at home at a place, and that place."""
    with queries.reading(engine) as connection:
        roster = store.load(connection)
    at_home = {team.code: team.unit for team in roster.all(Team) if team.unit is not None}
    members = [(one.team, one.volunteer) for each in roster.memberships.values() for one in each]
    size = Counter(team for team, _ in members if team in at_home)
    largest = max(size, key=lambda team: (size[team], team))
    volunteer = min(one for team, one in members if team == largest)
    place = at_home[largest]
    line = [*above(roster.units, place, date.today().isoformat()), place]
    kinds = {code: rows[-1].kind for code, rows in roster.units.items()}
    office = next((code for code in line if kinds[code] == "office"), place)
    return _Tries(roster.people[volunteer], largest, place, office)


def _tell(link: str, person: Person, home: Path, ledger_name: str, console: Console) -> None:
    key = private_key_in((home / "badge.pem").read_bytes())
    badge = Badge(person.volunteer, str(person.badge_serial), person.badge_generation)
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
