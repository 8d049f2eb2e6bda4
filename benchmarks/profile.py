"""Where each microsecond of a tap goes: the pure stages alone, and the stages of a real worker.

The pure stages run here, in one process and with nothing else in the way, timed by their own CPU
clock and not under a profiler, which would slow small calls most. The worker's stages are read
from its own `/metrics`: they are elapsed time, so what they wait for the database is in them.
"""

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from benchmarks.arena import SHARDS, Arena
from benchmarks.figures import Figure
from benchmarks.load import Log
from benchmarks.ours import Product, open_product, settle_all
from benchmarks.watching import Stalled
from hours.services.embedded import free_port
from ledger.policy import Policy
from ledger.shard import Head, Shard
from producers.kafka_access import KafkaAccess
from producers.reading import read_record
from streams.decoding import decode
from streams.log import open_log

_STAGES = ("decode", "settle", "append")


def measure_profile(arena: Arena, log: Log) -> list[Figure]:
    """Microseconds a record, stage by stage."""
    return [*_pure_stages(arena, log), *_worker_stages(arena, log)]


def _pure_stages(arena: Arena, log: Log) -> list[Figure]:
    taken: Counter[str] = Counter()
    policy = Policy(shard_count=SHARDS)
    for shard in range(SHARDS):
        folding = Shard(shard, policy, Head())
        with _timed(taken, "read the log"):
            batches = _read(arena, log, shard)
        for batch in batches:
            with _timed(taken, "check the event"):
                for record in batch:
                    read_record(record.value, record.headers)
            with _timed(taken, "decode, with the check"):
                records = [decode(record, shard, SHARDS) for record in batch]
            with _timed(taken, "fold into entries"):
                folding.fold(records)
    note = "in one process, through aiokafka"
    return [
        Figure("profile", name, nanoseconds / log.records / 1e3, "CPU µs/record", note)
        for name, nanoseconds in taken.items()
    ]


def _read(arena: Arena, log: Log, shard: int) -> list[list[Any]]:
    with open_log(KafkaAccess(arena.kafka), log.topic, SHARDS) as kept:
        return list(kept.read(shard, kept.bounds[shard][1]))


@contextmanager
def _timed(taken: Counter[str], stage: str) -> Iterator[None]:
    """CPU nanoseconds of this process, added up by stage."""
    started = time.process_time_ns()
    yield
    taken[stage] += time.process_time_ns() - started


def _worker_stages(arena: Arena, log: Log) -> list[Figure]:
    port = free_port()
    with open_product(arena, arena.fresh("profile"), log) as product:
        contested, _ = settle_all(product, "profile", HOURS_WEB_PORT=str(port))
        seconds = _stage_seconds(port, product)
    note = "in a worker on PostgreSQL, elapsed"
    stages = [
        Figure("profile", f"worker: {stage}", seconds[stage] / log.records * 1e6, "µs/record", note)
        for stage in _STAGES
    ]
    whole = contested.seconds / contested.records * 1e6
    return [
        *stages,
        Figure("profile", "worker: whole", whole, "µs/record", "from claim to last commit"),
        Figure("profile", "worker: CPU", contested.cpu_microseconds, "CPU µs/record"),
        Figure(
            "profile", "database: CPU", contested.database_cpu_microseconds, "CPU µs/record"
        ),
    ]  # fmt: skip


def _stage_seconds(port: int, product: Product) -> dict[str, float]:
    """How long the worker has spent in each stage so far, by its own metrics."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    except URLError as error:
        raise Stalled(f"the worker of {product.name} shows no metrics: {error}") from error
    return dict(_sums(text.splitlines()))


def _sums(lines: Iterable[str]) -> Iterable[tuple[str, float]]:
    for line in lines:
        found = re.match(r"hours_(\w+)_seconds_sum(?:\{.*\})? (\S+)", line)
        if found:
            yield found[1], float(found[2])
