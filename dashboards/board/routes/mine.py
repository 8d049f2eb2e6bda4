"""A volunteer's own page: hours, entries, activities to sign up for, requests. Nobody else's."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Annotated, NamedTuple

from fastapi import APIRouter, File, Form, Query, UploadFile
from sqlalchemy import Connection, func, select
from starlette.responses import Response

from dashboards.board.keeping import keep
from dashboards.board.knowing_volunteers import TriedTooOften, volunteer_by_badge
from dashboards.board.public import Occasion, activities_between
from dashboards.board.refusing import (
    bad_request,
    badge_tried_too_often,
    sign_in_first,
    too_many_tries,
)
from dashboards.board.routes.signing_in import address_of, wrong
from dashboards.board.stars import stars_of
from dashboards.board.times import day_in
from dashboards.board.visiting import Visit, Visiting
from dashboards.board.words import Words
from ledger import queries
from ledger.accounts import volunteers
from ledger.corrections import requests
from ledger.queries import Filters
from ledger.roster import drafting
from ledger.roster.calling import all_called
from ledger.roster.records import Activity, Signup
from ledger.roster.reports_history import history
from ledger.roster.roster import Change, Roster
from ledger.roster.store import Deed
from ledger.roster.tables import memberships, signups

router = APIRouter()
_MOST_PICTURE_BYTES = 8 << 20
_FAR = "9999-12-31"
_SHOWN = 50
_LATEST = 300
_WRONG = Words(
    "证件、手机尾号或一次性码不对：请再试一次，或找队长要一次性码。",
    "Badge, phone or code is wrong: try again, or ask your leader for a code.",
)


@router.get("/mine/sign-in", name="mine_sign_in_page")
def sign_in_page(visit: Visiting) -> Response:
    """The form."""
    return visit.page("mine_sign_in.html", refusal=None, badge="")


@router.post("/mine/sign-in", name="mine_sign_in")
def sign_in(
    visit: Visiting,
    code: Annotated[str, Form(max_length=40)] = "",
    badge: Annotated[str, Form(max_length=2_000)] = "",
    tail: Annotated[str, Form(max_length=20)] = "",
    picture: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """By a one-time code, or by the badge and the phone's last digits."""
    board = visit.board
    if not board.tries.is_open(address_of(visit)):
        raise too_many_tries()
    text = badge.strip() or _badge_in(picture)
    if code.strip():
        secret = volunteers.use_code(board.engine, code, board.clock())
    else:
        secret = _by_badge(visit, text, tail)
    if secret is None:
        wrong(visit)
        return visit.page("mine_sign_in.html", 403, refusal=_WRONG, badge=text)
    response = visit.go("/mine")
    board.cookies.set(response, "volunteer", secret)
    return response


class Upcoming(NamedTuple):
    """Planned activities, each with how many signed up; those signed up for; how many there are."""

    shown: Sequence[tuple[Occasion, int]]
    own: Collection[str]
    in_all: int
    at_once: int = _SHOWN


@router.get("/mine", name="mine")
def mine(visit: Visiting, after: Annotated[int, Query(ge=0)] = 0) -> Response:
    """All that is somebody's own."""
    board, who = visit.board, _who(visit)
    now = board.clock()
    with queries.reading(board.engine) as connection:
        served = history(connection, who, board.policy)
        open_taps = [
            *queries.exceptions(connection, Filters(volunteer=who), board.policy, now),
        ]
        present = queries.present(connection, Filters(volunteer=who), board.policy, now)
        called = all_called(connection, {who}).get(who, who)
        teams = _teams(connection, who, board.today())
        upcoming = _upcoming(connection, visit, who, teams, after)
        asked = requests.of_volunteer(connection, who)
    whole = sum(one.seconds for one in served)
    years, by_team = Counter[str](), Counter[str]()
    for one in served:
        years[one.day[:4]] += one.seconds
        by_team[one.team_name or one.team] += one.seconds
    return visit.page(
        "mine.html",
        volunteer=who,
        called=called,
        served=list(reversed(served))[:_LATEST],
        served_count=len(served),
        whole=whole,
        stars=stars_of(whole, board.star_hours),
        years=sorted(years.items(), reverse=True),
        by_team=by_team.most_common(),
        open_taps=open_taps,
        present=present,
        upcoming=upcoming,
        after=after,
        asked=asked,
        teams=teams,
        today=board.today(),
    )


@router.post("/mine/sign-up", name="sign_up")
def sign_up(visit: Visiting, activity: Annotated[str, Form(max_length=128)]) -> Response:
    """Put oneself on an activity's list, while there is room."""
    who, today = _who(visit), visit.board.today()

    def draft(before: Roster) -> list[Change]:
        one = before.get(Activity, activity)
        if one is None or one.status != "planned":
            raise bad_request(Words("这个活动不能报名。", "Nobody can sign up for this activity."))
        if before.get(Signup, activity, who) is not None:
            return []
        changes = [Change(None, Signup(activity=activity, volunteer=who, day=today))]
        if drafting.beyond_capacity(before, changes):
            raise bad_request(Words("名额已满。", "It is full."))
        return changes

    keep(visit.board.engine, _deed(visit, who, "本人报名 signed up"), draft, _their_own)
    return visit.go("/mine", Words("已报名。", "You are signed up."))


@router.post("/mine/take-back", name="take_back")
def take_back(visit: Visiting, activity: Annotated[str, Form(max_length=128)]) -> Response:
    """Take oneself off an activity's list."""
    who = _who(visit)

    def draft(before: Roster) -> list[Change]:
        found = before.get(Signup, activity, who)
        return [] if found is None else [Change(found, None)]

    keep(visit.board.engine, _deed(visit, who, "本人取消报名 took it back"), draft, _their_own)
    return visit.go("/mine", Words("已取消报名。", "You are no longer signed up."))


@router.post("/mine/ask", name="ask")
def ask(
    visit: Visiting,
    day: Annotated[str, Form()],
    said: Annotated[str, Form(max_length=1_000)],
    team: Annotated[str, Form(max_length=128)] = "",
) -> Response:
    """Ask for a correction."""
    board, who = visit.board, _who(visit)
    with queries.reading(board.engine) as connection:
        own = _teams(connection, who, board.today())
    requests.ask(board.engine, who, team if team in own else "", day_in(day), said, board.clock())
    return visit.go("/mine", Words("已交给队长，等答复。", "Your leader has it."))


def _who(visit: Visit) -> str:
    if visit.volunteer is None:
        raise sign_in_first()
    return visit.volunteer


def _by_badge(visit: Visit, badge: str, tail: str) -> str | None:
    board = visit.board
    if board.vault is None or not board.badge_keys:
        return None
    try:
        who = volunteer_by_badge(
            board.engine,
            board.vault,
            board.ledger_name,
            board.badge_keys,
            badge,
            tail,
            board.clock(),
            board.badge_tries,
        )
    except TriedTooOften as error:
        raise badge_tried_too_often() from error
    return None if who is None else volunteers.begin(board.engine, who, board.clock())


def _badge_in(picture: UploadFile | None) -> str:
    """The badge's text in a photograph; nothing where there is none to be read."""
    if picture is None or not picture.filename:
        return ""
    from producers.kiosk.pictures import text_in  # noqa: PLC0415 - it takes memory

    content = picture.file.read(_MOST_PICTURE_BYTES + 1)
    return (text_in(content) or "") if len(content) <= _MOST_PICTURE_BYTES else ""


def _upcoming(
    connection: Connection, visit: Visit, who: str, teams: Sequence[str], after: int
) -> Upcoming:
    """What is planned from today on: first what they signed up for, then their teams'."""
    found = [
        one
        for one in activities_between(connection, visit.board.today(), _FAR, visit.board.policy)
        if one.status == "planned"
    ]
    table, mates = signups.c, set(teams)
    own = set(connection.execute(select(table.activity).where(table.volunteer == who)).scalars())
    found.sort(key=lambda one: (one.code not in own, mates.isdisjoint(one.teams)))
    shown = found[after : after + _SHOWN]
    counted = (
        select(table.activity, func.count())
        .where(table.activity.in_([one.code for one in shown]))
        .group_by(table.activity)
    )
    taken = {code: int(count) for code, count in connection.execute(counted)}
    return Upcoming([(one, taken.get(one.code, 0)) for one in shown], own, len(found))


def _teams(connection: Connection, who: str, day: str) -> list[str]:
    table = memberships.c
    rows = connection.execute(
        select(table.team).where(
            table.volunteer == who, table.since <= day, table.until.is_(None) | (table.until > day)
        )
    )
    return sorted(rows.scalars())


def _deed(visit: Visit, who: str, why: str) -> Deed:
    return Deed(f"volunteer {who}", why, visit.board.clock())


def _their_own(before: Roster, change: Change) -> None:
    assert isinstance(change.record, Signup)
