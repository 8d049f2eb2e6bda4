"""`hours simulate`: what it writes beside the events, whom it takes, and what it refuses."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hours import cli
from hours.expected import EXPECTED
from hours.settings import WrongUse
from hours.simulated_roster import district_on
from ledger.policy import Policy
from ledger.roster.planning import plan
from ledger.roster.records import Membership, Person, Platform, Project, Record, Team, Unit
from ledger.roster.roster import Roster
from ledger.roster.store import Deed, apply, changing, load
from ledger.store import open_store

SHORT = ("simulate", "--from", "2026-03-02", "--days", "2", "--volunteers", "200")
ROSTER: tuple[Record, ...] = (
    Unit(code="centre", kind="centre", name_zh="中心"),
    Unit(code="office", kind="office", name_zh="所", parent="centre"),
    Unit(code="station", kind="station", name_zh="站", parent="office"),
    Unit(code="old-station", kind="station", name_zh="旧站", valid_until="2026-01-01"),
    Platform(code="culture", name_zh="文化服务"),
    Project(code="ended", kind="flagship", name_zh="旧项目", status="ended"),
    Project(code="running", kind="flagship", name_zh="项目", status="running"),
    Team(code="choir", kind="other", name_zh="合唱队", unit="office", platforms=("culture",)),
    *(Person(volunteer=f"V{number}") for number in range(12)),
    *(Membership(volunteer=f"V{n}", team="choir", since="2025-01-01") for n in range(10)),
    Person(volunteer="paused", status="paused"),
    Membership(volunteer="paused", team="choir", since="2025-01-01"),
    Membership(volunteer="V10", team="choir", since="2025-01-01", until="2026-03-02"),
    Membership(volunteer="V11", team="choir", since="2026-03-03"),
)


def test_the_activities_of_the_events_are_written_as_a_sheet(tmp_path: Path) -> None:
    file = tmp_path / "activities.csv"
    done = invoked(*SHORT, "--activities", str(file))
    assert done.exit_code == 0
    rows = sheet(file)
    codes = [row["编号"] for row in rows]
    assert len(set(codes)) == len(codes)
    named = {code for code in activities_in(done.stdout) if code}
    assert set(codes) >= named
    assert len(named) > 0.9 * len(codes)
    assert f"{len(codes)} activities written" in done.stderr
    assert done.stdout == invoked(*SHORT).stdout


def test_times_in_the_sheet_are_of_the_ledgers_time_zone(tmp_path: Path) -> None:
    here, abroad = tmp_path / "here.csv", tmp_path / "abroad.csv"
    invoked(*SHORT, "--activities", str(here))
    invoked(*SHORT, "--activities", str(abroad), HOURS_TIMEZONE="UTC")
    one, other = sheet(here)[0]["计划开始"], sheet(abroad)[0]["计划开始"]
    assert (int(one[11:13]) - int(other[11:13])) % 24 == 8


def test_a_half_year_is_181_days_of_activities(tmp_path: Path) -> None:
    file = tmp_path / "activities.csv"
    options = ("--from", "2026-01-01", "--volunteers", "200", "--activities", str(file))
    done = invoked("simulate", "--half-year", *options)
    assert len({row["计划开始"][:10] for row in sheet(file)}) == 181
    assert activities_in(done.stdout) <= {None, *(row["编号"] for row in sheet(file))}


def test_a_surge_is_everybody_once_for_100_organisations(tmp_path: Path) -> None:
    file = tmp_path / "activities.csv"
    done = invoked("simulate", "--surge", "--volunteers", "300", "--activities", str(file))
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(events) == 2 * len({event["subject"] for event in events}) == 600
    assert {row["队伍编号"][:6] for row in sheet(file)} == {"other-"}
    assert len(sheet(file)) == 100


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--half-year", "--surge"], ["--half-year", "--days", "3"], ["--surge", "--days", "0"]),
        *(["--half-year", "--taps", "9"], ["--surge", "--taps", "9"], ["--roster", "--surge"]),
        *(["--roster", "--volunteers", "5"], ["--rate", "5"], ["--position", "p"]),
        *(["--half-year", "--to-kafka"], ["--volunteers", "0"], ["--days", "0"]),
        ["--to-kafka", "--position", "p", "--activities", "a.csv"],
        ["--days", "1", "--activities", "no-such-folder/a.csv"],
        ["--from", "2026-03-02", "--roster"],
    ],
)
def test_what_does_not_go_together_is_refused_in_a_line(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EXPECTED, match=r"^[^\n]+$"):
        invoked("simulate", *arguments, HOURS_KAFKA="127.0.0.1:1")
    assert list(tmp_path.glob("*.csv")) == []


def test_the_rosters_own_volunteers_serve_at_its_places(ledger_url: str, tmp_path: Path) -> None:
    given(ledger_url, ROSTER)
    file = tmp_path / "activities.csv"
    options = ("--from", "2026-03-02", "--days", "5", "--activities", str(file))
    done = invoked("simulate", "--roster", *options, HOURS_LEDGER_URL=ledger_url)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events
    assert {event["subject"] for event in events} <= {f"V{number}" for number in range(10)}
    taps = [event for event in events if event["type"] == "hours.checked-in.v1"]
    assert {tap["data"]["place"] for tap in taps} == {"station"}
    assert {tap["data"]["team"] for tap in taps} == {"choir"}
    rows = sheet(file)
    assert {row["平台编号"] for row in rows} == {"culture"}
    assert {row["项目编号"] for row in rows} <= {"", "running"}


def test_on_a_day_the_active_members_of_that_day_serve_at_that_days_places() -> None:
    before, after = (district_on(Roster.of(ROSTER), day) for day in ("2025-12-31", "2026-03-03"))
    assert {one.id for one in before.serving} == {f"V{number}" for number in range(11)}
    assert {one.id for one in after.serving} == {f"V{number}" for number in (*range(10), 11)}
    assert [place.code for place in before.stations] == ["old-station", "station"]
    assert [place.code for place in after.stations] == ["station"]
    assert [project.code for project in after.projects] == ["running"]
    assert after.teams[0].office == "office"


def test_a_roster_in_which_nobody_serves_is_refused(ledger_url: str) -> None:
    given(ledger_url, [one for one in ROSTER if not isinstance(one, Membership)])
    with pytest.raises(WrongUse, match="import it first"):
        invoked("simulate", "--roster", HOURS_LEDGER_URL=ledger_url)


def invoked(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(
        cli.cli,
        arguments,
        env={"HOURS_HOME": "/nowhere", **environment},
        standalone_mode=False,
        catch_exceptions=False,
    )


def sheet(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def activities_in(lines: str) -> set[str | None]:
    return {json.loads(line)["data"].get("activity") for line in lines.splitlines()}


def given(ledger_url: str, records: list[Record] | tuple[Record, ...]) -> None:
    """An initialised ledger whose roster has these records."""
    store = open_store(ledger_url, "tongzhou.hours.example", Policy(shard_count=4))
    try:
        store.init()
        with changing(store.engine) as connection:
            before = load(connection)
            planned = plan(before, records)
            assert planned.flaws == ()
            apply(connection, before, planned.changes, Deed(by="registrar", why="建名册", at=1))
    finally:
        store.engine.dispose()
