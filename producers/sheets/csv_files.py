"""CSV files as grids: UTF-8 or GB18030, separated by comma, semicolon or tab.

Strict: bytes that are neither encoding, and quotes that don't match, are refused, never guessed.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from producers.sheets.cells import csv_cell
from producers.sheets.grids import Grid, GridRow
from producers.sheets.headers import ROWS_TRIED, header_name, header_names
from producers.sheets.limits import LAST_ROW
from producers.sheets.refusals import Reason, Unreadable
from producers.sheets.values import TableSpec

_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_SEPARATORS = ",;\t"


def read_csv(path: Path, specs: Iterable[TableSpec], moved: Callable[[int], None]) -> Grid:
    """The file's rows; the separator is the one under which most headers are known to any spec.

    `moved` is told of each row read. Unreadable for the whole file.
    """
    text = _decoded(path.read_bytes())
    known = {name for spec in specs for field in spec.columns for name in header_names(field, spec)}
    separator = max(_SEPARATORS, key=lambda one: _known_headers(text, one, known))
    rows: list[GridRow] = []
    broken = None
    try:
        for row in _rows(text, separator):
            moved(1)
            rows.append(row)
    except Unreadable as error:
        broken = error
    if not rows and not broken:
        raise Unreadable(Reason.EMPTY_FILE)
    return Grid(str(path), "", rows, [], broken)


def _decoded(content: bytes) -> str:
    if not content:
        raise Unreadable(Reason.EMPTY_FILE)
    if content.startswith(_WORKBOOKS):
        raise Unreadable(Reason.NOT_CSV)
    for encoding in ("utf-8", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        # Text has no NUL; UTF-16, which GB18030 may take, is full of them.
        if "\0" not in text:
            return text.removeprefix("\ufeff")
    raise Unreadable(Reason.WRONG_ENCODING)


def _known_headers(text: str, separator: str, known: set[str]) -> int:
    """How many headers are known in the best of the first rows."""
    counts = [0]
    try:
        for row in islice(_rows(text, separator), ROWS_TRIED):
            names = {header_name(cell) for cell in row.cells if isinstance(cell, str)}
            counts.append(len(names & known))
    except Unreadable:
        pass  # it is met again, and told of, where all is read
    return max(counts)


def _rows(text: str, separator: str) -> Iterator[GridRow]:
    """Rows that hold something, numbered by the line they begin in."""
    # A longer field is one whose quote was never closed.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Unreadable(Reason.BROKEN_QUOTES, line) from error
        if line > LAST_ROW:
            raise Unreadable(Reason.TOO_MANY_ROWS, LAST_ROW)
        if row := _row(line, record):
            yield row


def _row(line: int, record: Sequence[str]) -> GridRow | None:
    cells = [csv_cell(text) for text in record]
    return GridRow(line, cells) if any(cell != "" for cell in cells) else None
