"""CSV: encodings, separators, line numbers, and which table a file is."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.sheets import Refusal, csv_files
from tests.sheets import SPECS, read, read_csv_text

TEXT = "编号,类别,名称\nU1,所,金沙街道\n"
CELLS = {"code": "U1", "kind": "所", "name_zh": "金沙街道"}


def only(path: Path) -> Refusal:
    (one,) = read(path).refusals
    assert one.file == str(path)
    assert one.sheet == ""
    return one


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_encodings_separators_and_line_ends_are_told_from_the_file(
    tmp_path: Path, encoding: str, separator: str, line_end: str
) -> None:
    path = tmp_path / "单位.csv"
    text = TEXT.replace("编号", '"编号"').replace(",", separator).replace("\n", line_end)
    path.write_bytes(text.encode(encoding))
    tables = read(path)
    assert tables.refusals == []
    assert [(row.position.row, row.cells) for row in tables.rows["unit"]] == [(2, CELLS)]
    assert tables.columns[str(path), ""]["name_zh"] == ("C", "名称")


def test_the_separator_is_the_headers_whatever_stands_in_cells(tmp_path: Path) -> None:
    path = tmp_path / "单位.csv"
    path.write_text("通州区,单位,一览,表,\n编号;类别;名称\nU1;所;金沙,街道\n")
    tables = read(path)
    assert tables.refusals == []
    assert tables.rows["unit"][0].cells["name_zh"] == "金沙,街道"


def test_a_row_stands_where_its_record_begins(tmp_path: Path) -> None:
    path = tmp_path / "单位.csv"
    path.write_text('\n编号,类别,名称\n,,\nU1,所,"金沙\n街道"\n\nU2,所,石港镇\nU3,=1,川姜镇')
    tables = read(path)
    assert [(row.position.row, row.cells["name_zh"]) for row in tables.rows["unit"]] == [
        (4, "金沙\n街道"),
        (7, "石港镇"),
    ]
    assert [(one.row, one.column, one.value) for one in tables.refusals] == [(8, "B", "=1")]


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("单位.csv", TEXT, "unit"),
        ("Units-2026.CSV", TEXT, "unit"),
        ("通州区平台.csv", "编号,名称\nP1,理论宣讲\n", "platform"),
        ("a.csv", TEXT, "unit"),
        ("a.csv", "姓名,证件号码\n张三,x\n", "person"),
        ("单位和平台.csv", TEXT, "unit"),
        ("a.csv", "编号,名称,顺序\nP1,理论宣讲,1\n", "platform"),
    ],
)
def test_a_file_is_the_table_its_name_says_or_else_its_headers(
    tmp_path: Path, name: str, text: str, kind: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    tables = read(path)
    assert tables.refusals == []
    assert {found for found, rows in tables.rows.items() if rows} == {kind}


def test_a_longer_name_wins_over_one_that_it_holds() -> None:
    haves = SPECS[0]._replace(kind="have", sheets=("六有",))
    items = SPECS[0]._replace(kind="have_item", sheets=("六有项目",))
    assert read_csv_text("六有项目2026.csv", TEXT, (haves, items)).rows["have_item"]
    assert read_csv_text("六有2026.csv", TEXT, (haves, items)).rows["have"]


def test_a_file_that_could_be_several_tables_is_refused_by_their_names() -> None:
    twin = SPECS[0]._replace(kind="team", sheets=("队伍", "teams"))
    (one,) = read_csv_text("a.csv", TEXT, (*SPECS, twin)).refusals
    assert one.reason == "ambiguous-kind"
    assert "单位、队伍" in one.what


@pytest.mark.parametrize(
    ("name", "content", "reason", "row"),
    [
        ("a.csv", "甲,乙\n1,2\n".encode(), "unknown-kind", 0),
        ("a.csv", b"", "empty-file", 0),
        ("a.csv", b"\xef\xbb\xbf\r\n,,\r\n \r\n", "empty-file", 0),
        ("a.csv", TEXT.encode("utf-16"), "wrong-encoding", 0),
        ("a.csv", "code,kind,name".encode("utf-16-le"), "wrong-encoding", 0),
        ("a.csv", TEXT.encode() + b"\xff", "wrong-encoding", 0),
        ("a.csv", b"PK\x03\x04", "not-csv", 0),
        ("单位.csv", TEXT.encode() + 'U2,所,"石港\n镇'.encode(), "broken-quotes", 3),
        ("单位.csv", TEXT.encode() + 'U2,所,"石港"镇\n'.encode(), "broken-quotes", 3),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes, reason: str, row: int
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    one = only(path)
    assert (one.reason, one.row, one.value) == (reason, row, "")


def test_excels_last_row_is_still_read_and_the_next_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert csv_files.LAST_ROW == 1_048_576
    monkeypatch.setattr(csv_files, "LAST_ROW", 5)
    path = tmp_path / "单位.csv"
    path.write_text(TEXT + "\n\nU2,a,b\n")
    assert read(path).refusals == []
    assert [row.position.row for row in read(path).rows["unit"]] == [2, 5]
    path.write_text(TEXT + "\n\nU2,a,b\nU3,a,b\n")
    assert [(one.reason, one.row) for one in read(path).refusals] == [("too-many-rows", 5)]
    assert [row.position.row for row in read(path).rows["unit"]] == [2, 5]


def test_a_separator_too_many_is_its_rows_fault_each_time(tmp_path: Path) -> None:
    path = tmp_path / "单位.csv"
    path.write_text(TEXT + "U2,所,石港,镇,\nU3,所,川姜,镇,,\nU4,所,二甲镇,,\n")
    tables = read(path)
    found = [(one.row, one.column, one.value, one.reason) for one in tables.refusals]
    assert found == [
        (3, "D", "镇", "value-without-header"),
        (4, "D", "镇", "value-without-header"),
    ]
    assert [row.cells["code"] for row in tables.rows["unit"]] == ["U1", "U4"]


@given(st.binary(max_size=300))
def test_any_bytes_end_as_rows_or_refusals(content: bytes) -> None:
    tables = read_csv_text("单位.csv", b"code,kind,name\n" + content, SPECS)
    assert all(row.cells for row in tables.rows["unit"])


@given(st.text(max_size=200))
def test_any_text_ends_as_rows_or_refusals(text: str) -> None:
    read_csv_text("单位.csv", text.encode("utf-8", "surrogatepass"), SPECS)
