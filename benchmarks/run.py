"""One run: the measurements in their order, sharing what costs time to make.

One log for all contestants, a shorter one for plain Faust; the ledger our worker filled in the
contest is the one whose latency, recovery and audit are measured.
"""

from collections.abc import Collection
from statistics import linear_regression
from typing import NamedTuple

from benchmarks.arena import Arena
from benchmarks.audit_speed import measure_audit
from benchmarks.board import measure_board
from benchmarks.contest import contend, read_raw
from benchmarks.enlistment import measure_enlistment
from benchmarks.evidence import measure_evidence
from benchmarks.figures import Figure
from benchmarks.growth import measure_growth, measure_storage
from benchmarks.half_year import measure_half_year
from benchmarks.kiosk import measure_kiosk
from benchmarks.latency import measure_latency
from benchmarks.load import Log, load_log
from benchmarks.ours import (
    Product,
    Standard,
    difference,
    open_product,
    resume,
    settle_all,
    standard_of,
)
from benchmarks.profile import measure_profile
from benchmarks.recovery import measure_recovery
from benchmarks.report import FAUST, OURS, QUIX, Report
from benchmarks.watching import Watched
from benchmarks.workers import measure_workers

MEASURED = (
    "raw",
    "sqlite",
    "faust",
    "quix",
    "latency",
    "recovery",
    "audit",
    "growth",
    "profile",
    "workers",
)
"""Beside our worker on PostgreSQL, which a run with any of these begins with."""
DISTRICT = ("surge", "half-year", "kiosk", "board", "evidence")
"""What a district does with its roster, its kiosks, its board and its signer."""

_MEBIBYTE = 1 << 20
_GROWN = [100_000, 1_000_000]
_GROWN_LARGE = 10_000_000
_SIGNED_ENTRIES = 900_000
_WORKERS = [1, 2]


class Sizes(NamedTuple):
    """How much of everything."""

    taps: int
    faust_taps: int
    growth_taps: int
    seconds: int
    rate: int
    large: bool


def run(arena: Arena, report: Report, sizes: Sizes, wanted: Collection[str]) -> None:
    """Measure what is wanted into `report`. Stalled."""
    if set(wanted) - set(DISTRICT):
        _measure_worker(arena, report, sizes, wanted)
    if "surge" in wanted:
        arena.say("一夜之间的一百个组织… A hundred organisations at once…")
        report.figures += measure_enlistment(arena, report.seed)
    if "kiosk" in wanted:
        arena.say("两百台签到机… Two hundred kiosks…")
        report.figures += measure_kiosk(arena)
    if "board" in wanted:
        arena.say("五百个打开的页面… Five hundred open pages…")
        report.figures += measure_board(arena, report.seed)
    if "evidence" in wanted:
        arena.say("一百万个条目的签名与证明… Signing and proving a million entries…")
        home = arena.home / "evidence"
        home.mkdir()
        url = arena.database("evidence", "sqlite")
        report.figures += measure_evidence(url, home, _SIGNED_ENTRIES)
    if "half-year" in wanted:
        arena.say("全区的半年… A district's half-year…")
        report.figures += measure_half_year(arena, report.seed)


def memory_figures(seen: Watched) -> list[Figure]:
    """The worker's resident memory as its window fills: by slope, and as a whole at the end."""
    done, resident = zip(*seen.samples, strict=True)
    figures = [
        Figure("memory", "worker, whole", resident[-1] / _MEBIBYTE, "MiB", f"{done[-1]} taps in")
    ]
    if len(set(done)) > 1:
        slope = linear_regression(done, resident).slope * 1e6 / _MEBIBYTE
        note = "over the whole run, line of best fit"
        figures.append(Figure("memory", "a million taps in the window", slope, "MiB", note))
    return figures


def _measure_worker(arena: Arena, report: Report, sizes: Sizes, wanted: Collection[str]) -> None:
    arena.say(f"发布 {sizes.taps:,} 个事件… Publishing {sizes.taps:,} events…")
    log = load_log(arena, arena.fresh("main"), sizes.taps, report.seed)
    if "raw" in wanted:
        for client in ("aiokafka", "kafka-python", "confluent-kafka"):
            arena.say(f"只读 {client}… Reading with {client} alone…")
            report.figures += read_raw(arena, client, log, arena.peers)
    with open_product(arena, arena.fresh("ours"), log) as product:
        arena.say("我们的，PostgreSQL… Ours on PostgreSQL…")
        contested, seen = settle_all(product, OURS)
        report.contested.append(contested)
        report.figures += memory_figures(seen)
        report.figures += measure_storage(product)
        product.stop_workers()
        _measure_others(arena, log, standard_of(product), report, wanted)
        _measure_settled(product, report, sizes, wanted)  # last, for it adds to the log
    if "faust" in wanted:
        _measure_faust(arena, report, sizes)
    if "workers" in wanted:
        arena.say("一个、两个 worker… One worker, then two…")
        report.figures += measure_workers(arena, _WORKERS, sizes.growth_taps, report.seed)
    if {"growth", "profile"} & set(wanted):
        taps = load_log(arena, arena.fresh("growth"), sizes.growth_taps, report.seed)
    if "profile" in wanted:
        arena.say("每微秒花在哪里… Where each microsecond goes…")
        report.figures += measure_profile(arena, taps)
    if "growth" in wanted:
        arena.say("账本变大… Growing the ledger…")
        grown = [*_GROWN, _GROWN_LARGE] if sizes.large else _GROWN
        report.figures += measure_growth(arena, taps, grown)


def _measure_others(
    arena: Arena, log: Log, standard: Standard, report: Report, wanted: Collection[str]
) -> None:
    if "sqlite" in wanted:
        arena.say("我们的，SQLite… Ours on SQLite…")
        with open_product(arena, arena.fresh("ours-sqlite"), log, "sqlite") as product:
            contested, _ = settle_all(product, "ours, SQLite")
            unlike = difference(standard.totals, product.totals())
            report.contested.append(contested.but(unlike))
    if "quix" in wanted:
        arena.say("Quix Streams…")
        report.contested.append(contend(arena, QUIX, "quix", log, standard))


def _measure_faust(arena: Arena, report: Report, sizes: Sizes) -> None:
    arena.say(f"原样的 Faust，{sizes.faust_taps:,} 个… Plain Faust, {sizes.faust_taps:,}…")
    log = load_log(arena, arena.fresh("short"), sizes.faust_taps, report.seed)
    with open_product(arena, arena.fresh("ours-short"), log) as product:
        settle_all(product, "the standard for plain Faust")
        standard = standard_of(product)
    report.contested.append(contend(arena, FAUST, "plain_faust", log, standard))


def _measure_settled(
    product: Product, report: Report, sizes: Sizes, wanted: Collection[str]
) -> None:
    arena = product.arena
    if {"latency", "recovery"} & set(wanted):
        resume(product, report.seed + 3)
    if "latency" in wanted:
        arena.say(f"延迟，{sizes.seconds} 秒… Latency, {sizes.seconds} s…")
        report.figures += measure_latency(product, sizes.rate, sizes.seconds, report.seed + 1)
    if "recovery" in wanted:
        arena.say("kill -9 之后… Recovery after kill -9…")
        report.figures += measure_recovery(product, report.seed + 2)
    product.stop_workers()
    if "audit" in wanted:
        arena.say("审计… Audit…")
        report.figures += measure_audit(product)
