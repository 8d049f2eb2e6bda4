"""What the public sees: the district's figures, this week's activities, and good people 好人墙.

Read at most once a minute, for all who look. Invariant: no personal data but what somebody agreed
to have shown, masked, and certificates on public notice, which is what the notice is for.
"""

import json
import time
from collections.abc import Sequence
from datetime import date, timedelta
from threading import Lock
from typing import NamedTuple

from sqlalchemy import Connection, RowMapping, or_, select

from dashboards.board.stars import Stars, stars_of
from ledger.evidence.certificates import on_notice
from ledger.good_people import good_people
from ledger.policy import Policy
from ledger.queries import day_bounds
from ledger.roster.calling import all_called
from ledger.roster.tables import activities, people

_KEPT_SECONDS = 60.0
_MOST_PEOPLE = 200


class Occasion(NamedTuple):
    """An activity of the week; instants in microseconds."""

    code: str
    title: str
    unit: str
    start: int
    end: int | None
    status: str
    served: int | None
    capacity: int | None
    teams: tuple[str, ...]


class Shown(NamedTuple):
    """Somebody on the wall."""

    called: str
    seconds: int
    stars: Stars


class OnNotice(NamedTuple):
    """A certificate that is on public notice: for whom, masked, of how much, until when."""

    number: str
    called: str
    seconds: int
    until: int


class PublicView(NamedTuple):
    """All of it, as of `read_at` (microseconds); the wall has the first of the good people."""

    read_at: int
    volunteers: int
    activities: Sequence[Occasion]
    wall: Sequence[Shown]
    good_people: int
    notices: Sequence[OnNotice]


class PublicViews:
    """The view that was read last, while it is fresh."""

    def __init__(self, levels_hours: Sequence[int]) -> None:
        self._levels = levels_hours
        self._lock = Lock()
        self._now: tuple[float, PublicView] | None = None

    def current(self, connection: Connection, policy: Policy, now: int) -> PublicView:
        """The view, read anew where it is over a minute old; others wait for who reads."""
        with self._lock:
            if self._now is None or time.monotonic() - self._now[0] > _KEPT_SECONDS:
                view = read_view(connection, policy, now, self._levels)
                self._now = (time.monotonic(), view)
            return self._now[1]


def read_view(
    connection: Connection, policy: Policy, now: int, levels_hours: Sequence[int]
) -> PublicView:
    """What the public sees now."""
    today = policy.civil_day(now)
    agreed = good_people(connection, today, levels_hours[0] * 3_600)
    active = select(people.c.volunteer).where(people.c.status == "active")
    return PublicView(
        now,
        len(connection.execute(active).all()),
        activities_between(connection, *_week(today), policy),
        [Shown(*one, stars_of(one.seconds, levels_hours)) for one in agreed[:_MOST_PEOPLE]],
        len(agreed),
        _notices(connection),
    )


def _notices(connection: Connection) -> list[OnNotice]:
    waiting = on_notice(connection)
    called = all_called(connection, {one.volunteer for one in waiting})
    return [
        OnNotice(one.number, called.get(one.volunteer, "–"), one.certified_seconds, one.until)
        for one in waiting
    ]


def activities_between(
    connection: Connection, first: str, last: str, policy: Policy
) -> list[Occasion]:
    """The activities planned or held in these days, the earliest first."""
    start, stop = day_bounds(first, policy.timezone)[0], day_bounds(last, policy.timezone)[1]
    table = activities.c
    begins = (table.planned_start, table.held_start)
    rows = connection.execute(
        select(activities).where(
            table.status != "cancelled", or_(*((at >= start) & (at < stop) for at in begins))
        )
    )
    found = [_occasion(row) for row in rows.mappings()]
    return sorted(found, key=lambda one: (one.start, one.code))


def _week(today: str) -> tuple[str, str]:
    monday = date.fromisoformat(today) - timedelta(days=date.fromisoformat(today).weekday())
    return monday.isoformat(), (monday + timedelta(days=6)).isoformat()


def _occasion(one: RowMapping) -> Occasion:
    held = one["status"] == "held"
    start = one["held_start"] if held else one["planned_start"]
    end = one["held_end"] if held else one["planned_end"]
    begun = start if start is not None else one["held_start"] or one["planned_start"]
    return Occasion(
        *(one["code"], one["title"], one["unit"], begun, end, one["status"], one["served"]),
        *(one["capacity"], tuple(json.loads(one["teams"]))),
    )
