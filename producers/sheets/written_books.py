"""What all written workbooks share: saving, text that stays text, and how wide it is.

Invariant: no text becomes a formula, an error value or a number, whatever it begins with.
"""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

TEXT_FORMAT = "@"
_LONGEST_TEXT = 32_767
_WIDEST = 50
# XML has no place for these; Excel writes _xHHHH_, and the escape's own underscore the same way.
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


@contextmanager
def saved_workbook(path: str | Path) -> Iterator[Any]:
    """A workbook to write rows to, saved at the end; where writing fails, nothing is left."""
    workbook = Workbook(write_only=True)
    try:
        yield workbook
    except BaseException:
        for page in workbook.worksheets:
            # Each keeps its rows, which may be people, in a temporary file.
            page.close()
            page._writer.cleanup()
        raise
    workbook.save(path)


def text_cell(sheet: Any, text: str, bold: bool = False) -> Any:
    """A cell that holds text in Excel's text format."""
    escaped = _UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    if len(escaped) > _LONGEST_TEXT:
        raise ValueError(f"a cell holds at most {_LONGEST_TEXT} characters")
    cell = WriteOnlyCell(sheet, escaped)
    # openpyxl takes text that begins with = for a formula, and #N/A for an error.
    cell.data_type = "s"
    cell.number_format = TEXT_FORMAT
    if bold:
        cell.font = Font(bold=True)
    return cell


def width_of(text: str) -> int:
    """In columns of a fixed font: Chinese letters are two wide; the longest line counts."""
    return max((sum(map(_width, line)) for line in text.splitlines()), default=0)


def column_width(texts: list[str]) -> int:
    """A column wide enough for these, within reason."""
    return min(max(map(width_of, texts), default=0) + 3, _WIDEST)


def _width(letter: str) -> int:
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
