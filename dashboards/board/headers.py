"""What every answer of the board says to the browser about itself.

Invariant: nothing but the board's own scripts and styles runs in a page, no other site frames one
(but for the fragment that is made for that), and what is private is kept by no cache.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.responses import JSONResponse, Response

from dashboards.board.verifier import verifier_policy

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors {frames}"
)
EMBEDDED = "/public/embed"
"""The one page that other sites may frame."""

VERIFIER = "/verify"
"""The page that verifies proofs: its script is within it."""

_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), microphone=(), geolocation=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
_TLS_ALONE = (b"strict-transport-security", b"max-age=31536000")


class Guarded:
    """An ASGI app with these headers on every answer."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        more = _headers(scope)

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await self._app(scope, receive, with_headers)


def _headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    is_embedded = scope["path"] == EMBEDDED
    frames = "*" if is_embedded else "'none'"
    is_verifier = scope["path"] == VERIFIER
    policy = verifier_policy() if is_verifier else _POLICY.format(frames=frames)
    found = [(b"content-security-policy", policy.encode()), *_HEADERS]
    if not is_embedded:
        same = (b"cross-origin-resource-policy", b"same-origin")
        found += [(b"x-frame-options", b"DENY"), same]
    return [*found, _TLS_ALONE] if scope["scheme"] == "https" else found


class Bounded:
    """An ASGI app that is sent no body whose length isn't said, or is beyond what anybody needs.

    Forms are written to the disk as they come: without a bound, anybody could fill it.
    """

    def __init__(self, app: App, most_bytes: Callable[[str], int]) -> None:
        self._app, self._most_at = app, most_bytes

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            length = headers.get(b"content-length", b"0")
            if b"transfer-encoding" in headers:
                await _refused(411, "length-required")(scope, receive, send)
                return
            if not length.isdigit() or int(length) > self._most_at(scope["path"]):
                await _refused(413, "too-large")(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _refused(status: int, reason: str) -> Response:
    body = {"reason": reason, "what": "请求太大，或没有写明长度。 Too large, or of no said length."}
    return JSONResponse(body, status, {"connection": "close", "cache-control": "no-store"})
