"""What reading sheets takes and gives, as values.

Not what a row means: which kinds there are, and which cells a row must have, others say.
Invariant: every row of every file is in `rows` or in `refused_rows`, or a refusal or a skipped
sheet says why not.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Position(NamedTuple):
    """Where a row stands: the path as given, the sheet ("" for CSV), Excel's row number from 1.

    A CSV file's row is the line its record begins in.
    """

    file: str
    sheet: str
    row: int


class SheetRow(NamedTuple):
    """A row's cells as canonical text, by field; a blank cell is absent.

    Dates are `2026-07-01`, moments `2026-07-01 09:00` (`:SS` where not 0), times and durations
    `09:00`, whole numbers have no `.0`, booleans are `TRUE` and `FALSE`.
    """

    position: Position
    cells: dict[str, str]


class Refusal(NamedTuple):
    """One fault: where, what stands there, why it can't be taken and what to do.

    `row` is 0 and `column` (a letter) "" where the fault is the file's or the sheet's. `value` is
    short and printable, and masked in a private column. `what` is Chinese, then English.
    """

    file: str
    sheet: str
    row: int
    column: str
    header: str
    value: str
    reason: str
    what: str


class TableSpec(NamedTuple):
    """How one kind of table is found and read.

    `columns` has each field's headers; the field's own name is one more. `required` are the
    fields whose headers must be there; whether a row's cell may be blank is not asked here.
    `private` fields are masked in refusals. `dates` are the fields of days, `times` those of
    moments: there, `2026年7月1日` and `2026/7/1 9:00` are made canonical, and in every other
    field a date cell is refused, since Excel makes dates of codes such as `3-2`; with None for
    `dates`, none is. Midnight is kept in `times` only: elsewhere a cell at 00:00 is a day.
    """

    kind: str
    sheets: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    required: frozenset[str]
    private: frozenset[str] = frozenset()
    dates: frozenset[str] | None = None
    times: frozenset[str] = frozenset()


class Skipped(NamedTuple):
    """A sheet that was not read, and why: `notes`, `hidden`, `empty` or `chart`."""

    file: str
    sheet: str
    why: str


class Tables(NamedTuple):
    """All that was read, by kind, in the order of files, sheets and rows.

    `rows` are whole rows; `refused_rows` have at least one cell, or their sheet's header, refused,
    and hold the cells that are sound: enough to know what others refer to, not to act on.
    `columns` gives, for (file, sheet), each field's (column letter, header as it stands).
    """

    rows: dict[str, list[SheetRow]]
    refusals: list[Refusal]
    columns: dict[tuple[str, str], dict[str, tuple[str, str]]]
    refused_rows: dict[str, list[SheetRow]]
    skipped: list[Skipped]
