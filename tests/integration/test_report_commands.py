"""`hours report` and its pages, as the office uses them."""

import csv
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from hours import cli
from hours.expected import EXPECTED
from ledger.policy import SECOND, Policy
from ledger.roster import store as roster_store
from ledger.roster.records import Person, Platform, Team, Unit
from ledger.roster.roster import Change
from ledger.shard import Shard
from ledger.store import Store, open_store
from ledger.taps import Adjustment, Record, Tap, Void

NAME = "tongzhou.hours.example"
POLICY = Policy()
AT = 1_790_000_000 * SECOND
"""2026-09-21 22:13:20 in Shanghai."""
HOUR = 3_600 * SECOND
ROSTER = [
    Unit(code="office", kind="office", name_zh="金沙街道实践所"),
    Unit(code="station", kind="station", name_zh="虹桥社区站", parent="office"),
    Platform(code="culture", name_zh="文化服务"),
    Team(code="choir", kind="professional", name_zh="合唱队", platforms=("culture",)),
    Person(volunteer="V1"),
]


class Office:
    """A ledger with a little in it, and what commands say of it."""

    def __init__(self, home: Path, url: str) -> None:
        self.environment = {"HOURS_HOME": str(home), "HOURS_LEDGER_URL": url}

    def run(self, *words: str) -> Result:
        others = {name: None for name in os.environ if name.startswith("HOURS_")}
        environment = {**others, **self.environment}
        result = CliRunner().invoke(cli.cli, list(words), env=environment)
        if isinstance(result.exception, EXPECTED):
            result.exit_code = 2
        elif result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def ok(self, *words: str) -> Result:
        result = self.run(*words)
        assert result.exit_code == 0, result.output
        return result

    def rows(self, *words: str) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.ok(*words, "--json").stdout.splitlines()]


@pytest.fixture
def office(tmp_path: Path, ledger_url: str) -> Office:
    store = open_store(ledger_url, NAME, POLICY)
    store.init()
    with roster_store.changing(store.engine) as connection:
        before = roster_store.load(connection)
        deed = roster_store.Deed("test", "test", 1)
        roster_store.apply(connection, before, [Change(None, one) for one in ROSTER], deed)
    settle(store)
    store.engine.dispose()
    return Office(tmp_path, ledger_url)


def settle(store: Store) -> None:
    """V1: 1:30 at the station, an hour taken back, 10 minutes of paper; V2: an hour elsewhere."""
    taps = [
        *session("V1", "station", "a", -5 * HOUR, 5_400),
        *session("V1", "station", "b", -3 * HOUR, 3_600),
        *session("V2", "kiosk-9", "c", -2 * HOUR, 3_600),
    ]
    log = [Record(n, AT + n * SECOND, tap) for n, tap in enumerate(taps)]
    paper = Adjustment(
        "V1", AT, "/imports/x", "p", "choir", None, "2026-09-01", 600, "a", "b", "纸"
    )
    log.append(
        Record(6, AT + 6 * SECOND, Void("V1", AT, "/desks/1", "v", "/k", "b out", "x", "错"))
    )
    log.append(Record(7, AT + 7 * SECOND, paper))
    claim = store.claim(0)
    store.append(0, claim.epoch, Shard(0, POLICY, claim.head).fold(log))


def session(volunteer: str, place: str, id: str, opened: int, seconds: int) -> list[Tap]:
    opened_at = AT + opened
    return [
        Tap.of(volunteer, "in", opened_at, "/k", f"{id} in", "choir", place),
        Tap.of(volunteer, "out", opened_at + seconds * SECOND, "/k", f"{id} out"),
    ]


def test_json_has_the_same_keys_in_every_row_and_whole_seconds(office: Office) -> None:
    rows = office.rows("report", "--by", "unit", "--by", "month")
    assert rows == [
        {
            "unit": code, "unit_name": name, "month": "2026-09", "seconds": seconds,
            "sessions": sessions, "volunteers": 1, "activities": 0, "served": 0,
        }
        for code, name, seconds, sessions in (
            ("office", "金沙街道实践所", 5_400, 1),
            (None, "补录（无地点） no place", 600, 0),
            (None, "未登记 unknown", 3_600, 1),
        )
    ]  # fmt: skip
    (whole,) = office.rows("report", "--by", "total")
    assert whole["seconds"] == sum(int(str(row["seconds"])) for row in rows)
    assert whole["volunteers"] == 2
    people = office.rows("report", "--by", "volunteer")
    assert [(row["volunteer"], row["activities"]) for row in people] == [("V1", None), (None, None)]


def test_a_table_has_the_whole_below_it_and_says_how_much_it_left_out(office: Office) -> None:
    shown = office.ok("report", "--by", "platform", "--limit", "1")
    assert "文化服务 culture" in shown.stdout
    assert "合计 total" in shown.stdout
    assert "2:40:00" in shown.stdout
    assert shown.stderr == ""
    shown = office.ok("report", "--by", "day", "--limit", "1", "--decimal")
    assert "2026-09-01" in shown.stdout
    assert "2026-09-21" not in shown.stdout
    assert "0.17" in shown.stdout
    assert "2.67" in shown.stdout
    assert "--page 2" in shown.stderr


def test_spreadsheets_hold_all_rows_with_codes_and_names_apart(
    office: Office, tmp_path: Path
) -> None:
    written = [str(tmp_path / name) for name in ("r.csv", "r.xlsx")]
    office.ok("report", "--by", "unit", "--csv", written[0], "--xlsx", written[1], "--decimal")
    with open(written[0], encoding="utf-8-sig", newline="") as file:
        read = list(csv.reader(file))
    assert read[0][:4] == ["单位编号 unit code", "单位 unit", "秒 seconds", "时长 hours"]
    assert read[1] == ["office", "金沙街道实践所", "5400", "1.50", "1", "1", "0", "0"]
    assert read[-1] == ["合计 total", "", "9600", "2.67", "2", "2", "0", "0"]
    sheet = load_workbook(written[1]).active
    assert [cell.value for cell in sheet[2]] == ["office", "金沙街道实践所", 5400, 1.5, 1, 1, 0, 0]
    assert sheet.max_row == len(read)


def test_half_a_year_is_a_page_an_object_or_a_workbook(office: Office, tmp_path: Path) -> None:
    page = office.ok("report", "half-year", "--ending", "2026-09-30").stdout
    for said in ("2026-04-01 – 2026-09-30", "2:40:00", "文化服务 culture", "2026-09", "office"):
        assert said in page
    (found,) = office.rows("report", "half-year", "--ending", "2026-09-30")
    assert (found["first"], found["seconds"], found["units"]) == (
        *("2026-04-01", 9_600),
        {"office": 1, "station": 1},
    )
    office.ok("report", "half-year", "--ending", "2026-09-30", "--xlsx", str(tmp_path / "h.xlsx"))
    sheet = load_workbook(tmp_path / "h.xlsx").active
    assert [cell.value for cell in sheet[2]][4:6] == [9_600, 2.67]
    assert office.rows("report", "half-year", "--ending", "2026-08-31")[0]["seconds"] == 0


def test_a_volunteer_s_history_has_what_stands_and_its_total(office: Office) -> None:
    paper, session = office.rows("report", "volunteer", "V1")
    assert (paper["day"], paper["seconds"], paper["reason"]) == ("2026-09-01", 600, "纸")
    assert (session["day"], session["seconds"]) == ("2026-09-21", 5_400)
    assert (session["place_name"], session["team_name"]) == ("虹桥社区站", "合唱队")
    shown = office.ok("report", "volunteer", "V1").stdout
    assert {"17:13:20", "18:43:20"} <= set(shown.split())  # in the ledger's timezone
    assert "1:40:00" in shown
    assert "没有这名志愿者" in office.ok("report", "volunteer", "V9").stdout
    before = office.rows("report", "volunteer", "V1", "--as-of", "2026-09-21 22:13:24")
    assert [row["seconds"] for row in before] == [5_400, 3_600]


def test_unknown_codes_are_shown_with_what_to_do(office: Office) -> None:
    shown = office.ok("roster", "unknown").stdout
    assert "kiosk-9" in shown
    assert "hours roster add person" in shown
    assert [(row["kind"], row["code"]) for row in office.rows("roster", "unknown")] == [
        ("unit", "kiosk-9"),
        ("person", "V2"),
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--by", "weather"], "weather"),
        (["--as-of", "2026-09-21"], "--as-of"),
        (["--as-of", "yesterday"], "--as-of"),
        (["--from", "2026-02-30"], "YYYY-MM-DD"),
        (["--from", "2026-03-02", "--to", "2026-03-01"], "--to 2026-03-01"),
        (["--unit", "nowhere"], "nowhere"),
        (["--platform", "nothing"], "nothing"),
        (["--csv", "/proc/none/r.csv"], "/proc/none/r.csv"),
        (["--unit", "office", "half-year"], "half-year"),
        (["half-year", "--ending", "0001-03-01"], "0001-03-01"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_line(
    office: Office, words: list[str], said: str
) -> None:
    refused = office.run("report", *words)
    assert refused.exit_code == 2
    assert said in f"{refused.output}{refused.exception}"
    assert refused.stdout == ""
