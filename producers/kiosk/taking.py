"""Taps that came in: judged, kept, answered.

Invariant: a tap is answered `accepted` only once it is on the disk, by whatever request it got
there; `refused` only once the refusal is.
"""

import asyncio
from collections.abc import Sequence

from producers.events import Event
from producers.kiosk.checking import Refusal, check
from producers.kiosk.door import REVOKED, UNREADABLE, keep
from producers.kiosk.gateway import Gateway
from producers.kiosk.gateway_clock import Moment
from producers.kiosk.kiosk import Kiosk
from producers.kiosk.messages import Answer, Tap
from producers.kiosk.outbox import NewTap, RefusedTap
from producers.kiosk.tap_reading import Unread

Judged = Event | Refusal | None
"""What a tap is: an event, a refusal, or (None) one that was kept before, whatever is known now."""


async def take(gateway: Gateway, kiosk: Kiosk, taps: Sequence[Tap | Unread]) -> list[Answer]:
    """Keep what is good, keep what isn't apart; answer each once it is on the disk."""
    received = gateway.clock.now()
    judged = [_judged(gateway, kiosk, tap, received) for tap in taps]
    good = [
        NewTap(one, kiosk.place, received) for one in judged if one and not isinstance(one, Refusal)
    ]
    bad = [(tap, one) for tap, one in zip(taps, judged, strict=True) if isinstance(one, Refusal)]
    new = await asyncio.wrap_future(gateway.outbox.add(good)) if good else []
    await _keep_refusals(gateway, kiosk, bad, received.best_at)
    gateway.metrics.taps.labels("accepted").inc(sum(new))
    gateway.metrics.taps.labels("repeated").inc(len(taps) - len(bad) - sum(new))
    gateway.metrics.taps.labels("refused").inc(len(bad))
    return [_answer(tap.id, one) for tap, one in zip(taps, judged, strict=True)]


def _judged(gateway: Gateway, kiosk: Kiosk, tap: Tap | Unread, received: Moment) -> Judged:
    found: Event | Refusal
    if kiosk.revoked_at is not None:
        found = REVOKED
    elif isinstance(tap, Unread):
        found = Refusal("unreadable", UNREADABLE.format(detail=tap.detail))
    else:
        is_measured = gateway.clock.measured_by is not None
        found = check(tap, kiosk, gateway.known(), received.best_at, is_measured)
    is_kept = isinstance(found, Refusal) and gateway.rows.has(kiosk.source, tap.id)
    return None if is_kept else found


async def _keep_refusals(
    gateway: Gateway, kiosk: Kiosk, refusals: Sequence[tuple[Tap | Unread, Refusal]], at: int
) -> None:
    """Keep refused taps, each once however often it is sent."""
    new = {
        (kiosk.code, tap.id, why.reason): _refused(kiosk, tap, why, at)
        for tap, why in refusals
        if (kiosk.code, tap.id, why.reason) not in gateway.refused
    }
    await keep(gateway, list(new.values()))
    for one in new:
        gateway.refused.add(one)


def _refused(kiosk: Kiosk, tap: Tap | Unread, why: Refusal, at: int) -> RefusedTap:
    said = tap.body if isinstance(tap, Unread) else tap.model_dump_json(exclude_none=True).encode()
    return RefusedTap(kiosk.source, tap.id, why.reason, why.what, said, at)


def _answer(id_: str, judged: Judged) -> Answer:
    if isinstance(judged, Refusal):
        return Answer(id=id_, state="refused", reason=judged.reason, what=judged.what)
    return Answer(id=id_, state="accepted")
