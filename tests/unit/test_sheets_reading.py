"""Which sheets and files are which tables, where rows stand, and what is passed over."""

import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl.chart import BarChart

from producers.sheets import Position, SheetRow, Skipped, read_tables
from tests.sheets import (
    PEOPLE,
    SPECS,
    UNITS,
    package,
    read,
    row_by_hand,
    workbook,
    workbook_by_hand,
)

GOOD = ("U1", "所", "金沙街道")
CELLS = {"code": "U1", "kind": "所", "name_zh": "金沙街道"}


def test_rows_keep_the_numbers_and_columns_the_letters_that_excel_shows(tmp_path: Path) -> None:
    rows = [(), UNITS, (), GOOD, ("  ",), ("U2", "站", "虹桥社区", None, "2026/7/1")]
    path = workbook(tmp_path / "a.xlsx", {"单位": [(None, *row) for row in rows]})
    tables = read(path)
    file = str(path)
    assert tables.refusals == []
    assert tables.rows["unit"] == [
        SheetRow(Position(file, "单位", 4), CELLS),
        SheetRow(
            Position(file, "单位", 6),
            {"code": "U2", "kind": "站", "name_zh": "虹桥社区", "valid_from": "2026-07-01"},
        ),
    ]
    assert tables.columns == {
        (file, "单位"): {
            "code": ("B", "编号"),
            "kind": ("C", "类别"),
            "name_zh": ("D", "名称"),
            "name_en": ("E", "英文名称"),
            "valid_from": ("F", "生效日期"),
        }
    }


@pytest.mark.parametrize(
    "header",
    [
        ("code", "kind", "name"),
        ("Code*", " KIND ", "Name ＊"),
        ("编　号", "类别*", "名\n称"),
        ("ＣＯＤＥ", "kind", "name_zh"),
    ],
)
def test_headers_match_in_either_language_whatever_their_case_width_and_stars(
    tmp_path: Path, header: Sequence[str]
) -> None:
    tables = read(workbook(tmp_path / "a.xlsx", {"Units": [header, GOOD]}))
    assert tables.refusals == []
    assert [row.cells for row in tables.rows["unit"]] == [CELLS]


def test_titles_above_the_header_are_passed_over(tmp_path: Path) -> None:
    titles = [("通州区单位一览表",), ("类别", "名称", "英文名称", "生效日期"), (), ("填表日期",)]
    path = workbook(tmp_path / "a.xlsx", {"单位": [*titles, UNITS[:3], GOOD]})
    tables = read(path)
    assert tables.refusals == []
    assert [row.position.row for row in tables.rows["unit"]] == [6]


def test_a_header_below_the_fifth_row_is_not_looked_for(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"单位": [("通州区",)] * 5 + [UNITS, GOOD]})
    tables = read(path)
    assert [one.reason for one in tables.refusals] == ["no-header"]
    assert tables.rows["unit"] == []


def test_sheets_of_one_kind_add_up_over_workbooks_and_files(tmp_path: Path) -> None:
    one = workbook(tmp_path / "a.xlsx", {"单位": [UNITS, GOOD], "units": [UNITS, GOOD]})
    two = workbook(tmp_path / "b.xlsx", {"单位": [UNITS, GOOD], "平台": [("编号", "名称")]})
    three = tmp_path / "单位.csv"
    three.write_text("编号,类别,名称\nU1,所,金沙街道\n")
    tables = read(one, two, three)
    assert tables.refusals == []
    assert [row.position for row in tables.rows["unit"]] == [
        Position(str(one), "单位", 2),
        Position(str(one), "units", 2),
        Position(str(two), "单位", 2),
        Position(str(three), "", 2),
    ]
    assert {row.cells["code"] for row in tables.rows["unit"]} == {"U1"}


def test_hidden_sheets_notes_and_empty_ones_are_passed_over_and_named(tmp_path: Path) -> None:
    def hide(book):  # type: ignore[no-untyped-def]
        book["平台"].sheet_state = "hidden"
        book["旧"].sheet_state = "veryHidden"
        book.create_chartsheet("图").add_chart(BarChart())

    sheets = {
        "说明": [("怎样填写",)],
        "Notes": [("how to",)],
        "单位": [UNITS, GOOD],
        "平台": [("编号",)],
        "旧": [("?",)],
        "Sheet1": [],
    }
    path = workbook(tmp_path / "a.xlsx", sheets, hide)
    tables = read(path)
    assert tables.refusals == []
    assert len(tables.rows["unit"]) == 1
    assert set(tables.skipped) == {
        Skipped(str(path), name, why)
        for name, why in [
            *[("说明", "notes"), ("Notes", "notes"), ("平台", "hidden"), ("旧", "hidden")],
            *[("Sheet1", "empty"), ("图", "chart")],
        ]
    }


def test_progress_is_told_row_by_row_over_all_files(tmp_path: Path) -> None:
    path = tmp_path / "单位.csv"
    path.write_text("编号,类别,名称\nU1,所,金沙街道\n")
    told: list[int] = []
    read_tables(
        [workbook(tmp_path / "a.xlsx", {"单位": [UNITS, GOOD, GOOD]}), path], SPECS, told.append
    )
    assert told == [1, 2, 3, 4, 5]


def test_midnight_is_a_day_where_days_belong(tmp_path: Path) -> None:
    rows = [PEOPLE, ("张三", "x", datetime(2026, 7, 1)), ("李四", "x", "2026/7/1 0:00")]
    tables = read(workbook(tmp_path / "a.xlsx", {"志愿者": rows}))
    assert [row.cells["joined"] for row in tables.rows["person"]] == ["2026-07-01"] * 2


def test_shared_rich_and_annotated_text_is_read_as_its_letters(tmp_path: Path) -> None:
    shared = "".join(
        f"<si>{text}</si>"
        for text in (
            *("<t>编号</t>", "<t>类别</t>", "<t>名称</t>", "<t>U1</t>", "<t>所</t>"),
            "<r><t>金沙</t></r><r><rPr><b/></rPr><t>街道</t></r>"
            '<rPh sb="0" eb="2"><t>jinsha</t></rPh>',
        )
    )
    header = "".join(f'<c t="s"><v>{number}</v></c>' for number in range(3))
    row = "".join(f'<c t="s"><v>{number}</v></c>' for number in range(3, 6))
    path = workbook_by_hand(
        tmp_path / "a.xlsx", f"<row>{header}</row><row>{row}</row>", shared=shared
    )
    tables = read(path)
    assert tables.refusals == []
    assert [(one.position.row, one.cells) for one in tables.rows["unit"]] == [(2, CELLS)]


def test_every_cell_of_a_formula_copied_down_is_refused_though_its_value_is_there(
    tmp_path: Path,
) -> None:
    formulas = (
        '<c r="D2" t="str"><f t="shared" ref="D2:D3" si="0">A2&amp;B2</f><v>U1所</v></c>',
        '<c r="D3" t="str"><f t="shared" si="0"/><v>U1所</v></c>',
    )
    rows = "".join(
        row_by_hand(number, *GOOD).replace("</row>", f"{formula}</row>")
        for number, formula in enumerate(formulas, 2)
    )
    tables = read(workbook_by_hand(tmp_path / "a.xlsx", row_by_hand(1, *UNITS) + rows))
    found = [(one.row, one.column, one.value, one.reason) for one in tables.refusals]
    assert found == [(2, "D", "=A2&B2", "formula"), (3, "D", "=A3&B3", "formula")]


def test_rows_beyond_the_size_that_a_workbook_claims_are_read(tmp_path: Path) -> None:
    rows = row_by_hand(1, *UNITS) + row_by_hand(2, *GOOD)
    path = workbook_by_hand(tmp_path / "a.xlsx", rows)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace("<sheetData>", '<dimension ref="A1:B1"/><sheetData>')
    tables = read(package(tmp_path / "b.xlsx", parts))
    assert [row.cells for row in tables.rows["unit"]] == [CELLS]
