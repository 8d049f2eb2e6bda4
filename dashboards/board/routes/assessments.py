"""Supervision and assessment 督查考核: rankings explained, a scheme to edit, publication."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from fastapi import APIRouter, Form
from pydantic import ValidationError
from starlette.responses import Response

from dashboards.board.assessment_files import as_pdf, as_xlsx
from dashboards.board.refusing import bad_request, no_such_thing
from dashboards.board.routes.explore import TYPES, InTime
from dashboards.board.times import day_in
from dashboards.board.visiting import Fields, Visit, Visiting
from dashboards.board.words import Words, moment
from ledger import queries
from ledger.assessment import store
from ledger.assessment.assessing import as_json, assess
from ledger.assessment.scheme import INDICATORS, KINDS, Measure, Scheme

router = APIRouter()
_TITLE = "督查考核 Supervision and assessment"


@router.get("/assessments", name="assessments")
def assessments_page(visit: Visiting) -> Response:
    """What was published, and a way to look at any period."""
    with queries.reading(visit.board.engine) as connection:
        found = store.published(connection)
        kept = store.latest_scheme(connection)
    return visit.page(
        "assessments.html", found=found, kept=kept, today=visit.board.today(), kinds=KINDS
    )


@router.get("/assessments/draft", name="draft")
def draft(visit: Visiting, when: InTime, kind: str = "office") -> Response:
    """A period assessed as of now, by the scheme as it is."""
    return visit.page(
        "assessment.html", body=_draft(visit, when.first, when.last), kind=_kind(kind), one=None
    )


@router.get("/assessments/draft.{form}", name="draft_file")
def draft_file(visit: Visiting, form: str, when: InTime) -> Response:
    """The same as a file."""
    body = _draft(visit, when.first, when.last)
    now = moment(visit.board.clock(), visit.board.policy.timezone)
    seal = [f"未公布的草稿，截至 {now}。 A draft as of {now}, not published."]
    return _file(form, f"assessment-{when.first}-{when.last}", body, seal)


@router.get("/assessments/scheme", name="scheme")
def scheme_page(visit: Visiting) -> Response:
    """The scheme as it is, to be edited."""
    with queries.reading(visit.board.engine) as connection:
        kept = store.latest_scheme(connection)
    return visit.page("scheme.html", kept=kept, kinds=KINDS, indicators=INDICATORS)


@router.post("/assessments/scheme", name="save_scheme")
def save_scheme(visit: Visiting, form: Fields) -> Response:
    """A new version of the scheme."""
    scheme = _scheme(form)
    number = store.save_scheme(visit.board.engine, scheme, visit.name, visit.board.clock())
    said = Words(f"方案第 {number} 版已保存。", f"Version {number} of the scheme is saved.")
    return visit.go("/assessments", said)


@router.post("/assessments/publish", name="publish")
def publish(
    visit: Visiting, first: Annotated[str, Form()], last: Annotated[str, Form()]
) -> Response:
    """Freeze a period's assessment."""
    board = visit.board
    days = sorted((day_in(first), day_in(last)))
    number = store.publish(board.engine, days[0], days[1], visit.name, board.clock(), board.policy)
    return visit.go(f"/assessments/{number}", Words("已公布，从此不变。", "Published, for good."))


@router.get("/assessments/{number:int}", name="assessment")
def assessment_page(visit: Visiting, number: int, kind: str = "office") -> Response:
    """An assessment as it was published, and what has come to its days since."""
    with queries.reading(visit.board.engine) as connection:
        one = _known(store.assessment(connection, number), number)
        later = store.since(connection, one)
    return visit.page("assessment.html", body=one.body, kind=_kind(kind), one=one, later=later)


@router.get("/assessments/{number:int}.{form}", name="assessment_file")
def assessment_file(visit: Visiting, number: int, form: str) -> Response:
    """The same as a file."""
    with queries.reading(visit.board.engine) as connection:
        one = _known(store.assessment(connection, number), number)
    at = moment(one.published_at, visit.board.policy.timezone)
    seal = [f"{one.published_by} 于 {at} 公布第 {number} 号 published by {one.published_by}."]
    seal += [
        f"分片 shard {shard}: {head['size']} 条 entries, 根 root {head['root']}"
        for shard, head in one.heads.items()
    ]
    return _file(form, f"assessment-{number}", one.body, seal)


def _draft(visit: Visit, first: str, last: str) -> dict[str, Any]:
    board = visit.board
    with queries.reading(board.engine) as connection:
        scheme = store.latest_scheme(connection).scheme
        found = assess(connection, scheme, first, last, board.policy, board.today(), board.clock())
    return as_json(found)


def _known(found: store.Published | None, number: int) -> store.Published:
    if found is None:
        raise no_such_thing(Words(f"第 {number} 号考核", f"assessment number {number}"))
    return found


def _kind(text: str) -> str:
    return text if text in KINDS else "office"


def _file(form: str, name: str, body: Any, seal: list[str]) -> Response:
    if form == "xlsx":
        content, media_type = as_xlsx(body), TYPES["xlsx"]
    elif form == "pdf":
        content, media_type = as_pdf(body, _TITLE, seal), "application/pdf"
    else:
        raise no_such_thing(Words(f"{form} 格式", f"format {form}"))
    disposition = f'attachment; filename="{name}.{form}"'
    headers = {"content-disposition": disposition, "cache-control": "no-store"}
    return Response(content, 200, headers, media_type)


def _scheme(form: dict[str, str]) -> Scheme:
    """From `hours.weight`, `hours.office` and so on; an empty target doesn't count."""
    try:
        measures = []
        for name in INDICATORS:
            given = {kind: form.get(f"{name}.{kind}", "").strip() for kind in KINDS}
            targets = {kind: Decimal(text) for kind, text in given.items() if text}
            weight = Decimal(form.get(f"{name}.weight", "").strip() or "0")
            measures.append(Measure(indicator=name, weight=weight, targets=targets))
        return Scheme(measures=tuple(measures))
    except (InvalidOperation, ValidationError) as error:
        told = error.errors()[0]["msg"] if isinstance(error, ValidationError) else "not a number"
        raise bad_request(
            Words(
                f"权重和目标要是不小于 0 的数（{told}）。",
                f"Weights, targets: {told}.",
            )
        ) from error
