"""The public's pages: open to all, kept by caches, with nobody's data that they didn't agree to."""

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic_core import to_json
from starlette.responses import Response

from dashboards.board.live.figures import DISTRICT, PERIODS, Sum
from dashboards.board.live.state import seen
from dashboards.board.public import PublicView
from dashboards.board.rights import PUBLIC
from dashboards.board.scope import EVERYTHING
from dashboards.board.visiting import Visit, Visiting
from ledger import queries
from ledger.policy import iso_utc

router = APIRouter()
_SECONDS = 30
_SHOWN = 60


@router.get("/public", name="public")
def public(visit: Visiting, after: Annotated[int, Query(ge=0)] = 0) -> Response:
    """The district's page; of the week's activities first those from today on."""
    board, values = visit.board, _values(visit)
    today, _ = queries.day_bounds(board.today(), board.policy.timezone)
    week = sorted(values["view"].activities, key=lambda one: one.start < today)
    page = visit.page(
        "public.html",
        **values,
        activities=week[after : after + _SHOWN],
        after=after,
        at_once=_SHOWN,
        count=len(week),
    )
    return _kept(visit, page) if visit.who == PUBLIC and not visit.said else page


@router.get("/public/embed", name="embed")
def embed(visit: Visiting) -> Response:
    """A fragment for other sites to frame."""
    return _kept(visit, visit.page("embed.html", **_values(visit)))


@router.get("/public/feed.json", name="json_feed")
def json_feed(visit: Visiting) -> Response:
    """This week's activities, by JSON Feed 1.1."""
    view, base = _view(visit), _base(visit)
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": f"志愿服务活动 Volunteer activities · {visit.board.ledger_name}",
        "home_page_url": f"{base}/public",
        "feed_url": f"{base}/public/feed.json",
        "language": "zh-CN",
        "items": [
            {
                "id": f"{base}/public#{one.code}",
                "url": f"{base}/public#{one.code}",
                "title": one.title,
                "content_text": visit.directory.unit_name(one.unit, "zh"),
                "date_published": iso_utc(one.start),
            }
            for one in view.activities
        ],
    }
    return _kept(visit, Response(to_json(feed), 200, {}, "application/feed+json"))


@router.get("/public/feed.atom", name="atom_feed")
def atom_feed(visit: Visiting) -> Response:
    """The same, by Atom."""
    view = _view(visit)
    text = visit.board.pages.text(
        "feed.atom",
        "zh",
        {
            "base": _base(visit),
            "view": view,
            "directory": visit.directory,
            "iso": iso_utc,
        },
    )
    return _kept(visit, Response(text, 200, {}, "application/atom+xml"))


def _view(visit: Visit) -> PublicView:
    board = visit.board
    with queries.reading(board.engine) as connection:
        return board.public.current(connection, board.policy, board.clock())


def _values(visit: Visit) -> dict[str, Any]:
    state = visit.board.ledger_watch.state
    sums = dict(state.sums.get(DISTRICT, {})) if state else {}
    return {
        "view": _view(visit),
        "sums": {one: sums.get(one, Sum()) for one in PERIODS},
        "periods": PERIODS,
        "read_at": state.read_at if state else 0,
        "here": seen(state, EVERYTHING, 0).present if state else 0,
    }


def _base(visit: Visit) -> str:
    return str(visit.request.base_url).rstrip("/")


def _kept(visit: Visit, response: Response) -> Response:
    """The answer, for caches to keep for half a minute; nothing where it is what they have."""
    mark = f'"{hashlib.sha256(bytes(response.body)).hexdigest()[:32]}"'
    headers = {
        "cache-control": f"public, max-age={_SECONDS}",
        "etag": mark,
        "vary": "Cookie, Accept-Encoding",
    }
    if visit.request.headers.get("if-none-match") == mark:
        return Response(None, 304, headers)
    response.headers.update(headers)
    return response
