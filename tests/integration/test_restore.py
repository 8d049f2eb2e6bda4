"""What was lost comes back from the archive: the log, the ledger, or both; the same roots."""

import json
import os
import random
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from kafka import KafkaProducer

from hours.settings import read_settings
from streams.archive_lines import as_archived
from streams.topics import TopicRefusal, check_log, take_producers_time
from tests.forked import start_hours
from tests.running import Hours, lines, product_at
from tests.taps import Load
from tests.topic_records import records_of

SESSIONS = 700
on_sqlite = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)


class Archived(NamedTuple):
    """A log that was settled and archived; how the roots of its ledger stand."""

    hours: Hours
    archive: Path
    roots: list[str]


@pytest.fixture(scope="module")
def original(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archived]:
    """One for all tests of this file: only read from."""
    home = tmp_path_factory.mktemp("original")
    hours = product_at(home, kafka, f"sqlite:///{home / 'ledger.db'}", f"t{secrets.token_hex(6)}")
    hours.ok("init")
    load = Load(5)
    events = [event for _ in range(SESSIONS) for event in load.session()]
    hours.ok("publish", input=lines(events))
    producer = KafkaProducer(bootstrap_servers=kafka)
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
    hours.ok("dump", str(home / "archive"))
    yield Archived(hours, home / "archive", roots(hours))
    hours.end()


@pytest.fixture
def lost(original: Archived, tmp_path: Path) -> Archived:
    """The same, its archive a copy to do as one likes with."""
    copy = tmp_path / "archive"
    return original._replace(archive=shutil.copytree(original.archive, copy))


@pytest.fixture
def new(kafka: str, ledger_url: str, fresh_name: str, tmp_path: Path) -> Iterator[Hours]:
    """Another Kafka and another database: what was before is gone."""
    hours = product_at(tmp_path, kafka, ledger_url, fresh_name)
    yield hours
    hours.end()


def roots(hours: Hours) -> list[str]:
    return [one.head.root().hex() for one in hours.statuses()]


def records(hours: Hours) -> list[bytes]:
    """Everything in the topic, as an archive would say it."""
    kafka = hours.environment["HOURS_KAFKA"]
    return [as_archived(record) for record in records_of(kafka, hours.taps_topic, 4)]


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
    lost: Archived, new: Hours
) -> None:
    said = new.ok("restore", str(lost.archive))
    assert "Restored" in said
    assert records(new) == records(lost.hours)
    assert "0 of them now" in new.ok("restore", str(lost.archive))
    assert settled(new, len(records(new))) == lost.roots


def test_the_log_lost_the_ledger_goes_on_and_the_archive_too(
    lost: Archived, new: Hours, tmp_path: Path
) -> None:
    kafka, ledger = (new.environment[f"HOURS_{name}"] for name in ("KAFKA", "LEDGER_URL"))
    prefix = lost.hours.environment["HOURS_TOPIC_PREFIX"]
    (tmp_path / "before").mkdir()
    before = product_at(tmp_path / "before", kafka, ledger, prefix)
    assert settled(before, len(records(before))) == lost.roots
    before.end()
    manifest = json.loads((lost.archive / "manifest.json").read_text())
    manifest["topic"] = new.taps_topic  # the topic goes by another name in this test alone
    (lost.archive / "manifest.json").write_text(json.dumps(manifest))
    new.ok("restore", str(lost.archive))
    assert settled(new, 1) == lost.roots  # nothing is settled again: the ledger has its offsets
    more = [event for _ in range(50) for event in Load(6).session()]
    new.ok("publish", input=lines(more))
    new.ok("dump", str(lost.archive))
    assert settled(new, len(records(new))) != lost.roots
    assert "Equal" in new.ok("audit", "--log", str(lost.archive))


@on_sqlite
def test_killed_at_any_moment_it_goes_on_where_it_stands(lost: Archived, new: Hours) -> None:
    chance = random.Random(3)
    for _ in range(3):
        arguments = ["restore", str(lost.archive), "--workers", "1"]
        process = start_hours(arguments, new.environment, *[Path(os.devnull)] * 3)
        time.sleep(chance.uniform(0.3, 1.6))  # the random moment; nothing is asserted on it
        process.kill()
        process.wait()
    new.ok("restore", str(lost.archive))
    assert records(new) == records(lost.hours)


@on_sqlite
def test_stopped_when_all_is_put_back_it_makes_the_log_one_of_record_yet(
    lost: Archived, new: Hours
) -> None:
    new.ok("restore", str(lost.archive))
    streams = read_settings(new.environment).streams()
    take_producers_time(streams)
    with pytest.raises(TopicRefusal, match="CreateTime"):
        check_log(streams)
    new.ok("restore", str(lost.archive))
    new.ok("init")
    assert records(new) == records(lost.hours)


@on_sqlite
def test_a_topic_that_holds_anything_else_is_left_alone(lost: Archived, new: Hours) -> None:
    new.ok("init")
    new.ok("publish", input=lines(Load(9).session()))
    refused = new.run("restore", str(lost.archive))
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert "holds other records" in refused.stderr
    new.ok("init")  # still set as the log of record must be


@on_sqlite
def test_a_damaged_archive_is_refused_by_name(lost: Archived, new: Hours, tmp_path: Path) -> None:
    for file in Path(lost.hours.environment["HOURS_HOME"]).glob("ledger.db*"):
        shutil.copy(file, tmp_path)
    segment = sorted(lost.archive.glob("*.gz"))[0]
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    refused = new.run("restore", str(lost.archive))
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert segment.name in refused.stderr
    worker = new.run("worker")  # a log that is not whole is not settled
    assert worker.returncode == 2
    assert "message.timestamp.type" in worker.stderr or "hours init" in worker.stderr
