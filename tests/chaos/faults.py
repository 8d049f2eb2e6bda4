"""The faults: each does its harm to the world, holds it for a while, and undoes it.

Not when and how many: that is `plan`. The broker's clock, which stamps the records, is the one
that can't be moved here. Invariant: when a fault returns, what it broke is mended, or on its way
back by itself.
"""

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from hours.services.embedded import Embedded
from tests.chaos.clocks import set_shift
from tests.chaos.links import Link
from tests.chaos.load import Load
from tests.chaos.plan import Fault
from tests.chaos.world import World, listens, revive

_JUMPS = (-40 * 86_400, -3_600, -61, 0, 61, 3_600, 40 * 86_400)
_SLOW_SECONDS = 0.1

Deed = Callable[[World, Load, Fault], None]


class LeftOut(Exception):
    """The fault can't be done on this machine; its argument says why."""


def strike(world: World, load: Load, fault: Fault) -> None:
    """Do the fault and undo it. LeftOut."""
    if fault.kind.lane == "delivery":
        load.order(fault.kind.name, fault.number)
    else:
        _DEEDS[fault.kind.name](world, load, fault)


def _worker_killed(world: World, load: Load, fault: Fault) -> None:
    worker = world.crew.choose(fault.aim)
    world.crew.kill(worker)
    time.sleep(fault.hold_seconds)
    world.crew.start(worker.number)


def _worker_leaves(world: World, load: Load, fault: Fault) -> None:
    worker = world.crew.choose(fault.aim)
    world.crew.let_leave(worker)
    time.sleep(fault.hold_seconds)
    world.crew.start(worker.number)


def _worker_stalled(world: World, load: Load, fault: Fault) -> None:
    worker = world.crew.choose(fault.aim)
    worker.signal(signal.SIGSTOP)
    time.sleep(fault.hold_seconds)
    worker.signal(signal.SIGCONT)


def _worker_joins(world: World, load: Load, fault: Fault) -> None:
    """One more comes, and leaves again: in order, or not."""
    joined = world.crew.start(len(world.crew.workers))
    time.sleep(fault.hold_seconds)
    (world.crew.kill if fault.aim < 0.3 else world.crew.let_leave)(joined)
    world.crew.remove(joined)


def _clock_jumps(world: World, load: Load, fault: Fault) -> None:
    set_shift(world.crew.choose(fault.aim).clock, _JUMPS[fault.number % len(_JUMPS)])


def _restarted(service: Callable[[World], Embedded | None]) -> Deed:
    def deed(world: World, load: Load, fault: Fault) -> None:
        it = _there(service(world))
        it.stop()
        time.sleep(fault.hold_seconds)
        revive(it)

    return deed


def _killed(service: Callable[[World], Embedded | None]) -> Deed:
    def deed(world: World, load: Load, fault: Fault) -> None:
        it = _there(service(world))
        it.kill()
        time.sleep(fault.hold_seconds)
        revive(it)

    return deed


def _linked(link: Callable[[World], Link], harm: Callable[[Link], None]) -> Deed:
    def deed(world: World, load: Load, fault: Fault) -> None:
        it = link(world)
        harm(it)
        time.sleep(fault.hold_seconds)
        it.mend()

    return deed


def _broker_stalled(world: World, load: Load, fault: Fault) -> None:
    os.kill(world.broker.pid, signal.SIGSTOP)
    time.sleep(fault.hold_seconds)
    os.kill(world.broker.pid, signal.SIGCONT)


def _database_locked(world: World, load: Load, fault: Fault) -> None:
    """Another process holds SQLite's one lock for writing."""
    file = world.direct_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(fault.hold_seconds)
        other.execute("ROLLBACK")


def _disk_full(world: World, load: Load, fault: Fault) -> None:
    with full_disk(world):
        time.sleep(fault.hold_seconds)


@contextmanager
def full_disk(world: World) -> Iterator[None]:
    """No room for the database; afterwards it is started again if it gave up. LeftOut."""
    if world.disk is None:
        raise LeftOut("mounting a small disk takes root")
    world.disk.fill()
    try:
        yield
    finally:
        world.disk.free()
        if world.database and not listens(world.database):
            revive(world.database)


def _there(service: Embedded | None) -> Embedded:
    assert service is not None, "the plan holds no such fault for this database"
    return service


def _broker(world: World) -> Embedded:
    return world.broker


def _database(world: World) -> Embedded | None:
    return world.database


def _broker_link(world: World) -> Link:
    return world.broker_link


def _database_link(world: World) -> Link:
    return world.database_link


def _slow_down(link: Link) -> None:
    link.slow_down(_SLOW_SECONDS)


_DEEDS: dict[str, Deed] = {
    "worker killed": _worker_killed,
    "worker leaves": _worker_leaves,
    "worker stalled": _worker_stalled,
    "worker joins": _worker_joins,
    "worker's clock jumps": _clock_jumps,
    "database restarted": _restarted(_database),
    "database killed": _killed(_database),
    "database cut off": _linked(_database_link, Link.cut),
    "database's answers lost": _linked(_database_link, Link.lose_answers),
    "database silent": _linked(_database_link, Link.silence),
    "database slow": _linked(_database_link, _slow_down),
    "database locked": _database_locked,
    "disk full": _disk_full,
    "broker restarted": _restarted(_broker),
    "broker killed": _killed(_broker),
    "broker stalled": _broker_stalled,
    "broker cut off": _linked(_broker_link, Link.cut),
    "broker's answers lost": _linked(_broker_link, Link.lose_answers),
    "broker slow": _linked(_broker_link, _slow_down),
}
