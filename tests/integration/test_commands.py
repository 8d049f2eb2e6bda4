"""Each command does what its documentation says, as scripts outside rely on it.

In a process of its own where it has to be stopped, killed or looked for; in this one otherwise.
"""

import json
import re
import signal
import subprocess
import sys
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil
import pytest
from click.testing import CliRunner, Result
from kafka import KafkaProducer
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hours import cli
from ledger import queries
from ledger.engine import open_engine
from ledger.policy import Policy
from ledger.queries import Filters
from producers.volunteer_numbers import read_number
from tests import gateways
from tests.running import Hours, environment, eventually, lines
from tests.taps import tap

CHINESE = re.compile("[\u4e00-\u9fff]")
COMMANDS = (
    *("services", "init", "worker", "publish", "simulate", "settle", "status", "totals"),
    *("entries", "exceptions", "rejections", "dump", "audit", "demo"),
)
CREDIT = {
    *("activity", "closed_at", "closed_by", "log", "opened_at", "opened_by", "place"),
    *("recorded_at", "seconds", "seq", "session", "shard", "team", "type", "v", "volunteer"),
}
STATUS = {
    *("shard", "epoch", "next_offset", "next_seq", "log_end", "accepted", "duplicates"),
    "rejected",
}
EXCEPTION = {"volunteer", "source", "id", "kind", "occurred_at", "team", "place", "reason"}
REJECTION = {"partition", "offset", "reason", "detail"}
TOTAL = {"team", "day", "sessions", "seconds"}

NOW = datetime.now(UTC).replace(microsecond=0)
MORNING = datetime(2026, 3, 5, 1, 30, tzinfo=UTC)

on_sqlite = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)


def test_every_command_has_help_in_both_languages() -> None:
    assert set(cli.COMMANDS) >= set(COMMANDS)
    for arguments in ([], *([name] for name in cli.COMMANDS)):
        shown = CliRunner().invoke(cli.cli, [*arguments, "--help"])
        assert shown.exit_code == 0
        about = shown.output.split("\n\n")[1]
        assert CHINESE.search(about), arguments
        assert re.search("[A-Za-z]{4}", about), arguments


@pytest.mark.parametrize(
    "arguments",
    [["totals", "--bad"], ["nothing"], ["settle"], ["settle", "no-such-file"]],
)
def test_wrong_use_exits_with_2_and_says_how_to_get_help(
    arguments: list[str], tmp_path: Path
) -> None:
    done = Hours(environment(tmp_path)).run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "-h' for help" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_services_print_their_settings_and_leave_nothing(
    end: signal.Signals, tmp_path: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "hours", "services", "--postgres"],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as services:
        try:
            assert services.stdout is not None
            assert services.stderr is not None
            kafka, ledger = services.stdout.readline(), services.stdout.readline()
            assert re.fullmatch(rb"HOURS_KAFKA=127\.0\.0\.1:\d+\n", kafka)
            assert re.fullmatch(rb"HOURS_LEDGER_URL=postgresql\+psycopg://.+\n", ledger)
            assert any(b"Ready" in line for line in services.stderr)
            assert len(processes_of(tmp_path)) >= 2
            services.send_signal(end)
            assert services.wait(30) == 0
            assert services.stdout.read() == b""
            assert b"Traceback" not in services.stderr.read()
        finally:
            services.kill()
    eventually(lambda: not processes_of(tmp_path), "the end of every process")


@on_sqlite
def test_init_may_be_repeated_and_keeps_what_is_there(hours: Hours) -> None:
    ok(hours, "init")
    before = ok(hours, "entries", "--json")
    assert [json.loads(line)["type"] for line in before.splitlines()] == ["genesis"] * 4
    ok(hours, "init")
    assert ok(hours, "entries", "--json") == before


@on_sqlite
def test_publish_accounts_for_every_line_and_refuses_bad_ones_by_name(
    hours: Hours, tmp_path: Path
) -> None:
    ok(hours, "init")
    good = lines([tap("in", "V1", NOW, "a", team="team-1", place="place-1")])
    file = tmp_path / "taps.jsonl"
    file.write_bytes(good + b"\n" + b"rubbish\n" + good + b"{}\n" + good.rstrip(b"\n"))
    told = ask(hours, "publish", str(file))
    assert told.exit_code == 1
    assert "6 lines: 3 sent, 1 blank, 2 refused, 0 not acknowledged" in told.stdout
    assert "line 3: not-json" in told.stderr
    assert "line 5: not-a-cloudevent" in told.stderr
    as_json = ask(hours, "publish", "--json", input=file.read_bytes())
    *refused, account = map(json.loads, as_json.stdout.splitlines())
    assert as_json.exit_code == 1
    assert account == {"lines": 6, "blank": 1, "sent": 3, "refused": 2, "failed": 0}
    assert [(one["refused"]["line"], one["refused"]["reason"]) for one in refused] == [
        (3, "not-json"),
        (5, "not-a-cloudevent"),
    ]
    assert sum(row["log_end"] for row in rows(hours, "status")) == 6


def test_a_simulation_gives_the_same_bytes_twice_and_settles_with_no_services(
    tmp_path: Path,
) -> None:
    alone = Hours(environment(tmp_path / "none"))
    plan = ("simulate", "--from", "2026-03-02", "--days", "3", "--volunteers", "200", "--seed", "4")
    first = alone.ok(*plan)
    assert alone.ok(*plan) == first
    assert alone.ok(*plan[:-1], "5") != first
    settled = [json.loads(line) for line in settle_json(alone, first.encode())]
    kinds = [kind for one in settled for kind in one]
    assert kinds == sorted(kinds, key=["entry", "exception", "rejection"].index)
    taps = len(first.splitlines())
    credits = sum(one.get("entry", {}).get("type") == "credit" for one in settled)
    assert taps / 3 < credits <= taps / 2
    assert not (tmp_path / "none").exists()


def test_settle_gives_entries_then_exceptions_then_rejections(tmp_path: Path) -> None:
    file = tmp_path / "taps.jsonl"
    late = (MORNING + timedelta(days=30)).isoformat()
    file.write_bytes(
        lines(
            [
                tap("in", "V1", MORNING, "a", team="合唱队", place="p", activity="x"),
                tap("out", "V1", MORNING + timedelta(minutes=90), "b"),
                tap("in", "V2", MORNING, "c", team="读书会", place="place-1"),
                tap("in", "V3", MORNING, "d", team="读书会", place="p") | {"recordedat": late},
            ]
        )
        + b"rubbish\n"
    )
    alone = Hours(environment(tmp_path))
    genesis, credit, exception, too_late, rubbish = map(
        json.loads, alone.ok("settle", str(file), "--json").splitlines()
    )
    assert genesis["entry"]["type"] == "genesis"
    assert credit["entry"].keys() == CREDIT
    assert credit["entry"]["seconds"] == 5_400
    assert credit["entry"]["log"] == {"offset": 1, "partition": 0}
    assert exception["exception"].keys() == EXCEPTION
    assert (exception["exception"]["id"], exception["exception"]["reason"]) == ("c", "no-check-out")
    assert too_late["rejection"].keys() == rubbish["rejection"].keys() == REJECTION
    assert [
        (it["rejection"]["offset"], it["rejection"]["reason"]) for it in (too_late, rubbish)
    ] == [
        (3, "too-late"),
        (4, "not-json"),
    ]
    shown = alone.ok("settle", str(file))
    assert re.search(r"credit +V1 +合唱队 +2026-03-05T01:30:00\.000000Z +1:30:00", shown)
    assert shown.index("no-check-out") < shown.index("too-late") < shown.index("not-json")


@on_sqlite
def test_the_commands_that_read_give_the_documented_keys_and_keep_to_their_filters(
    hours: Hours,
) -> None:
    begin_small_ledger(hours)
    statuses = rows(hours, "status")
    assert all(row.keys() == STATUS for row in statuses)
    assert sum(row["next_offset"] for row in statuses) == 6
    assert [row["log_end"] for row in statuses] == [row["next_offset"] for row in statuses]
    without_kafka = Hours({**hours.environment, "HOURS_KAFKA": ""})
    assert {row["log_end"] for row in rows(without_kafka, "status")} == {None}
    found = rows(hours, "totals")
    assert all(row.keys() == TOTAL for row in found)
    assert [(row["team"], row["sessions"], row["seconds"]) for row in found] == [
        ("合唱队", 1, 3_600),
        ("读书会", 1, 1_800),
    ]
    day = found[0]["day"]
    assert rows(hours, "totals", "--team", "读书会") == found[1:]
    assert rows(hours, "totals", "--volunteer", "V1", "--day", day) == found[:1]
    assert rows(hours, "totals", "--day", "2020-01-01") == []
    (credit,) = rows(hours, "entries", "--volunteer", "V1")
    assert credit.keys() == CREDIT
    assert rows(hours, "entries", "--team", "合唱队", "--day", day) == [credit]
    (exception,) = rows(hours, "exceptions")
    assert exception.keys() == EXCEPTION
    assert (exception["volunteer"], exception["kind"]) == ("V3", "out")
    assert rows(hours, "exceptions", "--volunteer", "V1") == []
    (rejection,) = rows(hours, "rejections")
    assert rejection.keys() == REJECTION
    assert (rejection["offset"], rejection["reason"]) == (0, "not-json")
    assert rows(hours, "rejections", "--day", "2020-01-01") == []
    for command in ("status", "totals", "entries", "exceptions", "rejections"):
        assert CHINESE.search(ok(hours, command).splitlines()[0])


@on_sqlite
def test_audit_exits_with_1_and_names_the_first_difference(hours: Hours) -> None:
    begin_small_ledger(hours)
    (equal,) = rows(hours, "audit")
    assert (equal["shards"], equal["records"], equal["findings"]) == (4, 6, [])
    alter(hours, "UPDATE day_totals SET seconds = seconds + 1 WHERE team = '合唱队'")
    told = ask(hours, "audit")
    assert told.exit_code == 1
    assert re.search(r"First difference: invariant 3, shard \d, counter 合唱队", told.stdout)
    alter(hours, "UPDATE day_totals SET seconds = seconds - 1 WHERE team = '合唱队'")
    with pytest.raises(DBAPIError, match="append-only"):
        alter(hours, "DELETE FROM entries WHERE volunteer = 'V1'")
    with hours.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER entries_refuse_update"))
    changed = "CAST(replace(CAST(body AS TEXT), '3600', '7200') AS BLOB)"
    alter(hours, f"UPDATE entries SET body = {changed} WHERE volunteer = 'V1'")
    as_json = ask(hours, "audit", "--json")
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["findings"][0]["invariant"] == 2


@on_sqlite
def test_a_simulation_killed_on_its_way_to_kafka_goes_on_where_it_was(hours: Hours) -> None:
    hours.ok("init")
    position = Path(hours.environment["HOURS_HOME"]) / "position.json"
    plan = ["simulate", "--to-kafka", "--days", "2", "--taps", "600", "--position", str(position)]
    with subprocess.Popen(
        [sys.executable, "-m", "hours", *plan, "--rate", "200"],
        env=hours.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as simulating:
        eventually(lambda: position.exists() or simulating.poll() is not None, "a position")
        simulating.kill()
    counted = json.loads(position.read_text())["published"]
    (rest,) = re.findall(r"(\d+) events published", hours.ok(*plan))
    assert 0 < counted < counted + int(rest)
    assert "0 events published" in hours.ok(*plan)
    hours.start_worker()
    in_the_log = sum(row["log_end"] for row in hours.rows("status"))
    assert in_the_log >= counted + int(rest)  # what was not counted yet came twice
    hours.wait_until_settled(in_the_log)
    assert sum(row["accepted"] for row in hours.rows("status")) > 0.9 * (counted + int(rest))
    assert "Equal" in hours.ok("audit")
    other = hours.run(*plan, "--seed", "2")
    assert other.returncode == 2
    assert "belongs to another simulation plan" in other.stderr


def test_the_demo_shows_everything_lets_people_tap_and_leaves_nothing_running(
    tmp_path: Path,
) -> None:
    deployed = {  # of no concern to it: it tells nobody's webhook, and asks no provider or secret
        "kafka_user": "worker",
        "kafka_password_file": str(tmp_path / "absent"),
        "oidc_issuer": "https://sign-in.invalid",
        "exceptions_webhook": "https://told.invalid",
        "signing_key_file": str(tmp_path / "absent"),
    }
    alone = Hours(environment(tmp_path, **deployed))
    with (tmp_path / "shown").open("wb") as out:
        demo = subprocess.Popen(
            [sys.executable, "-m", "hours", "demo", "--stay"],
            env=alone.environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        link, number = eventually(lambda: tried(tmp_path / "shown"), "a kiosk to try", 300)
        kept = Hours(environment(tmp_path / "demo"))
        assert tapped(link, number)["state"] == "accepted"
        eventually(lambda: str(read_number(number)) in present(kept), "the tap in the ledger")
        board, password = signing_in(tmp_path / "shown")
        for role in ("leader", "officer", "centre", "auditor", "operator"):
            assert signs_in(board, role, password)
    finally:
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 0
    shown = (tmp_path / "shown").read_text()
    assert "Equal" in shown
    assert re.search(r"时长 hours \d+:\d\d:\d\d", shown)
    eventually(lambda: not processes_of(tmp_path), "the end of every process")
    assert sum(row["seconds"] for row in kept.rows("totals")) > 0


def tried(shown: Path) -> tuple[str, str] | None:
    """The kiosk's address and the number to type, once the demo has said them."""
    found = re.search(r"(http://\S+#code=\S+).*?number: +(\S+)", shown.read_text(), re.S)
    return (found[1], found[2]) if found else None


def tapped(link: str, number: str) -> dict[str, Any]:
    """The answer to a check-in of whoever has this number."""
    address, _, code = link.partition("/#code=")
    enrolled = httpx.post(f"{address}/api/enrol", json={"code": code}).json()
    headers = {"authorization": f"Bearer {enrolled['key']}"}
    volunteer = str(read_number(number))
    teams = httpx.get(f"{address}/api/roster", headers=headers).json()["kiosk"]["teams"]
    made = gateways.tap("in", volunteer, team=teams[0])
    said = {"taps": [made], "report": gateways.report()}
    (answer,) = httpx.post(f"{address}/api/taps", json=said, headers=headers).json()["taps"]
    return dict(answer)


def present(hours: Hours) -> set[str]:
    ledger = Path(hours.environment["HOURS_HOME"]) / "ledger.db"
    with queries.reading(open_engine(f"sqlite:///{ledger}")) as connection:
        found = queries.present(connection, Filters(), Policy(), time.time_ns() // 1_000)
    return {one.volunteer for one in found}


def signing_in(shown: Path) -> tuple[str, str]:
    """The board's address, and the password of its accounts, as the demo says them."""
    said = r"看板 The board.*?(http://\S+).*?the password of all: +(\S+)"
    found = re.search(said, shown.read_text(), re.S)
    assert found
    return found[1], found[2]


def signs_in(board: str, name: str, password: str) -> bool:
    """Whether the front page opens for an account."""
    with httpx.Client(base_url=board, headers={"origin": board}) as browser:
        browser.post("/sign-in", data={"name": name, "password": password})
        return browser.get("/").status_code == 200


def ask(hours: Hours, *arguments: str, input: bytes = b"") -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(cli.cli, arguments, input=input, env=hours.environment)


def ok(hours: Hours, *arguments: str, input: bytes = b"") -> str:
    done = ask(hours, *arguments, input=input)
    assert done.exit_code == 0, done.output
    return done.stdout


def rows(hours: Hours, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ok(hours, *arguments, "--json").splitlines()]


def settle_json(hours: Hours, events: bytes) -> list[str]:
    return hours.ok("settle", "-", "--json", input=events).splitlines()


def begin_small_ledger(hours: Hours) -> None:
    """Two sessions on one day, an out without an in, and a record that is no event; settled."""
    ok(hours, "init")
    came = NOW - timedelta(days=2)
    events = [
        tap("in", "V1", came, "a", team="合唱队", place="p", activity="x"),
        tap("out", "V1", came + timedelta(hours=1), "b"),
        tap("in", "V2", came, "c", team="读书会", place="place-1"),
        tap("out", "V2", came + timedelta(minutes=30), "d"),
        tap("out", "V3", came, "e"),
    ]
    produce(hours, b"rubbish")
    ok(hours, "publish", input=lines(events))
    worker = hours.start_worker()
    hours.wait_until_settled(6)
    assert hours.stop_worker(worker) == 0


def produce(hours: Hours, value: bytes) -> None:
    with closing(KafkaProducer(bootstrap_servers=hours.environment["HOURS_KAFKA"])) as producer:
        producer.send(f"{hours.environment['HOURS_TOPIC_PREFIX']}.taps", value).get(30)


def alter(hours: Hours, statement: str) -> None:
    with hours.engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount > 0


def processes_of(home: Path) -> list[psutil.Process]:
    """Processes that name a folder of `home`."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if any(f"{home}/" in argument for argument in process.cmdline()):
                found.append(process)
    return found
