"""Running the product as its users do: the `hours` command in processes of its own."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from ledger import queries
from ledger.engine import open_engine
from ledger.queries import ShardStatus
from producers.kafka_access import KafkaAccess
from producers.publishing import open_producer, publish_lines
from tests.forked import Forked, run_hours, start_hours
from tests.taps import Load

PATIENCE_SECONDS = 90.0
CLAIMED_NOTHING = dict.fromkeys(range(4), 0)
"""How often each shard of a new ledger was claimed."""


def eventually(holds: Callable[[], Any], what: str, patience: float = PATIENCE_SECONDS) -> Any:
    """Wait, with a bound, until `holds` gives something true."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"never came: {what}")


@dataclass
class Hours:
    """One ledger and its log, with names of its own."""

    environment: dict[str, str]
    workers: list[Forked] = field(default_factory=list)

    def run(
        self, *arguments: str, input: bytes = b"", patience: float = PATIENCE_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        return run_hours(arguments, self.environment, input, patience)

    def ok(self, *arguments: str, input: bytes = b"") -> str:
        done = self.run(*arguments, input=input)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.ok(*arguments, "--json").splitlines()]

    def totals(self) -> dict[tuple[str, str], int]:
        """Seconds by team and day."""
        return {(row["team"], row["day"]): row["seconds"] for row in self.rows("totals")}

    @property
    def taps_topic(self) -> str:
        return f"{self.environment['HOURS_TOPIC_PREFIX']}.taps"

    def start_worker(self, **more: str) -> Forked:
        log = self._log(len(self.workers))
        worker = start_hours(
            ["worker", "--log-level", "info"],
            {**self.environment, **more},
            Path(os.devnull),
            log,
            log,
        )
        self.workers.append(worker)
        return worker

    def stop_worker(self, worker: Forked) -> int:
        worker.send_signal(signal.SIGTERM)
        return worker.wait(30)

    def last_words(self, worker: Forked) -> str:
        """The last line it said, or nothing."""
        return "".join(self._log(self.workers.index(worker)).read_text().splitlines()[-1:])

    def kill_workers(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                with suppress(ProcessLookupError):
                    worker.send_signal(signal.SIGCONT)
                worker.kill()
            worker.wait()

    def end(self) -> None:
        """Kill what runs, let go of what is open."""
        self.kill_workers()
        self.engine.dispose()

    @cached_property
    def engine(self) -> Engine:
        """The ledger's database, to look at without starting a process."""
        return open_engine(self.environment["HOURS_LEDGER_URL"])

    def statuses(self) -> list[ShardStatus]:
        with queries.reading(self.engine) as connection:
            return queries.status(connection)

    def epochs(self) -> dict[int, int]:
        return {one.shard: one.epoch for one in self.statuses()}

    def settled(self) -> int:
        return sum(one.head.next_offset for one in self.statuses())

    def wait_until_settled(self, records: int) -> None:
        eventually(lambda: self.settled() >= records, f"{records} settled records")

    def wait_for_new_claims(self, before: dict[int, int]) -> None:
        eventually(
            lambda: all(epoch > before[shard] for shard, epoch in self.epochs().items()),
            "every shard claimed anew",
        )

    def logs(self) -> str:
        home = Path(self.environment["HOURS_HOME"])
        return "".join(path.read_text() for path in sorted(home.glob("worker-*.log")))

    def _log(self, number: int) -> Path:
        return Path(self.environment["HOURS_HOME"]) / f"worker-{number}.log"


class Publishing(threading.Thread):
    """Sessions of a load on their way, little by little; `sent` is what was acknowledged."""

    def __init__(self, hours: Hours, load: Load) -> None:
        super().__init__(daemon=True)
        self._hours, self._load = hours, load
        self._over = threading.Event()
        self.sent = 0

    def run(self) -> None:
        with open_producer(KafkaAccess(self._hours.environment["HOURS_KAFKA"])) as producer:
            while not self._over.wait(0.02):
                events = [event for _ in range(20) for event in self._load.session()]
                account = publish_lines(
                    lines(events).splitlines(),
                    producer,
                    self._hours.taps_topic,
                    lambda so_far: None,
                    print,
                )
                self.sent += account.sent

    def finish(self) -> None:
        self._over.set()
        self.join(PATIENCE_SECONDS)
        assert not self.is_alive(), "Kafka took no more"


@contextmanager
def publishing(hours: Hours, load: Load) -> Iterator[Publishing]:
    """A load on its way; all of it published at the end."""
    thread = Publishing(hours, load)
    thread.start()
    try:
        yield thread
    finally:
        thread.finish()


def environment(home: Path, **settings: str) -> dict[str, str]:
    """This process's environment with none of its HOURS_ settings but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOURS_")}
    given = {f"HOURS_{name.upper()}": value for name, value in settings.items()}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[1]), "HOURS_HOME": str(home), **given}


def product_at(home: Path, kafka: str, ledger_url: str, topic_prefix: str) -> Hours:
    """The product on a log and a ledger of its own; Kafka soon notices that a worker is gone."""
    return Hours(
        environment(
            home,
            kafka=kafka,
            ledger_url=ledger_url,
            topic_prefix=topic_prefix,
            session_seconds="1.5",
        )
    )


def lines(events: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)
