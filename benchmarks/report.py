"""What is printed and written: a table for people, JSON for programs.

Invariant: the JSON holds every figure of the table, unrounded, with its unit, and what it was
measured on.
"""

import os
import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.figures import Contested, Figure

_LIBRARIES = (
    "faust-streaming", "quixstreams", "aiokafka", "kafka-python", "confluent-kafka", "pydantic",
    "sqlalchemy", "psycopg",
)  # fmt: skip
OURS, FAUST, QUIX = "ours, PostgreSQL", "plain Faust, PostgreSQL", "Quix Streams, PostgreSQL"


@dataclass
class Report:
    """Everything measured in one run; `sizes` are what it was asked for."""

    seed: int
    sizes: dict[str, int]
    contested: list[Contested] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)

    def ratio(self, ours: Contested, peer: str) -> float | None:
        """How many times faster than that peer; None where it did not run."""
        rates = {it.name: it.records_per_second for it in self.contested}
        return ours.records_per_second / rates[peer] if peer in rates else None

    def as_dict(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "sizes": self.sizes,
            "machine": machine(),
            "contest": [self._contested(it) for it in self.contested],
            "figures": [asdict(it) for it in self.figures],
        }

    def show(self, console: Console) -> None:
        if self.contested:
            console.print(self._contest_table())
        if self.figures:
            console.print(self._figures_table())

    def _contested(self, it: Contested) -> dict[str, Any]:
        return {
            **asdict(it),
            "records_per_second": it.records_per_second,
            "cpu_microseconds_per_record": it.cpu_microseconds,
            "database_cpu_microseconds_per_record": it.database_cpu_microseconds,
            "times_plain_faust": self.ratio(it, FAUST),
            "times_quix": self.ratio(it, QUIX),
        }

    def _contest_table(self) -> Table:
        table = Table(title="同一批事件：结算并写入账本 · The same events, settled and written")
        table.add_column("")
        for heading in (
            "records", "a second", "× Faust", "× Quix", "from start", "CPU each", "database CPU",
        ):  # fmt: skip
            table.add_column(heading, justify="right")
        table.add_column("totals")
        for it in self.contested:
            table.add_row(
                it.name, f"{it.records:,}", f"{it.records_per_second:,.0f}",
                _times(self.ratio(it, FAUST)), _times(self.ratio(it, QUIX)),
                f"{it.seconds_from_start:.1f} s", f"{it.cpu_microseconds:.1f} µs",
                f"{it.database_cpu_microseconds:.1f} µs", it.difference or "equal",
            )  # fmt: skip
        return table

    def _figures_table(self) -> Table:
        table = Table(title="其他 · Beside it")
        for heading in ("measured", "", "value", "unit", "note"):
            table.add_column(heading, justify="right" if heading == "value" else "left")
        for it in self.figures:
            table.add_row(it.measured, it.name, _rounded(it.value), it.unit, it.note)
        return table


def machine() -> dict[str, Any]:
    """What it was measured on."""
    found: dict[str, str] = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "system": f"{platform.system()} {platform.machine()}",
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
        "libraries": found,
    }


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:,.2f}"
