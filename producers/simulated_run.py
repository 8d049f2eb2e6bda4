"""Letting a simulation out: to a log, at a rate and resumably, or to a file of lines.

It opens no connection; the clock, the sleep and the publishing come in. Invariant: the position
file never counts a delivery that was not acknowledged, so a run that is killed and started again
loses nothing; it may send again what it had not yet counted, which settles as duplicates.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from producers.district import District
from producers.events import Event
from producers.simulation import Delivery, Plan, simulate
from producers.times import rfc_3339_of
from producers.writing import write_line

CHUNK = 5_000
_CHUNKS_A_SECOND = 10  # when a rate is kept, so that it looks even

Publish = Callable[[Sequence[Event]], object]


class AnotherPlan(Exception):
    """The position file belongs to a run of another plan, or isn't one."""


def run_to_kafka(
    plan: Plan,
    publish: Publish,
    position_file: Path | None = None,
    rate: int | None = None,
    on_published: Callable[[int], object] = int,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    district: District | None = None,
) -> int:
    """How many deliveries were published now, in order, after those the position file counts.

    They are of `district`, the seed district unless told.
    `publish` returns once the log has acknowledged all it was given, and raises otherwise.
    `rate` is deliveries a second, None as fast as possible; `on_published` hears how many were
    published so far. Raises AnotherPlan.
    """
    plan, before = _resumed(plan, position_file, district)
    started, published = clock(), 0
    for chunk in _chunks(islice(simulate(plan, district), before, None), rate):
        if rate is not None:
            _wait(started + published / rate - clock(), sleep)
        publish([delivery.event for delivery in chunk])
        published += len(chunk)
        _keep(position_file, plan, district, before + published)
        on_published(published)
    return published


def write_lines(
    deliveries: Iterable[Delivery], out: BinaryIO, on_written: Callable[[int], object] = int
) -> int:
    """One CloudEvent a line, its delivery time as the extension `recordedat`; returns the count.

    `on_written` hears now and then how many were written so far.
    """
    count = 0
    for chunk in _chunks(iter(deliveries), None):
        out.writelines(map(line_of, chunk))
        count += len(chunk)
        on_written(count)
    return count


def line_of(delivery: Delivery) -> bytes:
    """The line, with its end."""
    recorded_at = rfc_3339_of(delivery.recorded_at).encode()
    return write_line(delivery.event)[:-1] + b',"recordedat":"' + recorded_at + b'"}\n'


def _chunks(deliveries: Iterator[Delivery], rate: int | None) -> Iterator[list[Delivery]]:
    size = CHUNK if rate is None else max(1, min(CHUNK, rate // _CHUNKS_A_SECOND))
    while chunk := list(islice(deliveries, size)):
        yield chunk


def _wait(seconds: float, sleep: Callable[[float], None]) -> None:
    if seconds > 0:
        sleep(seconds)


def _resumed(plan: Plan, position_file: Path | None, district: District | None) -> tuple[Plan, int]:
    """The plan to follow, ending when the kept run's ended, and how many deliveries it has done."""
    if position_file is None or not position_file.exists():
        return plan, 0
    fingerprint, until, published = _position(position_file)
    kept = plan if until is None else plan.moved_to(until)
    if _fingerprint(kept, district) == fingerprint:
        return kept, published
    raise AnotherPlan(
        f"{position_file} 记录的是另一个模拟方案：请用原来的参数，或删除该文件重新开始。 "
        f"{position_file} belongs to another simulation plan: "
        "give the same options again, or remove the file to start anew."
    )


def _position(position_file: Path) -> tuple[str, int | None, int]:
    try:
        kept = json.loads(position_file.read_bytes())
        fingerprint, until, published = kept["plan"], kept["until"], kept["published"]
        well_formed = isinstance(published, int) and published >= 0
        well_formed &= until is None or isinstance(until, int)
    except (ValueError, KeyError, TypeError):
        well_formed = False
    if well_formed:
        return str(fingerprint), until, published
    raise AnotherPlan(
        f"{position_file} 不是模拟进度文件：请换一个文件名，或删除它。 "
        f"{position_file} is no position of a simulation: name another file, or remove it."
    )


def _fingerprint(plan: Plan, district: District | None) -> str:
    """Equal for runs that give the same deliveries."""
    return plan.fingerprint + ("" if district is None else district.fingerprint)


def _keep(
    position_file: Path | None, plan: Plan, district: District | None, published: int
) -> None:
    if position_file is None:
        return
    kept = {"plan": _fingerprint(plan, district), "until": plan.until, "published": published}
    beside = position_file.with_name(position_file.name + ".new")
    with beside.open("w", encoding="ascii") as file:
        json.dump(kept, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(position_file)
