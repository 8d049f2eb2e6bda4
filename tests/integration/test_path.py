"""From a tap to an exact hour, through real Kafka and a real database, with processes that die."""

import random
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from tests.running import CLAIMED_NOTHING, Hours, eventually, lines, publishing
from tests.taps import Load, tap

NOW = datetime.now(UTC).replace(microsecond=0)

on_postgresql = pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)


def settle_the_rest(hours: Hours, sent: int) -> None:
    """Wait for the last record, then stop every worker in order."""
    hours.wait_until_settled(sent)
    running = [worker for worker in hours.workers if worker.poll() is None]
    for worker in running:
        worker.send_signal(signal.SIGTERM)
    assert [worker.wait(30) for worker in running] == [0] * len(running)


def assert_exact(hours: Hours, load: Load, sent: int) -> None:
    assert hours.totals() == dict(load.totals)
    heads = [one.head for one in hours.statuses()]
    assert sum(head.accepted + head.duplicates for head in heads) == sent
    assert sum(head.rejected for head in heads) == 0
    assert "Equal" in hours.ok("audit")
    assert "Traceback" not in hours.logs()


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
    with publishing(hours, load) as published:
        for kill in range(20):
            before = hours.epochs()
            worker = hours.start_worker()
            if kill % 4:  # else it may die before it has claimed anything
                eventually(lambda before=before: hours.epochs() != before, "a claim")
            time.sleep(chance.uniform(0, 1))  # the random moment; nothing is asserted on it
            worker.kill()
            worker.wait()
        hours.start_worker()
    settle_the_rest(hours, published.sent)
    assert_exact(hours, load, published.sent)


@on_postgresql
def test_two_workers_share_four_partitions_a_third_joins_and_one_leaves(hours: Hours) -> None:
    load = Load(7)
    hours.ok("init")
    with publishing(hours, load) as published:
        first = hours.start_worker()
        hours.wait_for_new_claims(CLAIMED_NOTHING)
        for step in (hours.start_worker, hours.start_worker, lambda: hours.stop_worker(first)):
            before = hours.epochs()
            step()
            hours.wait_for_new_claims(before)
    settle_the_rest(hours, published.sent)
    assert_exact(hours, load, published.sent)


@on_postgresql
def test_a_stalled_worker_that_wakes_up_late_spoils_nothing(hours: Hours) -> None:
    load = Load(11)
    hours.ok("init")
    with publishing(hours, load) as published:
        stalled = hours.start_worker()
        hours.wait_for_new_claims(CLAIMED_NOTHING)
        before = hours.epochs()
        stalled.send_signal(signal.SIGSTOP)
        hours.start_worker()
        hours.wait_for_new_claims(before)
        before = hours.epochs()
        stalled.send_signal(signal.SIGCONT)
        hours.wait_for_new_claims(before)  # the woken one joins again, and all are shared anew
    settle_the_rest(hours, published.sent)
    assert_exact(hours, load, published.sent)


@on_postgresql
def test_a_shard_is_taken_over_from_a_worker_stopped_within_its_append(hours: Hours) -> None:
    """Its transaction stands open and holds the shard's row; nobody is there to end it."""
    load = Load(13)
    hours.ok("init")
    with publishing(hours, load) as published, hours.engine.connect() as stopped:
        stopped.execute(text("UPDATE shards SET next_offset = next_offset"))
        hours.start_worker()
        hours.wait_for_new_claims(CLAIMED_NOTHING)
        stopped.invalidate()
    settle_the_rest(hours, published.sent)
    assert_exact(hours, load, published.sent)
