"""Each fault in a file gives one refusal: where it is, what stands there and what to do."""

import re
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl.worksheet.formula import ArrayFormula

from producers.sheets import Refusal, Tables, xlsx_files
from tests.sheets import (
    PEOPLE,
    UNITS,
    package,
    read,
    row_by_hand,
    workbook,
    workbook_by_hand,
)

GOOD = ("U1", "所", "金沙街道")
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
BOMB = '<!DOCTYPE worksheet [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'


def place(one: Refusal) -> tuple[str, int, str, str, str, str]:
    """Sheet, row, column, header, value, reason; having looked at what is to be done."""
    chinese, english = re.fullmatch(r"(.+?。) ([A-Z].+\.)", one.what).groups()  # type: ignore[union-attr]
    assert chinese
    assert english
    assert "{" not in one.what
    return (one.sheet, one.row, one.column, one.header, one.value, one.reason)


def only(tables: Tables) -> Refusal:
    (one,) = tables.refusals
    return one


def set_cell(cell: str, value: Any, sheet: str = "单位") -> Callable[[Any], None]:
    def spoil(book: Any) -> None:
        book[sheet][cell] = value

    return spoil


CELLS: list[tuple[str, Any, tuple[str, str, str]]] = [
    ("D3", "=A1&B1", ("英文名称", "=A1&B1", "formula")),
    ("D3", ArrayFormula("D3", "=A1:A2"), ("英文名称", "=A1:A2", "formula")),
    ("D3", "#N/A", ("英文名称", "#N/A", "error-value")),
    ("A3", 320522199001011200, ("编号", "320522199001011200", "too-many-digits")),
    ("A3", 3.205221990010112e17, ("编号", "320522199001011200", "too-many-digits")),
    ("A3", datetime(2026, 3, 2), ("编号", "2026-03-02", "unexpected-date")),
    ("C3", "长" * 1001, ("名称", "长" * 99 + "…", "too-long")),
    ("C3", "响_x0007_铃", ("名称", r"响\x07铃", "control-character")),
    ("F3", "多出来的", ("", "多出来的", "value-without-header")),
]


@pytest.mark.parametrize(("cell", "value", "expected"), CELLS)
def test_a_faulty_cell_is_refused_once_and_its_row_is_no_whole_row(
    tmp_path: Path, cell: str, value: Any, expected: tuple[str, str, str]
) -> None:
    rows = [UNITS, GOOD, ("U2", "所", "石港镇"), GOOD]
    path = workbook(tmp_path / "a.xlsx", {"单位": rows}, set_cell(cell, value))
    tables = read(path)
    one = only(tables)
    assert place(one) == ("单位", 3, cell[0], *expected)
    assert one.file == str(path)
    assert [row.position.row for row in tables.rows["unit"]] == [2, 4]
    assert [row.position.row for row in tables.refused_rows["unit"]] == [3]
    sound = {"code": "U2", "kind": "所", "name_zh": "石港镇"}
    field = {"A": "code", "C": "name_zh"}.get(cell[0])
    assert tables.refused_rows["unit"][0].cells == {
        name: text for name, text in sound.items() if name != field
    }


def test_a_workbook_with_every_faulty_cell_gives_each_its_refusal(tmp_path: Path) -> None:
    def spoil(book: Any) -> None:
        for number, (cell, value, _) in enumerate(CELLS, 2):
            book["单位"][f"{cell[0]}{number}"] = value

    path = workbook(tmp_path / "a.xlsx", {"单位": [UNITS, *[GOOD] * len(CELLS)]}, spoil)
    tables = read(path)
    assert [place(one) for one in tables.refusals] == [
        ("单位", number, cell[0], *expected) for number, (cell, _, expected) in enumerate(CELLS, 2)
    ]
    assert tables.rows["unit"] == []


@pytest.mark.parametrize(
    ("area", "row", "column", "header", "value", "spoilt"),
    [
        ("A3:A4", 3, "A", "编号", "U1", {3, 4}),
        ("B2:D2", 2, "B", "类别", "所", {2}),
        ("C4:XFD1048576", 4, "C", "名称", "金沙街道", {4}),
    ],
)
def test_merged_cells_are_refused_and_spoil_each_row_they_touch(
    tmp_path: Path, area: str, row: int, column: str, header: str, value: str, spoilt: set[int]
) -> None:
    rows = "".join(row_by_hand(number, *GOOD) for number in (2, 3, 4))
    path = workbook_by_hand(
        tmp_path / "a.xlsx",
        row_by_hand(1, *UNITS) + rows,
        after=f'<mergeCells><mergeCell ref="{area}"/></mergeCells>',
    )
    tables = read(path)
    assert place(only(tables)) == ("单位", row, column, header, value, "merged-cells")
    assert area in only(tables).what
    assert {one.position.row for one in tables.refused_rows["unit"]} == spoilt
    assert {one.position.row for one in tables.rows["unit"]} == {2, 3, 4} - spoilt


@pytest.mark.parametrize("area", ["A1:C1", "H1:J9", "A9:C12"])
def test_merged_cells_outside_the_table_are_nobodys_business(tmp_path: Path, area: str) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        {"单位": [("金沙街道的单位",), UNITS, GOOD]},
        lambda book: book["单位"].merge_cells(area),
    )
    tables = read(path)
    assert tables.refusals == []
    assert len(tables.rows["unit"]) == 1


def test_a_merged_header_is_one_fault_though_it_hides_required_headers(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        {"单位": [UNITS, GOOD]},
        lambda book: book["单位"].merge_cells("A1:B1"),
    )
    tables = read(path)
    assert place(only(tables)) == ("单位", 1, "A", "编号", "编号", "merged-cells")
    assert tables.rows["unit"] == []


def test_a_merged_header_is_one_fault_with_the_values_under_it(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        {"单位": [UNITS, (*GOOD, "Jinsha", "2026-07-01")]},
        lambda book: book["单位"].merge_cells("D1:E1"),
    )
    assert place(only(read(path))) == ("单位", 1, "D", "英文名称", "英文名称", "merged-cells")


@pytest.mark.parametrize(
    ("header", "expected", "told", "whole"),
    [
        (("编号", "类别"), (1, "", "", "", "missing-header"), "名称 / name", 0),
        ((*UNITS, "电话"), (1, "F", "电话", "电话", "unknown-header"), "编号", 1),
        ((*UNITS, "英文名程"), (1, "F", "英文名程", "英文名程", "unknown-header"), "英文名称", 1),
        ((*UNITS, "Code"), (1, "F", "Code", "Code", "doubled-header"), "A", 0),
        (("编号", "编号", "类别", "名称"), (1, "B", "编号", "编号", "doubled-header"), "A", 0),
        (("没有", "表头"), (1, "", "", "", "no-header"), "编号", 0),
    ],
)
def test_a_faulty_header_is_refused_once(
    tmp_path: Path, header: tuple[str, ...], expected: Any, told: str, whole: int
) -> None:
    tables = read(workbook(tmp_path / "a.xlsx", {"单位": [header, GOOD[: len(header)]]}))
    assert place(only(tables)) == ("单位", *expected)
    assert told in only(tables).what
    assert len(tables.rows["unit"]) == whole


def test_a_forgotten_header_is_told_of_once_for_the_whole_column(tmp_path: Path) -> None:
    header = ("编号", "类别", None, "名称")
    rows = [header, *[("U1", "所", "?", "金沙街道")] * 3]
    tables = read(workbook(tmp_path / "a.xlsx", {"单位": rows}))
    assert place(only(tables)) == ("单位", 2, "C", "", "?", "value-without-header")


def test_a_column_to_the_right_of_the_header_is_told_of_once(tmp_path: Path) -> None:
    rows = [UNITS, *[(*GOOD, "", "", "甲", "乙")] * 3]
    tables = read(workbook(tmp_path / "a.xlsx", {"单位": rows}))
    assert [(one.row, one.column) for one in tables.refusals] == [(2, "F"), (2, "G")]


def test_a_required_header_that_was_forgotten_is_one_fault_with_its_column(tmp_path: Path) -> None:
    tables = read(workbook(tmp_path / "a.xlsx", {"单位": [("编号", None, "名称"), GOOD]}))
    assert place(only(tables)) == ("单位", 1, "", "", "", "missing-header")


def test_a_sheet_nobody_knows_is_refused_as_its_rows_would_be_lost(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"单位": [UNITS, GOOD], "单位 (2)": [UNITS, GOOD]})
    tables = read(path)
    assert place(only(tables)) == ("单位 (2)", 0, "", "", "", "unknown-sheet")
    assert "单位、平台、志愿者" in only(tables).what
    assert len(tables.rows["unit"]) == 1


def test_rows_beyond_excels_last_are_refused(tmp_path: Path) -> None:
    rows = row_by_hand(1, *UNITS) + row_by_hand(1_048_576, *GOOD) + row_by_hand(1_048_577, *GOOD)
    tables = read(workbook_by_hand(tmp_path / "a.xlsx", rows))
    assert place(only(tables)) == ("单位", 1_048_576, "", "", "", "too-many-rows")
    assert [row.position.row for row in tables.rows["unit"]] == [1_048_576]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.xlsx", b"", "empty-file"),
        ("a.xlsx", b"PK\x03\x04 and no more", "broken-workbook"),
        ("a.xlsx", "编号,名称".encode(), "broken-workbook"),
        ("a.xlsx", OLE + b"\0" * 600, "old-excel-format"),
        ("a.xlsx", OLE + "EncryptedPackage".encode("utf-16-le"), "password-protected"),
        ("a.xls", OLE, "old-excel-format"),
        ("a.ods", b"PK", "unknown-extension"),
        ("单位", b"PK", "unknown-extension"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    tables = read(path)
    assert only(tables).file == str(path)
    assert place(only(tables)) == ("", 0, "", "", "", reason)


def test_a_file_that_is_not_there_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    good = workbook(tmp_path / "b.xlsx", {"单位": [UNITS, GOOD]})
    tables = read(tmp_path / "a.xlsx", tmp_path, good, tmp_path / "a.csv")
    reasons = [one.reason for one in tables.refusals]
    assert reasons == ["unreadable-file", "unknown-extension", "unreadable-file"]
    assert len(tables.rows["unit"]) == 1


def test_a_workbook_cut_anywhere_is_refused_and_never_raises(tmp_path: Path) -> None:
    whole = workbook(tmp_path / "a.xlsx", {"单位": [UNITS, GOOD]}).read_bytes()
    path = tmp_path / "b.xlsx"
    for end in range(1, len(whole), 97):
        path.write_bytes(whole[:end])
        assert place(only(read(path)))[5] == "broken-workbook"


def test_a_workbook_with_spoilt_parts_is_refused_and_never_raises(tmp_path: Path) -> None:
    good = workbook(tmp_path / "a.xlsx", {"单位": [UNITS, GOOD]})
    with zipfile.ZipFile(good) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name in ("[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"):
        for content in (b"", b"<a/>", parts[name][: len(parts[name]) // 2]):
            path = package(tmp_path / "b.xlsx", {**parts, name: content})
            tables = read(path)
            assert tables.rows["unit"] == []
            assert place(only(tables))[5] == "broken-workbook", name


@pytest.mark.parametrize("spoilt", ["rows", "cell", "column"])
def test_what_is_no_sheet_is_a_broken_workbook(tmp_path: Path, spoilt: str) -> None:
    rows = {
        "rows": "<row r='x'/>",
        "cell": "<row r='1'><c t='s'><v>7</v></c></row>",
        "column": "<row r='1'><c r='ZZZ1'><v>7</v></c></row>",
    }
    tables = read(workbook_by_hand(tmp_path / "a.xlsx", rows[spoilt]))
    assert place(only(tables)) == ("单位", 0, "", "", "", "broken-workbook")


def test_entities_are_refused_before_they_grow(tmp_path: Path) -> None:
    rows = row_by_hand(1, *UNITS) + row_by_hand(2, "U1", "所", "&b;")
    tables = read(workbook_by_hand(tmp_path / "a.xlsx", rows, before=BOMB))
    assert place(only(tables))[5] == "unsafe-xml"
    assert tables.rows["unit"] == []


def test_a_zip_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert xlsx_files.LARGEST_UNPACKED == 512 * 1024**2
    monkeypatch.setattr(xlsx_files, "LARGEST_UNPACKED", 1024**2)
    path = workbook(tmp_path / "a.xlsx", {"单位": [UNITS, GOOD]})
    assert read(path).refusals == []
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image1.png", bytes(1024**2))
    assert path.stat().st_size < 20_000
    assert place(only(read(path)))[5] == "too-large"


def test_a_strict_workbook_is_refused_by_name(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"单位": [UNITS, GOOD]})
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    strict = {
        name: content.replace(
            b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
            b"http://purl.oclc.org/ooxml/spreadsheetml/main",
        )
        for name, content in parts.items()
    }
    assert place(only(read(package(path, strict))))[5] == "strict-workbook"


def test_private_values_are_masked_in_every_refusal(tmp_path: Path) -> None:
    number = 320522199001011200
    rows = [PEOPLE, ("王小明", number), ("=A1", "320522199001011234"), ("张三", "", "", "李四光")]
    path = workbook(
        tmp_path / "a.xlsx",
        {"志愿者": [*rows, ("欧阳小明", "x"), ("赵六", "x")]},
        lambda book: book["志愿者"].merge_cells("A5:A6"),
    )
    tables = read(path)
    assert [place(one)[1:] for one in tables.refusals] == [
        (2, "B", "证件号码", "3****************0", "too-many-digits"),
        (3, "A", "姓名", "=*1", "formula"),
        (4, "D", "", "李*光", "value-without-header"),
        (5, "A", "姓名", "欧**明", "merged-cells"),
    ]


def test_a_document_number_in_the_wrong_column_is_masked_too(tmp_path: Path) -> None:
    rows = [PEOPLE, ("张三", "", 320522199001011200)]
    (one,) = read(workbook(tmp_path / "a.xlsx", {"志愿者": rows})).refusals
    assert (one.header, one.value) == ("加入日期", "3****************0")


def test_a_table_of_people_without_a_header_shows_nobody(tmp_path: Path) -> None:
    rows = [("王小明", "320522199001011234"), ("张三", "320522199001011235")]
    for path in (
        workbook(tmp_path / "a.xlsx", {"志愿者": rows}),
        Path(tmp_path / "志愿者.csv"),
        Path(tmp_path / "b.csv"),
    ):
        if path.suffix == ".csv":
            path.write_text("\n".join(",".join(row) for row in rows))
        one = only(read(path))
        assert one.reason in ("no-header", "unknown-kind")
        assert "小明" not in str(one)
        assert "3205" not in str(one)
