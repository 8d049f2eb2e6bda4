"""How often Python looks for cycles, where much is held: seldom.

A window is millions of values that live for fifteen days, a signer's index one for each volunteer:
nearly no cycles, and looking through them again and again takes up to a third of the time.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_THRESHOLDS = (100_000, 50, 1_000)


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Look seldom, within."""
    before = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
