"""What a cell comes to: canonical text, whichever way people and Excel put it in."""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from producers.sheets import TableSpec, read_tables
from producers.sheets.cells import canonical_moment, cleaned, csv_cell, moment_cell, number_cell
from producers.sheets.refusals import masked, shown
from tests.sheets import UNITS, read, row_by_hand, workbook, workbook_by_hand


def cell_as_read(path: Path, value: Any, number_format: str = "", epoch: Any = None) -> str:
    """What a value in English name's column is read as, where dates are asked about nothing."""

    def spoil(book: Any) -> None:
        if epoch is not None:
            book.epoch = epoch
        book["单位"]["B2"] = value
        if number_format:
            book["单位"]["B2"].number_format = number_format

    spec = TableSpec(
        "unit", ("单位",), {"code": (), "value": (), "at": ()}, frozenset({"code"}), times={"at"}
    )
    tables = read_tables([workbook(path, {"单位": [("code", "value"), ("U1",)]}, spoil)], [spec])
    assert tables.refusals == []
    return tables.rows["unit"][0].cells.get("value", "")


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        ("　金沙街道\u00a0", "", "金沙街道"),
        ("ＡＢ－１２（东）", "", "AB-12（东）"),
        ("梦想改造＋：Ａ，１；２", "", "梦想改造+：A，1；2"),
        ("１：３０", "", "1:30"),
        ("\u202d138 0000 0001\u202c", "", "138 0000 0001"),
        ("张　三", "", "张 三"),
        ("一_x000D_\n二", "", "一\n二"),
        ("_x005F_x0041_", "", "_x0041_"),
        (12, "", "12"),
        (12.0, "", "12"),
        (1.1, "", "1.1"),
        (0.1 + 0.2, "", "0.3"),
        (-0.0, "", "0"),
        (-2.5, "", "-2.5"),
        (1e-7, "", "0.0000001"),
        (99999999999999, "", "99999999999999"),
        (12, "0000", "0012"),
        (0.5, "0%", "0.5"),
        (True, "", "TRUE"),
        (date(2026, 7, 1), "", "2026-07-01"),
        (datetime(2026, 7, 1), "", "2026-07-01"),
        (datetime(2026, 7, 1), 'yyyy"年"m"月"d"日"', "2026-07-01"),
        (datetime(2026, 7, 1, 9, 0), "yyyy/m/d h:mm", "2026-07-01 09:00"),
        (datetime(2026, 7, 1, 9, 0, 7), "m/d/yy", "2026-07-01 09:00:07"),
        (datetime(1900, 1, 1), "", "1900-01-01"),
        (datetime(1900, 3, 1), "", "1900-03-01"),
        (time(9, 5), "", "09:05"),
        (time(23, 59, 59), "", "23:59:59"),
        (timedelta(hours=26, minutes=30), "[h]:mm", "26:30"),
        (timedelta(hours=1, seconds=5), "[h]:mm:ss", "01:00:05"),
    ],
)
def test_a_cell_is_read_as_canonical_text(
    tmp_path: Path, value: Any, number_format: str, text: str
) -> None:
    assert cell_as_read(tmp_path / "a.xlsx", value, number_format) == text


@pytest.mark.parametrize("day", [date(1904, 1, 2), date(2026, 7, 1)])
def test_days_counted_from_1904_are_the_same_days(tmp_path: Path, day: date) -> None:
    read_as = cell_as_read(tmp_path / "a.xlsx", day, "yyyy-mm-dd", CALENDAR_MAC_1904)
    assert read_as == day.isoformat()


def test_every_minute_of_a_day_comes_back_from_excels_fractions(tmp_path: Path) -> None:
    minutes = [datetime(2026, 7, 1) + timedelta(minutes=number) for number in range(1440)]
    rows = [("code", "at"), *(("U1", minute) for minute in minutes)]
    spec = TableSpec(
        "unit",
        ("单位",),
        {"code": (), "at": ()},
        frozenset({"code"}),
        dates=frozenset(),
        times=frozenset({"at"}),
    )
    tables = read_tables([workbook(tmp_path / "a.xlsx", {"单位": rows})], [spec])
    read_as = [row.cells["at"] for row in tables.rows["unit"]]
    assert read_as == [f"{minute:%Y-%m-%d %H:%M}" for minute in minutes]


def test_text_that_looks_like_a_formula_is_text_if_excel_holds_it_as_text(tmp_path: Path) -> None:
    rows = row_by_hand(1, *UNITS) + row_by_hand(2, "U1", "所", "=1+1")
    tables = read(workbook_by_hand(tmp_path / "a.xlsx", rows))
    assert tables.refusals == []
    assert tables.rows["unit"][0].cells["name_zh"] == "=1+1"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2026/7/1", "2026-07-01"),
        ("2026-7-1", "2026-07-01"),
        ("2026.07.01", "2026-07-01"),
        ("2026年7月1日", "2026-07-01"),
        ("2026 年 7 月 1 日", "2026-07-01"),
        ("2026/7/1 9:00", "2026-07-01 09:00"),
        ("2026/7/1 9:00:30", "2026-07-01 09:00:30"),
        ("2026-07-01T09:00", "2026-07-01 09:00"),
        ("2026/7/1 0:00", "2026-07-01 00:00"),
        ("2026/2/30", "2026/2/30"),
        ("26/7/1", "26/7/1"),
        ("下周一", "下周一"),
        ("0000-01-01", "0000-01-01"),
    ],
)
def test_days_and_moments_as_people_write_them(text: str, canonical: str) -> None:
    assert canonical_moment(text) == canonical
    assert canonical_moment(canonical) == canonical


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("=A1", "formula"),
        ('=HYPERLINK("x")', "formula"),
        ("3.20522E+17", "too-many-digits"),
        ("1.38E+11", "too-many-digits"),
    ],
)
def test_what_excel_spoilt_before_it_wrote_csv_is_refused(text: str, reason: str) -> None:
    cell = csv_cell(text)
    assert not isinstance(cell, str)
    assert (cell.reason, cell.value) == (reason, text)


@pytest.mark.parametrize(("text", "taken"), [('="0012"', "0012"), ("1E+05", "1E+05"), ("'1", "'1")])
def test_what_is_sound_in_csv_is_taken(text: str, taken: str) -> None:
    assert csv_cell(text) == taken


@given(st.text())
def test_cleaning_clean_text_changes_nothing(text: str) -> None:
    once = cleaned(text)
    assert cleaned(once) == once
    assert once == once.strip()


@given(st.text(alphabet=st.characters(categories=["Lo", "Nd", "Lu", "Ll"])))
def test_cleaning_loses_no_letter(text: str) -> None:
    assert len(cleaned(text)) == len(text)


@given(st.datetimes(max_value=datetime(9999, 12, 31)))
def test_every_moment_is_canonical_text_that_reads_as_itself(moment: datetime) -> None:
    cell = moment_cell(moment, with_time=True)
    assert not isinstance(cell, str)
    text = cell.text  # type: ignore[union-attr]
    assert canonical_moment(text) == text
    assert datetime.fromisoformat(text) == moment.replace(microsecond=0)


@given(st.integers(-(10**14) + 1, 10**14 - 1))
def test_whole_numbers_keep_every_digit(number: int) -> None:
    assert number_cell(number) == str(number)
    assert number_cell(float(number)) == str(number)


@given(st.text())
def test_a_masked_value_shows_no_more_than_its_ends(value: str) -> None:
    hidden = masked(value)
    assert len(hidden) == len(value)
    assert set(hidden[1:-1]) <= {"*"}
    if len(value) < 3:
        assert set(hidden) <= {"*"}
    else:
        assert (hidden[0], hidden[-1]) == (value[0], value[-1])


@given(st.text())
def test_what_is_shown_of_a_value_is_one_short_printable_line(value: str) -> None:
    assert shown(value).isprintable()
    assert len(shown(value)) <= 100
