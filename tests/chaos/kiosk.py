"""`python -m tests.chaos.kiosk`: kiosks tapped under load while everything they need is broken.

Browsers are reloaded, killed, cut off, their clocks moved; the gateway is killed, stopped, stalled;
broker, link, worker and disk are broken as in `python -m tests.chaos`. In the end each tap that a
page said was saved, or the gateway accepted, must be in the ledger exactly once, by the log's bytes
and an oracle that knows only the rules.
"""

import argparse
import json
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.chaos.carrying_out import carry_out
from tests.chaos.faults import LeftOut, strike
from tests.chaos.judging import judge_world
from tests.chaos.kiosk_browsers import Browser
from tests.chaos.kiosk_clients import Client
from tests.chaos.load import Load
from tests.chaos.oracle import PARTITIONS
from tests.chaos.plan import Fault, kinds_for
from tests.chaos.reading import Bad, Logged, read
from tests.chaos.verdict import Verdict
from tests.chaos.world import World, world
from tests.gateways import Gateway
from tests.running import eventually

_BROWSERS = 2
_CLIENTS = 6
_CATCH_UP_SECONDS = 240
_WORKER_SECONDS = 90
_REST_EACH = 40
_SHIFTS = (0, 0, 90_000, -3_600_000, 40 * 86_400_000)
OURS = (
    *("page reloaded", "page reloaded", "browser killed", "browser cut off", "browser cut off"),
    *("browser's clock set", "browser's clock set"),
    *("gateway killed", "gateway killed", "gateway killed", "gateway stopped", "gateway stalled"),
)
"""By weight."""
THEIRS = (
    *("worker killed", "worker stalled", "database locked", "disk full", "broker killed"),
    *("broker restarted", "broker stalled", "broker cut off", "broker's answers lost"),
    "broker slow",
)


@dataclass
class Report:
    """What was done, and what came of it."""

    seed: int
    struck: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)
    workers_replaced: int = 0
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def is_good(self) -> bool:
        return not self.failed and not self.verdict.differences


def run(seed: int, home: Path, faults: int) -> Report:
    """Carry it out in `home`, an empty folder, where every log stays."""
    report, chance = Report(seed), random.Random(f"kiosk {seed}")
    with world(home, "sqlite", 1) as it, _kiosks(it, home, seed) as kiosks:
        for number in range(1, faults + 1):
            name = chance.choice(OURS if chance.random() < 0.6 else THEIRS)
            _tell(f"{number} of {faults}: {name}")
            _strike(it, kiosks, name, number, chance, report)
            for browser in kiosks.browsers:
                browser.tap(chance, chance.randrange(1, 5))
            it.crew.tend()
            if number % _REST_EACH == 0:
                _tell("catching up")
                kiosks.rest(it, report)
        _tell("healing")
        kiosks.finish(it, report)
        report.verdict = _judge(it, kiosks)
        audited = it.hours.run("audit", patience=900)
        if audited.returncode != 0 or "Equal" not in audited.stdout:
            report.failed.append(f"hours audit: {(audited.stdout + audited.stderr)[-600:]}")
    return report


@dataclass
class _Kiosks:
    """The gateway, and all who tap."""

    gateway: Gateway
    browsers: list[Browser]
    clients: list[Client]

    def rest(self, it: World, report: Report) -> None:
        """Until all that is in the log is settled.

        A worker that stands still is `python -m tests.chaos`'s to judge; here it is replaced.
        """
        it.heal()
        if it.caught_up(_WORKER_SECONDS):
            return
        report.workers_replaced += 1
        it.crew.replace_all()
        if not it.caught_up(_CATCH_UP_SECONDS):
            report.failed.append(f"{it.lag()} records not settled")

    def finish(self, it: World, report: Report) -> None:
        """Let everything arrive."""
        it.heal()
        for client in self.clients:
            if not client.finish(_CATCH_UP_SECONDS):
                report.failed.append("a client's taps were never answered")
        for browser in self.browsers:
            browser.set_offline(False)
            eventually(lambda one=browser: one.queued() == 0, "an empty queue", _CATCH_UP_SECONDS)
        eventually(self._sent, "an empty outbox", _CATCH_UP_SECONDS)
        self.rest(it, report)
        saved = sum(len(one.saved) for one in self.browsers)
        report.notes = {
            "taps saved in browsers": saved,
            "taps accepted from other kiosks": sum(len(one.accepted) for one in self.clients),
            "of these sent again": sum(one.sent_again for one in self.clients),
            "workers replaced, for they stood still": report.workers_replaced,
        }
        report.failed += [f"refused: {one}" for client in self.clients for one in client.refused]
        report.failed += [f"refused: {one}" for each in self.browsers for one in each.refused()]
        if "Traceback" in self.gateway.log.read_text(errors="replace"):
            report.failed.append("a traceback in the gateway's log")

    def ids(self) -> set[str]:
        """Every tap that somebody was told is safe."""
        saved = {tap["id"] for one in self.browsers for tap in one.saved}
        return saved | {id_ for one in self.clients for id_ in one.accepted}

    def _sent(self) -> bool:
        (now,) = self.gateway.hours.rows("kiosks")
        return bool(now["gateway"]["waiting"] == 0)


@contextmanager
def _kiosks(it: World, home: Path, seed: int) -> Iterator[_Kiosks]:
    gateway = Gateway(it.hours)
    gateway.start()
    clients = [
        Client(gateway.address, gateway.enrol(f"client-{number}").key, number, seed)
        for number in range(_CLIENTS)
    ]
    with sync_playwright() as playwright:
        browsers = [
            Browser(playwright, home / f"browser{number}", gateway.address)
            for number in range(_BROWSERS)
        ]
        for browser in browsers:
            made = json.loads(it.hours.ok("kiosks", "add", browser.profile.name, "--json"))
            browser.enrol(made["code"])
        for client in clients:
            client.start()
        try:
            yield _Kiosks(gateway, browsers, clients)
        finally:
            for browser in browsers:
                browser.close()
            gateway.kill()


def _tell(line: str) -> None:
    print(line, flush=True)


def _strike(
    it: World, kiosks: _Kiosks, name: str, number: int, chance: random.Random, report: Report
) -> None:
    hold = chance.uniform(0.05, 1.0)
    try:
        if name in THEIRS:
            _strike_theirs(it, kiosks, name, number, hold, chance)
        elif name.startswith("gateway"):
            _strike_gateway(kiosks, name, hold, chance)
        else:
            _strike_browser(kiosks, name, chance)
    except LeftOut:
        report.left_out[name] += 1
    else:
        report.struck[name] += 1


def _strike_theirs(
    it: World, kiosks: _Kiosks, name: str, number: int, hold: float, chance: random.Random
) -> None:
    """While it lasts, people go on tapping."""
    (kind,) = (one for one in kinds_for(1, "sqlite") if one.name == name)
    fault = Fault(number, kind, hold, chance.random())
    raised: list[Exception] = []

    def deed() -> None:
        try:
            strike(it, _NO_LOAD, fault)
        except Exception as error:  # raised again below
            raised.append(error)

    striking = threading.Thread(target=deed)
    striking.start()
    for browser in kiosks.browsers:
        browser.tap(chance, 3)
    striking.join()
    if raised:
        raise raised[0]


def _strike_gateway(kiosks: _Kiosks, name: str, hold: float, chance: random.Random) -> None:
    gateway = kiosks.gateway
    if name == "gateway stalled":
        assert gateway.process is not None
        gateway.process.send_signal(signal.SIGSTOP)
        time.sleep(hold)
        gateway.process.send_signal(signal.SIGCONT)
        return
    if name == "gateway killed":
        gateway.kill()
    else:
        gateway.stop()
    for browser in kiosks.browsers:
        browser.tap(chance, 2)
    time.sleep(hold)
    gateway.start()


def _strike_browser(kiosks: _Kiosks, name: str, chance: random.Random) -> None:
    browser = chance.choice(kiosks.browsers)
    if name == "page reloaded":
        browser.reload()
    elif name == "browser killed":
        browser.kill()
        browser.start()
    elif name == "browser cut off":
        browser.set_offline(True)
        browser.tap(chance, 3)
        browser.reload()
        browser.tap(chance, 2)
        browser.set_offline(False)
    elif not browser.set_clock(chance.choice(_SHIFTS)):
        raise LeftOut("taps still wait")


def _judge(it: World, kiosks: _Kiosks) -> Verdict:
    log, truth, verdict = judge_world(it)
    counted = Counter(id_ for place, id_ in _ids(log) if truth.ends[place] == "accepted")
    ids = kiosks.ids()
    verdict.lost += verdict.find("taps that were safe, not accepted", ids - counted.keys())
    verdict.doubled += verdict.find(
        "taps accepted more than once", [one for one, count in counted.items() if count > 1]
    )
    verdict.find("taps that nobody made", counted.keys() - ids)
    return verdict


def _ids(log: list[Logged]) -> Iterator[tuple[tuple[int, int], str]]:
    for record in log:
        try:
            yield (record.partition, record.offset), read(record, PARTITIONS).id
        except Bad:
            continue


_NO_LOAD: Load = None  # type: ignore[assignment] - faults of these kinds ask nothing of it


def main() -> int:
    """Run what the arguments say; exit code 0 where each tap is in the ledger once, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.kiosk", description=__doc__)
    parser.add_argument("--faults", type=int, default=500)
    parser.add_argument("--seed", type=int, help="another seed, other faults; else by chance")
    given = parser.parse_args()
    return carry_out("kiosk-chaos", given.seed, partial(run, faults=given.faults), show)


def show(report: Report, seconds: float) -> None:
    verdict = report.verdict
    struck = ", ".join(f"{count} {name}" for name, count in report.struck.most_common())
    print(f"seed {report.seed}: {report.struck.total()} faults in {seconds:.0f} s: {struck}")
    for name, count in report.left_out.items():
        print(f"left out, for it can't be done here: {count} {name}")
    for name, count in report.notes.items():
        print(f"{name}: {count}")
    ends = ", ".join(f"{count} {end}" for end, count in verdict.ends.most_common())
    print(f"{verdict.records} records in the log: {ends}; {verdict.sessions} sessions")
    print(f"lost {verdict.lost}, doubled {verdict.doubled}")
    for wrong in (*report.failed, *verdict.differences):
        print(f"WRONG: {wrong}")
    print("each tap is in the ledger once" if report.is_good else "NOT EQUAL")


if __name__ == "__main__":
    sys.exit(main())
