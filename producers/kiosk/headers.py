"""What every answer says to the browser about itself, and which requests no browser of ours makes.

Invariant: no answer allows another site to read it, to frame it, or to run anything in it.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from producers.kiosk.answers import refused

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; media-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(self), microphone=(), geolocation=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_TLS_ALONE = (b"strict-transport-security", b"max-age=31536000")
_READS = {"GET", "HEAD"}
_OURS = {"same-origin", "none"}


class Guarded:
    """An ASGI app, with these headers on every answer, that refuses what other sites send."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        more = [*HEADERS, _TLS_ALONE] if scope["scheme"] == "https" else HEADERS

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *more]
            await send(message)

        app = _CROSS_SITE if is_cross_site(scope) else self._app
        await app(scope, receive, with_headers)


def is_cross_site(scope: Scope) -> bool:
    """Whether a browser says that another site than ours makes this request, and it isn't a GET."""
    if scope["method"] in _READS:
        return False
    headers = dict(scope["headers"])
    site = headers.get(b"sec-fetch-site", b"none").decode("latin-1")
    origin, host = headers.get(b"origin"), headers.get(b"host", b"")
    return site not in _OURS or (origin is not None and origin.partition(b"://")[2] != host)


_CROSS_SITE = refused(
    403,
    "cross-site",
    "请求来自别的网站，不接受。 The request comes from another site; it is refused.",
)
