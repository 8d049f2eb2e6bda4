"""The log of record, archived from real Kafka and audited with no Kafka at all."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from click.testing import CliRunner, Result
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from sqlalchemy import text

from hours import cli
from ledger.policy import Policy
from producers.kafka_access import KafkaAccess
from streams.archive import open_archive
from streams.dump import dump
from streams.segments import ArchiveRefusal
from streams.settings import StreamSettings
from streams.topics import create_topics
from tests.running import Hours, eventually, lines
from tests.taps import Load
from tests.topic_records import records_of

NAME = "archived.example"
on_sqlite = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
# Dumps in small segments, as a process that can be killed.
SLOWLY = """
import sys
from streams import segments
segments.MOST_RECORDS = 50
from hours.cli import main
sys.argv = ["hours", "dump", sys.argv[1]]
main()
"""


@pytest.fixture
def streams(kafka: str, fresh_name: str, tmp_path: Path) -> StreamSettings:
    """A log of record with two partitions, empty."""
    settings = StreamSettings(
        kafka=KafkaAccess(kafka),
        ledger_url="",
        ledger_name=NAME,
        data_dir=tmp_path,
        policy=Policy(shard_count=2),
        topic_prefix=fresh_name,
    )
    create_topics(settings)
    return settings


@pytest.fixture
def send(streams: StreamSettings) -> Iterator[Callable[..., None]]:
    """Sends to partition 0."""
    with closing(KafkaProducer(**streams.kafka.options(), linger_ms=20)) as producer:

        def send(*values: bytes | None, **more: Any) -> None:
            for value in values:
                producer.send(streams.taps_topic, value, partition=0, **more)
            producer.flush()

        yield send


def dumped(streams: StreamSettings, folder: Path) -> int:
    """Dump; how many records were added."""
    return dump(streams, folder, lambda done, total: None).added_records


def archived(folder: Path, partition: int = 0) -> list[tuple[Any, ...]]:
    archive = open_archive(folder, NAME, Policy(shard_count=2))
    return [tuple(one) for batch in archive.read(partition, 1 << 62) for one in batch]


def in_kafka(streams: StreamSettings) -> list[tuple[Any, ...]]:
    """The records of partition 0 as another client reads them."""
    return [
        (
            *(one.offset, one.timestamp, one.timestamp_type, one.key, one.value),
            tuple((name, content) for name, content in one.headers),
        )
        for one in records_of(streams.kafka.bootstrap, streams.taps_topic)
    ]


async def send_with_headers(streams: StreamSettings, headers: list[tuple[str, Any]]) -> None:
    """Through the client that can send a header with no content."""
    async with AIOKafkaProducer(bootstrap_servers=streams.kafka.bootstrap) as producer:
        topic = streams.taps_topic
        await producer.send_and_wait(topic, b"with headers", b"", partition=0, headers=headers)


async def send_in_transactions(bootstrap: str, topic: str) -> None:
    """Records between holes: what ends a transaction takes an offset, and is no record."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=topic) as producer:
        for number in range(4):
            await producer.begin_transaction()
            await producer.send_and_wait(topic, f"in transaction {number}".encode(), partition=0)
            if number % 2:
                await producer.abort_transaction()
            else:
                await producer.commit_transaction()


def test_every_kind_of_record_is_kept_whole(
    streams: StreamSettings, send: Callable[..., None], tmp_path: Path
) -> None:
    send(None, key=b"erased")
    send(b"", "中文\x00\ufeff\r\n".encode(), bytes(range(256)), b'{"base64":"AA=="}')
    send(b"keyed", key=b"V1")
    send(b"keyed", key=b"\xff\x00")
    twice = [("h", b"1"), ("h", b"2"), ("", b""), ("none", None), ("binary", b"\xfe"), ("名", b"")]
    asyncio.run(send_with_headers(streams, twice))
    send(b"x" * 900_000)
    asyncio.run(send_in_transactions(streams.kafka.bootstrap, streams.taps_topic))
    folder = tmp_path / "archive"
    assert dumped(streams, folder) == 13
    kept = archived(folder)
    assert kept == in_kafka(streams)
    assert [one[0] for one in kept] == [*range(9), 9, 11, 13, 15]
    assert [one[3:5] for one in kept[:2]] == [(b"erased", None), (None, b"")]
    assert kept[7][5] == tuple(twice)
    assert {one[2] for one in kept} == {1}
    assert archived(folder, partition=1) == []


def test_what_is_new_is_added_and_what_is_there_stays(
    streams: StreamSettings, send: Callable[..., None], tmp_path: Path
) -> None:
    folder = tmp_path / "archive"
    assert dumped(streams, folder) == 0
    send(b"1", b"2")
    assert dumped(streams, folder) == 2
    first = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.glob("*.gz")}
    assert dumped(streams, folder) == 0
    asyncio.run(send_in_transactions(streams.kafka.bootstrap, streams.taps_topic))
    assert dumped(streams, folder) == 4
    assert dumped(streams, folder) == 0
    send(b"3")
    assert dumped(streams, folder) == 1
    assert archived(folder) == in_kafka(streams)
    assert len(list(folder.glob("*.gz"))) == 3
    assert (
        first.items()
        <= {
            path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.glob("*.gz")
        }.items()
    )


@on_sqlite
def test_killed_at_any_moment_it_goes_on(
    streams: StreamSettings, send: Callable[..., None], hours: Hours, tmp_path: Path
) -> None:
    send(*(b"%d" % number for number in range(3_000)))
    hours.environment |= {
        "HOURS_TOPIC_PREFIX": streams.topic_prefix,
        "HOURS_LEDGER_NAME": NAME,
        "HOURS_SHARDS": "2",
    }
    folder, whole = tmp_path / "archive", tmp_path / "whole"
    command = [sys.executable, "-c", SLOWLY]
    kills = 0
    for segments_first in (1, 5, 20, 45):
        with subprocess.Popen([*command, str(folder)], env=hours.environment) as dumping:
            eventually(partial(has_come_to, segments_first, folder, dumping), "a segment")
            dumping.kill()
        kills += dumping.returncode == -signal.SIGKILL
        if (folder / "manifest.json").exists():
            archived(folder)
    assert kills
    for where in (folder, whole):
        subprocess.run([*command, str(where)], env=hours.environment, check=True)
    assert archived(folder) == in_kafka(streams)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        path.name: path.read_bytes() for path in whole.iterdir()
    }


def has_come_to(segments: int, folder: Path, dumping: subprocess.Popen[bytes]) -> bool:
    return len(list(folder.glob("*.gz"))) >= segments or dumping.poll() is not None


def test_a_log_that_is_not_of_one_piece_with_the_archive_is_refused(
    streams: StreamSettings, send: Callable[..., None], tmp_path: Path
) -> None:
    folder, late = tmp_path / "archive", tmp_path / "late"
    send(b"1", b"2", b"3")
    assert dumped(streams, folder) == 3
    before = archived(folder)

    def refuses(match: str, where: Path = folder) -> None:
        with pytest.raises(ArchiveRefusal, match=match):
            dumped(streams, where)
        assert archived(folder) == before

    with closing(KafkaAdminClient(bootstrap_servers=streams.kafka.bootstrap)) as admin:
        send(b"4", b"5")
        admin.delete_records({TopicPartition(streams.taps_topic, 0): 4})
        refuses("begins at 4, the archive ends at 3")
        refuses("begins at 4, the archive ends at 0", late)
        admin.delete_topics([streams.taps_topic])
    eventually(lambda: _recreated(streams), "the topic, made anew")
    send(b"one")
    refuses("ends at 1, the archive at 3")
    send(b"two", b"three", b"four")
    refuses("has another record at offset 2")


def _recreated(streams: StreamSettings) -> bool:
    with closing(KafkaAdminClient(bootstrap_servers=streams.kafka.bootstrap)) as admin:
        if streams.taps_topic in admin.list_topics():
            return False
    create_topics(streams)
    return True


def test_a_log_that_ends_where_the_archive_does_but_began_later_is_accepted(
    streams: StreamSettings, send: Callable[..., None], tmp_path: Path
) -> None:
    send(b"1", b"2", b"3")
    assert dumped(streams, tmp_path / "archive") == 3
    with closing(KafkaAdminClient(bootstrap_servers=streams.kafka.bootstrap)) as admin:
        admin.delete_records({TopicPartition(streams.taps_topic, 0): 3})
    send(b"4")
    assert dumped(streams, tmp_path / "archive") == 1
    assert [one[4] for one in archived(tmp_path / "archive")] == [b"1", b"2", b"3", b"4"]


# The audit, with no Kafka


def test_an_audit_from_the_archive_needs_no_kafka_and_finds_what_was_tampered_with(
    hours: Hours, tmp_path: Path
) -> None:
    folder = str(tmp_path / "archive")
    begin(hours, 40)
    hours.ok("dump", folder)
    alone = Hours({**hours.environment, "HOURS_KAFKA": ""})
    told = ask(alone, "audit", "--log", folder)
    assert told.exit_code == 0, told.output
    assert "Equal: 40 records" in told.stdout
    assert_same_result(hours, alone, folder)
    with hours.engine.begin() as connection:
        trigger = "entries_refuse_update"
        if connection.dialect.name == "sqlite":
            connection.execute(text(f"DROP TRIGGER {trigger}"))
        else:
            connection.execute(text("ALTER TABLE entries DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE entries SET volunteer = 'V9' WHERE seq = 1"))
    told = ask(alone, "audit", "--log", folder)
    assert told.exit_code == 1
    assert re.search(r"First difference: invariant 5, shard \d, seq 1:", told.stdout)
    assert_same_result(hours, alone, folder)


def assert_same_result(hours: Hours, alone: Hours, folder: str) -> None:
    from_log = ask(hours, "audit", "--json")
    from_archive = ask(alone, "audit", "--json", "--log", folder)
    assert from_log.stdout == from_archive.stdout
    assert from_log.exit_code == from_archive.exit_code


@on_sqlite
def test_an_archive_that_ends_before_the_ledger_proves_its_beginning_alone(
    hours: Hours, tmp_path: Path
) -> None:
    folder = str(tmp_path / "archive")
    begin(hours, 20)
    hours.ok("dump", folder)
    publish(hours, 30, seed=2)
    alone = Hours({**hours.environment, "HOURS_KAFKA": ""})
    told = ask(alone, "audit", "--log", folder)
    assert told.exit_code == 2
    assert "20 records give what the ledger says, 10 more are not in the archive" in told.stdout
    (found,) = rows(alone, "audit", "--log", folder)
    assert (found["records"], found["uncovered"], found["findings"]) == (20, 10, [])
    hours.ok("dump", folder)
    assert ask(alone, "audit", "--log", folder).exit_code == 0


@on_sqlite
def test_a_difference_in_what_a_short_archive_covers_is_found(hours: Hours, tmp_path: Path) -> None:
    folder = str(tmp_path / "archive")
    hours.ok("init")
    with closing(KafkaProducer(bootstrap_servers=hours.environment["HOURS_KAFKA"])) as producer:
        for _ in range(2):
            producer.send(f"{hours.environment['HOURS_TOPIC_PREFIX']}.taps", b"x", partition=0)
    hours.ok("dump", folder)
    publish(hours, 22)
    with hours.engine.begin() as connection:
        connection.execute(text("DELETE FROM rejections WHERE log_offset = 1"))
    told = ask(Hours({**hours.environment, "HOURS_KAFKA": ""}), "audit", "--log", folder)
    assert told.exit_code == 1
    assert "First difference: invariant 5, shard 0, offset 1" in told.stdout


@on_sqlite
def test_an_archive_that_can_not_be_used_is_one_line(hours: Hours, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    begin(hours, 20)
    hours.ok("dump", str(folder))
    (found,) = rows(hours, "dump", str(folder))
    assert (found["added_records"], found["records"]) == (0, 20)

    def refused(*arguments: str, **more: str) -> str:
        done = Hours({**hours.environment, **more}).run(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr
        return done.stderr

    assert "HOURS_KAFKA is not set" in refused("dump", str(folder), HOURS_KAFKA="")
    assert "archive of another log" in refused(
        "dump", str(folder), HOURS_LEDGER_NAME="other.example"
    )
    assert "does not exist" in refused("audit", "--log", str(tmp_path / "nowhere"))
    assert "is no archive" in refused("audit", "--log", hours.environment["HOURS_HOME"])
    segment = next(folder.glob("*.gz"))
    segment.write_bytes(segment.read_bytes()[:-1])
    for arguments in (("dump", str(folder)), ("audit", "--log", str(folder))):
        assert segment.name in refused(*arguments)


def begin(hours: Hours, records: int) -> None:
    hours.ok("init")
    publish(hours, records)


def publish(hours: Hours, records: int, seed: int = 1) -> None:
    """Publish up to so many records in all, and settle them."""
    load = Load(seed, now=datetime.now(UTC) - timedelta(hours=seed))
    before = sum(row["log_end"] for row in hours.rows("status"))
    events = [tap for _ in range(records) for tap in load.session()][: records - before]
    hours.ok("publish", input=lines(events))
    worker = hours.start_worker()
    hours.wait_until_settled(records)
    hours.stop_worker(worker)


def ask(hours: Hours, *arguments: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(cli.cli, arguments, env=hours.environment)


def rows(hours: Hours, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ask(hours, *arguments, "--json").stdout.splitlines()]
