"""What a clerk enters at a desk: kept at once, in the log in the end, in the ledger as a tap is."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from producers.kiosk.outbox_rows import OutboxRows
from tests.gateways import Gateway
from tests.running import Hours, eventually

WHO = "V7K2M9QXTA1"
SHANGHAI = ZoneInfo("Asia/Shanghai")
WHY = ("--why", "忘带证件", "--by", "王主任")


@pytest.fixture
def ledger_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def desk(hours: Hours) -> Hours:
    hours.ok("init")
    return hours


def ago(**delta: float) -> str:
    """A local time, as a clerk types it."""
    return (datetime.now(UTC) - timedelta(**delta)).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def entered(hours: Hours, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(hours.ok("desk", *words, *WHY, "--json"))
    return found


def test_in_out_void_and_adjust_at_a_desk_settle_as_a_kiosks_taps_do(desk: Hours) -> None:
    desk.start_worker()
    came = ("in", f"{WHO}-W", "--team", "合唱队", "--place", "station-03", "--at", ago(hours=3))
    opened = entered(desk, *came)
    assert opened["in_log"]
    assert opened["event"]["source"] == "/desks/%E7%8E%8B%E4%B8%BB%E4%BB%BB"
    assert opened["event"]["subject"] == WHO
    entered(desk, "out", WHO, "--at", ago(hours=1))
    wrong = entered(desk, "in", WHO, "--team", "义诊队", "--place", "station-03")["event"]
    entered(desk, "void", WHO, wrong["source"], wrong["id"])
    day = ago(hours=3)[:10]
    adjusting = ("adjust", WHO, "--team", "合唱队", "--day", day, "--approved-by", "李书记")
    entered(desk, *adjusting, "--hours=-0:30")
    desk.wait_until_settled(5)
    assert desk.totals()["合唱队", day] == 2 * 3_600 - 1_800
    assert desk.rows("exceptions") == []
    assert "Equal" in desk.ok("audit")


def test_while_kafka_is_away_it_is_kept_and_sent_later(desk: Hours) -> None:
    there = desk.environment["HOURS_KAFKA"]
    desk.environment["HOURS_KAFKA"] = "127.0.0.1:9"
    kept = desk.run("desk", "out", WHO, *WHY)
    assert kept.returncode == 0
    assert "已存盘" in kept.stdout
    waiting = desk.run("desk", "send")
    assert (waiting.returncode, "1 still wait" in waiting.stdout) == (1, True)
    desk.environment["HOURS_KAFKA"] = there
    assert "全部已入日志" in desk.ok("desk", "send")
    assert sum(log_ends(desk)) == 1
    assert "全部已入日志" in desk.ok("desk", "send")
    assert sum(log_ends(desk)) == 1


def test_what_kafka_will_never_take_is_not_said_to_be_in_the_log(desk: Hours) -> None:
    small = ConfigResource(ConfigResourceType.TOPIC, desk.taps_topic, {"max.message.bytes": "900"})
    with closing(KafkaAdminClient(bootstrap_servers=desk.environment["HOURS_KAFKA"])) as admin:
        admin.alter_configs([small], incremental=True)
    refused = desk.run("desk", "out", WHO, "--why", "忘" * 500, "--by", "王主任")
    assert refused.returncode == 2
    assert "Kafka will never take" in refused.stderr
    assert entered(desk, "out", WHO)["in_log"]
    assert sum(log_ends(desk)) == 1


def test_a_gateway_on_the_same_file_sends_what_the_desk_enters(desk: Hours) -> None:
    gateway = Gateway(desk)
    gateway.start()
    try:
        assert entered(desk, "out", WHO)["in_log"]
    finally:
        gateway.kill()
    eventually(lambda: sum(log_ends(desk)) == 1, "one record")


def log_ends(hours: Hours) -> list[int]:
    return [row["log_end"] for row in hours.rows("status")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("out", WHO, "--at", "2999-01-01 00:00"), "还没有到"),
        (("out", WHO, "--at", "2020-01-01 00:00"), "hours desk adjust"),
        (("out", WHO, "--at", "昨天"), "读不懂"),
        (("out", "志愿者"), "subject"),
        (("in", WHO, "--team", " ", "--place", "p"), "team"),
        (("out", WHO, "--why", "电话13800001234"), "reason 像是手机号码或证件号码"),
        (("out", WHO, "--by", "13800001234"), "supplied_by 像是手机号码或证件号码"),
        (("out", "13800001234"), "VOLUNTEER 像是手机号码或证件号码"),
        (
            ("adjust", WHO, "--team", "t", "--day", "2026-07-01", "--hours", "1",
             "--approved-by", "王主任"),
            "approved_by must differ",
        ),
        (
            ("adjust", WHO, "--team", "t", "--day", "2026-07-01", "--hours", "很久",
             "--approved-by", "a"),
            "读不懂",
        ),
    ],
)  # fmt: skip
def test_what_can_not_be_is_refused_in_one_line_and_nothing_is_kept(
    hours: Hours, words: tuple[str, ...], said: str
) -> None:
    done = hours.run("desk", words[0], *WHY, *words[1:])
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    file = Path(hours.environment["HOURS_HOME"]) / "kiosk" / "gateway.db"
    with closing(OutboxRows(file)) as rows:
        assert rows.standing().waiting == 0


def test_a_dry_run_shows_the_event_and_keeps_nothing(hours: Hours) -> None:
    event = json.loads(hours.ok("desk", "out", WHO, *WHY, "--dry-run"))
    assert event["type"] == "hours.checked-out.v1"
