"""From a grid and a spec to rows and refusals. Pure.

Not which sheet is which table. Invariant: a row with a refused cell, or under a header that can't
be trusted, is never among the whole rows; each fault gives one refusal.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from openpyxl.utils import get_column_letter

from producers.sheets.cells import MIDNIGHT, Cell, Dated, Fault, canonical_moment
from producers.sheets.grids import Area, Grid, GridRow
from producers.sheets.headers import Header, as_it_stands, find_header, first_header, meant
from producers.sheets.limits import LAST_COLUMN
from producers.sheets.refusals import Reason, masked, refusal
from producers.sheets.values import Position, Refusal, SheetRow, TableSpec


class TableRead(NamedTuple):
    """What one sheet comes to; `columns` has each field's (letter, header as it stands)."""

    rows: list[SheetRow]
    refused_rows: list[SheetRow]
    refusals: list[Refusal]
    columns: dict[str, tuple[str, str]]


class _Found(NamedTuple):
    """A fault and its place, by which refusals are sorted; the column is counted from 0."""

    row: int
    column: int
    refusal: Refusal


def read_table(grid: Grid, spec: TableSpec) -> TableRead:
    """Read a sheet that holds at least one row."""
    if not (found := find_header(grid.rows, spec)):
        # What stands there may be a person's: nothing of it is shown.
        named = "、".join(first_header(field, spec) for field in spec.columns)
        row = grid.rows[0].number
        none = refusal(Reason.NO_HEADER, grid.file, grid.sheet, row, known=named)
        return TableRead([], [], [none], {})
    place, header = found
    return _Table(grid, spec, header, grid.rows[place + 1 :]).read()


class _Table:
    """A sheet under the header that was found in it."""

    def __init__(self, grid: Grid, spec: TableSpec, header: Header, rows: list[GridRow]) -> None:
        self._grid = grid
        self._spec = spec
        self._header = header
        self._rows = rows
        self._by_number = {row.number: row for row in grid.rows}
        self._width = max(header.titles) + 1

    def read(self) -> TableRead:
        merged, spoilt = self._merged()
        header_merged = self._header.row in spoilt
        faults = [*self._header_faults(header_merged), *merged]
        sound = not (self._header.missing or self._header.doubled or header_merged)
        whole, refused = list[SheetRow](), list[SheetRow]()
        told = self._under_merged_headers()
        for row in self._rows:
            cells, found = self._row(row, told)
            faults += found
            into = whole if sound and not found and row.number not in spoilt else refused
            into.append(SheetRow(Position(self._grid.file, self._grid.sheet, row.number), cells))
        faults.sort(key=lambda fault: fault[:2])
        return TableRead(whole, refused, [fault.refusal for fault in faults], self._columns())

    def _columns(self) -> dict[str, tuple[str, str]]:
        return {
            field: (get_column_letter(column + 1), self._header.titles[column])
            for column, field in self._header.fields.items()
        }

    def _header_faults(self, merged: bool) -> Iterator[_Found]:
        header, row = self._header, self._header.row
        # A merged header hides others: that it is merged is the one fault to mend first.
        for field in () if merged else header.missing:
            yield self._found(Reason.MISSING_HEADER, row, -1, known=first_header(field, self._spec))
        for column, first in header.doubled.items():
            letter = get_column_letter(first + 1)
            yield self._found(
                Reason.DOUBLED_HEADER, row, column, header.titles[column], known=letter
            )
        for column in header.unknown:
            title = header.titles[column]
            yield self._found(
                Reason.UNKNOWN_HEADER, row, column, title, known=meant(title, self._spec)
            )

    def _row(self, row: GridRow, told: set[int]) -> tuple[dict[str, str], list[_Found]]:
        """Its sound cells by field, and its faults; `told` are columns with no header, told of."""
        cells: dict[str, str] = {}
        faults: list[_Found] = []
        for column, cell in enumerate(row.cells):
            if cell == "":
                continue
            if field := self._header.fields.get(column):
                taken = self._taken(field, cell)
                if isinstance(taken, Fault):
                    faults.append(self._found(taken.reason, row.number, column, taken.value))
                else:
                    cells[field] = taken
            elif self._is_nameless(column) and column not in told:
                value = as_it_stands(cell)
                faults.append(self._found(Reason.VALUE_WITHOUT_HEADER, row.number, column, value))
                if self._is_shifted(column):
                    break
                told.add(column)
        return cells, faults

    def _is_nameless(self, column: int) -> bool:
        """No header stands above, and it isn't one that was told to be missing."""
        return column not in self._header.titles and not self._header.missing

    def _is_shifted(self, column: int) -> bool:
        """In CSV, a cell to the right of the table is its row's fault: a separator too many."""
        return not self._grid.sheet and column >= self._width

    def _taken(self, field: str, cell: Cell) -> str | Fault:
        """The cell's text, days and moments made canonical, or why it can't be taken."""
        dates, times = self._spec.dates, self._spec.times
        match cell:
            case Fault():
                return cell
            case Dated() if dates is not None and field not in dates | times:
                return Fault(Reason.UNEXPECTED_DATE, cell.text.removesuffix(MIDNIGHT))
            case Dated():
                return cell.text if field in times else cell.text.removesuffix(MIDNIGHT)
            case _ if field in times:
                return canonical_moment(cell)
            case _:
                in_dates = dates is not None and field in dates
                return canonical_moment(cell).removesuffix(MIDNIGHT) if in_dates else cell

    def _merged(self) -> tuple[list[_Found], set[int]]:
        """A fault for each merged area that touches the table, and the rows it spoils."""
        numbers = [self._header.row, *(row.number for row in self._rows)]
        faults: list[_Found] = []
        spoilt: set[int] = set()
        for area in self._grid.merged:
            first, end = bisect_left(numbers, area.first_row), bisect_right(numbers, area.last_row)
            touched = numbers[first:end]
            columns = [c for c in self._header.titles if _holds(area, c)]
            if touched and columns:
                spoilt.update(touched)
                faults.append(self._merged_fault(area, columns[0]))
        return faults, spoilt

    def _under_merged_headers(self) -> set[int]:
        return {
            column
            for area in self._grid.merged
            if area.first_row <= self._header.row <= area.last_row
            for column in range(area.first_column - 1, min(area.last_column, LAST_COLUMN))
        }

    def _merged_fault(self, area: Area, titled: int) -> _Found:
        column = area.first_column - 1
        row = self._by_number.get(area.first_row)
        value = as_it_stands(row.cells[column]) if row and column < len(row.cells) else ""
        corners = (
            f"{get_column_letter(area.first_column)}{area.first_row}",
            f"{get_column_letter(area.last_column)}{area.last_row}",
        )
        found = self._found(
            Reason.MERGED_CELLS, area.first_row, column, value, known=":".join(corners)
        )
        title = self._header.titles[titled]
        return found._replace(refusal=found.refusal._replace(header=title))

    def _found(
        self, reason: Reason, row: int, column: int, value: str = "", known: str = ""
    ) -> _Found:
        """A fault; what stands under a private header, or might as well, is masked."""
        spec, title = self._spec, self._header.titles.get(column, "")
        field = self._header.fields.get(column)
        # A number of so many digits may be a document's, in whichever column it stands.
        unsure = field is None or reason is Reason.TOO_MANY_DIGITS
        private = field in spec.private or (bool(spec.private) and unsure)
        return _Found(
            row,
            column,
            refusal(
                reason,
                self._grid.file,
                self._grid.sheet,
                row,
                get_column_letter(column + 1) if column >= 0 else "",
                title,
                masked(value) if private and row != self._header.row else value,
                known,
            ),
        )


def _holds(area: Area, column: int) -> bool:
    return area.first_column - 1 <= column <= area.last_column - 1
