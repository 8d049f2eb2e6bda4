"""The API: the pages' data as JSON under `/api/v1`, for programs with a token.

The same rights and scope as pages. Lists are paged by `limit` and `after`, an opaque text that the
page before gave as `next`; every GET has an ETag. Times are RFC 3339, UTC.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from starlette.responses import Response

from dashboards.board.api_values import (
    ActivityItem,
    AssessmentItem,
    AssessmentWhole,
    CorrectionItem,
    Decision,
    Entry,
    ExceptionItem,
    Live,
    Made,
    Me,
    Page,
    PeriodSum,
    PresentPerson,
    Refusal,
    ReportAnswer,
    ReportLine,
    Team,
    Unit,
)
from dashboards.board.correcting import event_of
from dashboards.board.exploring import next_of, question_of, turned_to, within
from dashboards.board.live.state import State, seen
from dashboards.board.public import activities_between
from dashboards.board.refusing import Refused, bad_request, no_such_thing, not_the_next, not_yours
from dashboards.board.routes.corrections import covers as covers_correction
from dashboards.board.routes.corrections import refuse_senseless
from dashboards.board.routes.explore import Asked, InTime
from dashboards.board.visiting import Visit, Visiting
from dashboards.board.words import Words
from ledger import queries
from ledger.assessment import store as assessments
from ledger.browsing import entry_lines
from ledger.corrections import store as corrections
from ledger.corrections.halves import exceptions as waiting_halves
from ledger.corrections.values import Correction, Proposal
from ledger.policy import iso_utc
from ledger.roster.reports import reports_apart
from ledger.roster.reports_question import groupings

PREFIX = "/api/v1"
_MOST_PRESENT = 100_000

router = APIRouter(
    prefix=PREFIX,
    tags=["v1"],
    responses={
        code: {"model": Refusal, "description": said}
        for code, said in (
            (400, "the body can't be read"),
            (401, "no token, or one that is over"),
            (403, "not by this role, or not within its teams and units"),
            (404, "no such thing"),
            (409, "it can't be done as things stand"),
            (422, "asked in a way that can't be understood"),
            (503, "the ledger's database does not answer"),
        )
    },
)
Limit = Annotated[int, Query(ge=1, le=1_000)]
After = Annotated[str, Query(max_length=200)]


@router.get("/openapi.json", name="openapi", include_in_schema=False)
def openapi(visit: Visiting) -> Response:
    """What there is."""
    found = get_openapi(
        title="志愿服务时数 Volunteer hours",
        version="1",
        routes=router.routes,
        description=__doc__ or "",
    )
    found["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    found["security"] = [{"token": []}]
    return _json(visit, found)


@router.get("/me", name="api_me", response_model=Me)
def api_me(visit: Visiting) -> Response:
    """In whose name the token comes."""
    return _answer(visit, Me.model_validate(visit.account))


@router.get("/live", name="api_live", response_model=Live)
def api_live(visit: Visiting) -> Response:
    """Figures of the scope, as of what the ledger has settled."""
    state = _state(visit)
    part = seen(state, visit.scope, 0)
    return _answer(
        visit,
        Live(
            read_at=iso_utc(state.read_at),
            today=state.today,
            offsets={str(shard): offset for shard, offset in state.offsets.items()},
            sums={
                name: PeriodSum(seconds=one.seconds, sessions=one.sessions)
                for name, one in part.sums.items()
            },
            present=part.present,
            exceptions=part.exceptions,
        ),
    )


@router.get("/present", name="api_present", response_model=Page[PresentPerson])
def api_present(visit: Visiting, limit: Limit = 100, after: After = "") -> Response:
    """Who is here, longest first."""
    found = [
        PresentPerson(
            volunteer=one.volunteer, team=one.team, place=one.place, since=iso_utc(one.since)
        )
        for one in seen(_state(visit), visit.scope, _MOST_PRESENT).here
    ]
    return _paged(visit, found, limit, after)


@router.get("/exceptions", name="api_exceptions", response_model=Page[ExceptionItem])
def api_exceptions(visit: Visiting, limit: Limit = 100, after: After = "") -> Response:
    """Taps without a partner, oldest first."""
    board = visit.board
    with queries.reading(board.engine) as connection:
        halves = waiting_halves(connection, board.policy, board.clock())
    found = [
        ExceptionItem(
            volunteer=one.volunteer,
            source=one.source,
            id=one.id,
            kind=one.kind,
            occurred_at=iso_utc(one.occurred_at),
            team=one.team or None,
            place=one.place or None,
            reason=one.reason,
        )
        for one in halves
        if visit.scope.covers_tap(one.team, one.place, one.volunteer)
    ]
    return _paged(visit, found, limit, after)


@router.get("/entries", name="api_entries", response_model=Page[Entry])
def api_entries(
    visit: Visiting, asked: Asked, when: InTime, limit: Limit = 100, after: After = ""
) -> Response:
    """Entries of a part of the district in a period, by day, shard and seq."""
    part = within(asked, visit.scope)
    with queries.reading(visit.board.engine) as connection:
        lines = entry_lines(
            connection,
            question_of(part, when, visit.directory),
            visit.board.policy,
            limit,
            turned_to(after),
        )
    items = [Entry.model_validate(one) for one in lines]
    return _answer(visit, Page[Entry](items=items, next=next_of(lines, limit)))


@router.get("/report", name="api_report", response_model=ReportAnswer)
def api_report(
    visit: Visiting,
    asked: Asked,
    when: InTime,
    by: Annotated[str, Query(max_length=40)] = "unit:office",
) -> Response:
    """Figures of a part of the district in a period, grouped as `hours report --by` groups."""
    part, grouped = within(asked, visit.scope), groupings((by,))
    if grouped[0].dimension == "volunteer":
        raise bad_request(Words("不能按志愿者分组。", "There is no report by volunteer here."))
    with queries.reading(visit.board.engine) as connection:
        question = question_of(part, when, visit.directory, grouped)
        (found,) = reports_apart(connection, question, visit.board.policy)
    rows = [
        ReportLine(
            code=row.groups[0].code,
            name=row.groups[0].name,
            seconds=row.seconds,
            sessions=row.sessions,
            volunteers=row.volunteers,
            activities=row.activities,
            served=row.served,
        )
        for row in found.rows
    ]
    whole = found.whole
    sums = {"seconds": whole.seconds, "sessions": whole.sessions, "volunteers": whole.volunteers}
    return _answer(visit, ReportAnswer(first=when.first, last=when.last, by=by, rows=rows, **sums))


@router.get("/units", name="api_units", response_model=Page[Unit])
def api_units(visit: Visiting, limit: Limit = 1_000, after: After = "") -> Response:
    """Units of the scope, as they are today."""
    found = [visit.directory.unit(code) for code in sorted(visit.directory.units)]
    mine = [one for one in found if one and visit.scope.covers_unit(one.code)]
    return _paged(visit, [Unit.model_validate(one) for one in mine], limit, after)


@router.get("/teams", name="api_teams", response_model=Page[Team])
def api_teams(visit: Visiting, limit: Limit = 1_000, after: After = "") -> Response:
    """Teams of the scope, as they are today."""
    found = [visit.directory.team(code) for code in sorted(visit.directory.teams)]
    mine = [one for one in found if one and visit.scope.covers_team(one.code)]
    return _paged(visit, [Team.model_validate(one) for one in mine], limit, after)


@router.get("/activities", name="api_activities", response_model=Page[ActivityItem])
def api_activities(
    visit: Visiting, when: InTime, limit: Limit = 100, after: After = ""
) -> Response:
    """Activities planned or held in a period; they are public."""
    with queries.reading(visit.board.engine) as connection:
        found = activities_between(connection, when.first, when.last, visit.board.policy)
    items = [
        ActivityItem(
            code=one.code,
            title=one.title,
            unit=one.unit,
            start=iso_utc(one.start),
            end=None if one.end is None else iso_utc(one.end),
            status=one.status,
            served=one.served,
        )
        for one in found
    ]
    return _paged(visit, items, limit, after)


@router.get("/corrections", name="api_corrections", response_model=Page[CorrectionItem])
def api_corrections(visit: Visiting, limit: Limit = 100, after: After = "") -> Response:
    """Corrections of the scope, by number."""
    with queries.reading(visit.board.engine) as connection:
        found = corrections.corrections(connection)
    mine = [_correction(one) for one in found if covers_correction(visit, one)]
    return _paged(visit, mine, limit, after)


@router.post("/corrections", name="api_propose", response_model=Made, status_code=201)
def api_propose(visit: Visiting, proposal: Proposal) -> Response:
    """Propose one; instants are microseconds since the epoch."""
    board = visit.board
    refuse_senseless(visit, [proposal])
    (number,) = corrections.propose(board.engine, [proposal], visit.name, board.clock())
    return _answer(visit, Made(number=number), 201)


@router.post("/corrections/{number}", name="api_decide", response_model=CorrectionItem)
def api_decide(
    visit: Visiting, number: Annotated[int, Path(ge=1, le=1 << 53)], decision: Decision
) -> Response:
    """Approve or decline one that somebody else has proposed."""
    board = visit.board
    with queries.reading(board.engine) as connection:
        found = _known(corrections.correction(connection, number), number)
    if not covers_correction(visit, found):
        raise not_yours()
    (decided,) = corrections.decide(
        board.engine,
        [number],
        visit.name,
        board.clock(),
        decision.approve,
        decision.why,
        event_of,
    )
    board.corrections.wake()
    return _answer(visit, _correction(decided))


@router.get("/assessments", name="api_assessments", response_model=Page[AssessmentItem])
def api_assessments(visit: Visiting, limit: Limit = 100, after: After = "") -> Response:
    """Published assessments, the latest first."""
    with queries.reading(visit.board.engine) as connection:
        found = assessments.published(connection)
    items = [AssessmentItem(**_assessment(one)) for one in found]
    return _paged(visit, items, limit, after)


@router.get("/assessments/{number}", name="api_assessment", response_model=AssessmentWhole)
def api_assessment(visit: Visiting, number: Annotated[int, Path(ge=1, le=1 << 53)]) -> Response:
    """One of them, whole."""
    with queries.reading(visit.board.engine) as connection:
        found = assessments.assessment(connection, number)
        if found is None:
            raise no_such_thing(Words(f"第 {number} 号考核", f"assessment {number}"))
        later = assessments.since(connection, found)
    whole = AssessmentWhole(
        **_assessment(found),
        heads=dict(found.heads),
        body=dict(found.body),
        later_entries=later.entries,
        later_seconds=later.seconds,
    )
    return _answer(visit, whole)


def _state(visit: Visit) -> State:
    state = visit.board.ledger_watch.state
    if state is None:
        raise Refused(503, "no-figures", Words("还没有读到账本。", "The ledger has not been read."))
    return state


def _paged(visit: Visit, items: Sequence[Any], limit: int, after: str) -> Response:
    """Items from a number on, which is what `after` says."""
    if (after and not after.isascii()) or not (after or "0").isdigit() or len(after) > 12:
        raise not_the_next()
    start = int(after or 0)
    following = str(start + limit) if start + limit < len(items) else None
    shown = [one.model_dump(mode="json") for one in items[start : start + limit]]
    return _json(visit, {"items": shown, "next": following})


def _correction(one: Correction) -> CorrectionItem:
    at = None if one.occurred_at is None else iso_utc(one.occurred_at)
    fields = one._asdict() | {"occurred_at": at, "proposed_at": iso_utc(one.proposed_at)}
    return CorrectionItem.model_validate(fields)


def _assessment(one: assessments.Published) -> dict[str, Any]:
    names = ("number", "first", "last", "published_by")
    return {name: getattr(one, name) for name in names} | {
        "published_at": iso_utc(one.published_at)
    }


def _known(found: Correction | None, number: int) -> Correction:
    if found is None:
        raise no_such_thing(Words(f"第 {number} 号更正", f"correction {number}"))
    return found


def _answer(visit: Visit, value: BaseModel, status: int = 200) -> Response:
    return _json(visit, value.model_dump(mode="json"), status)


def _json(visit: Visit, value: Any, status: int = 200) -> Response:
    content = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    mark = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"etag": mark, "cache-control": "private, no-cache"}
    if visit.request.method == "GET" and visit.request.headers.get("if-none-match") == mark:
        return Response(None, 304, headers)
    return Response(content, status, headers, "application/json")
