"""Tap to ledger: from the broker's stamp to the moment others can see the tap settled.

Looked at from outside every few milliseconds, so each figure is too long by up to that. The
broker stamps whole milliseconds, and its clock is ours: one machine.
"""

import threading
import time
from collections.abc import Iterable, Sequence
from itertools import chain
from statistics import quantiles

from benchmarks.arena import SHARDS
from benchmarks.figures import Figure
from benchmarks.load import district_events
from benchmarks.ours import Product
from producers.events import Event
from producers.kafka_access import KafkaAccess
from producers.publishing import open_producer
from producers.writing import write_record
from streams.log import open_log

LOOK_SECONDS = 0.005
_TICK_SECONDS = 0.01
_PATIENCE_SECONDS = 60.0


class Taps(threading.Thread):
    """Taps on their way to a log at an even rate, until they are all sent or it is told to stop."""

    def __init__(self, product: Product, events: Iterable[Event], per_second: int) -> None:
        super().__init__(daemon=True)
        self._product, self._events, self._per_second = product, events, per_second
        self._over = threading.Event()
        self.sent = 0

    def run(self) -> None:
        events = iter(self._events)
        with open_producer(KafkaAccess(self._product.arena.kafka)) as producer:
            started = time.monotonic()
            while not self._over.is_set():
                due = int((time.monotonic() - started) * self._per_second) - self.sent
                for _ in range(due):
                    event = next(events, None)
                    if event is None:
                        producer.flush()
                        return
                    key, value, headers = write_record(event)
                    producer.send(self._product.log.topic, value=value, key=key, headers=headers)
                    self.sent += 1
                self._over.wait(_TICK_SECONDS)
            producer.flush()

    def finish(self) -> None:
        self._over.set()
        self.join()


def measure_latency(product: Product, per_second: int, seconds: int, seed: int) -> list[Figure]:
    """The product's worker runs and has settled all there was. Figures in milliseconds."""
    before = {shard: offset for shard, (_, offset) in product.places().items()}
    events = list(district_events(per_second * seconds, seed))  # made beforehand: it costs time
    taps = Taps(product, events, per_second)
    taps.start()
    looks: list[tuple[float, dict[int, int]]] = []
    deadline = time.monotonic() + seconds + _PATIENCE_SECONDS
    wanted = sum(before.values()) + len(events)
    while time.monotonic() < deadline:
        places = {shard: offset for shard, (_, offset) in product.places().items()}
        looks.append((time.time(), places))
        if sum(places.values()) >= wanted:
            break
        time.sleep(LOOK_SECONDS)
    taps.finish()
    delays = sorted(chain.from_iterable(_delays(product, it, before[it], looks) for it in before))
    return _figures(delays, len(looks), looks, per_second, len(events))


def _delays(
    product: Product, shard: int, start: int, looks: Sequence[tuple[float, dict[int, int]]]
) -> list[float]:
    """Milliseconds for each record of a shard from offset `start` that was seen settled."""
    stop = looks[-1][1][shard]
    delays, look = [], 0
    with open_log(KafkaAccess(product.arena.kafka), product.log.topic, SHARDS) as log:
        for record in chain.from_iterable(log.read(shard, stop, start)):
            while looks[look][1][shard] <= record.offset:
                look += 1
            delays.append(looks[look][0] * 1_000 - record.timestamp)
    return delays


def _figures(
    delays: list[float], looked: int, looks: Sequence[tuple[float, object]], rate: int, sent: int
) -> list[Figure]:
    hundredths = quantiles(delays, n=100, method="inclusive")
    every = (looks[-1][0] - looks[0][0]) / looked * 1_000
    note = f"{rate} taps/s, looked at every {every:.1f} ms"
    return [
        Figure("tap to ledger", "p50", hundredths[49], "ms", note),
        Figure("tap to ledger", "p99", hundredths[98], "ms", note),
        Figure("tap to ledger", "longest", delays[-1], "ms", note),
        Figure("tap to ledger", "settled", len(delays), "taps", f"of {sent} sent"),
    ]
