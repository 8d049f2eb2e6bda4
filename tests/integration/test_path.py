"""From a tap to an exact hour, through real Kafka and a real database, with processes that die."""

import random
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from producers.publishing import open_producer
from producers.reading import read_line
from producers.writing import write_record
from tests.running import Hours, eventually, lines
from tests.taps import Load, tap

NOW = datetime.now(UTC).replace(microsecond=0)


class Stream(threading.Thread):
    """Publishes sessions of a load, little by little, until told to stop."""

    def __init__(self, hours: Hours, load: Load) -> None:
        super().__init__()
        self._hours, self._load = hours, load
        self._over = threading.Event()
        self.sent = 0

    def run(self) -> None:
        kafka = self._hours.environment["HOURS_KAFKA"]
        topic = f"{self._hours.environment['HOURS_TOPIC_PREFIX']}.taps"
        with open_producer(kafka) as producer:
            while not self._over.wait(0.02):
                for event in (event for _ in range(20) for event in self._load.session()):
                    key, value, headers = record_of(event)
                    producer.send(topic, key=key, value=value, headers=headers)
                    self.sent += 1
            producer.flush()

    def finish(self) -> None:
        self._over.set()
        self.join()


def record_of(event: dict[str, Any]) -> Any:
    read = read_line(lines([event]).strip())
    return write_record(read[0])


def totals_of(hours: Hours) -> dict[tuple[str, str], int]:
    return {(row["team"], row["day"]): row["seconds"] for row in hours.rows("totals")}


def assert_exact(hours: Hours, load: Load, sent: int) -> None:
    assert totals_of(hours) == dict(load.totals)
    rows = hours.rows("status")
    assert sum(row["accepted"] + row["duplicates"] for row in rows) == sent
    assert sum(row["rejected"] for row in rows) == 0
    assert "Equal" in hours.ok("audit")


def test_taps_become_hours_and_the_audit_is_equal(hours: Hours) -> None:
    hours.ok("init")
    worker = hours.start_worker()
    sent = hours.ok(
        "publish",
        input=lines(
            [
                tap("in", "V1", NOW - timedelta(hours=2), "a", team="理论宣讲", place="站一"),
                tap("out", "V1", NOW - timedelta(hours=1), "b"),
                tap("in", "V2", NOW - timedelta(days=2), "c", team="合唱", place="站一"),
                tap("in", "V3", NOW - timedelta(minutes=5), "d", team="合唱", place="站一"),
            ]
        ),
    )
    assert "4 sent" in sent
    hours.wait_until_settled(4)
    (total,) = hours.rows("totals", "--team", "理论宣讲")
    assert (total["sessions"], total["seconds"]) == (1, 3600)
    (exception,) = hours.rows("exceptions")
    assert (exception["volunteer"], exception["reason"]) == ("V2", "no-check-out")
    assert [row["type"] for row in hours.rows("entries", "--volunteer", "V1")] == ["credit"]
    assert hours.stop_worker(worker) == 0
    assert "Equal: 4 records give 5 entries" in hours.ok("audit")


def test_killed_at_twenty_random_moments_under_load_nothing_is_lost_or_doubled(
    hours: Hours,
) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance, load = random.Random(seed), Load(seed)
    hours.ok("init")
    stream = Stream(hours, load)
    stream.start()
    for _ in range(20):
        worker = hours.start_worker()
        time.sleep(chance.uniform(1.0, 4.5))  # the random moment; nothing is asserted on it
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    last = hours.start_worker()
    stream.finish()
    hours.wait_until_settled(stream.sent)
    assert hours.stop_worker(last) == 0
    assert_exact(hours, load, stream.sent)


def epochs(hours: Hours) -> dict[int, int]:
    return {row["shard"]: row["epoch"] for row in hours.rows("status")}


def wait_for_new_claims(hours: Hours, before: dict[int, int]) -> None:
    eventually(
        lambda: all(epoch > before[shard] for shard, epoch in epochs(hours).items()),
        "every shard claimed anew",
    )


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_two_workers_share_four_partitions_a_third_joins_and_one_leaves(hours: Hours) -> None:
    load = Load(7)
    hours.ok("init")
    stream = Stream(hours, load)
    stream.start()
    first = hours.start_worker()
    wait_for_new_claims(hours, dict.fromkeys(range(4), 0))
    for step in (hours.start_worker, hours.start_worker, lambda: hours.stop_worker(first)):
        before = epochs(hours)
        step()
        wait_for_new_claims(hours, before)
    stream.finish()
    hours.wait_until_settled(stream.sent)
    for worker in hours.workers[1:]:
        assert hours.stop_worker(worker) == 0
    assert_exact(hours, load, stream.sent)


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_a_stalled_worker_that_wakes_up_late_spoils_nothing(hours: Hours) -> None:
    load = Load(11)
    hours.ok("init")
    stream = Stream(hours, load)
    stream.start()
    stalled = hours.start_worker()
    wait_for_new_claims(hours, dict.fromkeys(range(4), 0))
    before = epochs(hours)
    stalled.send_signal(signal.SIGSTOP)
    hours.start_worker()
    wait_for_new_claims(hours, before)
    stalled.send_signal(signal.SIGCONT)
    time.sleep(3)  # time for the woken one to do its worst
    stream.finish()
    hours.wait_until_settled(stream.sent)
    for worker in hours.workers:
        worker.send_signal(signal.SIGTERM)
    for worker in hours.workers:
        worker.wait(30)
    assert_exact(hours, load, stream.sent)
