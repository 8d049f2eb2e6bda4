"""`make bench`, as much of it as needs no peers, at a size that shows only that it is right."""

import json
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.arena import SHARDS, Arena
from benchmarks.contest import read_raw
from benchmarks.figures import Contested
from benchmarks.load import Log, district_events, load_log
from benchmarks.ours import Product, difference, open_product, settle_all
from benchmarks.report import FAUST, OURS, QUIX, Report
from benchmarks.run import memory_figures
from benchmarks.settling import Account, fact_of, settle
from ledger.entries import Entry
from ledger.taps import Record
from producers.kafka_access import KafkaAccess
from producers.writing import write_line
from streams import decoding
from streams.log import open_log

TAPS = 1_500


@pytest.fixture
def arena(kafka: str, tmp_path: Path) -> Arena:
    return Arena(tmp_path, kafka, None, sys.executable, sys.executable, Console(stderr=True))


@pytest.fixture
def log(arena: Arena, fresh_name: str) -> Log:
    return load_log(arena, fresh_name, TAPS, seed=3)


@pytest.fixture
def product(arena: Arena, log: Log) -> Iterator[Product]:
    with open_product(arena, "ours", log, "sqlite") as opened:
        yield opened


def test_our_worker_is_timed_to_its_last_commit_and_a_peers_settling_comes_to_its_hours(
    product: Product,
) -> None:
    contested, seen = settle_all(product, OURS)
    assert (contested.records, contested.difference) == (TAPS, "")
    assert 0 < contested.seconds <= contested.seconds_from_start
    assert contested.cpu_seconds > 0
    assert next(figure.unit for figure in memory_figures(seen)) == "MiB"
    entries = settled_as_a_peer(product)
    assert len(entries) == product.entries() > TAPS // 4
    assert difference(product.totals(), seconds_of(entries)) == ""
    assert "totals differ, by -" in difference(product.totals(), seconds_of(entries[1:]))


def test_the_raw_read_counts_every_record(arena: Arena, log: Log) -> None:
    for client in ("aiokafka", "kafka-python"):
        speed, cpu = read_raw(arena, client, log, sys.executable)
        assert (speed.unit, cpu.unit) == ("records/s", "µs/record")
        assert cpu.value > 0


def test_a_load_is_the_same_for_the_same_seed_and_of_the_size_asked_for() -> None:
    first, second, other = (
        [event.subject for event in district_events(700, seed)] for seed in (5, 5, 6)
    )
    assert len(first) == 700
    assert first == second != other


def test_the_report_says_how_many_times_faster_and_keeps_every_figure() -> None:
    report = Report(1, {"taps": 10})
    for name, seconds in ((OURS, 1.0), (FAUST, 8.0), (QUIX, 4.0)):
        report.contested.append(Contested(name, 10, seconds, 9.0, 0.5, 0.1, ""))
    said = json.loads(json.dumps(report.as_dict()))
    ours, faust, _ = said["contest"]
    assert (ours["times_plain_faust"], ours["times_quix"]) == (8.0, 4.0)
    assert ours["times_quix_by_cpu"] == 1.0
    assert faust["cpu_microseconds_per_record"] == 50_000
    assert {"cores", "python", "libraries"} <= said["machine"].keys()


def test_an_event_reads_alike_with_and_without_the_contract() -> None:
    for event in district_events(400, seed=9):
        assert fact_of(json.loads(write_line(event))) == decoding.fact_of(event)


def settled_as_a_peer(product: Product) -> list[Entry]:
    """The entries plain Faust and Quix would write for the product's log."""
    accounts: dict[str, Account] = {}
    entries: list[Entry] = []
    with open_log(KafkaAccess(product.arena.kafka), product.log.topic, SHARDS) as log:
        for shard, (_, stop) in product.places().items():
            for one in chain.from_iterable(log.read(shard, stop)):
                event = json.loads(one.value)
                record = Record(one.offset, one.timestamp * 1_000, fact_of(event))
                account = accounts.setdefault(event["subject"], Account())
                settled = settle(account, record, shard)
                entries += settled.entries if settled else []
    return entries


def seconds_of(entries: list[Entry]) -> dict[tuple[str, str], int]:
    totals: dict[tuple[str, str], int] = {}
    for entry in entries:
        assert entry.grain is not None
        key = (entry.grain.team, entry.grain.day)
        totals[key] = totals.get(key, 0) + entry.seconds
    return {key: seconds for key, seconds in totals.items() if seconds}
