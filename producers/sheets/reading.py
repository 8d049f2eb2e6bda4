"""Files to tables: which sheet is which kind, and everything that was found wrong.

Not what rows mean. Invariant: no file raises; what can't be read is a refusal.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path

from producers.sheets.csv_files import read_csv
from producers.sheets.csv_kinds import spec_of_csv
from producers.sheets.grids import Grid
from producers.sheets.headers import sheet_name
from producers.sheets.refusals import Reason, Unreadable, refusal
from producers.sheets.table_rows import read_table
from producers.sheets.values import Skipped, Tables, TableSpec
from producers.sheets.xlsx import read_xlsx


def read_tables(
    paths: Iterable[str | Path],
    specs: Iterable[TableSpec],
    moved: Callable[[int], None] = lambda rows: None,
) -> Tables:
    """Read XLSX and CSV files; `moved` is told how many rows have been read so far, in all."""
    reading = _Reading(tuple(specs), moved)
    for path in paths:
        reading.read(Path(path))
    return reading.tables


class _Reading:
    """What has been read so far."""

    def __init__(self, specs: Sequence[TableSpec], moved: Callable[[int], None]) -> None:
        self._specs = specs
        self._by_name = {sheet_name(name): spec for spec in specs for name in spec.sheets}
        rows = count(1)
        self._moved: Callable[[int], None] = lambda _: moved(next(rows))
        self.tables = Tables(
            {spec.kind: [] for spec in specs}, [], {}, {spec.kind: [] for spec in specs}, []
        )

    def read(self, path: Path) -> None:
        try:
            for sheet in self._sheets(path):
                if isinstance(sheet, Skipped):
                    self.tables.skipped.append(sheet)
                else:
                    self._read_grid(sheet)
        except Unreadable as error:
            self._refuse(error, str(path))
        except OSError:
            self._refuse(Unreadable(Reason.UNREADABLE_FILE), str(path))

    def _sheets(self, path: Path) -> Iterator[Grid | Skipped]:
        match path.suffix.lower():
            case ".xlsx":
                yield from read_xlsx(path, self._moved)
            case ".csv":
                yield read_csv(path, self._specs, self._moved)
            case ".xls":
                raise Unreadable(Reason.OLD_FORMAT)
            case _:
                raise Unreadable(Reason.UNKNOWN_EXTENSION)

    def _read_grid(self, grid: Grid) -> None:
        try:
            if grid.rows:
                self._read_rows(grid, self._spec(grid))
        except Unreadable as error:
            self._refuse(error, grid.file, grid.sheet)
        if grid.broken:
            self._refuse(grid.broken, grid.file, grid.sheet)

    def _read_rows(self, grid: Grid, spec: TableSpec) -> None:
        read = read_table(grid, spec)
        self.tables.rows[spec.kind] += read.rows
        self.tables.refused_rows[spec.kind] += read.refused_rows
        self.tables.refusals.extend(read.refusals)
        self.tables.columns[grid.file, grid.sheet] = read.columns

    def _spec(self, grid: Grid) -> TableSpec:
        """The one kind of table that this is; Unreadable where there is none."""
        if not grid.sheet:
            return spec_of_csv(grid, self._specs)
        if spec := self._by_name.get(sheet_name(grid.sheet)):
            return spec
        known = "、".join(name for spec in self._specs for name in spec.sheets[:1])
        raise Unreadable(Reason.UNKNOWN_SHEET, known=known)

    def _refuse(self, error: Unreadable, file: str, sheet: str = "") -> None:
        self.tables.refusals.append(
            refusal(error.reason, file, sheet, error.row, known=error.known)
        )
