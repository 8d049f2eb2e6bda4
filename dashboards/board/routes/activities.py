"""Activities: planned, held, people served counted, attached to a project."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from sqlalchemy import func, select
from starlette.responses import Response

from dashboards.board.keeping import allowed, covers, deed_of, keep, mark_of, refuse_unseen
from dashboards.board.periods import Period
from dashboards.board.refusing import no_such_thing
from dashboards.board.routes.explore import InTime
from dashboards.board.times import field_of
from dashboards.board.visiting import Fields, Visit, Visiting
from dashboards.board.words import Words
from ledger import queries
from ledger.browsing import days_of
from ledger.roster import drafting
from ledger.roster.history import Told, history
from ledger.roster.naming import new_volunteer
from ledger.roster.records import Activity
from ledger.roster.roster import Roster
from ledger.roster.store import load
from ledger.roster.tables import signups

router = APIRouter()
_FIELDS = (
    *("title", "unit", "teams", "platform", "project", "category", "planned_start"),
    *("planned_end", "held_start", "held_end", "served", "capacity", "status"),
)
_SHOWN = 200
_TIMES = ("planned_start", "planned_end", "held_start", "held_end")


@router.get("/roster/activities", name="activities")
def activities_page(
    visit: Visiting, when: InTime, after: Annotated[int, Query(ge=0)] = 0
) -> Response:
    """Those of the scope in a period, called-off ones too; first those that have no time yet."""
    with queries.reading(visit.board.engine) as connection:
        roster = load(connection, (Activity,))
    day_of = visit.board.policy.civil_day
    mine = [
        one
        for one in roster.all(Activity)
        if covers(visit.scope, roster, one) and _is_in(one, when, day_of)
    ]
    mine.sort(key=lambda one: (_begins(one) or 0, one.code))
    return visit.page(
        "activities.html",
        when=when,
        found=[(_begins(one), one) for one in mine[after : after + _SHOWN]],
        count=len(mine),
        after=after,
        at_once=_SHOWN,
    )


@router.get("/roster/activities/new", name="new_activity")
def new_activity(visit: Visiting) -> Response:
    """A form for another one."""
    unit = next((code for kind, code in visit.scope.tops if kind == "unit"), "")
    team = next((code for kind, code in visit.scope.tops if kind == "team"), "")
    home = visit.directory.unit_of_team(team) if team else unit
    given = dict.fromkeys(_FIELDS, "") | {"unit": home or "", "teams": team, "status": "planned"}
    return _form(visit, None, given)


@router.get("/roster/activities/{code:path}", name="activity")
def activity_page(visit: Visiting, code: str) -> Response:
    """One of them, to be looked at and changed."""
    with queries.reading(visit.board.engine) as connection:
        record = load(connection, (Activity,)).get(Activity, code)
        taken = connection.execute(
            select(func.count()).select_from(signups).where(signups.c.activity == code)
        ).scalar_one()
        told, _ = history(connection, Activity.KIND, (code,), 20, 0)
        days = days_of(connection, code)
    if record is None:
        raise no_such_thing(Words(f"活动 {code}", f"activity {code}"))
    given = {name: _text(visit, name, getattr(record, name)) for name in _FIELDS}
    return _form(visit, record, given, int(taken), told, days)


@router.post("/roster/activities", name="add_activity")
def add_activity(visit: Visiting, form: Fields) -> Response:
    """Plan another one."""
    board, zone = visit.board, ZoneInfo(visit.board.policy.timezone)
    code = f"activity-{board.today().replace('-', '')}-{new_volunteer(()).lower()[1:7]}"
    given = {**_given(form), "code": code}

    def draft(before: Roster) -> Any:
        return drafting.adding(before, Activity.KIND, given, board.today(), zone)

    keep(board.engine, deed_of(visit, form.get("why", "")), draft, allowed(visit.scope))
    return visit.go(f"/roster/activities/{code}", Words("已登记。", "It is on the roster."))


@router.post("/roster/activities/{code:path}", name="change_activity")
def change_activity(visit: Visiting, code: str, form: Fields) -> Response:
    """Change it: hold it, count who was served, attach it to a project."""
    board, zone = visit.board, ZoneInfo(visit.board.policy.timezone)
    given = _given(form)

    def draft(before: Roster) -> Any:
        record = before.get(Activity, code)
        refuse_unseen(record, form.get("seen", ""))
        touched = given if record is None else _touched(visit, record, given)
        return drafting.changing(before, Activity.KIND, (code,), touched, zone, board.today())

    keep(board.engine, deed_of(visit, form.get("why", "")), draft, allowed(visit.scope))
    return visit.go(f"/roster/activities/{quote(code)}", Words("已保存。", "Saved."))


def _begins(one: Activity) -> int | None:
    return one.planned_start if one.held_start is None else one.held_start


def _is_in(one: Activity, when: Period, day_of: Callable[[int], str]) -> bool:
    at = _begins(one)
    return one.status == "planned" if at is None else when.first <= day_of(at) <= when.last


def _form(
    visit: Visit,
    record: Activity | None,
    given: dict[str, str],
    taken: int = 0,
    told: Sequence[Told] = (),
    days: tuple[str, str] | None = None,
) -> Response:
    known = visit.directory
    # A team serves at other units' places too: a leader's activity is known by its teams.
    anywhere = bool(visit.scope.teams) and not visit.scope.units
    units = [code for code in known.units if anywhere or visit.scope.covers_unit(code)]
    mine = record is None or covers(visit.scope, known.roster, record)
    return visit.page(
        "activity.html",
        record=record,
        given=given,
        taken=taken,
        mine=mine,
        told=told,
        days=days,
        seen="" if record is None else mark_of(record),
        units=sorted({*units, given["unit"]} - {""}),
        platforms=sorted(known.roster.platforms),
        projects=sorted(known.roster.projects),
    )


def _given(form: dict[str, str]) -> dict[str, str]:
    """The fields as `drafting` reads them: a browser writes times with a T."""
    found = {name: form[name] for name in _FIELDS if name in form}
    return {
        name: text.replace("T", " ") if name in _TIMES else text for name, text in found.items()
    }


def _touched(visit: Visit, record: Activity, given: dict[str, str]) -> dict[str, str]:
    """Without the times that came back as the form had them, which has no seconds to give back."""
    shown = {name: _text(visit, name, getattr(record, name)).replace("T", " ") for name in _TIMES}
    return {name: text for name, text in given.items() if shown.get(name) != text}


def _text(visit: Visit, name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in _TIMES:
        return field_of(value, visit.board.policy.timezone)
    return "、".join(value) if isinstance(value, tuple) else str(value)
