"""A surge: 17,800 people of 100 organisations enrolled from one workbook, given badges, tapping in.

Whole commands are timed. Invariant: the hours settled are those of the simulated attendances, to
the second, or the figure says by how much they aren't.
"""

import time
from collections.abc import Callable
from itertools import groupby
from operator import attrgetter

from sqlalchemy import func, select

from benchmarks.arena import Arena
from benchmarks.figures import Figure
from benchmarks.load import Log, send
from benchmarks.ours import Product, open_product, settle_all
from ledger import tables
from producers.events import Event
from producers.simulation import Plan, plan_ending_now, simulate, surging

_SECOND = 1_000_000


def measure_enlistment(arena: Arena, seed: int) -> list[Figure]:
    """Import, print, tap. Stalled."""
    log = Log(arena.fresh("surge"), 0)
    with open_product(arena, log.prefix, log) as product:
        figures = _enrol(product, seed)
        events = [one.event for one in simulate(_plan(seed))]
        send(arena.kafka, log.topic, events)
        product.log = Log(log.prefix, len(events))
        contested, _ = settle_all(product, "surge")
        product.stop_workers()
        return [*figures, *_exact(product, events, contested.seconds)]


def _plan(seed: int) -> Plan:
    return surging(plan_ending_now(time.time_ns() // 1_000, days=1, seed=seed))


def _enrol(product: Product, seed: int) -> list[Figure]:
    home = product.arena.home / product.name
    workbook, badges = str(home / "surge.xlsx"), str(home / "badges.pdf")
    product.make_keys()
    product.run("import", "--district", workbook, "--surge", "--seed", str(seed))
    steps: dict[str, Callable[[], str]] = {
        "workbook, dry run": lambda: product.run("import", workbook),
        "workbook, applied": lambda: product.run("import", workbook, "--apply"),
        "workbook, again": lambda: product.run("import", workbook, "--apply"),
        "badge sheets": lambda: product.run("badges", badges, "--all"),
    }
    return [Figure("surge", name, _seconds(step), "s") for name, step in steps.items()]


def _seconds(step: Callable[[], str]) -> float:
    started = time.monotonic()
    step()
    return time.monotonic() - started


def _exact(product: Product, events: list[Event], seconds: float) -> list[Figure]:
    table = tables.day_totals
    with product.engine.connect() as connection:
        sums = select(func.sum(table.c.sessions), func.sum(table.c.seconds))
        sessions, settled = connection.execute(sums).one()
    note = f"{len(events)} records in {seconds:.1f} s"
    return [
        Figure("surge", "sessions", int(sessions), "", note),
        Figure("surge", "seconds settled beyond those served", int(settled) - _served(events), "s"),
    ]


def _served(events: list[Event]) -> int:
    """Each volunteer came once and left once."""
    by_volunteer = groupby(
        sorted(events, key=attrgetter("subject", "time")), key=attrgetter("subject")
    )
    pairs = ([event.time for event in taps] for _, taps in by_volunteer)
    return sum((left - came) // _SECOND for came, left in pairs)
