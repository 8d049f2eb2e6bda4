"""XLSX files as grids, by openpyxl's streaming parser.

Not a full load, which would make an object of each merged cell, and a billion of one merged
sheet; and openpyxl's read-only sheets say nothing of merged cells, hence its parser itself.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.xml.constants import SHEET_MAIN_NS

from producers.sheets.cells import Cell, Fault, moment_cell, number_cell, text_cell
from producers.sheets.grids import Area, Grid, GridRow
from producers.sheets.headers import sheet_name
from producers.sheets.limits import LAST_COLUMN, LAST_ROW
from producers.sheets.refusals import Reason, Unreadable
from producers.sheets.values import Skipped
from producers.sheets.xlsx_files import opened_workbook, unreadable

_NOTES = {"说明", "notes"}
_NAMED_WITHIN = 65_536
_QUOTED = re.compile(r'"[^"]*"|\[[^\]hs]*\]|\\.')
_ESCAPED = re.compile("_x(00[01][0-9A-Fa-f]|005[Ff]|[Ff]{3}[EeFf])_")


def read_xlsx(path: Path, moved: Callable[[int], None]) -> Iterator[Grid | Skipped]:
    """Each sheet in order; `moved` is told of each row read. Unreadable for the whole file."""
    with opened_workbook(path) as workbook:
        for sheet in workbook.chartsheets:
            yield Skipped(str(path), sheet.title, "chart")
        for sheet in workbook.worksheets:
            yield _sheet(str(path), workbook, sheet, moved)


def _sheet(file: str, workbook: Any, sheet: Any, moved: Callable[[int], None]) -> Grid | Skipped:
    if sheet.sheet_state != "visible":
        return Skipped(file, sheet.title, "hidden")
    if sheet_name(sheet.title) in _NOTES:
        return Skipped(file, sheet.title, "notes")
    rows: list[GridRow] = []
    broken = None
    with sheet._get_source() as source:
        parser = _parser(workbook, sheet, source)
        try:
            rows.extend(_rows(parser, _formats(workbook), moved))
        except Unreadable as error:
            broken = error
    if not rows and not broken:
        if _is_worksheet(sheet):
            return Skipped(file, sheet.title, "empty")
        broken = Unreadable(Reason.BROKEN_WORKBOOK)
    rows.sort(key=lambda row: row.number)
    return Grid(file, sheet.title, rows, _merged(parser), broken)


def _is_worksheet(sheet: Any) -> bool:
    """Rows in any other namespace would be passed over silently."""
    with sheet._get_source() as source:
        return SHEET_MAIN_NS.encode() in source.read(_NAMED_WITHIN)


def _parser(workbook: Any, sheet: Any, source: Any) -> Any:
    return WorkSheetParser(
        source,
        sheet._shared_strings,
        epoch=workbook.epoch,
        date_formats=workbook._date_formats,
        timedelta_formats=workbook._timedelta_formats,
    )


def _rows(parser: Any, formats: list[str], moved: Callable[[int], None]) -> Iterator[GridRow]:
    """Rows that hold something."""
    for number, raw in _parsed(parser):
        if number > LAST_ROW:
            raise Unreadable(Reason.TOO_MANY_ROWS, LAST_ROW)
        moved(1)
        cells: list[Cell] = []
        for one in raw:
            if (cell := _cell(one, formats)) == "":
                continue
            place = one["column"] - 1
            cells.extend([""] * (place + 1 - len(cells)))
            cells[place] = cell
        if cells:
            yield GridRow(number, cells)


def _parsed(parser: Any) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    try:
        for number, cells in parser.parse():
            if any(not 0 < cell["column"] <= LAST_COLUMN for cell in cells):
                raise ValueError("a cell beyond the last column")
            yield number, cells
    except Exception as error:
        # Whatever a library makes of what is no worksheet; how it says so is its own.
        raise unreadable(error) from error


def _cell(raw: dict[str, Any], formats: list[str]) -> Cell:
    value = raw["value"]
    match raw["data_type"]:
        case "f":
            return Fault(Reason.FORMULA, str(getattr(value, "text", value) or "="))
        case _ if value is None:
            return ""
        case "e":
            return Fault(Reason.ERROR_VALUE, str(value))
        case "n":
            return number_cell(value, _least_digits(formats[int(raw["style_id"])]))
        case "d":
            return moment_cell(value, _has_time(formats[int(raw["style_id"])]))
        case _:
            return text_cell(_text(value))


def _text(value: str | bool) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)


def _formats(workbook: Any) -> list[str]:
    """The number format of each cell style, as Excel writes it."""
    own = workbook._number_formats
    return [
        BUILTIN_FORMATS.get(style.numFmtId, "General")
        if style.numFmtId < BUILTIN_FORMATS_MAX_SIZE
        else own[style.numFmtId - BUILTIN_FORMATS_MAX_SIZE]
        for style in workbook._cell_styles
    ]


def _has_time(number_format: str) -> bool:
    return bool(re.search("[hs]", _QUOTED.sub("", number_format.lower())))


def _least_digits(number_format: str) -> int:
    """How many digits a number is padded to: codes such as 0012 are kept in format 0000."""
    return len(number_format) if set(number_format) == {"0"} else 1


def _merged(parser: Any) -> list[Area]:
    if not parser.merged_cells:
        return []
    return [
        Area(one.min_row, one.max_row, one.min_col, one.max_col)
        for one in parser.merged_cells.mergeCell
    ]
