"""What is written: workbooks that read back equal, and reports that run nobody's formula."""

import csv
import io
import re
import tempfile
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import load_workbook

from producers.sheets import (
    Column,
    Sheet,
    TableSpec,
    TooManyRows,
    read_tables,
    reports,
    write_rows_csv,
    write_rows_xlsx,
    write_workbook,
)
from producers.sheets.cells import Fault, canonical_moment, text_cell

COLUMNS = (
    Column("code", "编号", "code", "例如 U1。 Such as U1.", required=True),
    Column("kind", "类别", "kind", choices=("中心", '所 "街道"', "站")),
    Column("served", "服务人数", "served", form="number"),
    Column("day", "日期", "day", form="date"),
    Column("start", "开始", "start", form="time"),
)
SPEC = TableSpec(
    "unit",
    ("单位",),
    {column.field: (column.header, column.english) for column in COLUMNS},
    required=frozenset({"code"}),
    dates=frozenset({"day"}),
    times=frozenset({"start"}),
)


def sound(text: str) -> str:
    """The nearest text that a cell can hold."""
    cell = text_cell(text[:1000])
    return cell if isinstance(cell, str) and not isinstance(cell, Fault) else ""


def canonical(text: str) -> str:
    return canonical_moment(sound(text))


TEXTS = st.text(max_size=40).map(sound)
DAYS = st.dates().map(date.isoformat)
MOMENTS = st.datetimes().map(lambda moment: canonical_moment(str(moment.replace(microsecond=0))))
ROWS = st.fixed_dictionaries(
    {},
    optional={
        "code": TEXTS,
        "kind": TEXTS,
        "served": st.integers(0, 10**16).map(str) | TEXTS,
        "day": DAYS | TEXTS.map(canonical_moment).map(lambda text: text.removesuffix(" 00:00")),
        "start": MOMENTS | DAYS | TEXTS.map(canonical_moment),
    },
)


@given(st.lists(ROWS, max_size=5))
@example([{"code": "320522199001011234", "served": "99999999999999"}])
@example([{"code": "=1+1", "kind": "#N/A", "served": "=2", "day": "@", "start": "-1"}])
@example([{"code": "_x0041_", "kind": "_x005F_", "served": "007", "day": "1900-02-28"}])
@example([{"code": "一\n二", "start": "2026-07-01 09:00:59"}, {"start": "2026-07-01 00:00"}])
def test_what_is_written_is_read_back_equal(rows: list[dict[str, str]]) -> None:
    kept = [{field: text for field, text in row.items() if text} for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.xlsx")
        write_workbook(path, [Sheet("单位", COLUMNS, rows)])
        tables = read_tables([path], [SPEC])
    assert tables.refusals == []
    assert [skipped.sheet for skipped in tables.skipped] == ["说明"]
    read = {row.position.row: row.cells for row in tables.rows["unit"]}
    assert read == {number: row for number, row in enumerate(kept, 2) if row}


def test_a_template_helps_to_fill_it_in(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    sheet = Sheet("单位", COLUMNS, [{"code": "U1", "day": "2026-07-01"}])
    write_workbook(path, [sheet], guide=[("先填单位。", "Units first.")])
    book = load_workbook(path)
    assert book.sheetnames == ["说明", "单位"]
    guide = [[cell.value for cell in row] for row in book["说明"]]
    assert guide[0] == ["怎样填写", "How to fill this in"]
    assert ["先填单位。", "Units first."] in guide
    assert ["编号*", "code 例如 U1。 Such as U1."] in guide
    page = book["单位"]
    assert page.freeze_panes == "A2"
    assert [cell.value for cell in page[1]] == ["编号*", "类别", "服务人数", "日期", "开始"]
    assert all(cell.font.bold for cell in page[1])
    assert page["A1"].comment.text == "code\n例如 U1。 Such as U1."
    formats = [page.column_dimensions[letter].number_format for letter in "ABCDE"]
    assert formats == ["@", "@", "0", "yyyy-mm-dd", "yyyy-mm-dd hh:mm"]
    assert page["A2"].number_format == "@"
    assert page["D2"].value == datetime(2026, 7, 1)
    (drop_down,) = page.data_validations.dataValidation
    assert drop_down.formula1 == '"中心,所 ""街道"",站"'
    assert str(drop_down.sqref) == "B2:B1048576"


@pytest.mark.parametrize("choices", [("甲,乙",), ("长" * 256,)])
def test_choices_that_fit_no_drop_down_are_the_callers_mistake(
    tmp_path: Path, choices: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match="drop-down"):
        write_workbook(
            tmp_path / "a.xlsx", [Sheet("单位", [Column("a", "甲", "a", choices=choices)])]
        )


def test_a_row_with_a_field_that_has_no_column_is_not_cut_short(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no column for note"):
        write_workbook(tmp_path / "a.xlsx", [Sheet("单位", COLUMNS, [{"note": "x"}])])


def test_what_excel_cannot_count_as_a_day_is_written_as_text(tmp_path: Path) -> None:
    days = ["1899-12-31", "1900-02-28", "1900-03-01"]
    write_workbook(tmp_path / "a.xlsx", [Sheet("单位", COLUMNS, [{"day": day} for day in days])])
    values = [cell.value for cell in load_workbook(tmp_path / "a.xlsx")["单位"]["D"]]
    assert values == ["日期", "1899-12-31", "1900-02-28", datetime(1900, 3, 1)]


def test_a_workbook_that_fails_leaves_nobodys_row_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    rows = [{"code": "U1"}] * 300 + [{"note": "x"}]
    with pytest.raises(ValueError, match="no column"):
        write_workbook(tmp_path / "a.xlsx", [Sheet("单位", COLUMNS, rows)])
    assert list(tmp_path.iterdir()) == []


HEADINGS = ("队伍 team", "时长 hours")
FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "＝1",
    "＋1",
    "－1",
    "＠1",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_could_run_as_a_formula_does_not(tmp_path: Path, text: str) -> None:
    stream = io.StringIO(newline="")
    write_rows_csv(stream, HEADINGS, [(text, 1)])
    assert csv_rows(stream.getvalue()) == [list(HEADINGS), [f"'{text}", "1"]]
    path = tmp_path / "a.xlsx"
    write_rows_xlsx(path, HEADINGS, [(text, 1)])
    cell = load_workbook(path).active["A2"]
    assert (cell.data_type, cell.number_format) == ("s", "@")


def test_numbers_stay_numbers_and_sound_text_stays_as_it_is(tmp_path: Path) -> None:
    row = (
        "歌唱队",
        -3,
        -1.5,
        Decimal("-0.25"),
        None,
        date(2026, 7, 1),
        "3-5",
        "320522199001011234",
    )
    csv_path, xlsx_path = tmp_path / "a.csv", tmp_path / "a.xlsx"
    write_rows_csv(csv_path, ["甲"] * 8, [row])
    write_rows_xlsx(xlsx_path, ["甲"] * 8, [row])
    text = csv_path.read_bytes().decode()
    assert text.startswith("\ufeff甲,")
    assert text.count("\r\n") == 2
    assert csv_rows(text)[1] == [
        *("歌唱队", "-3", "-1.5", "-0.25", "", "2026-07-01", "3-5", "320522199001011234")
    ]
    values = [cell.value for cell in load_workbook(xlsx_path).active[2]]
    assert values == [
        *("歌唱队", -3, -1.5, -0.25, None, datetime(2026, 7, 1), "3-5", "320522199001011234")
    ]


def test_a_number_that_excel_would_round_is_written_as_text(tmp_path: Path) -> None:
    write_rows_xlsx(tmp_path / "a.xlsx", ["甲"], [(10**15 + 1,), (10**15 - 1,)])
    values = [row[0].value for row in load_workbook(tmp_path / "a.xlsx").active]
    assert values == ["甲", str(10**15 + 1), 10**15 - 1]


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
def test_nothing_but_an_apostrophe_is_added_to_anybodys_text(rows: list[list[str]]) -> None:
    stream = io.StringIO(newline="")
    write_rows_csv(stream, HEADINGS, rows)
    read = csv_rows(stream.getvalue())[1:]
    assert [[cell.removeprefix("'") for cell in row] for row in read] == [
        [text.removeprefix("'") for text in row] for row in rows
    ]
    assert not any(re.match("[ \u3000]*[=+@＝＋－＠\t\r\n-]", cell) for row in read for cell in row)


def test_a_report_longer_than_a_sheet_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "LAST_ROW", 3)
    write_rows_xlsx(tmp_path / "a.xlsx", ["甲"], [(1,), (2,)])
    with pytest.raises(TooManyRows, match="CSV"):
        write_rows_xlsx(tmp_path / "a.xlsx", ["甲"], [(1,), (2,), (3,)])


def csv_rows(text: str) -> list[Sequence[Any]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))
