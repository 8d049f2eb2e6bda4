"""A log on which anybody may write anything: each bad record is refused with its reason and its
place, and stops nothing.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from kafka import KafkaProducer

from producers.partitioning import partition_of
from tests.running import Hours
from tests.taps import tap

NOW = datetime.now(UTC).replace(microsecond=0)
SHARDS = 4
BAD = "V-BAD"
HOME = partition_of(BAD, SHARDS)
ELSEWHERE = (HOME + 1) % SHARDS
STRUCTURED = ("content-type", b"application/cloudevents+json")
DEEP = 10_000

Header = tuple[str, bytes]


class Bad(NamedTuple):
    """A record that nobody should write, and how it ends."""

    reason: str
    value: bytes | None
    headers: list[Header] = []  # noqa: RUF012 - never changed
    partition: int = HOME


def check_in(**members: Any) -> dict[str, Any]:
    """A good check-in but for what is given; None takes an attribute away."""
    event = tap("in", BAD, NOW - timedelta(hours=2), "bad-1", team="team-1", place="place-1")
    return {name: value for name, value in (event | members).items() if value is not None}


def check_in_data(**members: Any) -> dict[str, Any]:
    data = {"team": "team-1", "place": "place-1"} | members
    return check_in(data={name: value for name, value in data.items() if value is not None})


def adjustment(**members: Any) -> dict[str, Any]:
    data = {"team": "team-1", "day": NOW.date().isoformat(), "seconds": 60}
    who = {"by": "leader-1", "approved_by": "leader-2", "reason": "power cut"}
    return check_in(type="hours.adjusted.v1", data=data | who | members)


def raw(event: dict[str, Any], before: str = "", after: str = "") -> bytes:
    return json.dumps(event).replace(before, after).encode()


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def binary(event: dict[str, Any], *more: Header) -> tuple[bytes, list[Header]]:
    """Value and headers of a binary-mode event."""
    value = json.dumps(event.get("data")).encode()
    attributes = [(f"ce_{it}", str(event[it]).encode()) for it in event if it != "data"]
    return value, [("content-type", b"application/json"), *attributes, *more]


FORM = {
    "nothing but words": Bad("not-json", b"hello"),
    "half an event": Bad("not-json", raw(check_in())[:-9]),
    "two events in one": Bad("not-json", raw(check_in()) * 2),
    "no UTF-8": Bad("not-utf-8", b'{"type":"\xff"}'),
    "a surrogate written as UTF-8": Bad(
        "not-utf-8", raw(check_in(id="@")).replace(b"@", b"\xed\xa0\x80")
    ),
    "half a surrogate pair": Bad("not-json", raw(check_in_data(team="\ud83d"))),
    "NaN": Bad("not-json", raw(check_in_data(weight=float("nan")))),
    "a number beyond numbers": Bad("not-json", raw(check_in_data(weight="@"), '"@"', "1e999")),
    "brackets all the way down": Bad("not-json", nested(DEEP).encode()),
    "an event with a bottomless field": Bad(
        "not-json", raw(check_in_data(extra="@"), '"@"', nested(DEEP))
    ),
    "one name said twice": Bad("not-json", raw(check_in(), '"id"', '"id": "bad-2", "id"')),
    "an array": Bad("not-a-cloudevent", b"[]"),
    "a number": Bad("not-a-cloudevent", b"17"),
    "null": Bad("not-a-cloudevent", b"null"),
    "an empty object": Bad("not-a-cloudevent", b"{}"),
    "no type": Bad("not-a-cloudevent", raw(check_in(type=None))),
    "no specversion": Bad("not-a-cloudevent", raw(check_in(specversion=None))),
    "another specversion": Bad("not-a-cloudevent", raw(check_in(specversion="0.3"))),
    "a tombstone": Bad("empty-value", None),
    "no bytes": Bad("empty-value", b""),
    "64 KiB and a byte": Bad("too-large", raw(check_in()).ljust(65_537)),
    "900 kB": Bad("too-large", b"x" * 900_000),
    "as much as the broker takes": Bad("too-large", b"x" * 1_048_450),
    "headers of 70 kB": Bad("too-large", raw(check_in()), [("trace", b"x" * 70_000)]),
}

CONTRACT = {
    "an unknown type": Bad("unknown-type", raw(check_in(type="hours.celebrated.v1"))),
    "a version to come": Bad("unknown-type", raw(check_in(type="hours.checked-in.v2"))),
    "no volunteer": Bad("invalid-field", raw(check_in(subject=None))),
    "no id": Bad("invalid-field", raw(check_in(id=None))),
    "no time": Bad("invalid-field", raw(check_in(time=None))),
    "no data": Bad("invalid-field", raw(check_in(data=None))),
    "no team": Bad("invalid-field", raw(check_in_data(team=None))),
    "no place": Bad("invalid-field", raw(check_in_data(place=None))),
    "a number for an id": Bad("invalid-field", raw(check_in(id=17))),
    "a list for data": Bad("invalid-field", raw(check_in(data=[]))),
    "a number for a team": Bad("invalid-field", raw(check_in_data(team=17))),
    "a blank team": Bad("invalid-field", raw(check_in_data(team=" "))),
    "an id in Chinese": Bad("invalid-field", raw(check_in(id="编号"))),
    "an id of 129 characters": Bad("invalid-field", raw(check_in(id="x" * 129))),
    "NUL in an id": Bad("invalid-field", raw(check_in(id="bad\0"))),
    "NUL in a team": Bad("invalid-field", raw(check_in_data(team="team\0"))),
    "a time without an offset": Bad("invalid-field", raw(check_in(time="2026-03-05T01:30:00"))),
    "a time in words": Bad("invalid-field", raw(check_in(time="yesterday"))),
    "a time in numbers": Bad("invalid-field", raw(check_in(time=1_800_000_000))),
    "the 30th of February": Bad("invalid-field", raw(check_in(time="2026-02-30T01:30:00Z"))),
    "a time past year 9999": Bad("invalid-field", raw(check_in(time="9999-12-31T23:59:59-01:00"))),
    "an adjustment approved by its author": Bad(
        "invalid-field", raw(adjustment(approved_by="leader-1"))
    ),
    "an adjustment of nothing": Bad("invalid-field", raw(adjustment(seconds=0))),
    "an adjustment of more than a day": Bad("invalid-field", raw(adjustment(seconds=86_401))),
    "an adjustment of half a second": Bad("invalid-field", raw(adjustment(seconds=0.5))),
    "an adjustment in words": Bad("invalid-field", raw(adjustment(seconds="60"))),
    "an adjustment of no day": Bad("invalid-field", raw(adjustment(day="2026-02-30"))),
}

HEADERS = {
    "a header that names another id": Bad(
        "not-a-cloudevent", raw(check_in()), [STRUCTURED, ("ce_id", b"bad-2")]
    ),
    "a header that names another volunteer": Bad(
        "not-a-cloudevent", raw(check_in()), [STRUCTURED, ("ce_subject", b"V1")]
    ),
    "a header that is no UTF-8": Bad(
        "not-a-cloudevent", raw(check_in()), [STRUCTURED, ("ce_id", b"\xff")]
    ),
    "a picture": Bad("not-a-cloudevent", raw(check_in()), [("content-type", b"image/png")]),
    "a batch": Bad(
        "not-a-cloudevent", b"[]", [("content-type", b"application/cloudevents-batch+json")]
    ),
    "a binary event whose header comes twice": Bad(
        "not-a-cloudevent", *binary(check_in(), ("ce_id", b"bad-2"))
    ),
    "a binary event with its data in a header": Bad(
        "not-a-cloudevent", *binary(check_in(), ("ce_data", b"{}"))
    ),
    "a binary event of unknown type": Bad(
        "unknown-type", *binary(check_in(type="hours.celebrated.v1"))
    ),
    "a binary event that leaves its object": Bad("not-json", b"{}}", binary(check_in())[1]),
}

TRUTH = {
    "15 days old": Bad("too-late", raw(check_in(time=(NOW - timedelta(days=15)).isoformat()))),
    "from year 1": Bad("too-late", raw(check_in(time="0001-01-01T00:00:00Z"))),
    "an hour ahead": Bad(
        "from-the-future", raw(check_in(time=(NOW + timedelta(hours=1)).isoformat()))
    ),
    "from year 9999": Bad("from-the-future", raw(check_in(time="9999-12-31T23:59:59.999999Z"))),
    "a known id with another team": Bad(
        "conflicting-identity", raw(check_in_data(team="team-2") | {"id": "known"})
    ),
    "a known id of another type": Bad("conflicting-identity", raw(adjustment() | {"id": "known"})),
    "a void of nothing": Bad(
        "unknown-tap",
        raw(
            check_in(
                type="hours.tap-voided.v1",
                data={"tap_source": "/kiosks/1", "tap_id": "no", "by": "leader-1", "reason": "-"},
            )
        ),
    ),
    "in another partition": Bad("wrong-partition", raw(check_in()), [], ELSEWHERE),
    "in another partition, with headers": Bad("wrong-partition", *binary(check_in()), ELSEWHERE),
}

EVERY_BAD_RECORD = FORM | CONTRACT | HEADERS | TRUTH


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_every_bad_record_is_refused_by_its_reason_and_place_and_the_good_ones_settle(
    hours: Hours,
) -> None:
    hours.ok("init")
    worker = hours.start_worker()
    with closing(producer_to(hours)) as producer:
        futures = list(sending(producer, f"{hours.environment['HOURS_TOPIC_PREFIX']}.taps"))
        places = [(name, reason, future.get(30)) for name, reason, future in futures]
    expected = {(it.partition, it.offset): (name, reason) for name, reason, it in places if reason}
    sent = len(places)
    hours.wait_until_settled(sent)
    rejections = hours.rows("rejections")
    found = {
        place: (expected.get(place, ("a good record", ""))[0], row["reason"])
        for row in rejections
        for place in [(row["partition"], row["offset"])]
    }
    assert found == expected
    assert [row["detail"] for row in rejections if not reads_well(row["detail"])] == []
    (total,) = hours.rows("totals", "--team", "good")
    sessions = len(EVERY_BAD_RECORD)
    assert (total["sessions"], total["seconds"]) == (sessions, 600 * sessions)
    assert [row["id"] for row in hours.rows("exceptions")] == []
    assert worker.poll() is None
    assert hours.stop_worker(worker) == 0
    assert f"Equal: {sent} records" in hours.ok("audit")
    assert "Traceback" not in hours.logs()


def sending(producer: KafkaProducer, topic: str) -> Iterator[tuple[str, str, Any]]:
    """Name, reason (none for the good) and future of each: a bad one within each good session."""
    opened = NOW.replace(hour=0, minute=0, second=0) - timedelta(days=1)
    closed = opened + timedelta(minutes=10)
    known = raw(check_in(id="known"))
    yield "known", "", producer.send(topic, known, partition=HOME)
    for number, (name, bad) in enumerate(EVERY_BAD_RECORD.items()):
        volunteer = f"V{number}"
        home = partition_of(volunteer, SHARDS)
        came = raw(tap("in", volunteer, opened, "a", team="good", place="place-1"))
        left = raw(tap("out", volunteer, closed, "b"))
        yield "came", "", producer.send(topic, came, partition=home)
        key, value, headers, partition = b"any", bad.value, bad.headers, bad.partition
        yield name, bad.reason, producer.send(topic, value, key, headers, partition)
        yield "left", "", producer.send(topic, left, partition=home)


def producer_to(hours: Hours) -> KafkaProducer:
    return KafkaProducer(
        bootstrap_servers=hours.environment["HOURS_KAFKA"],
        acks="all",
        max_request_size=2_000_000,
    )


def reads_well(detail: str) -> bool:
    return detail.isprintable() and 10 < len(detail) <= 300
