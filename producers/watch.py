"""What watches a gateway or a board asks it: metrics and health, on a port of their own."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

Trouble = Callable[[], str | None]
"""Why it can't be used now; None: it can."""


def create_watch_app(registry: CollectorRegistry, trouble: Trouble) -> Starlette:
    """`/metrics`, `/health/live` (it answers) and `/health/ready` (it can be used)."""

    def metrics(request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    def ready(request: Request) -> Response:
        found = trouble()
        return PlainTextResponse(found or "ok", 503 if found else 200)

    def live(request: Request) -> Response:
        return PlainTextResponse("ok")

    paths = (("/metrics", metrics), ("/health/live", live), ("/health/ready", ready))
    return Starlette(routes=[Route(path, handler) for path, handler in paths])
