"""Answers as JSON, and bodies read no further than they may be long."""

import asyncio
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

_BODY_SECONDS = 20


class BodyRefused(Exception):
    """A body that can't be taken; `response` says why."""

    def __init__(self, response: Response, reason: str, read: bytes) -> None:
        super().__init__(reason)
        self.response, self.reason, self.read = response, reason, read


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value as JSON, kept by nobody on the way."""
    kept = {"cache-control": "no-store", **(headers or {})}
    return Response(to_json(value), status, kept, "application/json")


def refused(
    status: int, reason: str, what: str, headers: Mapping[str, str] | None = None
) -> Response:
    """A refusal: a stable word, and what to tell people."""
    return answer({"reason": reason, "what": what}, status, headers)


async def body_of(request: Request, most: int, seconds: float = _BODY_SECONDS) -> bytes:
    """The body, at most so many bytes of it, in so many seconds. BodyRefused."""
    read = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                read += chunk
                if len(read) > most:
                    raise BodyRefused(_too_large(most), "too-large", bytes(read[:most]))
    except TimeoutError as error:
        raise BodyRefused(_TOO_SLOW, "too-slow", bytes(read)) from error
    except ClientDisconnect as error:
        raise BodyRefused(_TOO_SLOW, "cut-off", bytes(read)) from error
    return bytes(read)


def _too_large(most: int) -> Response:
    return refused(
        413,
        "too-large",
        f"请求超过 {most} 字节：请分几次发送。 "
        f"The request is over {most} bytes: send less at once.",
        {"connection": "close"},
    )


_TOO_SLOW = refused(
    408,
    "too-slow",
    "请求太慢或中断：请再发一次。 The request was too slow, or cut off: send it again.",
    {"connection": "close"},
)
