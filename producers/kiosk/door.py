"""Who comes to the gateway, and what they say: known by their key, read, or turned away.

Invariant: who speaks is known by the key alone; what is turned away is counted, and what a kiosk
said that can't be read is kept.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from producers.kiosk import messages
from producers.kiosk.answers import body_of, refused
from producers.kiosk.checking import Refusal
from producers.kiosk.gateway import Gateway
from producers.kiosk.kiosk import Kiosk, Role
from producers.kiosk.outbox import OutboxUnavailable, RefusedTap
from producers.kiosk.tap_reading import trouble

TRY_AGAIN_SECONDS = 60
Message = TypeVar("Message", bound=BaseModel)


class Refused(Exception):
    """A request is turned away with this response."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def speaker(
    gateway: Gateway, request: Request, role: Role = "kiosk", even_revoked: bool = False
) -> Kiosk:
    """Whose key came with the request."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    kiosk = gateway.kiosks.by_key(key) if scheme.lower() == "bearer" and key else None
    if kiosk is None:
        raise turned_away(gateway, 401, "unknown-key", _UNKNOWN_KEY)
    if kiosk.revoked_at is not None and not even_revoked:
        raise turned_away(gateway, 403, *REVOKED)
    if kiosk.role != role:
        raise turned_away(gateway, 403, "another-role", _ANOTHER_ROLE)
    return kiosk


def turned_away(gateway: Gateway, status: int, reason: str, what: str) -> Refused:
    gateway.metrics.refused.labels(reason).inc()
    return Refused(refused(status, reason, what))


async def read_message(
    gateway: Gateway, request: Request, model: type[Message], most: int
) -> Message:
    """The body as a message of ours; what can't be read is kept."""
    body = await body_of(request, most)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        detail = trouble(error)
    is_secret = model is messages.Enrolment
    raise await unreadable(gateway, request, detail, b"" if is_secret else body)


async def unreadable(gateway: Gateway, request: Request, detail: str, body: bytes) -> Refused:
    await keep_if_possible(gateway, spoiled(gateway, request, "unreadable", detail, body))
    return Refused(refused(422, "unreadable", UNREADABLE.format(detail=detail)))


async def keep(gateway: Gateway, refusals: Sequence[RefusedTap]) -> None:
    for one in refusals:
        gateway.metrics.refused.labels(one.reason).inc()
    if refusals:
        await asyncio.wrap_future(gateway.outbox.refuse(refusals))


async def keep_if_possible(gateway: Gateway, refusal: RefusedTap) -> None:
    """With a full disk it is refused all the same, and counted."""
    with suppress(OutboxUnavailable):
        await keep(gateway, [refusal])


def spoiled(
    gateway: Gateway, request: Request, reason: str, detail: str, body: bytes
) -> RefusedTap:
    key = request.headers.get("authorization", "").partition(" ")[2]
    kiosk = gateway.kiosks.by_key(key) if key else None
    source = kiosk.source if kiosk else ""
    return RefusedTap(source, "", reason, detail[:300], body, gateway.clock.now().best_at)


def unavailable_now(gateway: Gateway, why: OutboxUnavailable) -> Response:
    gateway.metrics.refused.labels(why.reason).inc()
    return refused(503, why.reason, str(why), {"retry-after": str(TRY_AGAIN_SECONDS)})


UNREADABLE = "网关读不懂：{detail}。 The gateway can't read it: {detail}."
_UNKNOWN_KEY = (
    "网关不认识这台签到机：请用注册码注册。 "
    "The gateway doesn't know this kiosk: enrol it with a code."
)
REVOKED = Refusal(
    "revoked",
    "这台签到机已被停用：签到还在本机，请找运维员。 "
    "This kiosk was revoked: what was tapped is still on it; ask the operator.",
)
_ANOTHER_ROLE = (
    "这个钥匙不能做这件事：签到机和运维员各用各的注册码。 "
    "This key isn't for that: kiosks and operators have codes of their own."
)
