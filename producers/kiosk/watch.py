"""What watches a gateway asks it: metrics and health, on a port of their own."""

from functools import partial

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from producers.kiosk.gateway import Gateway


def create_watch_app(gateway: Gateway) -> Starlette:
    """`/metrics`, `/health/live` (it answers) and `/health/ready` (it can take taps)."""
    return Starlette(
        routes=[
            Route("/metrics", partial(_metrics, gateway)),
            Route("/health/live", _live),
            Route("/health/ready", partial(_ready, gateway)),
        ]
    )


async def _metrics(gateway: Gateway, request: Request) -> Response:
    return Response(generate_latest(gateway.metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def _live(request: Request) -> Response:
    return PlainTextResponse("ok")


async def _ready(gateway: Gateway, request: Request) -> Response:
    trouble = gateway.outbox.trouble()
    return PlainTextResponse(trouble or "ok", 503 if trouble else 200)
