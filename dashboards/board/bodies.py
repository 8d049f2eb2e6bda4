"""How much anybody may send: what is read of a request is counted, and ends at a bound.

Forms are read before it is asked who sends them. Invariant: of no request is more than its bound
kept, in memory or on disk, whoever sends it and whatever it says of its own length.
"""

from typing import Any

from starlette.exceptions import HTTPException

from dashboards.board.headers import App, Scope

LARGEST_FILE = 20 << 20
FILES = "/roster/import"
"""The one path that takes a file."""

_LARGEST_FORM = 1 << 20
_AROUND_A_FILE = 64 << 10


class Bounded:
    """An ASGI app that is given no more of a request than it may have."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = LARGEST_FILE + _AROUND_A_FILE if scope["path"] == FILES else _LARGEST_FORM
        came = 0

        async def counted() -> Any:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > most:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)
