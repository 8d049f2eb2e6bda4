"""The gateway's answers: HTTP in, HTTP out, and what it takes to be heard.

It keeps nothing itself. Invariant: a tap is answered `accepted` only once it is on the disk.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import zxingcpp
from PIL import Image
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from producers.events import CheckedIn
from producers.kiosk import messages
from producers.kiosk.answers import BodyRefused, answer, body_of, refused
from producers.kiosk.checking import (
    INACTIVE,
    UNKNOWN_VOLUNTEER,
    Refusal,
    badge_of,
    check,
    member_of,
)
from producers.kiosk.gateway import Gateway
from producers.kiosk.headers import App, Guarded
from producers.kiosk.kiosk import Kiosk, Role
from producers.kiosk.outbox import NewTap, OutboxUnavailable, RefusedTap
from producers.kiosk.overview import overview
from producers.times import rfc_3339_of

_TAPS_BYTES = 1 << 20
_IMAGE_BYTES = 1 << 20
_BODY_BYTES = 1 << 16
_MOST_PIXELS = 4_000_000
_TRY_AGAIN_SECONDS = 60

Message = TypeVar("Message", bound=BaseModel)
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
        Starlette(routes=[*page, *routes], exception_handlers={HTTPException: _no_such_thing})
    )


class _Refused(Exception):
    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


async def _answered(gateway: Gateway, handler: Handler, request: Request) -> Response:
    """Whatever the handler answers; what it refuses is counted."""
    try:
        return await handler(gateway, request)
    except _Refused as refusal:
        return refusal.response
    except BodyRefused as refusal:
        await _keep(gateway, [_spoiled(gateway, request, refusal.reason, "", refusal.read)])
        return refusal.response
    except OutboxUnavailable as full:
        gateway.metrics.refused.labels(full.reason).inc()
        return refused(503, full.reason, str(full), {"retry-after": str(_TRY_AGAIN_SECONDS)})


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
            {"retry-after": str(_TRY_AGAIN_SECONDS)},
        )
    asked = await _read(gateway, request, messages.Enrolment, _BODY_BYTES)
    enrolled = await asyncio.to_thread(
        gateway.kiosks.enrol, asked.code, gateway.clock.now().best_at
    )
    if isinstance(enrolled, str):
        await _keep(gateway, [_spoiled(gateway, request, enrolled, address, b"")])
        return refused(403, enrolled, _CODES[enrolled])
    kiosk = enrolled.kiosk
    named = {"code": kiosk.code, "place": kiosk.place}
    return answer({"key": enrolled.key, "role": kiosk.role, "kiosk": named})


async def _roster(gateway: Gateway, request: Request) -> Response:
    content, etag = gateway.slice_of(_speaker(gateway, request))
    headers = {"etag": etag, "cache-control": "no-store"}
    if request.headers.get("if-none-match") == etag:
        return Response(None, 304, headers)
    return Response(content, 200, headers, "application/json")


async def _who(gateway: Gateway, request: Request) -> Response:
    kiosk = _speaker(gateway, request)
    asked = await _read(gateway, request, messages.Who, _BODY_BYTES)
    known, now = gateway.known(), gateway.clock.now().best_at
    shown = True
    if asked.badge is not None:
        badge = badge_of(asked.badge, known, now)
        if isinstance(badge, Refusal):
            return refused(403, *badge)
        volunteer = badge.volunteer
    else:
        volunteer = str(asked.volunteer)
        shown = known.roster.may_list(kiosk, volunteer, now)
    member = member_of(volunteer, known)
    if member is None and asked.badge is None and gateway.roster.current:
        return refused(403, *UNKNOWN_VOLUNTEER)
    if member is not None and member.status != "active":
        return refused(403, *INACTIVE)
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
        kiosk = _speaker(gateway, request)
        asked = await _read(gateway, request, messages.Taps, _TAPS_BYTES)
        gateway.reported(kiosk, asked.report)
        answers = await _take(gateway, kiosk, asked.taps)
        return answer({"time": _now(gateway), "taps": answers})


async def _take(
    gateway: Gateway, kiosk: Kiosk, taps: Sequence[messages.Tap]
) -> list[messages.Answer]:
    """Keep what is good, keep what isn't apart; answer each once it is on the disk."""
    received, known = gateway.clock.now(), gateway.known()
    checked = [check(tap, kiosk, known, received.best_at) for tap in taps]
    good = [NewTap(one, kiosk.place, received) for one in checked if not isinstance(one, Refusal)]
    bad = [
        (tap, one)
        for tap, one in zip(taps, checked, strict=True)
        if isinstance(one, Refusal) and not gateway.rows.has(kiosk.source, tap.id)
    ]
    new = await asyncio.wrap_future(gateway.outbox.add(good)) if good else []
    await _keep(gateway, [_refused_tap(kiosk, tap, one, received.best_at) for tap, one in bad])
    gateway.metrics.taps.labels("accepted").inc(sum(new))
    gateway.metrics.taps.labels("repeated").inc(len(new) - sum(new))
    gateway.metrics.taps.labels("refused").inc(len(bad))
    why = {tap.id: one for tap, one in bad}
    return [_answer(tap.id, why.get(tap.id)) for tap in taps]


async def _report(gateway: Gateway, request: Request) -> Response:
    kiosk = _speaker(gateway, request)
    gateway.reported(kiosk, await _read(gateway, request, messages.Report, _BODY_BYTES))
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
    _speaker(gateway, request)
    image = await body_of(request, _IMAGE_BYTES)
    return answer({"text": await asyncio.to_thread(_decoded, image)})


async def _operator(gateway: Gateway, request: Request) -> Response:
    _speaker(gateway, request, "operator")
    return answer(overview(gateway.now(), gateway.kiosks.all(), gateway.reports()))


def _speaker(gateway: Gateway, request: Request, role: Role = "kiosk") -> Kiosk:
    """Whose key came with the request."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    kiosk = gateway.kiosks.by_key(key) if scheme.lower() == "bearer" and key else None
    if kiosk is None:
        raise _turned_away(gateway, 401, "unknown-key", _UNKNOWN_KEY)
    if kiosk.revoked_at is not None:
        raise _turned_away(gateway, 403, "revoked", _REVOKED)
    if kiosk.role != role:
        raise _turned_away(gateway, 403, "another-role", _ANOTHER_ROLE)
    return kiosk


def _turned_away(gateway: Gateway, status: int, reason: str, what: str) -> _Refused:
    gateway.metrics.refused.labels(reason).inc()
    return _Refused(refused(status, reason, what))


async def _read(gateway: Gateway, request: Request, model: type[Message], most: int) -> Message:
    """The body as a message of ours; what can't be read is kept."""
    body = await body_of(request, most)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "body"
    detail = f"{where}: {first['msg']}"
    kept = b"" if model is messages.Enrolment else body
    await _keep(gateway, [_spoiled(gateway, request, "unreadable", detail, kept)])
    raise _Refused(
        refused(
            422,
            "unreadable",
            f"网关读不懂请求：{detail}。 The gateway can't read the request: {detail}.",
        )
    )


async def _keep(gateway: Gateway, refusals: Sequence[RefusedTap]) -> None:
    for one in refusals:
        gateway.metrics.refused.labels(one.reason).inc()
    if refusals:
        await asyncio.wrap_future(gateway.outbox.refuse(refusals))


def _spoiled(
    gateway: Gateway, request: Request, reason: str, detail: str, body: bytes
) -> RefusedTap:
    key = request.headers.get("authorization", "").partition(" ")[2]
    kiosk = gateway.kiosks.by_key(key) if key else None
    source = kiosk.source if kiosk else ""
    return RefusedTap(source, "", reason, detail[:300], body, gateway.clock.now().best_at)


def _refused_tap(kiosk: Kiosk, tap: messages.Tap, why: Refusal, at: int) -> RefusedTap:
    said = tap.model_dump_json(exclude_none=True).encode()
    return RefusedTap(kiosk.source, tap.id, why.reason, why.what, said, at)


def _answer(id_: str, why: Refusal | None) -> messages.Answer:
    if why is None:
        return messages.Answer(id=id_, state="accepted")
    return messages.Answer(id=id_, state="refused", reason=why.reason, what=why.what)


def _decoded(content: bytes) -> str | None:
    """The text of the QR code in a picture; None where there is none, or no picture."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > _MOST_PIXELS:
                return None
            found = zxingcpp.read_barcodes(
                image.convert("L"), formats=zxingcpp.BarcodeFormat.QRCode
            )
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return next((str(one.text) for one in found), None)


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
_UNKNOWN_KEY = (
    "网关不认识这台签到机：请用注册码注册。 "
    "The gateway doesn't know this kiosk: enrol it with a code."
)
_REVOKED = (
    "这台签到机已被停用：签到还在本机，请找运维员。 "
    "This kiosk was revoked: what was tapped is still on it; ask the operator."
)
_ANOTHER_ROLE = (
    "这个钥匙不能做这件事：签到机和运维员各用各的注册码。 "
    "This key isn't for that: kiosks and operators have codes of their own."
)
