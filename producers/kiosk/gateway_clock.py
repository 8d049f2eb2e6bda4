"""What time it is, as well as a gateway can tell: its own clock, corrected by Kafka's or NTP's.

A single-board computer may have no clock that runs without power, and no network for days. So a
moment is kept together with how long the machine had been up: when the time is known at last,
every moment of the same boot is known too. Not a clock for settling, which goes by the broker's
alone. Invariant: time of a boot runs evenly here, whoever sets the system's clock meanwhile.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from producers.times import EARLIEST, LATEST

By = Literal["kafka", "ntp"]

WORTH_CORRECTING = 1_000_000
"""By how many microseconds a moment must have been wrong to be put right."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# A measurement grows old: a cheap quartz goes wrong by 100 parts in a million.
_DRIFT_PARTS = 10_000


class Moment(NamedTuple):
    """A time, and what its boot had for a base: the time at which the machine came up.

    Microseconds since the epoch; `boot` tells boots apart.
    """

    best_at: int
    boot: str
    base: int


class Offset(NamedTuple):
    """How far true time is ahead of the time since boot, as somebody else's clock told it.

    `error` is how much it may be wrong, half the way there and back; `uptime` when it was measured.
    """

    base: int
    error: int
    uptime: int
    by: By


def measured(by: By, theirs: int, sent: int, answered: int) -> Offset:
    """Their clock read `theirs` at some moment between two of our uptimes."""
    return Offset(theirs - (sent + answered) // 2, (answered - sent) // 2, answered, by)


def better(known: Offset | None, new: Offset) -> Offset:
    """The one that is likely nearer to the truth by now; an old one has drifted since."""
    if known is None:
        return new
    drifted = known.error + (new.uptime - known.uptime) // _DRIFT_PARTS
    return new if new.error <= drifted else known


def corrected(at: int, received: Moment, now: Moment) -> int:
    """A time of the moment it was received at, by what is known of that boot now.

    Where the machine was started again in between, or the base hardly moved, it stays.
    """
    moved = now.base - received.base
    if received.boot != now.boot or abs(moved) <= WORTH_CORRECTING:
        return at
    return min(max(at + moved, EARLIEST), LATEST)


class GatewayClock:
    """The gateway's best time. `system` and `uptime` are in microseconds."""

    def __init__(
        self,
        system: Callable[[], int] = lambda: time.time_ns() // 1_000,
        uptime: Callable[[], int] | None = None,
        boot: str | None = None,
    ) -> None:
        self._system = system
        self._uptime = uptime or _uptime
        self._boot = boot or _boot_id()
        self._offset: Offset | None = None
        self._lock = threading.Lock()

    def now(self) -> Moment:
        """By whoever was asked, or else by the system's own clock."""
        uptime = self._uptime()
        offset = self._offset
        base = self._system() - uptime if offset is None else offset.base
        return Moment(base + uptime, self._boot, base)

    def uptime(self) -> int:
        """For how long the machine has been up."""
        return self._uptime()

    def heard(self, by: By, theirs: int, sent: int, answered: int) -> None:
        """Somebody's clock read `theirs` at a moment between these two of our uptimes."""
        with self._lock:
            self._offset = better(self._offset, measured(by, theirs, sent, answered))

    @property
    def measured_by(self) -> By | None:
        """Who told the time last; None: nobody yet, the system's clock is believed."""
        return None if self._offset is None else self._offset.by

    @property
    def ahead(self) -> int | None:
        """By how much the system's clock is ahead of the best time; None where nobody told."""
        if self._offset is None:
            return None
        return self._system() - self._uptime() - self._offset.base


def _uptime() -> int:
    """Counts while the machine sleeps, where the system can (Linux)."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(clock) // 1_000


def _boot_id() -> str:
    """What is different after each start of the machine; elsewhere, of this process."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return f"process-{time.time_ns()}"
