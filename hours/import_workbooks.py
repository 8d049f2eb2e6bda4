"""Workbooks of the roster's sheets: one to fill in, and the seed district with its people.

Invariant: what is written here imports without a refusal.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from hours.new_workbooks import write_new_workbook
from ledger.roster.importing_tables import TABLES, Field, ImportTable
from producers.district_rows import rows_of
from producers.district_seed import seed_district, surge_district
from producers.invented_people import people_of
from producers.sheets import Column, Sheet

_FORMS: Mapping[str, Literal["number", "date", "time"]] = {
    "count": "number",
    "day": "date",
    "time": "time",
}


def write_template(path: Path) -> None:
    """Every kind's sheet with example rows. WrongUse where the file can't be written."""
    _write(path, {kind: table.examples for kind, table in TABLES.items()})


def write_district(path: Path, people: int, seed: int, surge: bool) -> None:
    """The seed district, or its surge, with so many people. WrongUse."""
    district = (surge_district if surge else seed_district)(seed, people)
    _write(path, rows_of(district, people_of(seed, district)))


def _write(path: Path, rows: Mapping[str, Iterable[Mapping[str, str]]]) -> None:
    write_new_workbook(path, [_sheet(table, rows.get(kind, ())) for kind, table in TABLES.items()])


def _sheet(table: ImportTable, rows: Iterable[Mapping[str, str]]) -> Sheet:
    return Sheet(table.sheet, [_column(field) for field in table.fields], rows)


def _column(field: Field) -> Column:
    return Column(
        field.field,
        field.header,
        field.english,
        field.note,
        field.required,
        tuple(field.choices.values()),
        _FORMS.get(field.form, "text"),
    )
