"""`hours import` on files and databases: shown first, then done whole, and never twice."""

import json
import re
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import select

from ledger.engine import open_engine
from ledger.roster import tables
from ledger.roster.importing_tables import TABLES
from ledger.roster.records import Activity, Membership, Person, Team, Unit
from producers.district_tables import HEADERS
from tests.importing import ImportDesk, workbook
from tests.running import environment

CENTRE = ("centre", "中心", "实践中心")
UNITS = [("编号", "类别", "名称"), CENTRE]
PEOPLE = [
    ("志愿者编号", "姓名", "手机号码", "证件号码"),
    ("V1", "王小明", "15400000001", "770000199003070012"),
    (None, "李芳", "15400000002", "770000198508120025"),
]


@pytest.fixture
def desk(tmp_path: Path, ledger_url: str) -> ImportDesk:
    return ImportDesk.at(tmp_path, ledger_url)


@pytest.fixture
def sqlite_desk(tmp_path: Path, sqlite_url: str) -> ImportDesk:
    return ImportDesk.at(tmp_path, sqlite_url)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return workbook(tmp_path / "名单.xlsx", {"单位": UNITS, "志愿者": PEOPLE})


def test_a_dry_run_shows_what_would_be_done_and_does_nothing(desk: ImportDesk, book: Path) -> None:
    before = desk.held()
    result = desk.run(book)
    assert result.exit_code == 0
    assert "+ 单位 unit centre 实践中心" in result.stdout
    assert "+ 志愿者 person V1 王**" in result.stdout
    assert "+ 志愿者 person （新编号 new id） 李*" in result.stdout
    assert "--apply" in result.stdout
    assert desk.held() == before


def test_applied_it_is_one_change_set_that_names_the_file_and_its_hash(
    desk: ImportDesk, book: Path
) -> None:
    summary = desk.summary(book, "--apply")
    assert (summary["applied"], summary["added"], summary["refused"]) == (True, 3, 0)
    held = desk.held()
    assert held.sources == [f"名单.xlsx sha256:{sha256(book.read_bytes()).hexdigest()[:12]}"]
    assert sorted(who.name for who in held.private.values()) == ["李芳", "王小明"]
    [given] = held.private.keys() - {"V1"}
    assert re.fullmatch("V[0-9A-Z]{10}", given)
    assert (held.changes, held.waiting) == (3, 3)


def test_a_second_import_changes_nothing_and_says_so(desk: ImportDesk, book: Path) -> None:
    desk.summary(book, "--apply")
    before = desk.held()
    result = desk.run(book, "--apply")
    assert result.exit_code == 0
    assert "Nothing to change" in result.stdout
    assert desk.held() == before


def test_what_changes_is_shown_field_by_field_and_private_fields_masked(
    desk: ImportDesk, book: Path, tmp_path: Path
) -> None:
    desk.summary(book, "--apply")
    changed = workbook(
        tmp_path / "改.xlsx",
        {
            "单位": [
                ("编号", "类别", "名称", "英文名称"),
                ("centre", "中心", "通州中心", "Centre"),
            ],
            "志愿者": [
                ("志愿者编号", "姓名", "手机号码", "状态"),
                ("V1", "王晓明", "15400000009", "暂停"),
            ],
        },
    )
    result = desk.run(changed, "--apply")
    assert "名称 name_zh: 实践中心 → 通州中心" in result.stdout
    assert "英文名称 name_en: – → Centre" in result.stdout
    assert "状态 status: active → paused" in result.stdout
    assert "姓名 name: 王** → 王**" in result.stdout
    assert "手机号码 phone: 154****0001 → 154****0009" in result.stdout
    assert desk.held().private["V1"].name == "王晓明"
    assert desk.held().roster.people["V1"].private_version == 2


def test_a_later_period_is_shown_as_the_end_of_the_one_before(
    desk: ImportDesk, book: Path, tmp_path: Path
) -> None:
    desk.summary(book, "--apply")
    header = ("编号", "类别", "名称", "生效日期")
    merged = workbook(
        tmp_path / "合并.xlsx", {"单位": [header, ("centre", "中心", "新中心", "2026-07-01")]}
    )
    lines = desk.lines(merged, "--apply")
    assert [(one["action"], one["key"]) for one in lines["change"]] == [
        ("added", ["centre", "2026-07-01"]),
        ("ended", ["centre", "0001-01-01"]),
    ]
    centre = desk.held().roster.get(Unit, "centre", "0001-01-01")
    assert centre is not None
    assert centre.valid_until == "2026-07-01"


def test_csv_files_of_offices_that_know_no_utf_8_import_as_the_workbook_does(
    desk: ImportDesk, book: Path, tmp_path: Path
) -> None:
    for name, rows, encoding in (("单位", UNITS, "gb18030"), ("志愿者", PEOPLE, "utf-8-sig")):
        lines = [",".join(str(cell or "") for cell in row) for row in rows]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines), encoding=encoding)
    files = (tmp_path / "单位.csv", tmp_path / "志愿者.csv")
    assert desk.summary(*files, "--apply")["added"] == 3
    assert desk.lines(book, "--apply")["change"] == []


def test_an_activity_until_midnight_keeps_its_end_in_a_workbook_and_in_csv(
    sqlite_desk: ImportDesk, tmp_path: Path
) -> None:
    late = [
        ("编号", "名称", "单位编号", "队伍编号", "计划开始", "计划结束"),
        ("a-1", "守夜", "centre", "corps", "2026-07-01 22:15", "2026-07-02 00:00"),
    ]
    teams = [("编号", "类别", "名称"), ("corps", "总队", "总队")]
    sheets = {"单位": UNITS, "队伍": teams, "活动": late}
    sqlite_desk.summary(workbook(tmp_path / "a.xlsx", sheets), "--apply")
    (activity,) = sqlite_desk.held().roster.all(Activity)
    assert activity.planned_start is not None
    assert activity.planned_end is not None
    assert activity.planned_end - activity.planned_start == 105 * 60 * 1_000_000
    csv = tmp_path / "活动.csv"
    csv.write_text("\n".join(",".join(row) for row in late))
    assert sqlite_desk.lines(csv, "--apply")["change"] == []


def test_doubles_across_files_are_shown_with_both_places(
    desk: ImportDesk, book: Path, tmp_path: Path
) -> None:
    other = workbook(
        tmp_path / "别处.xlsx", {"志愿者": [PEOPLE[0], (None, "李芳", "15400000002", None)]}
    )
    [refused] = desk.lines(book, other, code=1)["refused"]
    assert (refused["reason"], refused["row"], refused["file"]) == (
        *("possible-duplicate", 2),
        str(other),
    )
    assert refused["also"] == [{"file": str(book), "sheet": "志愿者", "row": 3}]
    assert "名单.xlsx 志愿者:3" in refused["what"]


def test_one_bad_cell_and_nothing_of_all_the_files_is_imported(
    desk: ImportDesk, book: Path, tmp_path: Path
) -> None:
    bad = workbook(tmp_path / "坏.xlsx", {"平台": [("编号", "名称"), ("theory", None)]})
    before = desk.held()
    result = desk.run(book, bad, "--apply")
    assert result.exit_code == 1
    assert "✗ 坏.xlsx 平台:2 B（名称）: missing" in result.stdout
    assert "nothing was changed" in result.stdout
    assert desk.held() == before


def test_long_lists_are_cut_unless_all_is_asked_for(
    sqlite_desk: ImportDesk, tmp_path: Path
) -> None:
    many = [(f"p-{number}", f"平台{number}") for number in range(60)]
    faults = [(f"q-{number}", None) for number in range(70)]
    file = workbook(tmp_path / "多.xlsx", {"平台": [("编号", "名称"), *many, *faults]})
    cut, whole = sqlite_desk.run(file).stdout, sqlite_desk.run(file, "--all").stdout
    assert (cut.count("\n+ "), cut.count("\n✗ ")) == (50, 50)
    assert "10 more; --all shows them" in cut
    assert "20 more; --all shows them" in cut
    assert (whole.count("\n+ "), whole.count("\n✗ ")) == (60, 70)


def test_files_without_people_need_no_key(sqlite_desk: ImportDesk, tmp_path: Path) -> None:
    file = workbook(tmp_path / "单位.xlsx", {"单位": UNITS})
    keyless = {k: v for k, v in sqlite_desk.environment.items() if k != "HOURS_ROSTER_KEY_FILE"}
    assert ImportDesk(keyless).summary(file, "--apply")["added"] == 1


def test_people_without_a_key_are_refused_in_a_line(sqlite_desk: ImportDesk, book: Path) -> None:
    keyless = {k: v for k, v in sqlite_desk.environment.items() if k != "HOURS_ROSTER_KEY_FILE"}
    result = ImportDesk(keyless).run(book, "--apply")
    assert result.exit_code == 2
    assert "HOURS_ROSTER_KEY_FILE" in str(result.exception)


def test_a_file_that_is_not_there_is_refused(sqlite_desk: ImportDesk, tmp_path: Path) -> None:
    [refused] = sqlite_desk.lines(tmp_path / "没有.xlsx", code=1)["refused"]
    assert refused["reason"] == "unreadable-file"


def test_no_name_gets_into_the_history_by_a_files_name_or_a_reason(
    sqlite_desk: ImportDesk, book: Path
) -> None:
    before = sqlite_desk.held()
    named = book.rename(book.with_name("李芳的登记表.xlsx"))
    assert sqlite_desk.run(named, "--apply").exit_code == 2
    plain = named.rename(book)
    assert sqlite_desk.run(plain, "--apply", "--why", "王小明 13800000001").exit_code == 2
    assert sqlite_desk.held() == before
    assert sqlite_desk.run(plain, "--apply", "--why", "建名册").exit_code == 0


@pytest.mark.parametrize("words", [(), ("--template", "a.xlsx", "--district", "b.xlsx")])
def test_one_thing_is_asked_for_at_a_time(sqlite_desk: ImportDesk, words: tuple[str, ...]) -> None:
    assert sqlite_desk.run(*words).exit_code == 2


def test_the_template_imports_as_it_is_and_never_overwrites(
    desk: ImportDesk, tmp_path: Path
) -> None:
    template = tmp_path / "template.xlsx"
    assert desk.run("--template", template).exit_code == 0
    lines = desk.lines(template, "--apply")
    examples = sum(len(table.examples) for table in TABLES.values())
    assert (lines["refused"], lines["summary"][0]["rows"]) == ([], examples)
    assert desk.lines(template)["change"] == []
    written = template.read_bytes()
    assert desk.run("--template", template).exit_code == 2
    assert template.read_bytes() == written


@pytest.mark.parametrize("surge", [(), ("--surge",)], ids=["as it ships", "surge"])
def test_the_district_imports_whole_and_a_second_time_changes_nothing(
    desk: ImportDesk, tmp_path: Path, surge: tuple[str, ...]
) -> None:
    district = tmp_path / "district.xlsx"
    desk.run("--district", district, "--people", "300", *surge)
    assert desk.summary(district, "--apply")["refused"] == 0
    roster = desk.held().roster
    kinds = [rows[0].kind for rows in roster.units.values()]
    assert [kinds.count(kind) for kind in ("centre", "office", "station", "post")] == [
        1,
        14,
        231,
        8,
    ]
    others = [team for team in roster.all(Team) if team.kind == "other"]
    assert len(others) == (100 if surge else 0)
    assert len(roster.teams) == 122 + len(others)
    assert len(roster.people) == 300
    assert {one.volunteer for one in roster.all(Membership)} == set(roster.people)
    assert desk.lines(district, "--apply")["change"] == []


def test_the_district_and_the_sheets_call_every_column_alike() -> None:
    for kind, headers in HEADERS.items():
        columns = TABLES[kind].by_name
        assert {name: columns[name].header for name in headers} == dict(headers)


def test_nothing_but_the_sealed_table_holds_a_name_phone_or_number(
    desk: ImportDesk, book: Path
) -> None:
    desk.summary(book, "--apply")
    engine = open_engine(desk.environment["HOURS_LEDGER_URL"])
    with engine.connect() as connection:
        told = [
            str(row)
            for table in (
                *tables.BY_KIND.values(),
                tables.changes,
                tables.change_sets,
                tables.outbox,
            )
            for row in connection.execute(select(table))
        ]
        sealed = [
            bytes(row) for row in connection.execute(select(tables.private.c.sealed)).scalars()
        ]
        waiting = connection.execute(select(tables.outbox.c.value)).scalars().all()
    engine.dispose()
    assert len(sealed) == 2
    called = [json.loads(one).get("called") for one in waiting if one is not None]
    assert sorted(filter(None, called)) == ["李*", "王**"]
    for secret in ("王小明", "李芳", "15400000001", "770000199003070012"):
        assert not [one for one in told if secret in one]
        assert not [one for one in sealed if secret.encode() in one]


KILLED = """
import os, signal, sys
from sqlalchemy import Engine, event
from ledger.roster import store

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

place, sys.argv[1:] = sys.argv[1], sys.argv[2:]
if place == "commit":
    event.listen(Engine, "commit", die)
elif place == "committed":
    changing = store.changing
    from contextlib import contextmanager
    @contextmanager
    def dying(engine):
        with changing(engine) as connection:
            yield connection
        die()
    store.changing = dying
else:
    written, left = store.insert_rows, [int(place)]
    def insert_rows(connection, table, rows):
        written(connection, table, rows)
        left[0] -= bool(rows)
        if not left[0]:
            die()
    store.insert_rows = insert_rows
from hours.cli import main
main()
"""


@pytest.mark.parametrize("place", ["1", "2", "3", "4", "5", "6", "commit", "committed"])
def test_killed_anywhere_in_an_import_all_of_it_is_there_or_nothing(
    desk: ImportDesk, book: Path, tmp_path: Path, place: str
) -> None:
    before = desk.held()
    names = {name.removeprefix("HOURS_").lower(): value for name, value in desk.environment.items()}
    home = Path(names.pop("home"))
    done = subprocess.run(
        [sys.executable, "-c", KILLED, place, "import", str(book), "--apply"],
        env=environment(home, **names),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    held = desk.held()
    assert held == before if place != "committed" else len(held.roster.people) == 2
    desk.summary(book, "--apply")
    whole = desk.held()
    assert len(list(whole.roster.all(Person))) == 2
    assert (len(whole.sources), whole.changes, whole.waiting) == (1, 3, 3)
