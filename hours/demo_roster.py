"""The demo's roster: the seed district, its people and activities, enrolled from spreadsheets."""

from collections.abc import Mapping
from pathlib import Path

from hours.demo_commands import run_hours
from producers.district_rows import activity_rows
from producers.district_tables import write_csv
from producers.simulation import Plan, activities


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
