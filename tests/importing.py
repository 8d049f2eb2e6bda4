"""`hours import` as its keepers use it, within this process, and workbooks for it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from openpyxl import Workbook
from sqlalchemy import select

from hours.cli import cli
from hours.expected import EXPECTED
from ledger import queries
from ledger.engine import open_engine
from ledger.roster import store, tables
from ledger.roster.roster import Roster
from ledger.roster.vault import PrivateData, Vault
from tests.roster_desk import Desk

Cells = Sequence[Any]


@dataclass
class ImportDesk:
    """A desk that imports."""

    environment: Mapping[str, str]

    @classmethod
    def at(cls, home: Path, ledger_url: str) -> "ImportDesk":
        return cls(Desk.at(home, ledger_url).environment)

    def run(self, *words: str | Path) -> Result:
        """What `hours import` comes to; expected trouble is exit code 2, as `main` has it."""
        environment = {"LOGNAME": "keeper", **self.environment}
        result = CliRunner().invoke(cli, ["import", *map(str, words)], env=environment)
        if isinstance(result.exception, EXPECTED):
            result.exit_code = 2
        elif result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def lines(self, *words: str | Path, code: int = 0) -> dict[str, list[dict[str, Any]]]:
        """What it says as JSON, by what the lines are about."""
        result = self.run(*words, "--json")
        assert result.exit_code == code, result.output
        found: dict[str, list[dict[str, Any]]] = {"change": [], "refused": [], "skipped": []}
        for line in result.stdout.splitlines():
            for about, said in json.loads(line).items():
                found.setdefault(about, []).append(said)
        return found

    def summary(self, *words: str | Path, code: int = 0) -> dict[str, Any]:
        [summary] = self.lines(*words, code=code)["summary"]
        return summary

    def held(self) -> "Held":
        """All that the database holds of the roster."""
        engine = open_engine(self.environment["HOURS_LEDGER_URL"])
        key = Path(self.environment["HOURS_ROSTER_KEY_FILE"]).read_text().split()
        with queries.reading(engine) as connection:
            held = Held(
                store.load(connection),
                store.load_private(connection, Vault(key)),
                connection.execute(select(tables.change_sets.c.source)).scalars().all(),
                len(connection.execute(select(tables.changes.c.position)).all()),
                len(connection.execute(select(tables.outbox.c.position)).all()),
            )
        engine.dispose()
        return held


@dataclass(frozen=True)
class Held:
    """A roster in the database, whom it knows, each change set's source, and counts."""

    roster: Roster
    private: Mapping[str, PrivateData]
    sources: Sequence[str | None]
    changes: int
    waiting: int


def workbook(path: Path, sheets: Mapping[str, Sequence[Cells]], *merged: tuple[str, str]) -> Path:
    """A workbook of these rows, the header first; `merged` are (sheet, area)."""
    book = Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    for name, area in merged:
        book[name].merge_cells(area)
    book.save(path)
    return path
