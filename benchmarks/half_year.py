"""A district's half-year through Kafka, then every form of report on it, timed whole.

The district and its activities are imported from spreadsheets as a person would. A report's time
is the command's, its start included, which is measured beside it. Invariant: each grouping's
seconds add up to the ledger's, or the figure says by how much they don't.
"""

import json
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import Column, func, select

from benchmarks.arena import SHARDS, Arena
from benchmarks.figures import Figure
from benchmarks.load import Log
from benchmarks.ours import Product, open_product, settle_all
from ledger import queries, tables
from ledger.assessment.assessing import assess
from ledger.assessment.scheme import seed_scheme
from ledger.policy import Policy
from producers.simulation import HALF_YEAR_DAYS

GROUPINGS = (
    *("unit:centre", "unit:office", "unit:station", "unit:point", "team:corps", "team:kind"),
    *("team", "platform", "project", "activity", "volunteer", "day", "week", "month"),
)
_TIMES = 3


def measure_half_year(arena: Arena, seed: int) -> list[Figure]:
    """Enrol, simulate, settle, report. Stalled."""
    log = Log(arena.fresh("half-year"), 0)
    with open_product(arena, log.prefix, log, module="benchmarks.patient") as product:
        figures = _fill(product, seed)
        figures += _forms(product)
        product.run("audit")
        return [*figures, Figure("half-year", "audit: differences found", 0, "", "hours audit")]


def _fill(product: Product, seed: int) -> list[Figure]:
    home = product.arena.home / product.name
    first_day = (datetime.now(UTC) - timedelta(days=HALF_YEAR_DAYS + 2)).date().isoformat()
    product.make_keys()
    district, activities = home / "district.xlsx", home / "activities.csv"
    product.run("import", "--district", str(district), "--seed", str(seed))
    product.run("import", str(district), "--apply")
    simulated = ("--half-year", "--from", first_day, "--seed", str(seed))
    product.run("simulate", *simulated, "--activities", str(activities), "--to-kafka")
    product.run("import", str(activities), "--apply")
    records = _published(product)
    product.log = Log(product.log.prefix, records)
    contested, _ = settle_all(product, "half-year")
    product.stop_workers()
    return [
        Figure("half-year", "records", contested.records, "", f"{contested.seconds:.0f} s"),
        Figure("half-year", "sessions", _sum(product, tables.day_totals.c.sessions), ""),
        Figure("half-year", "hours", _sum(product, tables.day_totals.c.seconds) / 3_600, "h"),
    ]


def _forms(product: Product) -> list[Figure]:
    """Each form's median over three runs, after one that warms what it reads."""
    whole = _sum(product, tables.day_totals.c.seconds)
    figures = [_timed(product, "a command's start alone", "--version")]
    for grouping in GROUPINGS:
        rows = [json.loads(one) for one in product.run(*_by(grouping), "--json").splitlines()]
        missing = sum(row["seconds"] for row in rows) - whole
        note = "adds up" if not missing else f"{missing:+} s"
        figures.append(_timed(product, f"report --by {grouping}", *_by(grouping), note=note))
    office = "unit:office"
    figures += [
        _timed(product, "report, two groupings", *_by(office), "--by", "month"),
        _timed(product, "report, tree as it was", *_by(office), "--tree", "then"),
        _timed(product, "report, as of a time", *_by(office), "--as-of", _now()),
        _timed(product, "report half-year", "report", "half-year"),
        _timed(product, "roster unknown", "roster", "unknown"),
        _timed(product, "report volunteer", "report", "volunteer", _busiest(product)),
        *_assessed(product),
    ]
    return figures


def _assessed(product: Product) -> list[Figure]:
    """Offices, stations and teams assessed over the half-year, as the board does it."""
    policy, now = Policy(shard_count=SHARDS), time.time_ns() // 1_000
    today, first = policy.civil_day(now), _first_day(product)
    taken = []
    for _ in range(_TIMES + 1):  # once to warm what it reads
        started = time.monotonic()
        with queries.reading(product.engine) as connection:
            found = assess(connection, seed_scheme(), first, today, policy, today, now)
        taken.append(time.monotonic() - started)
    whole = _sum(product, tables.day_totals.c.seconds)
    missing = [
        sum(one["hours"] or 0 for one in figures.values()) * 3_600 - whole
        for figures in found.measured.figures.values()
    ]
    note = "adds up" if not any(missing) else f"{missing}"
    return [Figure("half-year", "assessment", sorted(taken[1:])[_TIMES // 2], "s", note)]


def _timed(product: Product, name: str, *command: str, note: str = "") -> Figure:
    product.run(*command)
    taken = []
    for _ in range(_TIMES):
        started = time.monotonic()
        product.run(*command)
        taken.append(time.monotonic() - started)
    return Figure("half-year", name, sorted(taken)[_TIMES // 2], "s", note)


def _by(grouping: str) -> tuple[str, ...]:
    return ("report", "--by", grouping)


def _now() -> str:
    return datetime.now(UTC).isoformat(sep=" ", timespec="seconds")


def _busiest(product: Product) -> str:
    table = tables.entries
    statement = (
        select(table.c.volunteer)
        .where(table.c.volunteer.is_not(None))
        .group_by(table.c.volunteer)
        .order_by(func.count().desc())
        .limit(1)
    )
    with product.engine.connect() as connection:
        return str(connection.scalar(statement))


def _first_day(product: Product) -> str:
    with product.engine.connect() as connection:
        return str(connection.scalar(select(func.min(tables.day_totals.c.day))))


def _sum(product: Product, column: Column[int]) -> int:
    with product.engine.connect() as connection:
        return int(connection.scalar(select(func.sum(column))) or 0)


def _published(product: Product) -> int:
    rows = map(json.loads, product.run("status", "--json").splitlines())
    return sum(row["log_end"] for row in rows)
