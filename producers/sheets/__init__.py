"""Spreadsheets at the door: XLSX and CSV files into clean rows and refusals, rows into files.

Not what a table means: the tables to look for come in as `TableSpec`s. Invariant: nothing is lost
silently, and no private value is in a refusal.
"""

from producers.sheets.reading import read_tables
from producers.sheets.refusals import Reason, masked
from producers.sheets.reports import TooManyRows, write_rows_csv, write_rows_xlsx
from producers.sheets.values import Position, Refusal, SheetRow, Skipped, Tables, TableSpec
from producers.sheets.workbooks import Column, Sheet, write_workbook

__all__ = [
    "Column",
    "Position",
    "Reason",
    "Refusal",
    "Sheet",
    "SheetRow",
    "Skipped",
    "TableSpec",
    "Tables",
    "TooManyRows",
    "masked",
    "read_tables",
    "write_rows_csv",
    "write_rows_xlsx",
    "write_workbook",
]
