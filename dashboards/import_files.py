"""Files of roster sheets as rows to import, and what is wrong with rows as places in files.

Not what a row means: that is for `ledger.roster.importing`. Invariant: every refusal says where it
is, whoever found the fault.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from ledger.roster.importing_tables import TABLES, ImportTable
from ledger.roster.importing_values import Refused, Row
from producers.sheets import Position, Refusal, SheetRow, Tables, TableSpec, read_tables

_LONGEST_SOURCE = 1000
_HASH_CHARACTERS = 12


class Fault(NamedTuple):
    """A refusal, and the places of other rows that it is about."""

    refusal: Refusal
    also: tuple[Position, ...] = ()


class Files(NamedTuple):
    """What the files hold; `rows` and `unsound` by kind, numbered as `positions` has them.

    `source` names the files with the beginning of each one's SHA-256.
    """

    rows: Sequence[Row]
    unsound: Sequence[Row]
    positions: Sequence[Position]
    tables: Tables
    source: str

    @property
    def faults(self) -> list[Fault]:
        """What was wrong before it was asked what rows mean."""
        return [Fault(refusal) for refusal in self.tables.refusals]

    def fault(self, refused: Refused) -> Fault:
        """A row's refusal, with its place."""
        position = self.positions[refused.row] if refused.row >= 0 else Position("", "", 0)
        columns = self.tables.columns.get((position.file, position.sheet), {})
        letter, header = columns.get(refused.field, ("", _header(self._kind(refused), refused)))
        refusal = Refusal(*position, letter, header, refused.value, refused.reason, refused.what)
        return Fault(refusal, tuple(self.positions[row] for row in refused.also))

    def _kind(self, refused: Refused) -> str:
        return self.rows[refused.row].kind if refused.row >= 0 else ""


def read_files(paths: Sequence[Path], moved: Callable[[int], None]) -> Files:
    """Read the files; `moved` is told how many rows have been read."""
    source = _source(paths)
    tables = read_tables(paths, [spec_of(table) for table in TABLES.values()], moved)
    rows = [(kind, row) for kind, found in tables.rows.items() for row in found]
    return Files(
        [_row(number, kind, row) for number, (kind, row) in enumerate(rows)],
        [_row(-1, kind, row) for kind, found in tables.refused_rows.items() for row in found],
        [row.position for _, row in rows],
        tables,
        source,
    )


def spec_of(table: ImportTable) -> TableSpec:
    """How a kind's sheet is found and read."""
    return TableSpec(
        table.kind,
        (table.sheet, table.english),
        {one.field: (one.header, one.english) for one in table.fields},
        frozenset(one.field for one in table.fields if one.required),
        frozenset(one.field for one in table.fields if one.private),
        frozenset(one.field for one in table.fields if one.form == "day"),
        frozenset(one.field for one in table.fields if one.form == "time"),
    )


def place(position: Position) -> str:
    """A row's place for people: `名单.xlsx 志愿者:12`."""
    if not position.row:
        return " ".join(filter(None, (Path(position.file).name, position.sheet)))
    return f"{place(position._replace(row=0))}:{position.row}"


def _row(number: int, kind: str, row: SheetRow) -> Row:
    return Row(number, kind, row.cells, place(row.position))


def _header(kind: str, refused: Refused) -> str:
    """The header of a column that the sheet doesn't have."""
    column = TABLES[kind].by_name.get(refused.field) if kind else None
    return column.header if column else refused.field


def _source(paths: Sequence[Path]) -> str:
    """Names and hashes, as many as fit; what can't be read is refused later."""
    named: list[str] = []
    for path in paths:
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:_HASH_CHARACTERS]
        except OSError:
            digest = "-"
        named.append(f"{path.name} sha256:{digest}")
    source = "; ".join(named)
    if len(source) <= _LONGEST_SOURCE:
        return source
    whole = hashlib.sha256(source.encode()).hexdigest()[:_HASH_CHARACTERS]
    return f"{len(paths)} files sha256:{whole}; {source[: _LONGEST_SOURCE - 100]}…"
