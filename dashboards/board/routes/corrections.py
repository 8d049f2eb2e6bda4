"""Corrections: previewed, proposed by one, decided by another, followed until they settle."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from pydantic import ValidationError
from sqlalchemy import Connection
from starlette.responses import Response

from dashboards.board.correcting import event_of
from dashboards.board.keeping import refuse_telling
from dashboards.board.refusing import bad_request, no_such_thing, not_yours
from dashboards.board.times import day_in, field_of, instant_in
from dashboards.board.visiting import Visit, Visiting
from dashboards.board.words import Words
from ledger import queries
from ledger.corrections import store
from ledger.corrections.halves import half
from ledger.corrections.preview import Preview, known_of, preview
from ledger.corrections.values import OPEN, Correction, Proposal, fact_of, proposal_of
from ledger.roster.calling import all_called
from producers import desk
from producers.partitioning import partition_of

router = APIRouter()
_MOST_AT_ONCE = 200
_RECENT = 50

Text = Annotated[str, Form(max_length=1_000)]
Numbers = Annotated[list[int], Form()]


@router.get("/corrections", name="corrections")
def corrections_page(visit: Visiting) -> Response:
    """What waits for a decision, what is on its way, and what was decided last."""
    with queries.reading(visit.board.engine) as connection:
        found = [one for one in store.corrections(connection) if covers(visit, one)]
        called = all_called(connection, {one.volunteer for one in found})
    return visit.page(
        "corrections.html",
        waiting=[one for one in found if one.state == "proposed"],
        going=[one for one in found if one.state in ("approved", "sent")],
        done=[one for one in reversed(found) if one.state not in OPEN][:_RECENT],
        called=called,
        trouble=visit.board.corrections.state.trouble,
    )


@router.post("/corrections/preview", name="preview")
def preview_page(
    visit: Visiting,
    kind: Text,
    volunteer: Text,
    reason: Text,
    tap_source: Text = "",
    tap_id: Text = "",
    team: Text = "",
    place: Text = "",
    activity: Text = "",
    when: Text = "",
    other: Text = "",
    day: Text = "",
    minutes: Annotated[int, Form()] = 0,
    undoes: Annotated[int | None, Form()] = None,
) -> Response:
    """What it would change, before anybody proposes it."""
    timezone = visit.board.policy.timezone
    at = when or other
    proposal = _proposal(
        kind=kind,
        volunteer=volunteer,
        reason=reason,
        tap_source=tap_source or None,
        tap_id=tap_id or None,
        team=team or None,
        place=place or None,
        activity=activity or None,
        occurred_at=instant_in(at, timezone) if kind.startswith("check") else None,
        day=day_in(day) if kind == "adjustment" else None,
        seconds=minutes * 60 if kind == "adjustment" else 0,
        undoes=undoes,
    )
    return _preview_page(visit, [proposal])


@router.get("/corrections/bulk", name="bulk")
def bulk_page(visit: Visiting, tap: Annotated[list[str], Query()] = []) -> Response:  # noqa: B006
    """The same check-out for several: when, and why."""
    halves = _halves(visit, tap)
    latest = max(one.occurred_at for one in halves)
    return visit.page(
        "bulk.html",
        taps=tap,
        count=len(halves),
        field=field_of(latest + 2 * 3_600_000_000, visit.board.policy.timezone),
    )


@router.post("/corrections/bulk/preview", name="bulk_preview")
def bulk_preview(
    visit: Visiting, tap: Annotated[list[str], Form()], at: Text, reason: Text
) -> Response:
    """What the same check-out would change for each."""
    when = instant_in(at, visit.board.policy.timezone)
    proposals = [
        _proposal(
            kind="check-out",
            volunteer=one.volunteer,
            tap_source=one.source,
            tap_id=one.id,
            team=one.team or None,
            place=one.place or None,
            activity=one.activity or None,
            occurred_at=when,
            reason=reason,
        )
        for one in _halves(visit, tap)
    ]
    return _preview_page(visit, proposals)


@router.post("/corrections", name="propose")
def propose(visit: Visiting, proposal: Annotated[list[str], Form()]) -> Response:
    """Propose what was previewed."""
    _refuse_too_many(proposal)
    found = [_read(text) for text in proposal]
    refuse_senseless(visit, found)
    numbers = store.propose(visit.board.engine, found, visit.name, visit.board.clock())
    said = Words(
        f"已提出 {len(numbers)} 条更正，等另一个人批准。",
        f"{len(numbers)} proposed: somebody else must approve.",
    )
    return visit.go(f"/corrections/{numbers[0]}", said)


@router.get("/corrections/{number}", name="correction")
def correction_page(visit: Visiting, number: int) -> Response:
    """One correction: what it changes, all that happened to it, what can be done."""
    with queries.reading(visit.board.engine) as connection:
        one = _known(connection, visit, number)
        seen = None
        if one.state == "proposed":
            seen = _preview(connection, visit, proposal_of(one))
        together = store.of_batch(connection, one.batch) if one.batch else [one]
        values: dict[str, Any] = {
            "steps": store.steps(connection, number),
            "called": all_called(connection, {each.volunteer for each in together}),
            "undone_by": [o for o in store.corrections(connection) if o.undoes == number],
        }
    return visit.page(
        "correction.html",
        one=one,
        seen=seen,
        together=together,
        is_mine=one.proposed_by == visit.name,
        trouble=visit.board.corrections.state.trouble,
        **values,
    )


@router.post("/corrections/decide", name="decide")
def decide(
    visit: Visiting, number: Numbers, approve: Annotated[bool, Form()], why: Text = ""
) -> Response:
    """Approve or decline; what is approved goes to Kafka at once."""
    board = visit.board
    with queries.reading(board.engine) as connection:
        for one in number:
            _known(connection, visit, one)
    store.decide(board.engine, number, visit.name, board.clock(), approve, why, event_of)
    board.corrections.wake()
    said = Words("已批准，正在发送。", "Approved; it is being sent.")
    if not approve:
        said = Words("没有批准。", "Declined.")
    return visit.go(f"/corrections/{number[0]}", said)


@router.post("/corrections/{number}/withdraw", name="withdraw")
def withdraw(visit: Visiting, number: int) -> Response:
    """Take back what one has proposed."""
    with queries.reading(visit.board.engine) as connection:
        _known(connection, visit, number)
    store.withdraw(visit.board.engine, number, visit.name, visit.board.clock())
    return visit.go(f"/corrections/{number}", Words("已撤回。", "Withdrawn."))


@router.post("/corrections/{number}/undo", name="undo")
def undo(visit: Visiting, number: int, reason: Text) -> Response:
    """Preview what takes a settled correction back."""
    with queries.reading(visit.board.engine) as connection:
        found = _known(connection, visit, number)
    undoing = store.undoing(found, reason.strip() or "-")
    return _preview_page(
        visit,
        [undoing.model_copy(update={"team": found.team or None, "place": found.place or None})],
    )


def refuse_senseless(visit: Visit, proposals: Sequence[Proposal]) -> None:
    """What is outside the scope, tells who somebody is, changes nothing or can't be. Refused."""
    for one in proposals:
        _refuse_foreign(visit, one)
    _refuse_telling(visit, proposals)
    with queries.reading(visit.board.engine) as connection:
        for one in proposals:
            seen = _preview(connection, visit, one)
            if seen.refusal is not None or not (seen.entries or seen.healed):
                raise bad_request(_refusal_words(seen))


def covers(visit: Visit, one: Correction) -> bool:
    """Whether a correction is within what the account sees."""
    return visit.scope.covers_tap(one.team, one.place, one.volunteer)


def _preview_page(visit: Visit, proposals: Sequence[Proposal]) -> Response:
    for one in proposals:
        _refuse_foreign(visit, one)
    _refuse_telling(visit, proposals)
    with queries.reading(visit.board.engine) as connection:
        seen = [(one, _preview(connection, visit, one)) for one in proposals]
        called = all_called(connection, {one.volunteer for one in proposals})
    refused = [
        (one, _refusal_words(found))
        for one, found in seen
        if found.refusal is not None or not (found.entries or found.healed)
    ]
    return visit.page(
        "preview.html",
        seen=seen,
        called=called,
        refused=refused,
        seconds=sum(found.seconds for _, found in seen),
    )


def _refuse_telling(visit: Visit, proposals: Sequence[Proposal]) -> None:
    said: defaultdict[str, str] = defaultdict(str)
    for one in proposals:
        said[one.volunteer] += f"{one.reason}\n"
    refuse_telling(visit, said)


def _preview(connection: Connection, visit: Visit, proposal: Proposal) -> Preview:
    board = visit.board
    shard = partition_of(proposal.volunteer, board.policy.shard_count)
    now = board.clock()
    source = desk.desk_of(visit.name)
    fact = fact_of(proposal, source, f"preview-{now}", visit.name, "-", now)
    found = preview(known_of(connection, shard, proposal.volunteer), [fact], board.policy, now)
    if not all(visit.scope.covers(entry.team, entry.place) for entry in found.entries):
        raise not_yours()  # whatever the request said that it is about
    return found


def _refusal_words(seen: Preview) -> Words:
    if seen.refusal is None:
        return Words(
            "这样改什么也不会变：也许刚刚有人处理过。",
            "It would change nothing: somebody may just have put it right.",
        )
    reason, detail = seen.refusal
    said = {
        "too-late": Words(
            "已过 14 天，不能再补：请调整时数。",
            "It is over 14 days old: adjust the hours instead.",
        ),
        "from-the-future": Words("时间还没有到。", "That time has not come yet."),
        "unknown-tap": Words("找不到这次签到签退。", "There is no such tap any more."),
    }
    return said.get(reason, Words(f"账本不会接受：{detail}", f"The ledger would refuse: {detail}"))


def _refuse_foreign(visit: Visit, proposal: Proposal) -> None:
    """By the half it heals, or what it says itself; what it changes is looked at by `_preview`."""
    named = (proposal.team or "", proposal.place or "", proposal.volunteer)
    if not visit.scope.covers_tap(*named):
        raise not_yours()
    if proposal.tap_id is None or visit.scope.everything:
        return
    with queries.reading(visit.board.engine) as connection:
        found = half(connection, proposal.volunteer, str(proposal.tap_source), str(proposal.tap_id))
    if found is not None and not visit.scope.covers_tap(found.team, found.place, found.volunteer):
        raise not_yours()


def _halves(visit: Visit, taps: Sequence[str]) -> list[Any]:
    """The halves that `volunteer source id` texts name, those of the scope that are still there."""
    if not taps:
        raise bad_request(Words("先选几条异常。", "Pick some exceptions first."))
    _refuse_too_many(taps)
    found = []
    with queries.reading(visit.board.engine) as connection:
        for text in taps:
            named = text.split(" ")
            one = half(connection, *named) if len(named) == 3 else None
            if one is not None and one.kind == "in":
                if not visit.scope.covers(one.team, one.place):
                    raise not_yours()
                found.append(one)
    if not found:
        raise bad_request(Words("选中的都已处理好了。", "Those picked were put right already."))
    return found


def _refuse_too_many(asked: Sequence[str]) -> None:
    if len(asked) > _MOST_AT_ONCE:
        raise bad_request(
            Words(f"一次最多 {_MOST_AT_ONCE} 条。", f"No more than {_MOST_AT_ONCE} at once.")
        )


def _known(connection: Connection, visit: Visit, number: int) -> Correction:
    found = store.correction(connection, number)
    if found is None:
        raise no_such_thing(Words(f"第 {number} 号更正", f"correction number {number}"))
    if not covers(visit, found):
        raise not_yours()
    return found


def _proposal(**fields: Any) -> Proposal:
    try:
        return Proposal(**fields)
    except ValidationError as error:
        raise _not_so(error) from error


def _read(text: str) -> Proposal:
    try:
        return Proposal.model_validate_json(text)
    except ValidationError as error:
        raise _not_so(error) from error


def _not_so(error: ValidationError) -> Exception:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or first["type"]
    return bad_request(
        Words(
            f"更正的 {where} 不对：{first['msg']}。", f"The correction's {where}: {first['msg']}."
        )
    )
