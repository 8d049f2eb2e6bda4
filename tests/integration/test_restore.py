"""What was lost comes back from the archive: the log, the ledger, or both; the same roots."""

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from streams.archive_lines import as_archived
from tests.running import Hours, lines
from tests.taps import Load

SESSIONS = 700
on_sqlite = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)


@pytest.fixture
def lost(hours: Hours, tmp_path: Path) -> tuple[Hours, Path, list[str]]:
    """A ledger that is settled and archived; how its roots stand."""
    hours.ok("init")
    load = Load(5)
    events = [event for _ in range(SESSIONS) for event in load.session()]
    hours.ok("publish", input=lines(events))
    producer = KafkaProducer(bootstrap_servers=hours.environment["HOURS_KAFKA"])
    for partition in range(4):  # what is no event is restored all the same
        producer.send(
            hours.taps_topic, b"\xff\x00rubbish", b"\x01\xfe", partition=partition,
            headers=[("x", b"\xff"), ("x", b"2"), ("", b"")],
        )  # fmt: skip
        producer.send(hours.taps_topic, None, b"key", partition=partition)
    producer.close()
    worker = hours.start_worker()
    hours.wait_until_settled(len(events) + 8)
    assert hours.stop_worker(worker) == 0
    hours.ok("dump", str(tmp_path / "archive"))
    return hours, tmp_path / "archive", roots(hours)


def roots(hours: Hours) -> list[str]:
    return [one.head.root().hex() for one in hours.statuses()]


def records(hours: Hours) -> list[bytes]:
    """Everything in the topic, as an archive would say it."""
    consumer = KafkaConsumer(bootstrap_servers=hours.environment["HOURS_KAFKA"])
    found = []
    for partition in range(4):
        tp = TopicPartition(hours.taps_topic, partition)
        end = consumer.end_offsets([tp])[tp]
        consumer.assign([tp])
        consumer.seek(tp, 0)
        while consumer.position(tp) < end:
            for batch in consumer.poll(1_000).values():
                found += [as_archived(record) for record in batch]
    consumer.close()
    return found


def elsewhere(hours: Hours, *, with_its_ledger: bool = False) -> Hours:
    """Another Kafka, and unless the ledger is kept another database: what was before is gone."""
    home = Path(hours.environment["HOURS_HOME"]) / "new"
    home.mkdir()
    settings = {
        **hours.environment,
        "HOURS_HOME": str(home),
        "HOURS_TOPIC_PREFIX": f"{hours.environment['HOURS_TOPIC_PREFIX']}new",
    }
    if not with_its_ledger:
        settings["HOURS_LEDGER_URL"] = f"sqlite:///{home / 'ledger.db'}"
    return Hours(settings)


def settled(hours: Hours, expected: int) -> list[str]:
    hours.ok("init")
    before = hours.epochs()
    worker = hours.start_worker()
    hours.wait_for_new_claims(before)
    hours.wait_until_settled(expected)
    assert hours.stop_worker(worker) == 0
    assert "Equal" in hours.ok("audit")
    return roots(hours)


def test_both_lost_the_archive_alone_gives_the_same_log_and_the_same_roots(
    lost: tuple[Hours, Path, list[str]],
) -> None:
    hours, archive, before = lost
    new = elsewhere(hours)
    said = new.ok("restore", str(archive))
    assert "Restored" in said
    assert records(new) == records(hours)
    assert "0 of them now" in new.ok("restore", str(archive))
    assert settled(new, len(records(new))) == before
    new.end()


def test_the_log_lost_the_ledger_goes_on_and_the_archive_too(
    lost: tuple[Hours, Path, list[str]],
) -> None:
    hours, archive, before = lost
    new = elsewhere(hours, with_its_ledger=True)
    manifest = json.loads((archive / "manifest.json").read_text())
    manifest["topic"] = new.taps_topic  # the topic goes by another name in this test alone
    (archive / "manifest.json").write_text(json.dumps(manifest))
    new.ok("restore", str(archive))
    assert settled(new, 1) == before  # nothing is settled again: the ledger has its offsets
    more = [event for _ in range(50) for event in Load(6).session()]
    new.ok("publish", input=lines(more))
    new.ok("dump", str(archive))
    assert settled(new, len(records(new))) != before
    assert "Equal" in new.ok("audit", "--log", str(archive))
    new.end()


@on_sqlite
def test_killed_at_any_moment_it_goes_on_where_it_stands(
    lost: tuple[Hours, Path, list[str]],
) -> None:
    hours, archive, _ = lost
    chance = random.Random(3)
    new = elsewhere(hours)
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-m", "hours", "restore", str(archive), "--workers", "1"],
            env=new.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            process.wait(chance.uniform(1.2, 2.5))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.wait()
    new.ok("restore", str(archive))
    assert records(new) == records(hours)


@on_sqlite
def test_a_topic_that_holds_anything_else_is_left_alone(
    lost: tuple[Hours, Path, list[str]],
) -> None:
    hours, archive, _ = lost
    new = elsewhere(hours)
    new.ok("init")
    new.ok("publish", input=lines(Load(9).session()))
    refused = new.run("restore", str(archive))
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert "holds other records" in refused.stderr
    new.ok("init")  # still set as the log of record must be


@on_sqlite
def test_a_damaged_archive_is_refused_by_name(lost: tuple[Hours, Path, list[str]]) -> None:
    hours, archive, _ = lost
    new = elsewhere(hours, with_its_ledger=True)
    segment = sorted(archive.glob("*.gz"))[0]
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    refused = new.run("restore", str(archive))
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert segment.name in refused.stderr
    worker = new.run("worker")  # a log that is not whole is not settled
    assert worker.returncode == 2
    assert "message.timestamp.type" in worker.stderr or "hours init" in worker.stderr
