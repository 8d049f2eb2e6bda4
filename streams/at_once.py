"""Jobs that don't need each other, in processes of their own, so many at a time.

Not threads: what an audit does is Python's own work, and one process uses one core.
"""

import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

Result = TypeVar("Result")
Job = Callable[..., Result]
"""Takes what is called with how far it is, then its own arguments; both can be pickled."""

_LOOK_SECONDS = 0.2
_WORTH_PROCESSES = 20_000
"""Records that are settled in the time that processes take to begin."""


class JobLost(Exception):
    """A process ended before its job was done; the message says what to do."""


def workers_for(records: int, wanted: int | None) -> int:
    """How many at a time: as many as somebody wants, else a core each, or one for a few records."""
    if wanted is not None:
        return wanted
    return (os.cpu_count() or 1) if records >= _WORTH_PROCESSES else 1


def at_once(
    job: Job[Result],
    each: Sequence[tuple[Any, ...]],
    workers: int,
    progress: Callable[[int], None],
    finished: Callable[[int, Result], None] = lambda number, result: None,
) -> list[Result]:
    """What the job gives for each, in order; each is told as it is `finished`.

    JobLost, or whatever the job itself raises.
    """
    counts = [0] * len(each)

    def moved(number: int) -> Callable[[int], None]:
        def count(done: int) -> None:
            counts[number] = done
            progress(sum(counts))

        return count

    if min(workers, len(each)) <= 1:
        results = []
        for number, given in enumerate(each):
            results.append(job(moved(number), *given))
            finished(number, results[-1])
        return results
    return _in_processes(job, each, min(workers, len(each)), progress, finished)


def _in_processes(
    job: Job[Result],
    each: Sequence[tuple[Any, ...]],
    workers: int,
    progress: Callable[[int], None],
    finished: Callable[[int, Result], None],
) -> list[Result]:
    context = multiprocessing.get_context("spawn")
    counts: Any = context.Array("q", len(each))
    pool = ProcessPoolExecutor(workers, context, _begin, (counts,))
    try:
        futures = [pool.submit(_run, job, number, given) for number, given in enumerate(each)]
        _await(futures, lambda: progress(sum(counts)), finished)
        return [future.result() for future in futures]
    except BrokenProcessPool as error:
        raise JobLost(
            "一个子进程意外结束，多半是内存不够：用 --workers 1 再试。 A process ended before it "
            "was done, most likely for lack of memory: try again with --workers 1."
        ) from error
    finally:
        # Whoever is interrupted doesn't wait for what nobody will look at.
        for process in list((pool._processes or {}).values()):
            process.terminate()
        pool.shutdown(wait=False, cancel_futures=True)


def _await(
    futures: Sequence[Future[Result]],
    progress: Callable[[], None],
    finished: Callable[[int, Result], None],
) -> None:
    """Until all are done, or one failed."""
    waiting = set(futures)
    numbers = {future: number for number, future in enumerate(futures)}
    while waiting:
        done, waiting = wait(waiting, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)
        progress()
        if any(future.exception() for future in done):
            return
        for future in done:
            finished(numbers[future], future.result())


_counts: Any = None


def _begin(counts: Any) -> None:
    global _counts  # noqa: PLW0603 - a process's own, given to it once as it begins
    _counts = counts
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for client in ("kafka", "aiokafka"):  # what they say is said in a line, by who started this
        logging.getLogger(client).addHandler(logging.NullHandler())


def _run(job: Job[Result], number: int, given: tuple[Any, ...]) -> Result:
    def moved(done: int) -> None:
        _counts[number] = done

    return job(moved, *given)
