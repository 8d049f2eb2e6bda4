"""Recovery: a worker killed in mid-work, another started at once, until it commits again.

The window has to be read again from the log first; and Kafka waits `HOURS_SESSION_SECONDS` for
the dead worker before it gives its partitions away, which is in these figures.
"""

import os
import signal
import time

from benchmarks.figures import Figure
from benchmarks.latency import Taps
from benchmarks.load import district_events
from benchmarks.ours import Product
from benchmarks.watching import Stalled

_LOOK_SECONDS = 0.01
_TAPS_A_SECOND = 1_000
_TAP_SECONDS = 30
_MOST_SECONDS = 600
_WARM_SECONDS = 3.0


def measure_recovery(product: Product, seed: int) -> list[Figure]:
    """Kill the product's worker while it settles new taps; its last worker is the new one."""
    window = product.settled()
    # Enough to be killed amid, and for some to wait on every shard when the new worker is ready.
    events = list(district_events(_TAPS_A_SECOND * _TAP_SECONDS, seed))
    taps = Taps(product, events, _TAPS_A_SECOND)
    taps.start()
    try:
        _wait_for_new(product, window + int(_TAPS_A_SECOND * _WARM_SECONDS))
        killed = product.workers.pop()
        os.kill(killed.pid, signal.SIGKILL)
        killed.stop()
        dead = product.places()
        started = time.monotonic()
        product.start_worker()
        claimed, first, last = _moments(product, dead, started)
    finally:
        taps.finish()
    note = f"{window} taps in the window"
    return [
        Figure("recovery", "first claim", claimed, "s", "Kafka's wait for the dead included"),
        Figure("recovery", "first new commit", first, "s", note),
        Figure("recovery", "every shard's new commit", last, "s", note),
    ]


def _wait_for_new(product: Product, offset: int) -> None:
    deadline = time.monotonic() + _MOST_SECONDS
    while product.settled() < offset:
        if time.monotonic() > deadline:
            raise Stalled("the worker settled no new taps")
        time.sleep(_LOOK_SECONDS)


def _moments(
    product: Product, dead: dict[int, tuple[int, int]], started: float
) -> tuple[float, float, float]:
    """Seconds from the start to the first claim, the first commit, and the last shard's first."""
    claimed, first, back = 0.0, 0.0, set[int]()
    while len(back) < len(dead):
        now = time.monotonic() - started
        for shard, (epoch, offset) in product.places().items():
            if epoch > dead[shard][0]:
                claimed = claimed or now
                if offset > dead[shard][1] and shard not in back:
                    back.add(shard)
                    first = first or now
        if now > _MOST_SECONDS:
            raise Stalled("the new worker did not commit on every shard")
        time.sleep(_LOOK_SECONDS)
    return claimed, first, time.monotonic() - started
