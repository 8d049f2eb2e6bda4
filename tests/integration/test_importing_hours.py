"""Past hours from spreadsheets through real Kafka: each row counts once, whatever happens."""

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
from click.testing import CliRunner, Result

from hours import cli, commands_past_hours
from hours.settings import WrongUse
from ledger.policy import Policy
from ledger.roster import store as roster_store
from ledger.roster.planning import plan
from ledger.roster.records import Person, Team
from ledger.roster.store import Deed
from ledger.roster.vault import PrivateData, Vault, new_key
from ledger.shard import Shard
from ledger.store import open_store
from producers.durations import seconds_of
from producers.kafka_access import KafkaAccess
from streams.decoding import decode
from streams.log import open_log
from tests.past_hours import csv_file, row, workbook
from tests.running import Hours, eventually

on_sqlite = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)

DAY = 86_400 * 1_000_000
ROWS = [
    row(volunteer=f"V{number}", day=f"2025-0{number % 9 + 1}-11", hours=f"{number % 5 + 1}:15")
    for number in range(40)
]
TWICE = [*ROWS, ROWS[0]]
"""One of them served the same team twice on a day."""

KILLED_AFTER_HALF = """
import os, signal, sys
from kafka import KafkaProducer
real, sent = KafkaProducer.send, []
def send(self, *arguments, **more):
    sent.append(real(self, *arguments, **more))
    if len(sent) == 20:
        [one.get(30) for one in sent]
        os.kill(os.getpid(), signal.SIGKILL)
    return sent[-1]
KafkaProducer.send = send
"""
STOPPED_BEFORE_PUBLISHING = """
import os, signal, sys
from streams import imports
real = imports.publish
def publish(*arguments):
    os.kill(os.getpid(), signal.SIGSTOP)
    return real(*arguments)
imports.publish = publish
"""
THE_COMMAND = """
from hours.cli import main
sys.argv[0] = "hours"
main()
"""


class Told(NamedTuple):
    """What the command answered."""

    exit_code: int
    plan: dict[str, int]
    outcomes: dict[str, int]
    said: list[dict[str, Any]]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [one[kind] for one in self.said if kind in one]


def told(exit_code: int, output: str) -> Told:
    said = [json.loads(line) for line in output.splitlines()]
    plans, outcomes = ([one[kind] for one in said if kind in one] for kind in ("plan", "outcomes"))
    return Told(exit_code, plans[0], outcomes[0] if outcomes else {}, said)


def import_hours(hours: Hours, *arguments: str | Path) -> Told:
    done = ask(hours, "import-hours", *map(str, arguments), "--json")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return told(done.exit_code, done.stdout)


def ask(hours: Hours, *arguments: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(cli.cli, arguments, env=hours.environment)


def ok(hours: Hours, *arguments: str) -> str:
    done = ask(hours, *arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def totals(hours: Hours) -> dict[tuple[str, str], int]:
    """Seconds by team and day."""
    found = map(json.loads, ok(hours, "totals", "--json").splitlines())
    return {(one["team"], one["day"]): one["seconds"] for one in found}


def begin(hours: Hours, program: str, *arguments: str | Path) -> subprocess.Popen[str]:
    """Start the command in a process in which something happens to it."""
    return subprocess.Popen(
        [sys.executable, "-c", program + THE_COMMAND, "import-hours", *arguments, "--json"],
        env=hours.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def worth(rows: Iterable[Mapping[str, str]]) -> dict[tuple[str, str], int]:
    """Seconds by team and day, reckoned from the rows themselves."""
    totals: Counter[tuple[str, str]] = Counter()
    for one in rows:
        totals[one["team"], one["day"]] += seconds_of(one["hours"]) or 0
    return dict(totals)


def log_end(hours: Hours) -> int:
    statuses = map(json.loads, ok(hours, "status", "--json").splitlines())
    return sum(one["log_end"] for one in statuses)


def assert_exact(hours: Hours, rows: Iterable[Mapping[str, str]]) -> None:
    assert totals(hours) == worth(rows)
    assert sum(one.head.rejected for one in hours.statuses()) == 0
    assert "Equal" in ok(hours, "audit")


def test_a_file_counts_once_however_often_it_is_imported(hours: Hours, tmp_path: Path) -> None:
    ok(hours, "init")
    file = workbook(tmp_path / "六月.xlsx", TWICE)
    dry = import_hours(hours, file, tmp_path / ".." / tmp_path.name / file.name)
    assert (dry.exit_code, dry.plan["new"], log_end(hours)) == (0, 41, 0)
    assert dry.plan["seconds"] == sum(worth(TWICE).values())
    assert sum(one["seconds"] for one in dry.of("sum")) == dry.plan["seconds"]
    assert [one["rows"] for one in dry.of("warning") if one["reason"] == "unknown-team"] == [41]

    unsettled = import_hours(hours, file, "--apply", "--wait", "0")
    assert (unsettled.exit_code, unsettled.outcomes["waiting"]) == (2, 41)
    again = import_hours(hours, file, "--apply", "--wait", "0")
    assert (again.exit_code, again.plan["new"], again.plan["on_their_way"]) == (2, 0, 41)
    assert again.outcomes["waiting"] == 41

    hours.start_worker()
    settled = import_hours(hours, file, "--apply")
    assert (settled.exit_code, settled.plan["new"]) == (0, 0)
    moved = csv_file(tmp_path / "补录.csv", [row(volunteer="V99"), *reversed(TWICE)])
    inserted = import_hours(hours, moved, "--apply")
    assert (inserted.exit_code, inserted.plan["new"], inserted.plan["there"]) == (0, 1, 41)
    assert inserted.outcomes == {"credited": 1, "duplicate": 0, "rejected": 0, "waiting": 0}
    assert [one["row"] for one in inserted.of("row")] == [2]

    changed = {**ROWS[3], "hours": "0:30"}
    corrected = import_hours(hours, workbook(tmp_path / "b.xlsx", [changed, *ROWS[4:]]), "--apply")
    assert (corrected.plan["new"], corrected.plan["there"]) == (1, 36)
    assert "hours-that-day" in {one["reason"] for one in corrected.of("warning")}
    assert_exact(hours, [*TWICE, row(volunteer="V99"), changed])
    assert log_end(hours) == 43


def test_an_import_killed_in_the_middle_is_finished_by_the_next(
    hours: Hours, tmp_path: Path
) -> None:
    ok(hours, "init")
    hours.start_worker()
    file = workbook(tmp_path / "a.xlsx", TWICE)
    killed = begin(hours, KILLED_AFTER_HALF, file, "--apply")
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert log_end(hours) == 20
    rest = import_hours(hours, file, "--apply")
    assert (rest.exit_code, rest.plan["new"]) == (0, 21)
    assert rest.plan["there"] + rest.plan["on_their_way"] == 20
    assert_exact(hours, TWICE)


@on_sqlite
def test_two_who_import_a_file_at_the_same_moment_add_it_once(hours: Hours, tmp_path: Path) -> None:
    ok(hours, "init")
    hours.start_worker()
    file = workbook(tmp_path / "a.xlsx", TWICE)
    other = begin(hours, STOPPED_BEFORE_PUBLISHING, file, "--apply")
    try:
        process = psutil.Process(other.pid)
        eventually(lambda: process.status() == psutil.STATUS_STOPPED, "both have looked")
        first = import_hours(hours, file, "--apply")
        other.send_signal(signal.SIGCONT)
        output, _ = other.communicate(timeout=60)
    finally:
        other.kill()
    second = told(other.returncode, output)
    assert (first.outcomes["credited"], second.plan["new"]) == (41, 41)
    assert (second.exit_code, second.outcomes["duplicate"]) == (0, 41)
    assert_exact(hours, TWICE)


def test_a_file_imported_again_when_settling_has_forgotten_it_adds_nothing(
    hours: Hours, tmp_path: Path
) -> None:
    ok(hours, "init")
    file = workbook(tmp_path / "a.xlsx", TWICE)
    assert import_hours(hours, file, "--apply", "--wait", "0").outcomes["waiting"] == 41
    settle_as_if(hours, days_ago=60)
    hours.start_worker()
    later = import_hours(hours, file, workbook(tmp_path / "b.xlsx", [row()]), "--apply")
    assert (later.exit_code, later.plan["there"], later.plan["new"]) == (0, 41, 1)
    assert totals(hours) == worth([*TWICE, row()])
    assert log_end(hours) == 42


def settle_as_if(hours: Hours, days_ago: int) -> None:
    """Settle the log as a worker would have, had it been written that long ago."""
    environment = hours.environment
    policy, shift = Policy(), days_ago * DAY
    store = open_store(environment["HOURS_LEDGER_URL"], "tongzhou.hours.example", policy)
    with open_log(
        KafkaAccess(environment["HOURS_KAFKA"]), hours.taps_topic, policy.shard_count
    ) as log:
        for number, (_, end) in log.bounds.items():
            claim = store.claim(number)
            records = [
                decode(record, number, policy.shard_count)
                for batch in log.read(number, end)
                for record in batch
            ]
            earlier = [
                one._replace(
                    recorded_at=one.recorded_at - shift,
                    content=one.content._replace(occurred_at=one.content.occurred_at - shift),
                )
                for one in records
            ]
            store.append(number, claim.epoch, Shard(number, policy, claim.head).fold(earlier))
    store.engine.dispose()


@on_sqlite
def test_a_row_that_settling_rejects_is_named_and_can_be_imported_again(
    hours: Hours, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ok(hours, "init")
    hours.start_worker()
    file = workbook(tmp_path / "a.xlsx", ROWS[:3])
    real = commands_past_hours.time.time
    with monkeypatch.context() as wrong_clock:
        wrong_clock.setattr("hours.commands_past_hours.time.time", lambda: real() + 3 * 86_400)
        rejected = import_hours(hours, file, "--apply")
    assert (rejected.exit_code, rejected.outcomes["rejected"]) == (1, 3)
    assert {one["reason"] for one in rejected.of("row")} == {"from-the-future"}
    assert [one["row"] for one in rejected.of("row")] == [2, 3, 4]
    assert import_hours(hours, file, "--apply").outcomes["credited"] == 3
    assert totals(hours) == worth(ROWS[:3])


@on_sqlite
def test_with_one_refusal_nothing_is_published(hours: Hours, tmp_path: Path) -> None:
    ok(hours, "init")
    file = workbook(tmp_path / "a.xlsx", [*ROWS, row(hours="25")])
    refused = import_hours(hours, file, "--apply")
    assert (refused.exit_code, log_end(hours)) == (1, 0)
    (refusal,) = refused.of("refusal")
    assert (refusal["row"], refusal["header"], refusal["value"], refusal["reason"]) == (
        *(42, "时长*", "25", "over-a-day"),
    )
    shown = ask(hours, "import-hours", str(file))
    assert (shown.exit_code, shown.stderr) == (1, "")
    assert "over-a-day" in shown.stdout
    assert isinstance(ask(hours, "import-hours").exception, WrongUse)


@on_sqlite
def test_the_template_is_taken_as_it_is(hours: Hours, tmp_path: Path) -> None:
    ok(hours, "init")
    template = tmp_path / "t.xlsx"
    ok(hours, "import-hours", "--template", str(template))
    again = ask(hours, "import-hours", "--template", str(template))
    assert isinstance(again.exception, WrongUse)
    nowhere = ask(hours, "import-hours", "--template", str(tmp_path / "nowhere" / "t.xlsx"))
    assert isinstance(nowhere.exception, WrongUse)
    taken = import_hours(hours, template)
    assert (taken.exit_code, taken.plan["new"], taken.plan["refusals"]) == (0, 2, 0)


@on_sqlite
def test_rows_may_name_people_by_document_and_teams_by_name(hours: Hours, tmp_path: Path) -> None:
    ok(hours, "init")
    key = new_key()
    sealed = Vault([key]).seal("V1", PrivateData(name="王小明", document="G123456"))
    wanted = [Team(code="choir", kind="other", name_zh="合唱队")]
    with roster_store.changing(hours.engine) as connection:
        before = roster_store.load(connection)
        planned = plan(before, [*wanted, Person(volunteer="V1", private_version=1)])
        deed = Deed(by="registrar", why="建名册", at=1_790_000_000_000_000)
        roster_store.apply(connection, before, planned.changes, deed, {("V1", 1): sealed})
    file = csv_file(tmp_path / "补录.csv", [row(volunteer=None, document="G123456")])
    assert isinstance(ask(hours, "import-hours", str(file)).exception, WrongUse)
    (tmp_path / "key").write_text(key)
    hours.environment["HOURS_ROSTER_KEY_FILE"] = str(tmp_path / "key")
    found = import_hours(hours, file, "--apply", "--wait", "0")
    assert [one["volunteer"] for one in found.of("row")] == ["V1"]
    assert [one["team"] for one in found.of("sum")] == ["choir"]
    assert found.of("warning") == []
