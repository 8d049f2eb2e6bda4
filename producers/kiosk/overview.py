"""How a gateway and its kiosks are, for an operator: pure, from values to what is shown.

Invariant: a kiosk with anything in `trouble` comes before those with nothing.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from producers.kiosk.kiosk import Kiosk
from producers.kiosk.kiosks import Seen
from producers.kiosk.messages import Report
from producers.kiosk.outbox_rows import Standing
from producers.kiosk.publisher import PublisherState
from producers.kiosk.roster_slice import SKEW_SECONDS
from producers.times import rfc_3339_of

SILENT_SECONDS = 600
GATEWAY_SILENT_SECONDS = 60
QUEUE_OLD_SECONDS = 3_600
ENDED = "{}"
"""What a gateway that ends notes of itself."""

_SECOND = 1_000_000
_NOT_RUNNING = "网关没有运行：请启动 hours kiosk。 The gateway isn't running: start hours kiosk."


class GatewayNow(NamedTuple):
    """How the gateway is at a moment; times in microseconds."""

    at: int
    standing: Standing
    publisher: PublisherState
    clock_ahead: int | None
    clock_by: str | None
    roster_current: bool
    version: str
    roster_unreadable: int = 0


def overview(
    now: GatewayNow, kiosks: Sequence[Kiosk], reports: Mapping[str, Seen]
) -> dict[str, Any]:
    """The gateway, and its kiosks with trouble first, as JSON has it (docs/kiosks.md)."""
    shown = [_kiosk(one, reports.get(one.code), now) for one in kiosks if one.role == "kiosk"]
    shown.sort(key=lambda one: (not one["trouble"], one["code"]))
    return {"gateway": _gateway(now), "kiosks": shown}


def note_of(now: GatewayNow) -> str:
    """What only a running gateway knows of itself, as JSON, for whoever looks into its file."""
    told = now._asdict() | {"publisher": now.publisher._asdict()}
    del told["standing"]
    return json.dumps(told, ensure_ascii=False)


def noted(note: str | None, standing: Standing, at: int) -> GatewayNow:
    """How a gateway is by its file; where it left no note lately, it doesn't run."""
    told = {} if note is None else json.loads(note)
    if at - told.get("at", 0) > GATEWAY_SILENT_SECONDS * _SECOND:
        state = PublisherState(False, _NOT_RUNNING, told.get("at", 0))
        return GatewayNow(at, standing, state, None, None, False, told.get("version", ""))
    return GatewayNow(
        **{**told, "at": at, "standing": standing, "publisher": PublisherState(**told["publisher"])}
    )


def _gateway(now: GatewayNow) -> dict[str, Any]:
    standing, publisher = now.standing, now.publisher
    return {
        "at": rfc_3339_of(now.at),
        "waiting": standing.waiting,
        "oldest": _time(standing.oldest_at),
        "published": standing.published,
        "refused_at_door": standing.refused_at_door,
        "refused_by_kafka": standing.refused_by_kafka,
        "connected": publisher.connected,
        "trouble": publisher.trouble,
        "since": rfc_3339_of(publisher.since),
        "clock_offset_ms": None if now.clock_ahead is None else now.clock_ahead // 1_000,
        "clock_by": now.clock_by,
        "roster_current": now.roster_current,
        "roster_unreadable": now.roster_unreadable,
        "version": now.version,
    }


def _kiosk(kiosk: Kiosk, seen: Seen | None, now: GatewayNow) -> dict[str, Any]:
    report = None if seen is None else Report.model_validate_json(seen.report)
    return {
        "code": kiosk.code,
        "place": kiosk.place,
        "enrolled_at": _time(kiosk.enrolled_at),
        "revoked_at": _time(kiosk.revoked_at),
        "seen_at": None if seen is None else rfc_3339_of(seen.at),
        "queued": None if report is None else report.queued,
        "oldest": None if report is None else _time(report.oldest),
        "refused": None if report is None else report.refused,
        "offset_ms": None if report is None else report.offset_ms,
        "version": None if report is None else report.version,
        "persisted": None if report is None else report.persisted,
        "trouble": _trouble(kiosk, seen, report, now),
    }


def _trouble(kiosk: Kiosk, seen: Seen | None, report: Report | None, now: GatewayNow) -> list[str]:
    """What is wrong, as stable words."""
    if kiosk.revoked_at is not None:
        return ["revoked"]
    if kiosk.enrolled_at is None:
        return ["not-enrolled"]
    if seen is None or report is None:
        return ["silent"]
    off = abs(report.offset_ms or 0) > SKEW_SECONDS * 1_000
    old = report.oldest is not None and now.at - report.oldest > QUEUE_OLD_SECONDS * _SECOND
    found = {
        "silent": now.at - seen.at > SILENT_SECONDS * _SECOND,
        "queue-old": old,
        "clock-off": off,
        "refused-taps": report.refused > 0,
        "storage-not-kept": report.persisted is False,
        "old-version": bool(now.version) and report.version != now.version,
    }
    return [name for name, is_so in found.items() if is_so]


def _time(at: int | None) -> str | None:
    return None if at is None else rfc_3339_of(at)
