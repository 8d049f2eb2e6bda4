"""Rows of past hours for tests, as cells and as files."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from hours.past_hours import COLUMNS, KIND, SPEC
from producers.sheets import Position, Sheet, SheetRow, Tables, write_rows_csv, write_workbook

GOOD = {
    **{"volunteer": "V7K2M9QXTA1", "team": "合唱队", "day": "2026-02-05", "hours": "1:30"},
    **{"by": "leader-12", "approved_by": "leader-07", "reason": "签到机停电"},
}


def row(**cells: str | None) -> dict[str, str]:
    """The good row with some cells other, or, given None, blank."""
    return {name: text for name, text in {**GOOD, **cells}.items() if text is not None}


def tables(*files: Iterable[Mapping[str, str]]) -> Tables:
    """What reading gives for files with these rows: 1.xlsx, 2.xlsx, …, the first rows being 2."""
    rows = [
        SheetRow(Position(f"{number}.xlsx", "补录", place), dict(cells))
        for number, file in enumerate(files, 1)
        for place, cells in enumerate(file, 2)
    ]
    columns = {one.field: ("ABCDEFGHIJKLMN"[n], one.header) for n, one in enumerate(COLUMNS)}
    sheets = {one.position[:2] for one in rows}
    return Tables({KIND: rows}, [], dict.fromkeys(sheets, columns), {KIND: []}, [])


def workbook(path: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    """The rows as a workbook."""
    write_workbook(path, [Sheet(SPEC.sheets[0], COLUMNS, rows)])
    return path


def csv_file(path: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    """The rows as Excel would save them as CSV."""
    headings = [one.header for one in COLUMNS]
    write_rows_csv(path, headings, [[one.get(c.field, "") for c in COLUMNS] for one in rows])
    return path
