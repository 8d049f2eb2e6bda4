"""The gateway's routes: the page and its API, by Starlette.

Routes translate: who speaks, what was said, what to answer. Invariant: nothing is answered
`accepted` before it is on the disk, and whoever has no key is told nothing of anybody.
"""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


def create_app() -> Starlette:
    """The application."""
    return Starlette(routes=[Route("/api/time", _time)])


async def _time(request: Request) -> JSONResponse:
    return JSONResponse({})
