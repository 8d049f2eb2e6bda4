"""A sheet as it stands in its file, whatever the file's format: rows of cells, merged areas.

Not a table: which row is the header is not known yet.
"""

from typing import NamedTuple

from producers.sheets.cells import Cell
from producers.sheets.refusals import Unreadable


class GridRow(NamedTuple):
    """A row that holds something; its number from 1, its cells from column A, "" where blank."""

    number: int
    cells: list[Cell]


class Area(NamedTuple):
    """Merged cells: rows and columns from 1, the last ones included."""

    first_row: int
    last_row: int
    first_column: int
    last_column: int


class Grid(NamedTuple):
    """A sheet's rows in order; `broken` is why there may have been more."""

    file: str
    sheet: str
    rows: list[GridRow]
    merged: list[Area]
    broken: Unreadable | None = None
