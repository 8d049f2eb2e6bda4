"""Workbooks to fill in, and whole districts: a sheet a table, with notes and drop-downs.

Not reports, which nobody reads back. Invariant: what is written here is read back equal by
`read_tables`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from producers.sheets.cells import canonical_moment
from producers.sheets.limits import LAST_ROW
from producers.sheets.written_books import TEXT_FORMAT, column_width, saved_workbook, text_cell

_FORMATS = {"text": TEXT_FORMAT, "number": "0", "date": "yyyy-mm-dd", "time": "yyyy-mm-dd hh:mm"}
_WHOLE_NUMBER = re.compile("0|[1-9][0-9]{0,13}")
_FIRST_SOUND_DAY = "1900-03-01"  # Excel counts a 29 February 1900
_LONGEST_CHOICES = 255
_ROWS_MEASURED = 200
_GUIDE = (
    ("怎样填写", "How to fill this in"),
    (
        "每个工作表是一种表，第一行是表头，从第二行起每行一条记录。示例行请改掉或删除。",
        "Each sheet is one table: the first row is its header, each further row one record. "
        "Change or delete the example rows.",
    ),
    (
        "带 * 的列必填；不需要的列可以删除，列的次序随意。",
        "Columns with * must be filled in; others may be deleted, and the order is free.",
    ),
    (
        "日期写 2026-07-01，时间写 2026-07-01 09:00。",
        "Dates are 2026-07-01, times 2026-07-01 09:00.",
    ),
    (
        "一格里有几个编号时，用顿号（、）分开。",
        "Several codes in one cell are separated by commas.",
    ),
    (
        "不要合并单元格，不要写公式；长号码必须是文本，否则 Excel 会改掉后面几位。",
        "No merged cells and no formulas; long numbers must be text, or Excel changes their end.",
    ),
    (
        "鼠标停在表头上，可以看到该列的说明。隐藏的工作表和本页不会被读取。",
        "Rest the pointer on a header for its note. Hidden sheets and this one are not read.",
    ),
)


class Column(NamedTuple):
    """A field's column: its Chinese header and the English one, which stands in the comment.

    `form` is what the cells are: "text", whole "number", "date", or "time" (date and time); a
    value that isn't of that form is written as text.
    """

    field: str
    header: str
    english: str
    note: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    form: Literal["text", "number", "date", "time"] = "text"


class Sheet(NamedTuple):
    """A table's sheet: its name, columns and rows (canonical text by field)."""

    name: str
    columns: Sequence[Column]
    rows: Iterable[Mapping[str, str]] = ()


def write_workbook(
    path: str | Path, sheets: Iterable[Sheet], guide: Sequence[tuple[str, str]] = ()
) -> None:
    """Write a sheet of instructions, with more lines of (Chinese, English), and one a table.

    ValueError where a row has a field without a column, or choices don't fit a drop-down.
    """
    sheets = list(sheets)
    with saved_workbook(path) as workbook:
        _write_guide(workbook.create_sheet("说明"), sheets, (*_GUIDE, *guide))
        for sheet in sheets:
            _write_sheet(workbook.create_sheet(sheet.name), sheet)


def _write_guide(page: Any, sheets: Sequence[Sheet], lines: Sequence[tuple[str, str]]) -> None:
    page.column_dimensions["A"].width = 60
    page.column_dimensions["B"].width = 80
    for number, (chinese, english) in enumerate(lines):
        page.append([text_cell(page, words, bold=number == 0) for words in (chinese, english)])
    for sheet in sheets:
        page.append([])
        page.append([text_cell(page, sheet.name, bold=True)])
        for column in sheet.columns:
            words = " ".join(filter(None, (column.english, column.note, *_choices(column))))
            page.append([text_cell(page, _title(column)), text_cell(page, words)])


def _write_sheet(page: Any, sheet: Sheet) -> None:
    rows = iter(sheet.rows)
    measured = list(islice(rows, _ROWS_MEASURED))
    page.freeze_panes = "A2"
    for number, column in enumerate(sheet.columns, 1):
        _set_up(page, get_column_letter(number), column, measured)
    page.append([_header_cell(page, column) for column in sheet.columns])
    fields = {column.field for column in sheet.columns}
    for row in chain(measured, rows):
        if lost := row.keys() - fields:
            raise ValueError(f"no column for {', '.join(sorted(lost))} in {sheet.name}")
        page.append([_cell(page, column, row.get(column.field, "")) for column in sheet.columns])


def _set_up(page: Any, letter: str, column: Column, rows: Sequence[Mapping[str, str]]) -> None:
    """Width, format and drop-down of a column, for its rows and the blank ones below."""
    texts = [_title(column), *(row.get(column.field, "") for row in rows)]
    page.column_dimensions[letter].width = column_width(texts)
    page.column_dimensions[letter].number_format = _FORMATS[column.form]
    if column.choices:
        page.data_validations.append(_drop_down(letter, column))


def _drop_down(letter: str, column: Column) -> DataValidation:
    choices = ",".join(column.choices)
    if len(choices) > _LONGEST_CHOICES or choices.count(",") >= len(column.choices):
        raise ValueError(f"{column.field}: these choices fit no drop-down")
    # A warning, no more: the English words are as good.
    validation = DataValidation(
        type="list", formula1='"{}"'.format(choices.replace('"', '""')), errorStyle="warning"
    )
    validation.add(f"{letter}2:{letter}{LAST_ROW}")
    return validation


def _header_cell(page: Any, column: Column) -> Any:
    cell = text_cell(page, _title(column), bold=True)
    lines = (column.english, column.note, *_choices(column))
    cell.comment = Comment("\n".join(filter(None, lines)), "hours", height=120, width=300)
    return cell


def _title(column: Column) -> str:
    return column.header + ("*" if column.required else "")


def _choices(column: Column) -> tuple[str, ...]:
    return ("、".join(column.choices),) if column.choices else ()


def _cell(page: Any, column: Column, text: str) -> Any:
    if not text:
        return None
    match column.form:
        case "number" if _WHOLE_NUMBER.fullmatch(text):
            return int(text)
        case "date" | "time" if text >= _FIRST_SOUND_DAY and (moment := _moment(text)):
            cell = WriteOnlyCell(page, moment)
            cell.number_format = _moment_format(text)
            return cell
        case _:
            return text_cell(page, text)


def _moment(text: str) -> datetime | None:
    """The moment, if this is how reading would write it."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is None and canonical_moment(text) == text else None


def _moment_format(text: str) -> str:
    clock = text[len(_FIRST_SOUND_DAY) :]
    return "yyyy-mm-dd" + {0: "", 6: " hh:mm"}.get(len(clock), " hh:mm:ss")
