"""Records as they come from anywhere: seeded, well-formed in part, and spoilt in every layer.

The same seed and clock give the same records. A third of them is left well-formed, from a few
volunteers, so that a worker has sessions to settle between the rubbish.
"""

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from producers.partitioning import partition_of
from tests.fuzz import mutations

Headers = tuple[tuple[str, bytes | None], ...]
STRUCTURED = (("content-type", b"application/cloudevents+json; charset=utf-8"),)
LARGEST = 700_000
"""Bytes of the largest value: Kafka takes batches of a mebibyte."""


class RawRecord(NamedTuple):
    """A record on its way to a partition."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def records(seed: int, now: datetime, partitions: int) -> Iterator[RawRecord]:
    """Without end."""
    maker = _Maker(seed, now, partitions)
    while True:
        yield maker.record()


class _Maker:
    def __init__(self, seed: int, now: datetime, partitions: int) -> None:
        self._chance = random.Random(seed)
        self._now = now
        self._partitions = partitions
        self._count = 0
        self._sent: list[RawRecord] = []
        self._events: list[dict[str, Any]] = []
        self._homes = {f"V{number:03}": 0 for number in range(200)}
        for volunteer in self._homes:
            self._homes[volunteer] = partition_of(volunteer, partitions)

    def record(self) -> RawRecord:
        ways: tuple[tuple[Callable[[], RawRecord], int], ...] = (
            (self._whole, 34), (self._again, 4), (self._members, 22), (self._text, 14),
            (self._bytes, 12), (self._headers, 8), (self._placed, 4), (self._rubbish, 1),
            (self._large, 1),
        )  # fmt: skip
        made = self._chance.choices(*zip(*ways, strict=True))[0]()
        if len(self._sent) < 1_000:
            self._sent.append(made)
        elif self._chance.random() < 0.05:
            self._sent[self._chance.randrange(1_000)] = made
        return made

    def _whole(self) -> RawRecord:
        return self._of(self._event())

    def _again(self) -> RawRecord:
        return self._chance.choice(self._sent) if self._sent else self._whole()

    def _members(self) -> RawRecord:
        event = self._event()
        for _ in range(self._chance.choice((1, 1, 1, 2, 3))):
            mutations.spoil_member(event, self._chance, self._now)
        return self._of(event)

    def _text(self) -> RawRecord:
        record = self._of(self._event())
        return record._replace(value=mutations.spoil_text(record.value or b"", self._chance))

    def _bytes(self) -> RawRecord:
        record, value = self._of(self._event()), b""
        value = record.value or b""
        for _ in range(self._chance.choice((1, 1, 2, 5))):
            value = mutations.spoil_bytes(value, self._chance)
        return record._replace(value=value)

    def _headers(self) -> RawRecord:
        record = self._of(self._event())
        return record._replace(headers=mutations.spoil_headers(record.headers, self._chance))

    def _placed(self) -> RawRecord:
        chance, record = self._chance, self._of(self._event())
        key = chance.choice((None, b"", b"\xff\xfe", b"V1\0", b"V" * 300, record.key))
        return record._replace(key=key, partition=chance.randrange(self._partitions))

    def _rubbish(self) -> RawRecord:
        chance = self._chance
        value = chance.choice(
            (None, b"", b" ", b"null", b"{}", b"[]", b"\0", chance.randbytes(chance.randrange(200)))
        )
        return RawRecord(chance.randrange(self._partitions), chance.choice((None, b"k")), value, ())

    def _large(self) -> RawRecord:
        chance, record = self._chance, self._whole()
        value, size = record.value or b"", sum(len(name) + len(it or b"") for name, it in record[3])
        wanted = chance.choices(
            (65_535, 65_536, 65_537, 70_000, 200_000, LARGEST), (8, 8, 8, 8, 1, 0.2)
        )[0]
        # Spaces before the end: a good event still, of exactly so many bytes.
        return record._replace(value=value[:-1].ljust(wanted - size - 1) + value[-1:])

    def _of(self, event: dict[str, Any]) -> RawRecord:
        """A record of the event in one of the modes, where it belongs."""
        chance, subject = self._chance, event.get("subject")
        home = self._homes.get(subject, 0) if isinstance(subject, str) else 0
        key = subject.encode(errors="replace") if isinstance(subject, str) else None
        mode = chance.random()
        if mode < 0.2:
            headers, value = _binary(event)
            return RawRecord(home, key, value, headers)
        separators = chance.choice(((",", ":"), (", ", ": "), (" ,\t", " :\r\n")))
        value = _text_of(event, separators, chance.random() < 0.3)
        return RawRecord(home, key, value, STRUCTURED if mode < 0.9 else ())

    def _event(self) -> dict[str, Any]:
        """A well-formed event."""
        chance, self._count = self._chance, self._count + 1
        kind = chance.choices(("in", "out", "void", "adjusted"), (45, 45, 5, 5))[0]
        ago = timedelta(seconds=chance.randrange(13 * 86_400), microseconds=chance.randrange(10**6))
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": f"f-{self._count}",
            "source": f"/kiosks/{chance.randrange(3)}",
            "subject": chance.choice(list(self._homes)),
            "time": (self._now - ago).astimezone(UTC).isoformat(),
        }
        if kind in ("void", "adjusted"):
            event |= self._desk_event(kind)
        else:
            event["type"] = f"hours.checked-{kind}.v1"
            event["data"] = {"place": "站一"}
            if kind == "in":
                event["data"]["team"] = chance.choice(("合唱队", "义诊队", "t-3"))
        if len(self._events) < 500:
            self._events.append(event)
        else:
            self._events[chance.randrange(500)] = event
        return {**event, "data": dict(event["data"])}

    def _desk_event(self, kind: str) -> dict[str, Any]:
        chance = self._chance
        if kind == "void" and self._events:
            target = chance.choice(self._events)
            data = {"tap_source": target["source"], "tap_id": target["id"], "by": "leader"}
            return {
                "subject": target["subject"],
                "type": "hours.tap-voided.v1",
                "data": {**data, "reason": "误刷"},
            }
        return {
            "type": "hours.adjusted.v1",
            "data": {
                "team": "合唱队", "day": "2026-02-05", "seconds": chance.choice((-900, 1, 86_400)),
                "by": "leader", "approved_by": "office", "reason": "补录\n纸质签到",
            },
        }  # fmt: skip


def _binary(event: dict[str, Any]) -> tuple[Headers, bytes]:
    """In CloudEvents' binary mode, as far as attributes are texts."""
    headers = [
        (f"ce_{name}", value.encode(errors="replace"))
        for name, value in event.items()
        if isinstance(value, str) and name.isprintable()
    ]
    return (
        (*headers, ("content-type", b"application/json")),
        json.dumps(event.get("data")).encode(),
    )


def _text_of(event: dict[str, Any], separators: tuple[str, str], is_ascii: bool) -> bytes:
    try:
        return json.dumps(event, ensure_ascii=is_ascii, separators=separators).encode()
    except UnicodeEncodeError:  # a surrogate, which only an escape can say
        return json.dumps(event, separators=separators).encode()
