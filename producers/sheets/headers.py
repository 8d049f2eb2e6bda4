"""Finding a table's header row, and which column is which field.

Pure. A header matches whatever its case, width, spaces and trailing star; a field's own name
matches too.
"""

import difflib
import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from producers.sheets.cells import Cell, Dated, Fault
from producers.sheets.grids import GridRow
from producers.sheets.values import TableSpec

ROWS_TRIED = 5


class Header(NamedTuple):
    """A header row read by a spec; columns are counted from 0.

    `fields` has each field's first column, `doubled` each further column with the first one of its
    field, `unknown` the columns whose header no field has, `titles` every header as it stands.
    """

    row: int
    fields: dict[int, str]
    doubled: dict[int, int]
    unknown: list[int]
    missing: list[str]
    titles: dict[int, str]


def find_header(rows: Sequence[GridRow], spec: TableSpec) -> tuple[int, Header] | None:
    """The header and its place among the rows, or None where no known header is near the top.

    The first row with all required headers; failing that, the one with most known headers.
    """
    tried = [(place, _header(row, spec)) for place, row in enumerate(rows[:ROWS_TRIED])]
    known = [(place, header) for place, header in tried if header.fields]
    # max() takes the first of equals: a title row above has no or fewer known headers.
    return max(known, key=lambda one: (not one[1].missing, len(one[1].fields)), default=None)


def header_name(text: str) -> str:
    """What is compared of a header: no spaces, case, width or trailing stars."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).rstrip("*").casefold()


def header_names(field: str, spec: TableSpec) -> set[str]:
    """All that a field's header may be, as header_name gives it."""
    return {header_name(name) for name in (field, *spec.columns[field])}


def sheet_name(text: str) -> str:
    """What is compared of a sheet's or file's name: as of a header, without hyphens."""
    return re.sub(r"[-_]", "", header_name(text))


def meant(title: str, spec: TableSpec) -> str:
    """The header most like this one; where none is, all of them."""
    first = {header_name(names[0]): names[0] for names in spec.columns.values() if names}
    names = {header_name(name): name for all_ in spec.columns.values() for name in all_}
    like = difflib.get_close_matches(header_name(title), names, n=1)
    return names[like[0]] if like else "、".join(first.values())


def first_header(field: str, spec: TableSpec) -> str:
    """How a field's header is written where somebody is asked to add it."""
    return " / ".join(spec.columns[field]) or field


def as_it_stands(cell: Cell) -> str:
    match cell:
        case Fault():
            return cell.value
        case Dated():
            return cell.text
        case _:
            return cell


def _header(row: GridRow, spec: TableSpec) -> Header:
    known = {name: field for field in spec.columns for name in header_names(field, spec)}
    header = Header(row.number, {}, {}, [], [], {})
    first: dict[str, int] = {}
    for column, cell in enumerate(row.cells):
        if cell == "":
            continue
        header.titles[column] = as_it_stands(cell)
        # A header that is a formula or a date is none.
        field = known.get(header_name(cell)) if isinstance(cell, str) else None
        if field is None:
            header.unknown.append(column)
        elif field in first:
            header.doubled[column] = first[field]
        else:
            first[field] = column
            header.fields[column] = field
    header.missing.extend(field for field in spec.columns if field in spec.required - first.keys())
    return header
