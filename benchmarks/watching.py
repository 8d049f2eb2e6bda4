"""Watching a process from outside until its work stands still at its end.

Invariant: what is timed is what the database shows to others, never what a program says of itself.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.arena import cpu_seconds, resident_bytes
from hours.services.guard import Guarded

_STALLED_SECONDS = 20.0


class Stalled(Exception):
    """A program ended, or did nothing for long; one line says which and where its log is."""


@dataclass
class Watched:
    """Moments in seconds since the epoch; samples are (done, resident bytes).

    `cpu_seconds` are what the work took: what went before it, as imports do, is left out.
    """

    started: float
    began: float = 0.0
    ended: float = 0.0
    done: int = 0
    cpu_seconds: float = 0.0
    samples: list[tuple[int, int]] = field(default_factory=list)


def watch(
    program: Guarded,
    began: Callable[[], bool | float],
    done: Callable[[], int],
    wanted: int,
    every_seconds: float,
    patience_seconds: float = 120.0,
) -> Watched:
    """Wait until `done` gives `wanted`, or doesn't move any more: `ended` is when it last moved.

    `began` says whether, or when, work began. Stalled where it never begins, or the program ends.
    """
    seen = Watched(time.time())
    moved, cpu_before = time.time(), 0.0
    while seen.done < wanted:
        now = time.time()
        if not seen.began:
            it = began()
            seen.began = now if it is True else float(it)
            cpu_before = cpu_seconds(program.pid)
        count = done()
        if count != seen.done:
            seen.done, seen.ended, moved = count, time.time(), time.time()
            seen.samples.append((count, resident_bytes(program.pid)))
        seen.cpu_seconds = max(cpu_seconds(program.pid) - cpu_before, seen.cpu_seconds)
        if program.ended():
            raise Stalled("it ended before its work was done")
        if now - moved > (_STALLED_SECONDS if seen.done else patience_seconds):
            if seen.done:
                return seen
            raise Stalled("it never committed anything")
        time.sleep(every_seconds)
    return seen
