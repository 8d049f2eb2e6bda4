"""Activities: planned, held, people served counted, attached to a project."""

from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from sqlalchemy import func, select
from starlette.responses import Response

from dashboards.board.keeping import allowed, covers, keep
from dashboards.board.public import activities_between
from dashboards.board.refusing import no_such_thing
from dashboards.board.routes.explore import InTime
from dashboards.board.times import field_of
from dashboards.board.visiting import Fields, Visit, Visiting
from dashboards.board.words import Words
from ledger import queries
from ledger.roster import drafting
from ledger.roster.naming import new_volunteer
from ledger.roster.records import Activity
from ledger.roster.roster import Roster
from ledger.roster.store import Deed, load
from ledger.roster.tables import signups

router = APIRouter()
_FIELDS = (
    *("title", "unit", "teams", "platform", "project", "category", "planned_start"),
    *("planned_end", "held_start", "held_end", "served", "capacity", "status"),
)
_TIMES = ("planned_start", "planned_end", "held_start", "held_end")


@router.get("/roster/activities", name="activities")
def activities_page(visit: Visiting, when: InTime) -> Response:
    """Those of the scope in a period."""
    with queries.reading(visit.board.engine) as connection:
        found = activities_between(connection, when.first, when.last, visit.board.policy)
        roster = load(connection, (Activity,))
    mine = [
        one
        for one in found
        if (record := roster.get(Activity, one.code)) and covers(visit.scope, roster, record)
    ]
    return visit.page("activities.html", when=when, found=mine)


@router.get("/roster/activities/new", name="new_activity")
def new_activity(visit: Visiting) -> Response:
    """A form for another one."""
    unit = next((code for kind, code in visit.scope.tops if kind == "unit"), "")
    team = next((code for kind, code in visit.scope.tops if kind == "team"), "")
    home = visit.directory.unit_of_team(team) if team else unit
    given = dict.fromkeys(_FIELDS, "") | {"unit": home or "", "teams": team, "status": "planned"}
    return _form(visit, None, given)


@router.get("/roster/activities/{code}", name="activity")
def activity_page(visit: Visiting, code: str) -> Response:
    """One of them, to be looked at and changed."""
    with queries.reading(visit.board.engine) as connection:
        record = load(connection, (Activity,)).get(Activity, code)
        taken = connection.execute(
            select(func.count()).select_from(signups).where(signups.c.activity == code)
        ).scalar_one()
    if record is None:
        raise no_such_thing(Words(f"活动 {code}", f"activity {code}"))
    given = {name: _text(visit, name, getattr(record, name)) for name in _FIELDS}
    return _form(visit, record, given, int(taken))


@router.post("/roster/activities", name="add_activity")
def add_activity(visit: Visiting, form: Fields) -> Response:
    """Plan another one."""
    board, zone = visit.board, ZoneInfo(visit.board.policy.timezone)
    code = f"activity-{board.today().replace('-', '')}-{new_volunteer(()).lower()[1:7]}"
    given = {**_given(form), "code": code}

    def draft(before: Roster) -> Any:
        return drafting.adding(before, Activity.KIND, given, board.today(), zone)

    keep(board.engine, _deed(visit, form), draft, allowed(visit.scope))
    return visit.go(f"/roster/activities/{code}", Words("已登记。", "It is on the roster."))


@router.post("/roster/activities/{code}", name="change_activity")
def change_activity(visit: Visiting, code: str, form: Fields) -> Response:
    """Change it: hold it, count who was served, attach it to a project."""
    board, zone = visit.board, ZoneInfo(visit.board.policy.timezone)
    given = _given(form)

    def draft(before: Roster) -> Any:
        return drafting.changing(before, Activity.KIND, (code,), given, zone, board.today())

    keep(board.engine, _deed(visit, form), draft, allowed(visit.scope))
    return visit.go(f"/roster/activities/{code}", Words("已保存。", "Saved."))


def _form(visit: Visit, record: Activity | None, given: dict[str, str], taken: int = 0) -> Response:
    known = visit.directory
    units = [code for code in known.units if visit.scope.covers_unit(code)]
    mine = record is None or covers(visit.scope, known.roster, record)
    return visit.page(
        "activity.html",
        record=record,
        given=given,
        taken=taken,
        mine=mine,
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


def _text(visit: Visit, name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in _TIMES:
        return field_of(value, visit.board.policy.timezone)
    return "、".join(value) if isinstance(value, tuple) else str(value)


def _deed(visit: Visit, form: dict[str, str]) -> Deed:
    return Deed(visit.name, form.get("why", "").strip() or "-", visit.board.clock())
