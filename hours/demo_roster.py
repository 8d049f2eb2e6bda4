"""The demo's roster: the seed district, its people and activities, enrolled from spreadsheets.

By the product's own commands, as somebody in an office would type them; nothing here is a second
way of doing anything.
"""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from hours.services.unavailable import ServiceUnavailable
from producers.district_rows import activity_rows
from producers.district_tables import write_csv
from producers.simulation import Plan, activities

_COMMAND_SECONDS = 300


def enrol(environment: Mapping[str, str], home: Path, plan: Plan) -> None:
    """Import the district's workbook and the plan's activities. ServiceUnavailable."""
    workbook, programme = home / "district.xlsx", home / "activities.csv"
    people = ("--people", str(plan.volunteers), "--seed", str(plan.seed))
    run_hours(environment, "roster", "new-key", environment["HOURS_ROSTER_KEY_FILE"])
    run_hours(environment, "import", "--district", str(workbook), *people)
    assert plan.until is not None
    with programme.open("w", encoding="utf-8", newline="") as file:
        write_csv("activity", activity_rows(activities(plan), plan.until), file)
    run_hours(environment, "import", str(workbook), str(programme), "--apply", "--why", "demo")


def show_report(environment: Mapping[str, str]) -> None:
    """Print what was served, by office."""
    asked = ("report", "--by", "unit:office", "--limit", "5")
    subprocess.run(_command(*asked), env=environment, check=False, timeout=_COMMAND_SECONDS)  # noqa: S603


def run_hours(environment: Mapping[str, str], *arguments: str) -> str:
    """What a command of ours prints. ServiceUnavailable where it fails."""
    done = subprocess.run(  # noqa: S603 - our own commands
        _command(*arguments),
        env=environment,
        capture_output=True,
        check=False,
        timeout=_COMMAND_SECONDS,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise ServiceUnavailable(f"hours {arguments[0]}: {said[-500:]}")
    return done.stdout.decode()


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "hours", *arguments]
