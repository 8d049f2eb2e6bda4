"""The oracle: what a log comes to, worked out from the rules alone, one volunteer at a time.

It never saw the product's settling: bytes in, plain sets out, nothing forgotten, every question
asked of the volunteer's whole history again. Slow by that, and meant to be. Times are
microseconds.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tests.chaos.reading import Bad, Event, Logged, read

PARTITIONS = 4
SECOND = 1_000_000
HORIZON = 14 * 86_400 * SECOND
SKEW = 300 * SECOND
CAP = 16 * 3_600 * SECOND
DEBOUNCE = 60 * SECOND
MARGIN = 3_600 * SECOND
WINDOW = HORIZON + CAP + SKEW + MARGIN
_ZONE = ZoneInfo("Asia/Shanghai")

IN, OUT = "hours.checked-in.v1", "hours.checked-out.v1"
VOID, ADJUSTED = "hours.tap-voided.v1", "hours.adjusted.v1"


class Session(NamedTuple):
    """A credit that should stand."""

    volunteer: str
    opened_by: tuple[str, str]
    closed_by: tuple[str, str]
    opened_at: int
    closed_at: int
    team: str
    place: str
    activity: str
    seconds: int


class Half(NamedTuple):
    """A tap without a partner, as a leader would see it at the last record's time."""

    volunteer: str
    source: str
    id: str
    at: int
    kind: str
    team: str
    place: str
    activity: str
    status: str


Grain = tuple[str, str, str, str]
"""Team, place, activity, day."""


@dataclass
class Truth:
    """What a log comes to."""

    ends: dict[tuple[int, int], str] = field(default_factory=dict)
    """`accepted`, `duplicate` or a reason, by partition and offset."""
    watermark: int = 0
    sessions: set[Session] = field(default_factory=set)
    adjustments: set[Event] = field(default_factory=set)
    halves: set[Half] = field(default_factory=set)

    def totals(self) -> dict[Grain, tuple[int, int]]:
        """Sessions and seconds of each counter, where they aren't both nought."""
        sessions: Counter[Grain] = Counter()
        seconds: Counter[Grain] = Counter()
        for one in self.sessions:
            grain = (one.team, one.place, one.activity, civil_day(one.opened_at))
            sessions[grain] += 1
            seconds[grain] += one.seconds
        for event in self.adjustments:
            grain = (event.says("team"), "", event.says("activity"), event.says("day"))
            seconds[grain] += event.says("seconds")
        totals = {grain: (sessions[grain], seconds[grain]) for grain in seconds}
        return {grain: worth for grain, worth in totals.items() if worth != (0, 0)}


class _Judged(NamedTuple):
    """An event of the log, and what it is judged by."""

    place: tuple[int, int]
    event: Event
    watermark: int
    judged_at: int


def truth_of(log: Iterable[Logged], partitions: int = PARTITIONS) -> Truth:
    """What the log comes to; each partition's records in their order."""
    truth = Truth()
    watermarks: dict[int, int] = {}
    by_volunteer: defaultdict[str, list[_Judged]] = defaultdict(list)
    for record in log:
        place = (record.partition, record.offset)
        watermark = max(record.recorded_at, watermarks.get(record.partition, 0))
        watermarks[record.partition] = watermark
        try:
            event = read(record, partitions)
        except Bad as bad:
            truth.ends[place] = str(bad)
            continue
        judged_at = max(record.recorded_at, watermark - MARGIN)
        by_volunteer[event.volunteer].append(_Judged(place, event, watermark, judged_at))
    truth.watermark = max(watermarks.values(), default=0)
    for judged in by_volunteer.values():
        _add_volunteer(truth, judged)
    return truth


def civil_day(instant: int) -> str:
    """The ISO date in the ledger's timezone."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)
    return moment.astimezone(_ZONE).date().isoformat()


def _add_volunteer(truth: Truth, judged: list[_Judged]) -> None:
    accepted: list[Event] = []
    voided: list[Event] = []
    for one in judged:
        known = [event for event in accepted if event.at >= one.watermark - WINDOW]
        end = _end(one, known)
        truth.ends[one.place] = end
        if end == "accepted":
            accepted.append(one.event)
            if one.event.type == VOID:
                voided += _named(one.event, known)
    truth.adjustments.update(event for event in accepted if event.type == ADJUSTED)
    standing = [event for event in accepted if event.type in (IN, OUT) and event not in voided]
    _pair(truth, standing)


def _end(one: _Judged, known: list[Event]) -> str:
    event = one.event
    if event.at < one.judged_at - HORIZON:
        return "too-late"
    if event.at > one.judged_at + SKEW:
        return "from-the-future"
    same = [it for it in known if (it.source, it.id) == (event.source, event.id)]
    if same:
        return "duplicate" if same == [event] else "conflicting-identity"
    if event.type == VOID and not _named(event, known):
        return "unknown-tap"
    return "accepted"


def _named(void: Event, known: list[Event]) -> list[Event]:
    wanted = (void.says("tap_source"), void.says("tap_id"))
    return [it for it in known if it.type in (IN, OUT) and (it.source, it.id) == wanted]


def _pair(truth: Truth, taps: list[Event]) -> None:
    """Sort, leave out what repeats, scan once."""
    ordered = sorted(taps, key=lambda tap: (tap.at, tap.type == IN, tap.source, tap.id))
    left = [
        tap
        for before, tap in zip([None, *ordered], ordered, strict=False)
        if before is None or not _repeats(before, tap)
    ]
    for before, tap, after in zip([None, *left], left, [*left[1:], None], strict=False):
        if tap.type == IN and after is not None and _belong(tap, after):
            truth.sessions.add(_session(tap, after))
        elif tap.type == IN:
            still_here = after is None and truth.watermark - tap.at <= CAP
            truth.halves.add(_half(tap, "open" if still_here else "no-check-out"))
        elif before is None or not _belong(before, tap):
            truth.halves.add(_half(tap, "no-check-in"))


def _repeats(before: Event, tap: Event) -> bool:
    if tap.type != before.type or tap.at - before.at > DEBOUNCE:
        return False
    return tap.type == OUT or all(tap.says(it) == before.says(it) for it in ("team", "place"))


def _belong(tap: Event, after: Event) -> bool:
    return tap.type == IN and after.type == OUT and after.at - tap.at <= CAP


def _session(opened: Event, closed: Event) -> Session:
    return Session(
        opened.volunteer, (opened.source, opened.id), (closed.source, closed.id),
        opened.at, closed.at,
        opened.says("team"), opened.says("place"), opened.says("activity"),
        (closed.at - opened.at) // SECOND,
    )  # fmt: skip


def _half(tap: Event, status: str) -> Half:
    return Half(
        tap.volunteer, tap.source, tap.id, tap.at, "in" if tap.type == IN else "out",
        tap.says("team"), tap.says("place"), tap.says("activity"), status,
    )  # fmt: skip
