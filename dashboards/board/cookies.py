"""The board's cookies: signed, for this site alone, out of reach of scripts.

Invariant: a cookie that wasn't signed here, or was signed for another use, says nothing.
"""

from typing import Literal

from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.requests import HTTPConnection
from starlette.responses import Response

Use = Literal["session", "volunteer", "said", "language", "oidc"]

_SECONDS = {
    "session": 12 * 3_600,
    "volunteer": 3_600,
    "said": 60,
    "language": 400 * 86_400,
    "oidc": 600,
}


class Cookies:
    """Sets, reads and clears cookies; `secure` where browsers come by TLS alone."""

    def __init__(self, key: bytes, secure: bool) -> None:
        self._key, self._secure = key, secure

    def read(self, request: HTTPConnection, use: Use) -> str | None:
        """What a cookie says, if it was signed here, for this use, and not too long ago."""
        try:
            text = self._signer(use).loads(
                request.cookies.get(self._name(use), ""), max_age=_SECONDS[use]
            )
        except BadSignature:
            return None
        return str(text)

    def set(self, response: Response, use: Use, text: str) -> None:
        """Let the browser say this from now on."""
        response.set_cookie(
            self._name(use),
            str(self._signer(use).dumps(text)),
            max_age=_SECONDS[use],
            secure=self._secure,
            httponly=True,
            # A provider's answer comes from another site: its cookie must come along with it.
            samesite="lax" if use == "oidc" else "strict",
        )

    def clear(self, response: Response, use: Use) -> None:
        """Let the browser forget it."""
        response.delete_cookie(
            self._name(use), secure=self._secure, httponly=True, samesite="strict"
        )

    def _name(self, use: Use) -> str:
        return f"__Host-hours-{use}" if self._secure else f"hours-{use}"

    def _signer(self, use: Use) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._key, salt=f"hours.board.{use}")
