"""The audit's speed: `hours audit` over a settled log, and that it finds nothing."""

import resource
import time

from benchmarks.figures import Figure
from benchmarks.ours import Product


def measure_audit(product: Product) -> list[Figure]:
    """Records a second of the whole command, its start included. Stalled where it isn't equal."""
    records = product.settled()
    cpu, started = _children_cpu(), time.monotonic()
    product.run("audit")
    seconds, taken = time.monotonic() - started, _children_cpu() - cpu
    note = f"{records} records"
    return [
        Figure("audit", "speed", records / seconds, "records/s", note),
        Figure("audit", "CPU", taken / records * 1e6, "µs/record", note),
    ]


def _children_cpu() -> float:
    """Of all that this process started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
