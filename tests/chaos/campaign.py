"""A campaign: the plan carried out under load, the world healed, the ledger judged.

Not the command line: that is `__main__`. Invariant: a fault that could not be done is counted as
left out.
"""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.faults import LeftOut, strike
from tests.chaos.judging import judge_world
from tests.chaos.kiosks import begun_now
from tests.chaos.load import Load
from tests.chaos.plan import Database, Fault, Round, plan
from tests.chaos.verdict import Verdict, find_unlogged
from tests.chaos.world import World, world

_ROUNDS_BETWEEN_RESTS = 20
CATCH_UP_SECONDS = 240
_AUDIT_SECONDS = 900


@dataclass(frozen=True)
class Orders:
    """What to do. `rate` in records a second."""

    seed: int
    faults: int
    workers: int
    database: Database
    rate: int = 100


@dataclass
class Report:
    """What came of it."""

    orders: Orders
    struck: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """How long the faults of a kind took, undoing included."""
    failed: list[str] = field(default_factory=list)
    """What went wrong beside the ledger: who ended by himself, what never caught up."""
    notes: dict[str, int] = field(default_factory=dict)
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def is_good(self) -> bool:
        return not self.failed and not self.verdict.differences


Tell = Callable[[Report, str], None]
"""Told of progress: the report so far, and what is going on."""


def run(orders: Orders, home: Path, tell: Tell) -> Report:
    """Carry it out in `home`, an empty folder, where every log stays."""
    report = Report(orders)
    with world(home, orders.database, orders.workers) as it:
        load = start_load(it, orders)
        for number, round_ in enumerate(
            plan(orders.seed, orders.faults, orders.workers, orders.database), 1
        ):
            time.sleep(round_.pause_seconds)
            _strike_all(it, load, round_, report, tell)
            it.crew.tend()
            if number % _ROUNDS_BETWEEN_RESTS == 0:
                rest(it, report, tell)
        finish(it, load, report, tell)
    return report


def start_load(it: World, orders: Orders) -> Load:
    load = Load(it.bootstrap, it.hours.taps_topic, orders.seed, begun_now(), orders.rate)
    load.start()
    return load


def finish(it: World, load: Load, report: Report, tell: Tell) -> None:
    """Heal everything, let all of it settle, let the workers leave, and judge."""
    tell(report, "healing")
    it.heal()
    load.finish(CATCH_UP_SECONDS)
    rest(it, report, tell)
    it.crew.leave_all()
    report.notes = {
        "records acknowledged": len(load.acknowledged),
        "records sent again": load.sent_again,
        "workers started": it.crew.started,
        "workers turned away, a service being gone": it.crew.turned_away,
    }
    report.failed += [f"a worker ended by itself: {one}" for one in it.crew.ended_by_themselves]
    report.failed += [f"a worker left badly: {one}" for one in it.crew.left_badly]
    report.failed += [f"a traceback in {name}" for name in _tracebacks(it.logs)]
    tell(report, "reading the log")
    judged = judge_world(it)
    report.verdict = judged.verdict
    find_unlogged(report.verdict, load.acknowledged, judged.log)
    tell(report, "auditing")
    audited = it.hours.run("audit", patience=_AUDIT_SECONDS)
    if audited.returncode != 0 or "Equal" not in audited.stdout:
        report.failed.append(f"hours audit: {(audited.stdout + audited.stderr).strip()[-600:]}")


def rest(it: World, report: Report, tell: Tell) -> None:
    """Strike nothing until all that was published has settled.

    Where it doesn't by itself, that is a fault; with new workers it can still be judged.
    """
    tell(report, "catching up")
    it.heal()
    if it.caught_up(CATCH_UP_SECONDS):
        return
    report.failed.append(
        f"{it.lag()} records not settled {CATCH_UP_SECONDS} s after fault {report.struck.total()}"
    )
    it.crew.replace_all()
    if not it.caught_up(CATCH_UP_SECONDS):
        report.failed.append("nor by new workers")


def _strike_all(it: World, load: Load, round_: Round, report: Report, tell: Tell) -> None:
    """The faults of a round, at once; returns when each is undone."""
    strikes = [
        threading.Thread(target=_strike, args=(it, load, fault, report)) for fault in round_.faults
    ]
    tell(report, " + ".join(fault.kind.name for fault in round_.faults))
    for one in strikes:
        one.start()
    for one in strikes:
        one.join()


def _strike(it: World, load: Load, fault: Fault, report: Report) -> None:
    begun = time.monotonic()
    try:
        strike(it, load, fault)
    except LeftOut:
        report.left_out[fault.kind.name] += 1
    except Exception as error:  # the harness's own failure must not pass for a success
        report.failed.append(f"fault {fault.number}, {fault.kind.name}: {error!r}")
    else:
        report.struck[fault.kind.name] += 1
        report.seconds[fault.kind.name] += time.monotonic() - begun


def _tracebacks(logs: Path) -> list[str]:
    return [
        path.name
        for path in sorted(logs.glob("worker-*.log"))
        if "Traceback" in path.read_text(errors="replace")
    ]
