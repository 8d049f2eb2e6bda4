"""One long outage under load: the database, the broker or the disk is away for minutes.

Held against more than the ledger: the workers must be the same processes before and after, and
the log and the metrics must have said what was wrong and that it was over.
"""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from prometheus_client.parser import text_string_to_metric_families

from hours.services.embedded import free_port
from tests.chaos.campaign import Orders, Report, Tell, finish, rest, start_load
from tests.chaos.faults import full_disk
from tests.chaos.world import World, revive, world
from tests.running import eventually

Outage = Literal["database", "broker", "disk"]

_BEFORE_SECONDS = 5.0
_LOOK_SECONDS = 5.0
_AWAY, _BACK = "The ledger's database does not answer", "The ledger's database is back"


def run_outage(what: Outage, seconds: float, orders: Orders, home: Path, tell: Tell) -> Report:
    """Carry it out in `home`, an empty folder, where every log stays."""
    report = Report(orders)
    with world(home, orders.database, orders.workers, web_port=str(free_port())) as it:
        load = start_load(it, orders)
        eventually(lambda: _is_ready(it), "a worker that is ready")
        eventually(lambda: load.acknowledged and it.lag() == 0, "a worker that follows the log")
        time.sleep(_BEFORE_SECONDS)
        before = [worker.process.pid for worker in it.crew.workers]
        with _OUTAGES[what](it):
            seen = _watch(it, seconds, report, tell)
            logged = sum(path.stat().st_size for path in it.logs.glob("worker-*.log"))
        report.struck[f"{what} away for {seconds:.0f} s"] += 1
        rest(it, report, tell)
        report.failed += _unsaid(it, what, seen)
        if [worker.process.pid for worker in it.crew.workers] != before:
            report.failed.append("a worker had to be started again")
        finish(it, load, report, tell)
        report.notes |= {
            "looks at the worker": seen.looks,
            "at which it said it was not ready": seen.not_ready,
            "bytes of its log meanwhile": logged,
        }
    return report


@contextmanager
def _without_database(it: World) -> Iterator[None]:
    assert it.database
    it.database.kill()
    yield
    revive(it.database)


@contextmanager
def _without_broker(it: World) -> Iterator[None]:
    it.broker.kill()
    yield
    revive(it.broker)


_OUTAGES: dict[Outage, Callable[[World], AbstractContextManager[None]]] = {
    "database": _without_database,
    "broker": _without_broker,
    "disk": full_disk,
}


@dataclass
class Seen:
    """How often the worker was looked at, and what it said of itself."""

    looks: int = 0
    not_ready: int = 0
    ledger_away: int = 0


def _watch(it: World, seconds: float, report: Report, tell: Tell) -> Seen:
    """Look at the worker's pages all the while."""
    seen = Seen()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        tell(report, f"away for another {until - time.monotonic():.0f} s")
        seen.looks += 1
        seen.not_ready += not _is_ready(it)
        seen.ledger_away += _metrics(it).get("hours_ledger_up") == 0
        time.sleep(_LOOK_SECONDS)
    return seen


def _unsaid(it: World, what: Outage, seen: Seen) -> list[str]:
    """What the worker should have said and didn't."""
    said = "".join(path.read_text() for path in it.logs.glob("worker-*.log"))
    unsaid = []
    if not seen.not_ready:
        unsaid.append("/health/ready said that all was well, all the while")
    if what != "broker":
        unsaid += [f"the log doesn't say: {words}" for words in (_AWAY, _BACK) if words not in said]
        if not seen.ledger_away:
            unsaid.append("hours_ledger_up never was 0")
    if _metrics(it).get("hours_ledger_up") != 1:
        unsaid.append("hours_ledger_up is not 1 at the end")
    return unsaid


def _metrics(it: World) -> dict[str, float]:
    """The worker's metrics, labels left out; none where it doesn't answer."""
    try:
        families = text_string_to_metric_families(_page(it, "metrics").decode())
    except OSError:
        return {}
    return {sample.name: sample.value for family in families for sample in family.samples}


def _is_ready(it: World) -> bool:
    try:
        _page(it, "health/ready")
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except OSError:
        return False
    return True


def _page(it: World, path: str) -> bytes:
    url = f"http://127.0.0.1:{it.hours.environment['HOURS_WEB_PORT']}/{path}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return bytes(answer.read())
