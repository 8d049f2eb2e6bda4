"""The roster at hand: people, memberships, posts; each change with a reason, within the scope."""

from typing import Annotated, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form
from sqlalchemy import Connection, select
from starlette.responses import Response

from dashboards.board.keeping import (
    Draft,
    allowed,
    changed_since,
    deed_of,
    keep,
    refuse_telling,
)
from dashboards.board.refusing import Refused, bad_request, no_such_thing, not_yours
from dashboards.board.times import day_in
from dashboards.board.visiting import Visit, Visiting
from dashboards.board.words import Words
from ledger import queries
from ledger.accounts import volunteers
from ledger.corrections import requests
from ledger.roster import disclosing, drafting, store
from ledger.roster.calling import all_called
from ledger.roster.editing import written
from ledger.roster.finding import Sought
from ledger.roster.finding import people as find_people
from ledger.roster.history import history, later, latest_sets
from ledger.roster.records import (
    Have,
    HaveItem,
    Membership,
    Person,
)
from ledger.roster.roster import Change, Roster
from ledger.roster.store import Deed
from ledger.roster.tables import memberships, people
from ledger.roster.undoing import undoing

router = APIRouter()
_SHOWN = 100
Text = Annotated[str, Form(max_length=500)]
Why = Annotated[str, Form(min_length=1, max_length=500)]
Number = Annotated[int, Form(ge=1, le=2**63 - 1)]


@router.get("/roster", name="roster")
def roster_page(visit: Visiting) -> Response:
    """Ways into the roster, what volunteers ask, and what was changed last."""
    with queries.reading(visit.board.engine) as connection:
        sets = latest_sets(connection, 30) if visit.scope.everything else []
        asked = [one for one in requests.open_requests(connection) if _asks(visit, one)]
        called = all_called(connection, {one.volunteer for one in asked})
    return visit.page(
        "roster.html",
        sets=sets,
        asked=asked,
        called=called,
        teams=sorted(visit.scope.teams) if not visit.scope.everything else [],
    )


@router.get("/roster/people", name="people")
def people_page(visit: Visiting, q: str = "", team: str = "", after: int = 0) -> Response:
    """People of the scope: all, of one team, or those that answer to what is looked for."""
    with queries.reading(visit.board.engine) as connection:
        found = _people(connection, visit, q.strip(), team)
        shown = found[max(after, 0) : max(after, 0) + _SHOWN]
        called = all_called(connection, set(shown))
        teams = _teams_of(connection, shown, visit.board.today())
        records = {
            row.volunteer: row
            for row in connection.execute(select(people).where(people.c.volunteer.in_(shown)))
        }
    return visit.page(
        "people.html",
        q=q,
        team=team,
        count=len(found),
        shown=shown,
        after=max(after, 0),
        at_once=_SHOWN,
        called=called,
        teams=teams,
        records=records,
        today=visit.board.today(),
        team_codes=sorted(visit.directory.teams if visit.scope.everything else visit.scope.teams),
    )


@router.get("/roster/people/{volunteer:path}", name="person")
def person_page(visit: Visiting, volunteer: str) -> Response:
    """One person, by masked name."""
    return _person_page(visit, volunteer, None)


@router.post("/roster/people/{volunteer:path}/reveal", name="reveal")
def reveal(visit: Visiting, volunteer: str, why: Why) -> Response:
    """The same with name, phone and document; it is kept that somebody looked, and why."""
    vault = visit.vault
    known_person(visit, volunteer)
    deed = _deed_about(visit, volunteer, why)
    with store.changing(visit.board.engine) as connection:
        who = disclosing.disclose(connection, vault, [volunteer], deed)
    return _person_page(visit, volunteer, who.get(volunteer))


@router.post("/roster/people/{volunteer:path}/join", name="join")
def join(visit: Visiting, volunteer: str, team: Text, since: Text, why: Why) -> Response:
    """Into a team, from a day on; somebody of the scope already."""
    known_person(visit, volunteer)
    return _joined(visit, volunteer, team, day_in(since), why)


@router.post("/roster/people", name="take_in")
def take_in(visit: Visiting, badge: Text, team: Text, since: Text, why: Why) -> Response:
    """Somebody whom the scope doesn't have yet, by the serial on the badge that they show.

    Who is in a team is seen by its leader, so that nobody gets in without being there.
    """
    serial = badge.strip().upper()
    with queries.reading(visit.board.engine) as connection:
        found = connection.execute(
            select(people.c.volunteer).where(people.c.badge_serial == serial)
        ).scalar()
    if not serial or found is None:
        raise no_such_thing(Words(f"证号 {serial} 的志愿者证", f"badge {serial}"))
    return _joined(visit, str(found), team, day_in(since), why)


@router.post("/roster/people/{volunteer:path}/leave", name="leave")
def leave(visit: Visiting, volunteer: str, team: Text, until: Text, why: Why) -> Response:
    """Out of a team, from a day on. Refused where somebody has ended it already."""
    day = day_in(until)

    def draft(before: Roster) -> Any:
        mine = [one for one in before.memberships.get(volunteer, ()) if one.team == team]
        if mine and all(one.until is not None for one in mine):
            raise changed_since()
        return drafting.ending(before, Membership.KIND, (volunteer, team), day, None)

    return _kept(visit, volunteer, why, draft)


@router.post("/roster/people/{volunteer:path}/consent", name="consent")
def consent(visit: Visiting, volunteer: str, agrees: Annotated[bool, Form()], why: Why) -> Response:
    """Whether they agree to be shown on the wall of good people."""
    given = {"consent": visit.board.today() if agrees else ""}
    zone, today = ZoneInfo(visit.board.policy.timezone), visit.board.today()

    def draft(before: Roster) -> Any:
        return drafting.changing(before, Person.KIND, (volunteer,), given, zone, today)

    return _kept(visit, volunteer, why, draft)


@router.post("/roster/people/{volunteer:path}/badge", name="replace_badge")
def replace_badge(
    visit: Visiting, volunteer: str, why: Why, generation: Annotated[int | None, Form()] = None
) -> Response:
    """A new badge; the old one no longer works. Refused where that of the page no longer does."""

    def draft(before: Roster) -> Any:
        person = before.get(Person, volunteer)
        if person and generation is not None and person.badge_generation != generation:
            raise changed_since()
        return drafting.replacing_badge(before, volunteer)

    return _kept(visit, volunteer, why, draft)


@router.post("/roster/people/{volunteer:path}/code", name="volunteer_code")
def volunteer_code(visit: Visiting, volunteer: str) -> Response:
    """A one-time code for their own page."""
    known_person(visit, volunteer)
    code = volunteers.make_code(visit.board.engine, volunteer, visit.name, visit.board.clock())
    return _person_page(visit, volunteer, None, code)


@router.get("/roster/posts", name="posts")
def posts_page(visit: Visiting) -> Response:
    """Posts of the scope and their six haves."""
    known = visit.directory
    items = sorted(known.roster.all(HaveItem), key=lambda one: one.position)
    has = {(one.post, one.item): one for one in known.roster.all(Have)}
    posts = sorted(
        unit.code
        for unit in (known.unit(code) for code in known.units)
        if unit is not None and unit.kind == "post" and visit.scope.covers_unit(unit.code)
    )
    return visit.page("posts.html", items=items, has=has, posts=posts)


@router.post("/roster/posts", name="look_at_post")
def look_at_post(visit: Visiting, post: Text, item: Text, state: Text, why: Why) -> Response:
    """How a post stands with one item, as somebody saw it today."""
    given = {"state": state, "day": visit.board.today()}
    zone = ZoneInfo(visit.board.policy.timezone)

    def draft(before: Roster) -> Any:
        return drafting.looking(before, post, item, given, visit.name, zone)

    keep(visit.board.engine, deed_of(visit, why), draft, allowed(visit.scope))
    return visit.go("/roster/posts", Words("已记下。", "Noted."))


@router.post("/roster/undo", name="undo_change")
def undo_change(visit: Visiting, number: Number, why: Why) -> Response:
    """Take a change set back."""
    engine = visit.board.engine
    with queries.reading(engine) as connection:
        made, since = store.changes_of(connection, number), later(connection, number)

    def draft(before: Roster) -> list[Change]:
        return undoing(before, number, made, since)

    deed = deed_of(visit, why)._replace(undoes=number)
    keep(engine, deed, draft, allowed(visit.scope))
    return visit.go("/roster", Words("已撤销。", "Undone."))


@router.post("/roster/requests", name="answer_request")
def answer_request(
    visit: Visiting, number: Number, answer: Annotated[str, Form(max_length=500)]
) -> Response:
    """Answer what a volunteer asked."""
    with queries.reading(visit.board.engine) as connection:
        found = requests.request(connection, number)
    if found is None:
        raise no_such_thing(Words(f"第 {number} 号请求", f"request {number}"))
    if not _asks(visit, found):
        raise not_yours()
    if not answer.strip():
        raise bad_request(Words("答复不能是空的。", "An answer says something."))
    requests.answer(visit.board.engine, number, visit.name, answer, visit.board.clock())
    return visit.go("/roster", Words("已答复。", "Answered."))


def _joined(visit: Visit, volunteer: str, team: str, day: str, why: str) -> Response:
    given = {"volunteer": volunteer, "team": team, "since": day}
    zone = ZoneInfo(visit.board.policy.timezone)

    def draft(_before: Roster) -> Any:
        record = written(Membership, given, zone)
        return [Change(None, record)] if isinstance(record, Membership) else record

    return _kept(visit, volunteer, why, draft)


def _kept(visit: Visit, volunteer: str, why: str, draft: Draft) -> Response:
    """A change about somebody, made; back to their page."""
    deed = _deed_about(visit, volunteer, why)
    number = keep(visit.board.engine, deed, draft, allowed(visit.scope))
    back = f"/roster/people/{quote(volunteer)}"
    if not number:
        return visit.go(back, Words("没有要改的。", "There was nothing to change."))
    return visit.go(back, Words(f"已更改（第 {number} 号）。", f"Changed (number {number})."))


def _deed_about(visit: Visit, volunteer: str, why: str) -> Deed:
    deed = deed_of(visit, why)
    refuse_telling(visit, {volunteer: deed.why})
    return deed


def _people(connection: Connection, visit: Visit, q: str, team: str) -> list[str]:
    """Volunteer ids of the scope, of one team where it is named, that answer to `q`."""
    if team and not visit.scope.covers_team(team):
        raise not_yours()
    everybody = store.badges(connection)
    if not visit.scope.everything:
        mine = visit.scope.members | _at_home(connection, visit)
        everybody = [one for one in everybody if one[0] in mine]
    if team:
        inside = _members(connection, team, visit.board.today())
        everybody = [one for one in everybody if one[0] in inside]
    if not q:
        return sorted(volunteer for volunteer, _ in everybody)
    vault = visit.board.vault
    who = disclosing.who(connection, vault, [one for one, _ in everybody]) if vault else {}
    return [found.code for found in find_people(everybody, Sought.of(q), who)]


def _at_home(connection: Connection, visit: Visit) -> frozenset[str]:
    table = people.c
    rows = connection.execute(
        select(table.volunteer).where(table.unit.in_(sorted(visit.scope.units)))
    )
    return frozenset(rows.scalars())


def _members(connection: Connection, team: str, day: str) -> set[str]:
    table = memberships.c
    rows = connection.execute(
        select(table.volunteer).where(
            table.team == team, table.since <= day, table.until.is_(None) | (table.until > day)
        )
    )
    return set(rows.scalars())


def _teams_of(connection: Connection, volunteers: list[str], day: str) -> dict[str, list[str]]:
    table, found = memberships.c, dict[str, list[str]]()
    rows = connection.execute(
        select(table.volunteer, table.team).where(
            table.volunteer.in_(volunteers),
            table.since <= day,
            table.until.is_(None) | (table.until > day),
        )
    )
    for volunteer, team in rows:
        found.setdefault(volunteer, []).append(team)
    return found


def known_person(visit: Visit, volunteer: str) -> Any:
    """The person's row, if they are within the scope. Refused."""
    with queries.reading(visit.board.engine) as connection:
        row = connection.execute(select(people).where(people.c.volunteer == volunteer)).first()
        if row is None:
            raise _nobody(volunteer)
        mine = visit.scope.everything or volunteer in visit.scope.members
        if not mine and not visit.scope.covers_unit(row.unit):
            raise not_yours()
        return row


def _person_page(visit: Visit, volunteer: str, who: Any, code: str | None = None) -> Response:
    row, board = known_person(visit, volunteer), visit.board
    with queries.reading(board.engine) as connection:
        table = memberships
        rows = connection.execute(
            select(table).where(table.c.volunteer == volunteer).order_by(table.c.since)
        ).all()
        told, _ = history(connection, Person.KIND, (volunteer,), 20, 0)
        looks = disclosing.looks_at(connection, volunteer, 20)
        entries, seconds = queries.kept_of(connection, volunteer)
        called = all_called(connection, {volunteer}).get(volunteer, volunteer)
    return visit.page(
        "person.html",
        one=row,
        called=called,
        who=who,
        code=code,
        memberships=rows,
        told=told,
        looks=looks,
        entries=entries,
        seconds=seconds,
        today=board.today(),
        teams=sorted(visit.directory.teams if visit.scope.everything else visit.scope.teams),
    )


def _asks(visit: Visit, one: requests.Request) -> bool:
    return visit.scope.covers_tap(one.team, "", one.volunteer) or (
        one.volunteer in visit.scope.members
    )


def _nobody(volunteer: str) -> Refused:
    return no_such_thing(Words(f"志愿者 {volunteer}", f"volunteer {volunteer}"))
