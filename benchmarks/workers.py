"""How settling grows with workers: one, then two, sharing one log and one PostgreSQL ledger.

Each group is left to share out the partitions before there is anything to settle, so that no
rebalance is in the figures. On a machine whose cores are all taken the gain is bounded by what
Kafka and the database leave over: the CPU a tap then says more than the rate.
"""

import time

from benchmarks.arena import Arena, cpu_seconds, database_cpu_seconds
from benchmarks.figures import Figure
from benchmarks.load import district_events, load_log, send
from benchmarks.ours import Product, open_product
from benchmarks.watching import Stalled

_LOOK_SECONDS = 0.05
_QUIET_SECONDS = 8.0  # longer than Kafka waits for a member that doesn't answer
_MOST_SECONDS = 900


def measure_workers(arena: Arena, counts: list[int], taps: int, seed: int) -> list[Figure]:
    """Rate and CPU a tap of each number of workers."""
    figures: list[Figure] = []
    for count in counts:
        arena.say(f"  {count} workers…")
        log = load_log(arena, arena.fresh("workers"), 0, seed)
        with open_product(arena, arena.fresh("ours-workers"), log) as product:
            for _ in range(count):
                product.start_worker()
            _wait_until_shared(product)
            figures += _measure(product, count, taps, seed)
    return figures


def _measure(product: Product, count: int, taps: int, seed: int) -> list[Figure]:
    events = list(district_events(taps, seed))
    before, database = _cpu(product), database_cpu_seconds(product.engine)
    started = time.monotonic()
    send(product.arena.kafka, product.log.topic, events)
    while product.settled() < taps:
        if time.monotonic() > started + _MOST_SECONDS:
            raise Stalled(f"{count} workers did not settle {taps} taps")
        time.sleep(_LOOK_SECONDS)
    seconds = time.monotonic() - started
    used, served = _cpu(product) - before, database_cpu_seconds(product.engine) - database
    each = f"{count} worker" if count == 1 else f"{count} workers"
    return [
        Figure("growth with workers", each, taps / seconds, "taps/s", "publishing them included"),
        Figure("growth with workers", f"{each}, CPU", used / taps * 1e6, "CPU µs/tap"),
        Figure("growth with workers", f"{each}, database", served / taps * 1e6, "CPU µs/tap"),
    ]


def _wait_until_shared(product: Product) -> None:
    """Until every shard is claimed and for a while no claim is made anew."""
    deadline = time.monotonic() + _MOST_SECONDS
    places, since = product.places(), time.monotonic()
    while any(not epoch for epoch, _ in places.values()) or (
        time.monotonic() - since < _QUIET_SECONDS
    ):
        if time.monotonic() > deadline:
            raise Stalled("the workers never came to rest")
        time.sleep(_LOOK_SECONDS)
        now = product.places()
        if now != places:
            places, since = now, time.monotonic()


def _cpu(product: Product) -> float:
    return sum(cpu_seconds(worker.pid) for worker in product.workers)
