"""Exceptions: what is to be put right, and how it could be."""

from typing import NamedTuple

from fastapi import APIRouter, Query
from sqlalchemy import Connection, select
from starlette.responses import Response

from dashboards.board.refusing import no_such_thing, not_yours
from dashboards.board.times import exact_field_of, field_of
from dashboards.board.visiting import Visit, Visiting
from dashboards.board.words import Words
from ledger import queries
from ledger.corrections import store
from ledger.corrections.halves import WaitingHalf, exceptions, half
from ledger.policy import SECOND
from ledger.roster.calling import all_called
from ledger.roster.tables import activities, memberships

router = APIRouter()
_AT_ONCE = 100
_LENGTHS_HOURS = (1, 2, 3, 4)


class Suggestion(NamedTuple):
    """A time at which the missing tap may have been, and why it is suggested."""

    at: int
    field: str
    why: Words


@router.get("/exceptions", name="exceptions")
def exceptions_page(
    visit: Visiting,
    team: str | None = None,
    unit: str | None = None,
    activity: str | None = None,
    after: int = Query(0, ge=0),
) -> Response:
    """Those of the scope, oldest first, with what is under way about each."""
    board = visit.board
    with queries.reading(board.engine) as connection:
        now = board.clock()
        found = [
            one
            for one in exceptions(connection, board.policy, now)
            if visit.scope.covers_tap(one.team, one.place, one.volunteer)
        ]
        wanted = [one for one in found if _matches(one, visit, team, unit, activity)]
        shown = wanted[after : after + _AT_ONCE]
        called = all_called(connection, {one.volunteer for one in shown})
        titles = _titles(connection, {one.activity for one in shown if one.activity})
        opened = store.open_by_tap(connection)
    return visit.page(
        "exceptions.html",
        now=now,
        all_count=len(found),
        count=len(wanted),
        shown=shown,
        after=after,
        at_once=_AT_ONCE,
        called=called,
        titles=titles,
        opened=opened,
        team=team,
        unit=unit,
        activity=activity,
        late_before=now - board.policy.horizon,
        teams=sorted({one.team for one in found if one.team}),
    )


@router.get("/exceptions/fix", name="exception")
def exception_page(visit: Visiting, volunteer: str, source: str, id: str) -> Response:
    """One exception, and the ways to put it right."""
    board = visit.board
    with queries.reading(board.engine) as connection:
        found = half(connection, volunteer, source, id)
        if found is None:
            raise no_such_thing(
                Words("这条异常，也许已经处理好了", "such exception; it may have been put right")
            )
        if not visit.scope.covers_tap(found.team, found.place, volunteer):
            raise not_yours()
        called = all_called(connection, {volunteer}).get(volunteer, volunteer)
        opened = store.open_by_tap(connection).get((volunteer, source, id))
        teams = _teams_of(connection, volunteer, board.policy.civil_day(found.occurred_at))
        suggestions = _suggestions(connection, visit, found)
    now = board.clock()
    return visit.page(
        "exception.html",
        one=found,
        called=called,
        opened=opened,
        suggestions=suggestions,
        teams=teams or sorted(visit.scope.teams),
        is_late=found.occurred_at < now - board.policy.horizon,
        day=board.policy.civil_day(found.occurred_at),
        field=field_of(found.occurred_at, board.policy.timezone),
    )


def _matches(
    one: WaitingHalf, visit: Visit, team: str | None, unit: str | None, activity: str | None
) -> bool:
    inside = unit is None or one.place == unit or one.place in visit.directory.units_beneath(unit)
    same = (team in (None, "", one.team)) and (activity in (None, "", one.activity))
    return inside and same


def _titles(connection: Connection, codes: set[str]) -> dict[str, str]:
    table = activities.c
    rows = connection.execute(select(table.code, table.title).where(table.code.in_(codes)))
    return {row.code: row.title for row in rows}


def _teams_of(connection: Connection, volunteer: str, day: str) -> list[str]:
    table = memberships.c
    rows = connection.execute(
        select(table.team).where(
            table.volunteer == volunteer,
            table.since <= day,
            table.until.is_(None) | (table.until > day),
        )
    )
    return sorted(team for (team,) in rows)


def _suggestions(connection: Connection, visit: Visit, one: WaitingHalf) -> list[Suggestion]:
    """The activity's end or start, then whole hours from the tap; in the tap's direction."""
    sign = 1 if one.kind == "in" else -1
    found = [
        (at, Words("活动的时间", "the activity's time"))
        for at in _activity_times(connection, one)
        if 0 < sign * (at - one.occurred_at) <= visit.board.policy.cap
    ]
    for length in _LENGTHS_HOURS:
        at = one.occurred_at + sign * length * 3_600 * SECOND
        found.append((at, Words(f"{length} 小时", f"{length} h")))
    now, timezone = visit.board.clock(), visit.board.policy.timezone
    return [Suggestion(at, exact_field_of(at, timezone), why) for at, why in found if at <= now]


def _activity_times(connection: Connection, one: WaitingHalf) -> list[int]:
    if not one.activity:
        return []
    table = activities.c
    ends = (table.held_end, table.planned_end)
    starts = (table.held_start, table.planned_start)
    columns = ends if one.kind == "in" else starts
    row = connection.execute(select(*columns).where(table.code == one.activity)).first()
    return [] if row is None else list(dict.fromkeys(at for at in row if at is not None))
