"""Reports as XLSX or CSV, for people to look at.

Text that people entered is never run as a formula: in XLSX it is a text cell; in CSV, which has
none, text that begins with = + - @, their full-width forms, a tab or a line break, behind spaces
or not, gets an apostrophe before it. Numbers (int, float, Decimal) stay numbers, -3.5 too.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, time
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

from openpyxl.cell import WriteOnlyCell
from openpyxl.utils import get_column_letter

from producers.sheets.limits import LAST_ROW
from producers.sheets.written_books import column_width, saved_workbook, text_cell

_FORMULA_BEGINS = tuple("=+-@＝＋－＠\t\r\n")
_BOM = "\ufeff"
_ROWS_MEASURED = 200
_EXACT_IN_EXCEL = 10**15


class TooManyRows(Exception):
    """A report longer than a sheet can be."""

    def __init__(self) -> None:
        super().__init__(
            "报表超过 Excel 的 1,048,576 行，请导出 CSV。 "
            "The report has more rows than Excel's 1,048,576: export it as CSV."
        )


def write_rows_xlsx(
    path: str | Path, headings: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """One sheet with a frozen bold header; TooManyRows. Dates stay dates, None is blank."""
    rows = iter(rows)
    measured = list(islice(rows, _ROWS_MEASURED))
    with saved_workbook(path) as workbook:
        page = workbook.create_sheet("报表")
        page.freeze_panes = "A2"
        for number, heading in enumerate(headings):
            texts = [heading, *(str(row[number]) for row in measured)]
            page.column_dimensions[get_column_letter(number + 1)].width = column_width(texts)
        page.append([text_cell(page, heading, bold=True) for heading in headings])
        for number, row in enumerate(chain(measured, rows), 2):
            if number > LAST_ROW:
                raise TooManyRows
            page.append([_cell(page, value) for value in row])


def write_rows_csv(
    path_or_stream: str | Path | TextIO, headings: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """UTF-8 behind a byte order mark, without which Excel misreads Chinese; lines end in CRLF."""
    with _stream(path_or_stream) as stream:
        stream.write(_BOM)
        writer = csv.writer(stream)
        writer.writerow([_harmless(heading) for heading in headings])
        writer.writerows([_harmless(value) for value in row] for row in rows)


@contextmanager
def _stream(path_or_stream: str | Path | TextIO) -> Iterator[TextIO]:
    if not isinstance(path_or_stream, str | Path):
        yield path_or_stream
        return
    with open(path_or_stream, "w", encoding="utf-8", newline="") as file:
        yield file


def _cell(page: Any, value: Any) -> Any:
    match value:
        case None | "":
            return None
        case int() | float() | Decimal() if -_EXACT_IN_EXCEL < value < _EXACT_IN_EXCEL:
            return value
        case date() | time() if getattr(value, "tzinfo", None) is None:
            return WriteOnlyCell(page, value)
        case _:
            return text_cell(page, str(value))


def _harmless(value: Any) -> Any:
    """The value, with an apostrophe before text that a spreadsheet could take for a formula."""
    if not isinstance(value, str):
        return value
    return f"'{value}" if value.lstrip(" \u3000").startswith(_FORMULA_BEGINS) else value
