"""What kiosks and desks send: seeded visits, with all that goes wrong in the field.

Pure. Events are made as JSON here and not through the product's models. Not how they reach
Kafka: that is `load`. Invariant: a seed and a beginning give the same records in the same order.
"""

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple

STRUCTURED = ("content-type", b"application/cloudevents+json; charset=utf-8")
Json = dict[str, Any]

_TEAMS = ("合唱队", "义诊队", "读书会", "Green team", "理论宣讲")
_DAYS_BACK = 11


class Sent(NamedTuple):
    """A record as a client gives it to Kafka; `partition` None: by the key."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int | None = None


class Kiosks:
    """A district's kiosks. `volunteers` are named `V<name>-<number>`."""

    def __init__(self, seed: object, begun: datetime, name: str = "", volunteers: int = 900):
        self._random = random.Random(f"kiosks {seed}")
        self._begun = begun
        self._name = name
        self._clocks = [begun - timedelta(days=_DAYS_BACK)] * volunteers
        self._made = 0

    def visits(self) -> Iterator[list[Sent]]:
        """Visit after visit: a few records each, mostly an in and an out, in any order."""
        while True:
            yield self._delivered(self._visit())

    def ahead(self) -> list[Sent]:
        """A check-in from a kiosk whose clock is a little or far ahead."""
        ahead = timedelta(seconds=self._random.choice((100, 290, 310, 900, 86_400, 10**7)))
        return self._delivered([self._in(self._volunteer(), self._begun + ahead)])

    def behind(self) -> list[Sent]:
        """A visit by a kiosk whose clock is too far, or just not too far, behind."""
        behind = timedelta(days=self._random.choice((12, 13.9, 14.1, 40, 4_000)))
        opened, volunteer = self._begun - behind, self._volunteer()
        return self._delivered(
            [self._in(volunteer, opened), self._out(volunteer, opened + timedelta(hours=1))]
        )

    def malformed(self) -> list[Sent]:
        """A record that is no event, or none for its partition."""
        event = self._in(self._volunteer(), self._begun - timedelta(days=2))
        return [self._random.choice(_SPOILING)(event)]

    def _visit(self) -> list[Json]:
        number = self._random.randrange(len(self._clocks))
        volunteer = f"V{self._name}-{number}"
        opened = self._clocks[number] + self._seconds(61, 2_000)
        closed = opened + self._seconds(1, 3_000 if self._random.random() < 0.99 else 70_000)
        if closed > self._begun:
            opened, closed = (moment - timedelta(days=_DAYS_BACK) for moment in (opened, closed))
        self._clocks[number] = closed
        visit = [self._in(volunteer, opened), self._out(volunteer, closed)]
        for part, chance in (
            (self._forget, 0.05),
            (self._tap_twice, 0.06),
            (self._void, 0.04),
            (self._contradict, 0.01),
            (self._adjust, 0.03),
            (self._change_team, 0.03),
        ):
            if self._random.random() < chance:
                part(visit)
        return visit

    def _forget(self, visit: list[Json]) -> None:
        del visit[self._random.randrange(2)]

    def _tap_twice(self, visit: list[Json]) -> None:
        first = self._random.choice(visit)
        again = datetime.fromisoformat(first["time"]) + self._seconds(0, 70)
        visit.append({**first, "id": self._id(), "time": again.isoformat()})

    def _void(self, visit: list[Json]) -> None:
        taken = self._random.choice(visit)
        voided = {
            "tap_source": taken["source"],
            "tap_id": taken["id"] if self._random.random() < 0.8 else "no-such-tap",
            "by": "王队长",
            "reason": "刷错了卡",
        }
        visit.append(self._event("tap-voided", taken["subject"], self._begun, voided))

    def _contradict(self, visit: list[Json]) -> None:
        first = visit[0]
        other = datetime.fromisoformat(first["time"]) + timedelta(microseconds=1)
        visit.append({**first, "time": other.isoformat()})

    def _adjust(self, visit: list[Json]) -> None:
        adjusted = {
            "team": self._random.choice(_TEAMS),
            "day": (self._begun - timedelta(days=self._random.randrange(40))).date().isoformat(),
            "seconds": self._random.choice((-86_400, -600, 1, 3_600, 86_400)),
            "by": "desk-1",
            "approved_by": "desk-2",
            "reason": "补录",
        }
        visit.append(self._event("adjusted", visit[0]["subject"], self._begun, adjusted))

    def _change_team(self, visit: list[Json]) -> None:
        """Into another team in the very moment of leaving one."""
        last = visit[-1]
        visit.append(self._in(last["subject"], datetime.fromisoformat(last["time"])))

    def _in(self, volunteer: str, at: datetime) -> Json:
        data = {
            "team": self._random.choice(_TEAMS),
            "place": f"station-{self._random.randrange(6)}",
        }
        if self._random.random() < 0.2:
            data["activity"] = f"activity-{self._random.randrange(3)}"
        if self._random.random() < 0.05:
            data |= {"supplied_by": "desk-3", "reason": "忘了刷卡"}
        return self._event("checked-in", volunteer, at, data)

    def _out(self, volunteer: str, at: datetime) -> Json:
        data = {} if self._random.random() < 0.5 else {"place": "station-1", "unheard_of": 1}
        return self._event("checked-out", volunteer, at, data)

    def _event(self, kind: str, volunteer: str, at: datetime, data: Json) -> Json:
        return {
            "specversion": "1.0",
            "type": f"hours.{kind}.v1",
            "source": f"/kiosks/{self._random.randrange(30)}",
            "id": self._id(),
            "subject": volunteer,
            "time": at.isoformat(),
            "data": data,
        }

    def _delivered(self, events: list[Json]) -> list[Sent]:
        """In any order, some of them twice, some in other words."""
        sent = list(events)
        sent += [self._reworded(event) for event in events if self._random.random() < 0.04]
        self._random.shuffle(sent)
        return [_binary(it) if self._random.random() < 0.1 else structured(it) for it in sent]

    def _reworded(self, event: Json) -> Json:
        """The same event: another offset, another order of keys."""
        at = datetime.fromisoformat(event["time"]).astimezone(timezone(timedelta(hours=8)))
        return dict(reversed({**event, "time": at.isoformat()}.items()))

    def _seconds(self, least: int, most: int) -> timedelta:
        return timedelta(microseconds=self._random.randint(least * 1_000_000, most * 1_000_000))

    def _volunteer(self) -> str:
        return f"V{self._name}-{self._random.randrange(len(self._clocks))}"

    def _id(self) -> str:
        self._made += 1
        return f"{self._name}.{self._made}"


def structured(event: Json) -> Sent:
    """The event in structured mode."""
    return Sent(event["subject"].encode(), _json(event), (STRUCTURED,))


def begun_now() -> datetime:
    """The moment a load's events are placed around."""
    return datetime.now(UTC).replace(microsecond=0)


def _binary(event: Json) -> Sent:
    attributes = {name: it for name, it in event.items() if name != "data"}
    headers = [(f"ce_{name}", it.encode()) for name, it in attributes.items()]
    kind = ("content-type", b"application/json")
    return Sent(event["subject"].encode(), _json(event["data"]), (*headers, kind))


def _json(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _with(**changed: Any) -> Callable[[Json], Sent]:
    return lambda event: structured({**event, **changed})


def _without(name: str) -> Callable[[Json], Sent]:
    return lambda event: structured(event)._replace(
        value=_json({key: it for key, it in event.items() if key != name})
    )


def _as(make: Callable[[bytes], bytes | None]) -> Callable[[Json], Sent]:
    return lambda event: Sent(event["subject"].encode(), make(_json(event)), (STRUCTURED,))


def _elsewhere(event: Json) -> Sent:
    """In every partition in turn, as a client without keys has it; in one of them it is right."""
    return structured(event)._replace(partition=len(event["id"] + event["subject"]) % 4)


_SPOILING: tuple[Callable[[Json], Sent], ...] = (
    _as(lambda value: None),
    _as(lambda value: b""),
    _as(lambda value: value[:-9]),
    _as(lambda value: value.replace(b"/kiosks", b"/kiosk\xff")),
    _as(lambda value: b"[" + value + b"]"),
    _as(lambda value: value[:-1] + b',"id":"twice"}'),
    _as(lambda value: b"42"),
    _with(specversion="0.3"),
    _with(type="hours.checked-in.v2"),
    _with(time="2026-02-30T10:00:00Z"),
    _with(time="yesterday"),
    _with(data={"team": "合唱队"}),
    _with(data={"team": "", "place": "station-1"}),
    _with(id="x" * 129),
    _with(padding="x" * 70_000),
    _without("specversion"),
    _without("type"),
    _without("subject"),
    _elsewhere,
)
