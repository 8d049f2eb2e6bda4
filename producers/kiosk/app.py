"""The gateway's answers: HTTP in, HTTP out, and what it takes to be heard.

It keeps nothing itself. Invariant: a tap is answered `accepted` only once it is on the disk.
"""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from producers.events import CheckedIn
from producers.kiosk import messages
from producers.kiosk.answers import BodyRefused, answer, body_of, refused
from producers.kiosk.checking import INACTIVE, UNKNOWN_VOLUNTEER, Refusal, badge_of, member_of
from producers.kiosk.door import (
    REVOKED,
    TRY_AGAIN_SECONDS,
    Refused,
    keep_if_possible,
    read_message,
    speaker,
    spoiled,
    turned_away,
    unavailable_now,
    unreadable,
)
from producers.kiosk.gateway import Gateway
from producers.kiosk.headers import App, Guarded
from producers.kiosk.outbox import OutboxUnavailable, unavailable
from producers.kiosk.overview import overview
from producers.kiosk.taking import take
from producers.kiosk.tap_reading import read_taps
from producers.times import rfc_3339_of

_TAPS_BYTES = 1 << 20
_IMAGE_BYTES = 1 << 20
_BODY_BYTES = 1 << 16
Handler = Callable[[Gateway, Request], Awaitable[Response]]


def create_app(gateway: Gateway) -> App:
    """The ASGI app of a gateway."""
    page = [Route(path, partial(_page, file)) for path, file in gateway.page.at.items()]
    api = [
        ("GET", "/api/time", _time),
        ("POST", "/api/enrol", _enrol),
        ("GET", "/api/roster", _roster),
        ("POST", "/api/who", _who),
        ("POST", "/api/taps", _taps),
        ("POST", "/api/report", _report),
        ("POST", "/api/badge-image", _badge_image),
        ("GET", "/api/operator/kiosks", _operator),
    ]
    routes = [
        Route(path, partial(_answered, gateway, handler), methods=[method])
        for method, path, handler in api
    ]
    return Guarded(
        Starlette(
            routes=[*page, *routes],
            exception_handlers={HTTPException: _no_such_thing, Exception: _fault},
        )
    )


async def _answered(gateway: Gateway, handler: Handler, request: Request) -> Response:
    """Whatever the handler answers; what it refuses is counted."""
    try:
        return await handler(gateway, request)
    except Refused as refusal:
        return refusal.response
    except BodyRefused as refusal:
        await keep_if_possible(gateway, spoiled(gateway, request, refusal.reason, "", refusal.read))
        return refusal.response
    except OutboxUnavailable as full:
        return unavailable_now(gateway, full)
    except sqlite3.Error as error:
        return unavailable_now(gateway, unavailable(error))


async def _page(file: Any, request: Request) -> Response:
    headers = {"etag": file.etag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == file.etag:
        return Response(None, 304, headers)
    return Response(file.content, 200, headers, file.media_type)


async def _time(gateway: Gateway, request: Request) -> Response:
    return answer({"time": _now(gateway)})


async def _enrol(gateway: Gateway, request: Request) -> Response:
    address = request.client.host if request.client else ""
    if not gateway.tries.allow(address):
        gateway.metrics.refused.labels("too-many-tries").inc()
        return refused(
            429,
            "too-many-tries",
            "试得太多了：请一分钟后再试。 Too many tries: wait a minute, and try again.",
            {"retry-after": str(TRY_AGAIN_SECONDS)},
        )
    asked = await read_message(gateway, request, messages.Enrolment, _BODY_BYTES)
    # By the system's clock, for whoever made the code had no other.
    enrolled = await asyncio.to_thread(gateway.kiosks.enrol, asked.code, time.time_ns() // 1_000)
    if isinstance(enrolled, str):
        await keep_if_possible(gateway, spoiled(gateway, request, enrolled, address, b""))
        return refused(403, enrolled, _CODES[enrolled])
    gateway.tries.forgive(address)  # an office may enrol all its tablets in one go
    kiosk = enrolled.kiosk
    named = {"code": kiosk.code, "place": kiosk.place}
    return answer({"key": enrolled.key, "role": kiosk.role, "kiosk": named})


async def _roster(gateway: Gateway, request: Request) -> Response:
    content, etag = gateway.slice_of(speaker(gateway, request))
    headers = {"etag": etag, "cache-control": "no-store"}
    if request.headers.get("if-none-match") == etag:
        return Response(None, 304, headers)
    return Response(content, 200, headers, "application/json")


async def _who(gateway: Gateway, request: Request) -> Response:
    kiosk = speaker(gateway, request)
    asked = await read_message(gateway, request, messages.Who, _BODY_BYTES)
    known, now = gateway.known(), gateway.clock.now().best_at
    shown = True
    if asked.badge is not None:
        badge = badge_of(asked.badge, known, now)
        if isinstance(badge, Refusal):
            raise turned_away(gateway, 403, *badge)
        volunteer = badge.volunteer
    else:
        volunteer = str(asked.volunteer)
        shown = known.roster.may_list(kiosk, volunteer, now)
    member = member_of(volunteer, known)
    if member is None and asked.badge is None and gateway.roster.current:
        raise turned_away(gateway, 403, *UNKNOWN_VOLUNTEER)
    if member is not None and member.status != "active":
        raise turned_away(gateway, 403, *INACTIVE)
    last = gateway.last_tap(kiosk, volunteer)
    return answer(
        {
            "volunteer": volunteer,
            "called": member.called if member and shown else None,
            "teams": list(member.teams) if member else [],
            "last": last and {"kind": _kind(last[0]), "time": rfc_3339_of(last[1])},
            "known": member is not None,
        }
    )


async def _taps(gateway: Gateway, request: Request) -> Response:
    with gateway.metrics.answer_seconds.time():
        kiosk = speaker(gateway, request, even_revoked=True)
        body = await body_of(request, _TAPS_BYTES)
        read = read_taps(body)
        if isinstance(read, str):
            raise await unreadable(gateway, request, read, body)
        if read.report is not None and kiosk.revoked_at is None:
            gateway.reported(kiosk, read.report)
        answers = await take(gateway, kiosk, read.taps)
        if kiosk.revoked_at is not None:
            raise turned_away(gateway, 403, *REVOKED)
        return answer({"time": _now(gateway), "taps": answers})


async def _report(gateway: Gateway, request: Request) -> Response:
    kiosk = speaker(gateway, request)
    gateway.reported(kiosk, await read_message(gateway, request, messages.Report, _BODY_BYTES))
    state = gateway.publisher()
    return answer(
        {
            "time": _now(gateway),
            "roster": gateway.slice_of(kiosk)[1],
            "version": gateway.page.version,
            "trouble": state.trouble and {"reason": "kafka-away", "what": state.trouble},
        }
    )


async def _badge_image(gateway: Gateway, request: Request) -> Response:
    speaker(gateway, request)
    image = await body_of(request, _IMAGE_BYTES)
    from producers.kiosk.pictures import text_in  # noqa: PLC0415 - it takes memory

    async with gateway.decoding:
        return answer({"text": await asyncio.to_thread(text_in, image)})


async def _operator(gateway: Gateway, request: Request) -> Response:
    speaker(gateway, request, "operator")
    return answer(overview(gateway.now(), gateway.kiosks.all(), gateway.reports()))


def _kind(event_type: str) -> str:
    return "in" if event_type == CheckedIn.model_fields["type"].default else "out"


def _now(gateway: Gateway) -> str:
    return rfc_3339_of(gateway.clock.now().best_at)


async def _no_such_thing(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return refused(
        error.status_code,
        "no-such-thing",
        "网关没有这个地址或方法。 The gateway has no such address, or not by that method.",
        error.headers,
    )


async def _fault(request: Request, error: Exception) -> Response:
    return refused(
        500,
        "fault",
        "网关出错了，已记入日志；签到还在本机。 "
        "The gateway has a fault, which is in its log; what was tapped is still on the kiosk.",
    )


_CODES = {
    "wrong-code": "注册码不对：请再看一遍。 The code is wrong: look at it again.",
    "used-code": (
        "这个注册码已经用过：请向运维员要新的。 "
        "This code was used already: ask the operator for a new one."
    ),
    "expired-code": (
        "注册码过期了：请向运维员要新的。 The code has expired: ask the operator for a new one."
    ),
}
