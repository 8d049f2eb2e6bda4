"""The front page: figures that move, who is here, what waits; and the stream that moves it."""

import asyncio
import time
from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic_core import to_json
from starlette.responses import Response

from dashboards.board.live.figures import PERIODS
from dashboards.board.live.state import State, seen
from dashboards.board.refusing import Refused
from dashboards.board.scope import Scope
from dashboards.board.visiting import Scoped, Visit, Visiting, still_signed_in
from dashboards.board.words import Words

router = APIRouter()
_SHOWN = 60
_ASK_SECONDS = 15.0
_COME_AGAIN_MILLISECONDS = 2_000


@router.get("/", name="front")
def front(visit: Visiting) -> Response:
    """The front page of whoever has signed in."""
    state = visit.board.ledger_watch.state
    if state is None:
        raise Refused(
            503,
            "no-figures",
            Words(
                "还没有读到账本：请稍候再试。", "The ledger has not been read yet: try again soon."
            ),
        )
    return visit.page(
        "front.html", figures=figures_in(visit, visit.scope, state), fresh=freshness(visit)
    )


@router.get("/live", name="live_stream")
async def live_stream(visit: Visiting, scope: Scoped) -> Response:
    """Server-sent events: `figures` with the front page's moving part, `beat` with its age.

    It ends when the sign-in does, which is asked now and then; the browser comes again by itself.
    """
    broadcast = visit.board.broadcast
    if broadcast.is_full:
        raise Refused(503, "full", Words("打开的页面太多。", "Too many pages are open."))

    async def events() -> AsyncIterator[bytes]:
        asked = time.monotonic()
        async for event, data in broadcast.follow(
            (scope, visit.language, visit.who),
            lambda state: figures_in(visit, scope, state),
            lambda: to_json(freshness(visit)).decode(),
        ):
            yield format_sse_event(event=event, data_str=data, retry=_COME_AGAIN_MILLISECONDS)
            if time.monotonic() - asked > _ASK_SECONDS:
                asked = time.monotonic()
                if not await asyncio.to_thread(still_signed_in, visit):
                    return

    return EventSourceResponse(events(), headers={"cache-control": "no-store"})


def figures_in(visit: Visit, scope: Scope, state: State) -> str:
    """The moving part of the page, the same in the first answer and in the stream."""
    part = seen(state, scope, _SHOWN)
    values = {
        "state": state,
        "directory": state.directory,
        "seen": part,
        "periods": PERIODS,
        "visit": visit,
    }
    return visit.board.pages.text("live.html", visit.language, values)


def freshness(visit: Visit) -> dict[str, int | None]:
    """How fresh what is shown is, as the page's script wants it: milliseconds, or null."""
    found, now = visit.board.log_watch.freshness(), visit.board.clock()
    return {
        "now": now // 1_000,
        "read_at": found.read_at // 1_000,
        "behind_ms": None if found.behind_since is None else (now - found.behind_since) // 1_000,
        "kafka": None if found.asked_at is None else found.asked_at // 1_000,
        "failing": None if found.failing_since is None else found.failing_since // 1_000,
    }
