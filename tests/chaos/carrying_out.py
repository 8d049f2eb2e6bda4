"""A campaign from the command line: by a seed, in a folder of its own, with what came of it."""

import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

_STOPPED = 130  # as a shell has it for whoever was interrupted


class Outcome(Protocol):
    """What came of a campaign."""

    @property
    def is_good(self) -> bool: ...


Came = TypeVar("Came", bound=Outcome)


def carry_out(
    name: str,
    seed: int | None,
    deed: Callable[[int, Path], Came],
    show: Callable[[Came, float], None],
) -> int:
    """The exit code: 0 where it is good, 1 where it isn't, 130 where somebody stopped it.

    `deed` is given the seed, by chance where there is none, and an empty folder, which stays
    unless all is good; `show` what came of it, and the seconds that it took.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that everything is stopped
    seed = random.randrange(1 << 32) if seed is None else seed
    home = Path(tempfile.mkdtemp(prefix=f"hours-{name}-"))
    print(f"seed {seed}, {home}", flush=True)
    begun = time.monotonic()
    try:
        report = deed(seed, home)
    except KeyboardInterrupt:
        print(f"stopped; seed {seed}, logs in {home}", file=sys.stderr)
        return _STOPPED
    show(report, time.monotonic() - begun)
    if report.is_good:
        shutil.rmtree(home)
        return 0
    print(f"seed {seed}, logs in {home}")
    return 1
