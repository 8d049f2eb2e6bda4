"""`python -m tests.chaos.roster`: the roster changed under load, and everybody in it killed.

Who is killed with SIGKILL, at random moments of a seed: a worker while something waits to be
published, whoever changes the roster, an import of a workbook, now and then the broker. In the end
the database and the topic must agree. Not what happens to hours: that is `python -m tests.chaos`.
"""

import argparse
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from pathlib import Path

from sqlalchemy import select, text

from hours.services import EmbeddedKafka, EmbeddedPostgres, fetch_kafka
from hours.settings import read_settings
from ledger.roster.outbox import PUBLISHING_LOCK
from ledger.roster.tables import change_sets, outbox
from ledger.roster.vault import new_key
from tests.chaos.carrying_out import carry_out
from tests.chaos.plan import Database
from tests.chaos.roster_verdict import RosterVerdict, judge
from tests.forked import Forked
from tests.importing import workbook
from tests.running import Hours, environment, eventually

_CATCH_UP_SECONDS = 120
_SIGHT_SECONDS = 20
_TURN_SECONDS = 0.1  # about as long as one takes
_IMPORT_SECONDS = 4.0  # a little longer than one takes
_IMPORTED = 400

IN_A_TURN = (
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
    f"AND (classid::bigint << 32 | objid::bigint) = {PUBLISHING_LOCK} "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
"""The PostgreSQL sessions that publish, which is one."""


@dataclass
class Report:
    """What was done, and what came of it."""

    seed: int
    killed: Counter[str] = field(default_factory=Counter)
    verdict: RosterVerdict = field(default_factory=RosterVerdict)
    failed: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not self.failed and not self.verdict.differences


def run(seed: int, home: Path, kills: int, database: Database) -> Report:
    """Carry it out in `home`, an empty folder, where every log stays."""
    report, chance = Report(seed), random.Random(seed)
    with _world(home, database, chance) as it:
        for number in range(kills):
            who = _choose(chance, number)
            it.kill(who, chance)
            report.killed[who] += 1
            print(f"{number + 1} of {kills}: {who}", flush=True)
        it.finish()
        report.failed += it.failed
        report.verdict = judge(it.hours.engine, it.settings)
        if "Traceback" in it.hours.logs():
            report.failed.append("a traceback in a worker's log")
    return report


def _choose(chance: random.Random, number: int) -> str:
    if number % 20 == 2:
        return "broker"
    return chance.choices(("worker", "all workers", "changer", "import"), (5, 2, 2, 3))[0]


class _World:
    """A broker, a database, workers, and somebody who changes the roster."""

    def __init__(self, hours: Hours, broker: EmbeddedKafka, workers: int, chance: random.Random):
        self.hours = hours
        self.broker = broker
        self.settings = read_settings(hours.environment).streams()
        self.failed: list[str] = []
        self._seeds = iter(lambda: chance.randrange(1 << 32), None)
        self._workers = [hours.start_worker() for _ in range(workers)]
        self._changer = self._start_changer()
        self._books = cycle(_workbooks(Path(hours.environment["HOURS_HOME"])))

    def kill(self, who: str, chance: random.Random) -> None:
        """Kill at a random moment of its work, and start another."""
        if who == "broker":
            self.broker.kill()
            self.broker.start()
            return
        if who == "import":
            self._kill_import(chance)
            return
        if who == "changer":
            time.sleep(chance.uniform(0.3, 1.2))
            self._kill_changer()
            self._changer = self._start_changer()
            return
        everybody = list(range(len(self._workers)))
        victims = everybody if who == "all workers" else [chance.choice(everybody)]
        self._see_a_turn()
        time.sleep(chance.uniform(0, _TURN_SECONDS))
        for victim in victims:
            self._workers[victim].kill()
        for victim in victims:
            self._workers[victim].wait()
            self._workers[victim] = self.hours.start_worker()

    def finish(self) -> None:
        """Let everything that waits be published, and the workers leave in order.

        Not before something was changed: on a slow machine all were killed before they began.
        """
        eventually(self._has_changed, "a change of the roster")
        self.end()
        eventually(self._is_all_published, "an empty outbox", _CATCH_UP_SECONDS)
        for worker in self._workers:
            code = self.hours.stop_worker(worker)
            if code in (0, -signal.SIGTERM) or self._was_turned_away(worker):
                continue  # the signal: before it has begun to listen
            said = self.hours.last_words(worker)
            self.failed.append(f"a worker left with exit code {code}: {said}")

    def end(self) -> None:
        self._kill_changer()

    def _is_all_published(self) -> bool:
        """Whether nothing waits; who was turned away is started again, as there may be no other."""
        for number, worker in enumerate(self._workers):
            if self._was_turned_away(worker):
                self._workers[number] = self.hours.start_worker()
        return self._next() is None

    def _was_turned_away(self, worker: Forked) -> bool:
        """Whether it came while the broker was away, and for longer than it waits for one."""
        return worker.poll() is not None and "连不上 Kafka" in self.hours.last_words(worker)

    def _kill_import(self, chance: random.Random) -> None:
        """Anywhere from its start to its end."""
        importing = subprocess.Popen(
            [sys.executable, "-m", "hours", "import", str(next(self._books)), "--apply"],
            env=self.hours.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(chance.uniform(0.5, _IMPORT_SECONDS))
        importing.kill()
        if importing.wait() not in (0, -signal.SIGKILL):
            self.failed.append(f"an import ended with exit code {importing.returncode}")

    def _kill_changer(self) -> None:
        if self._changer.poll() not in (None, -signal.SIGKILL):
            self.failed.append("changing the roster ended by itself: see changer.log")
        self._changer.kill()
        self._changer.wait()

    def _see_a_turn(self) -> None:
        """So that a worker is killed at its work; whatever happens, not for long."""
        before, deadline = self._next(), time.monotonic() + _SIGHT_SECONDS
        while time.monotonic() < deadline:
            if self._is_held() or self._next() not in (before, None):
                return
            time.sleep(0.002)

    def _is_held(self) -> bool:
        """Whether it is somebody's turn, as PostgreSQL knows."""
        engine = self.hours.engine
        if engine.dialect.name != "postgresql":
            return False
        with engine.connect() as connection:
            return bool(connection.execute(text(f"SELECT EXISTS ({IN_A_TURN})")).scalar_one())

    def _next(self) -> tuple[int, int] | None:
        """The place of what is to be published next."""
        columns = (outbox.c.change_set, outbox.c.position)
        with self.hours.engine.connect() as connection:
            row = connection.execute(select(*columns).order_by(*columns).limit(1)).one_or_none()
        return None if row is None else (row[0], row[1])

    def _has_changed(self) -> bool:
        with self.hours.engine.connect() as connection:
            return connection.execute(select(change_sets.c.number).limit(1)).first() is not None

    def _start_changer(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.chaos.roster_changes", str(next(self._seeds))]
        log = Path(self.hours.environment["HOURS_HOME"]) / "changer.log"
        with log.open("ab") as output:
            return subprocess.Popen(
                command,
                env=self.hours.environment,
                cwd=Path(__file__).parents[2],
                stdout=output,
                stderr=output,
            )


def _workbooks(home: Path) -> list[Path]:
    """Two that say otherwise of the same people, so that each changes what the other said."""
    return [
        workbook(
            home / f"people-{turn}.xlsx",
            {
                "单位": [("编号", "类别", "名称"), ("centre", "中心", "实践中心")],
                "志愿者": [
                    ("志愿者编号", "姓名", "手机号码", "所属单位编号"),
                    *((f"P{n}", "王小明", f"154{turn}{n:07}", "centre") for n in range(_IMPORTED)),
                ],
            },
        )
        for turn in range(2)
    ]


@contextmanager
def _world(home: Path, database: Database, chance: random.Random) -> Iterator[_World]:
    broker = EmbeddedKafka(home / "kafka", fetch_kafka(print))
    server = EmbeddedPostgres(home / "postgres") if database == "postgresql" else None
    (home / "logs").mkdir()
    try:
        broker.start()
        url = f"sqlite:///{home / 'ledger.db'}"
        if server:
            server.start()
            url = server.address
        key = home / "roster.key"
        key.write_text(new_key())
        settings = {"kafka": broker.address, "ledger_url": url, "session_seconds": "1.5"}
        hours = Hours(environment(home / "logs", roster_key_file=str(key), **settings))
        try:
            hours.ok("init")
            it = _World(hours, broker, 2 if server else 1, chance)
            try:
                yield it
            finally:
                it.end()
        finally:
            hours.end()
    finally:
        broker.stop()
        if server:
            server.stop()


def main() -> int:
    """Run what the arguments say; exit code 0 where database and topic agree, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.roster", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--seed", type=int, help="another seed, other moments; else by chance")
    given = parser.parse_args()
    deed = partial(run, kills=given.kills, database=given.database)
    return carry_out("roster-chaos", given.seed, deed, show)


def show(report: Report, seconds: float) -> None:
    verdict = report.verdict
    killed = ", ".join(f"{count} {who}" for who, count in report.killed.most_common())
    print(f"seed {report.seed}: {report.killed.total()} kills in {seconds:.0f} s: {killed}")
    print(
        f"{verdict.change_sets} change sets, {verdict.records} records, "
        f"{verdict.repeated} of them repeated, {verdict.keys} keys in the end"
    )
    for wrong in (*report.failed, *verdict.differences):
        print(f"WRONG: {wrong}")
    print("the topic says what the database says" if report.is_good else "NOT EQUAL")


if __name__ == "__main__":
    sys.exit(main())
