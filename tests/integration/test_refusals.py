"""What the product refuses to work with: one line, Chinese then English, exit code 2, nothing done.

Real Kafka and real databases; the command runs in this process, as nothing here gets far enough
to need one of its own, except where a process has to be alive while another is refused.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from sqlalchemy import text

from hours import cli
from hours.services.embedded import free_port
from tests.running import CLAIMED_NOTHING, Hours, eventually

KEPT = {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1"}
CHINESE = re.compile("[\u4e00-\u9fff]")

Refused = Callable[..., str]

on_sqlite = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Refused:
    """Runs `hours …` to its refusal, and gives the one line."""

    def run(environment: Mapping[str, str], *arguments: str, **other: str) -> str:
        with monkeypatch.context() as patch:
            for name in environment:
                patch.setenv(name, environment[name])
            for name, value in other.items():
                patch.setenv(f"HOURS_{name.upper()}", value)
            patch.setattr("sys.argv", ["hours", *arguments])
            capfd.readouterr()
            with pytest.raises(SystemExit) as left:
                cli.main()
        out, err = capfd.readouterr()
        assert (left.value.code, out) == (2, ""), err
        (line,) = err.strip().splitlines()
        assert_reads_well(line)
        return line

    return run


def assert_reads_well(line: str) -> None:
    """A Chinese sentence, then an English one."""
    chinese, _, english = line.partition("。 ")
    assert CHINESE.search(chinese)
    assert not CHINESE.search(english)
    assert len(english.split()) > 3
    assert "Traceback" not in line


# The log of record


@on_sqlite
@pytest.mark.parametrize(
    ("partitions", "settings", "difference"),
    [
        (4, {"message.timestamp.type": "CreateTime"}, "message.timestamp.type=CreateTime"),
        (4, {"retention.ms": "604800000"}, "retention.ms=604800000 ≠ -1"),
        (4, {"retention.bytes": "1000000"}, "retention.bytes=1000000 ≠ -1"),
        (4, {"cleanup.policy": "compact"}, "cleanup.policy=compact ≠ delete"),
        (4, {"cleanup.policy": "compact,delete"}, "cleanup.policy=compact,delete ≠ delete"),
        (3, {}, "partitions=3 ≠ 4"),
    ],
)
def test_a_topic_set_otherwise_than_the_log_of_record_must_be_is_named_by_its_setting(
    hours: Hours, refused: Refused, partitions: int, settings: dict[str, str], difference: str
) -> None:
    create_taps_topic(hours, partitions, {**KEPT, **settings})
    line = refused(hours.environment, "init")
    assert difference in line
    assert line.count("≠") == 2 + 2  # in each language: the heading's, and one difference's
    assert refused(hours.environment, "worker") == line


@on_sqlite
def test_every_wrong_setting_of_a_topic_is_named_at_once(hours: Hours, refused: Refused) -> None:
    create_taps_topic(hours, 2, {})
    line = refused(hours.environment, "init")
    assert all(name in line for name in ("timestamp.type", "retention.ms", "partitions=2 ≠ 4"))


@on_sqlite
def test_a_worker_without_a_topic_says_to_run_init(hours: Hours, refused: Refused) -> None:
    hours.ok("init")
    line = refused(hours.environment, "worker", topic_prefix="nobody")
    assert "has no topic nobody.taps: run hours init" in line


@on_sqlite
def test_a_log_that_lost_its_beginning_or_was_made_anew_stops_worker_and_audit(
    hours: Hours, refused: Refused
) -> None:
    hours.ok("init")
    settle_one_bad_record(hours)
    with closing(KafkaAdminClient(bootstrap_servers=hours.environment["HOURS_KAFKA"])) as admin:
        topic = hours.taps_topic
        admin.delete_records({TopicPartition(topic, 0): 1})
        assert "begins at 1, 0 is needed" in refused(hours.environment, "audit")
        admin.delete_topics([topic])
        eventually(lambda: topic not in admin.list_topics(), "the end of the topic")
    create_taps_topic(hours, 4, KEPT)
    assert "ends at 0, the ledger at 1" in refused(hours.environment, "audit")
    worker = hours.start_worker()
    assert worker.wait(30) == 2
    assert_reads_well(hours.logs().splitlines()[-1])
    assert "ends at 0, the ledger at 1: was the topic made anew?" in hours.logs().splitlines()[-1]
    assert "Traceback" not in hours.logs()


# The ledger


@pytest.mark.parametrize(
    ("setting", "value", "difference"),
    [
        ("timezone", "Europe/Berlin", "timezone: Asia/Shanghai ≠ Europe/Berlin"),
        ("ledger_name", "other.example", "ledger: tongzhou.hours.example ≠ other.example"),
        ("shards", "5", "shard_count: 4 ≠ 5"),
    ],
)
def test_a_ledger_begun_with_other_settings_is_refused_by_every_command_that_opens_it(
    begun: Hours, refused: Refused, setting: str, value: str, difference: str
) -> None:
    for command in ("init", "worker", "totals", "audit"):
        assert difference in refused(begun.environment, command, **{setting: value})


def test_a_database_newer_than_the_program_asks_for_a_newer_program(
    begun: Hours, refused: Refused
) -> None:
    with begun.engine.begin() as connection:
        connection.execute(text("UPDATE schema_version SET version_num = '9999'"))
    for command in ("init", "worker", "status", "audit"):
        line = refused(begun.environment, command)
        assert "at version 9999, newer than this program knows: upgrade the program" in line


@pytest.fixture
def begun(hours: Hours) -> Hours:
    hours.ok("init")
    return hours


def test_a_database_without_a_ledger_says_to_run_init(hours: Hours, refused: Refused) -> None:
    for command in ("worker", "totals", "audit"):
        assert "run hours init" in refused(hours.environment, command)


@on_sqlite
def test_a_database_that_does_not_answer_is_named_without_its_password(
    hours: Hours, refused: Refused
) -> None:
    nobody = f"postgresql://hours:secret@127.0.0.1:{free_port()}/hours"
    for command in ("init", "worker", "totals", "audit"):
        line = refused(hours.environment, command, ledger_url=nobody)
        assert "check that it runs, and HOURS_LEDGER_URL" in line
        assert "secret" not in line


@on_sqlite
@pytest.mark.parametrize(
    "rubbish",
    [
        "rubbish secret",
        "postgresql+nothing://hours:secret@127.0.0.1/hours",
        "mysql://hours:secret@127.0.0.1/hours",
        "http://hours:secret@127.0.0.1/",
        "sqlite:////dev",
        "sqlite://",
        "postgresql://hours:secret@127.0.0.1:port/hours",
        "sqlite:////proc/no/ledger.db",
    ],
)
def test_a_ledger_url_that_can_not_be_used_is_refused_and_not_repeated(
    hours: Hours, refused: Refused, rubbish: str
) -> None:
    line = refused(hours.environment, "totals", ledger_url=rubbish)
    assert "HOURS_LEDGER_URL" in line
    assert ":secret@" not in line


@on_sqlite
def test_a_second_worker_on_one_sqlite_ledger_is_refused_and_the_first_works_on(
    hours: Hours, refused: Refused
) -> None:
    hours.ok("init")
    first = hours.start_worker()
    hours.wait_for_new_claims(CLAIMED_NOTHING)
    assert "to run several, use PostgreSQL" in refused(hours.environment, "worker")
    assert hours.stop_worker(first) == 0


# Kafka, and the settings


def test_without_kafka_a_command_that_needs_it_says_how_to_get_one(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HOURS_KAFKA", raising=False)
    for command in ("init", "worker", "publish", "audit"):
        line = refused({"HOURS_HOME": str(tmp_path)}, command)
        assert "run `hours services` in another terminal" in line
    assert list(tmp_path.iterdir()) == []


@on_sqlite
def test_a_kafka_that_does_not_answer_is_named_by_every_command(hours: Hours) -> None:
    hours.ok("init")
    nobody = f"127.0.0.1:{free_port()}"
    asked = [(nobody, it) for it in ("init", "worker", "status", "audit")]
    with ThreadPoolExecutor() as at_once:
        answers = at_once.map(lambda one: refused_by(hours, *one), [*asked, ("rubbish", "init")])
        for kafka, returncode, line in answers:
            assert returncode == 2
            assert_reads_well(line)
            assert f"Kafka at {kafka} does not answer" in line
            assert "check that it runs, and HOURS_KAFKA" in line


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("timezone", ["Mars/Olympus", "/etc/passwd", "../etc", "UTC\n"]),
        ("shards", ["0", "-1", "four", "1025", "1.5", "1e3"]),
        ("ledger_name", ["two words", "名字", "tab\t"]),
        ("topic_prefix", ["a/b", "a b", "志愿", "x" * 101]),
        ("session_seconds", ["0", "nan", "inf", "1e9", "soon"]),
        ("web_port", ["0", "65536", "http", "-1"]),
    ],
)
def test_rubbish_in_a_setting_is_refused_by_the_settings_name(
    refused: Refused, setting: str, values: list[str]
) -> None:
    for value in values:
        assert f"HOURS_{setting.upper()} can't be used" in refused({}, "totals", **{setting: value})


@on_sqlite
def test_nothing_but_the_line_is_said_not_even_an_empty_one(
    hours: Hours,
) -> None:
    assert len(hours.run("audit").stderr.splitlines()) == 1


def refused_by(hours: Hours, kafka: str, command: str) -> tuple[str, int, str]:
    done = Hours({**hours.environment, "HOURS_KAFKA": kafka}).run(command)
    (line,) = done.stderr.strip().splitlines()
    return kafka, done.returncode, line


def create_taps_topic(hours: Hours, partitions: int, settings: dict[str, str]) -> None:
    topic = NewTopic(hours.taps_topic, partitions, 1, topic_configs=settings)
    with closing(KafkaAdminClient(bootstrap_servers=hours.environment["HOURS_KAFKA"])) as admin:
        admin.create_topics([topic])


def settle_one_bad_record(hours: Hours) -> None:
    with closing(KafkaProducer(bootstrap_servers=hours.environment["HOURS_KAFKA"])) as producer:
        producer.send(hours.taps_topic, b"{}", partition=0).get(30)
    worker = hours.start_worker()
    hours.wait_until_settled(1)
    assert hours.stop_worker(worker) == 0


STANDING_STILL = """
from hours.cli import main
from streams import app, standstill

async def left_to_others(self):
    return {0: 5}

app._DOUBT_SECONDS = 0.2
app.Standstill = lambda: standstill.Standstill(patience=1)
app.HoursApp._left_to_others = left_to_others
main()
"""


def test_a_worker_that_was_given_nothing_while_nobody_settles_ends_with_a_line(
    hours: Hours,
) -> None:
    hours.ok("init")
    done = subprocess.run(
        [sys.executable, "-c", STANDING_STILL, "worker"],
        env=hours.environment,
        capture_output=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.decode().splitlines()[-1].endswith("it has ended; start it again.")
