"""The board's web application: routes, and what becomes of what goes wrong.

Thin. Invariant: every route asks `visiting.visit` whether it may be opened, because the app itself
depends on it.
"""

import logging
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import RedirectResponse, Response

from dashboards.board.board import Board
from dashboards.board.headers import App, Bounded, Guarded, Scope
from dashboards.board.metrics import BoardMetrics
from dashboards.board.refusing import Refused, bad_request, no_such_thing
from dashboards.board.routes import ROUTERS
from dashboards.board.visiting import Visit, language_of, visit
from dashboards.board.words import Words, both
from ledger.refusals import LedgerRefusal, NoDatabase

API = "/api/"
_LARGEST_UPLOAD = 21 << 20
"""Of a request that brings a file: the largest, and what is around it."""

_LARGEST_FORM = 1 << 20
"""Of any other: a form's fields are kept in memory, many times their size."""

log = logging.getLogger(__name__)


def create_app(board: Board) -> App:
    """The ASGI app of a board."""
    counted = Counted(routed(board), board.metrics)
    return Guarded(Bounded(GZipMiddleware(counted, minimum_size=1_000), _most_bytes))


def _most_bytes(path: str) -> int:
    return _LARGEST_UPLOAD if path == "/roster/import" else _LARGEST_FORM


class Counted:
    """An ASGI app whose answers are counted, by route and status, and timed."""

    def __init__(self, app: App, metrics: BoardMetrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def counting(message: Any) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "name", "") or "none"
                self._metrics.answers.labels(route, message["status"]).inc()
                self._metrics.answer_seconds.observe(time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, counting)


def routed(board: Board) -> FastAPI:
    """The app without what is around it: routes, rights and refusals."""
    app = FastAPI(
        title="志愿服务时数 Volunteer hours",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(visit)],
    )
    app.state.board = board
    for router in ROUTERS:
        app.include_router(router)
    handlers: list[tuple[type[Exception], Callable[[Request, Exception], Response]]] = [
        (Refused, _refused),
        (LedgerRefusal, _ledger_refused),
        (SQLAlchemyError, _no_database),
        (RequestValidationError, _not_valid),
        (HTTPException, _http),
        (Exception, _fault),
    ]
    for kind, handler in handlers:
        app.add_exception_handler(kind, handler)
    return app


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return _answer(request, error)


def _ledger_refused(request: Request, error: Exception) -> Response:
    if isinstance(error, NoDatabase):
        return _no_database(request, error)
    return _answer(request, Refused(409, "refused", both(str(error))))


def _no_database(request: Request, error: Exception) -> Response:
    log.warning("账本读不到。 The ledger can't be read: %s", error)
    return _answer(
        request,
        Refused(
            503,
            "no-database",
            Words(
                "账本数据库暂时连不上：请稍候再试，什么都没有丢。",
                "The ledger's database does not answer: try again soon. Nothing is lost.",
            ),
        ),
    )


def _not_valid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or "body"
    return _answer(
        request,
        bad_request(Words(f"{where} 填得不对：{first['msg']}。", f"{where}: {first['msg']}.")),
    )


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return _answer(request, no_such_thing(Words("这个页面", "such page")))
    refusal = Refused(
        error.status_code, "http", Words(f"请求不成（{error.detail}）。", f"{error.detail}.")
    )
    response = _answer(request, refusal)
    response.headers.update(error.headers or {})
    return response


def _fault(request: Request, error: Exception) -> Response:
    what = Words("程序出错了，已记入日志。", "The program has a fault, which is in its log.")
    return _answer(request, Refused(500, "fault", what))


def _answer(request: Request, refusal: Refused) -> Response:
    """As JSON for programs, as a page for people; whoever must sign in is taken there."""
    if request.url.path.startswith(API):
        body = {"reason": refusal.reason, "what": f"{refusal.what.zh} {refusal.what.en}"}
        headers = {"cache-control": "no-store"}
        if refusal.status == 401:
            headers["www-authenticate"] = "Bearer"
        return Response(to_json(body), refusal.status, headers, "application/json")
    if refusal.status == 401 and request.method == "GET":
        return RedirectResponse(f"/sign-in?next={_here(request)}", 303)
    board: Board = request.app.state.board
    found = getattr(request.state, "visit", None)
    if found is None:
        found = Visit(board, request, language_of(board, request))
    return found.page("refused.html", refusal.status, refusal=refusal)


def _here(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return quote(request.url.path + query)
