"""A gateway's parts, put together: what each request needs to know, without a word of HTTP.

Invariant: who speaks is known by the key alone, and looked up for each request, so that a revoked
kiosk is refused from that moment on.
"""

import asyncio
import hashlib
import threading
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic_core import to_json

from producers.badges import key_id
from producers.kiosk.checking import Known
from producers.kiosk.gateway_clock import GatewayClock
from producers.kiosk.kiosk import Kiosk
from producers.kiosk.kiosks import Kiosks, Seen
from producers.kiosk.limits import Recent, Tries
from producers.kiosk.messages import Report
from producers.kiosk.metrics import GatewayMetrics
from producers.kiosk.outbox import Outbox
from producers.kiosk.outbox_rows import OutboxRows
from producers.kiosk.overview import ENDED, GatewayNow, note_of
from producers.kiosk.page_files import PageFiles
from producers.kiosk.publisher import PublisherState
from producers.kiosk.roster_cache import RosterCache
from producers.kiosk.roster_slice import CAP_SECONDS, RosterIndex, kiosk_slice
from producers.roster_view import RosterView
from producers.times import rfc_3339_of

_HOUR = 3_600_000_000
_INDEX_AGE = 2_000_000


@dataclass
class Gateway:
    """All that answers requests. `publisher` tells how publishing is."""

    ledger_name: str
    timezone: str
    badge_keys: Sequence[Ed25519PublicKey]
    outbox: Outbox
    rows: OutboxRows
    clock: GatewayClock
    roster: RosterCache
    kiosks: Kiosks
    publisher: Callable[[], PublisherState]
    page: PageFiles = field(default_factory=PageFiles)
    tries: Tries = field(default_factory=Tries)
    refused: Recent = field(default_factory=Recent)

    def __post_init__(self) -> None:
        self.metrics = GatewayMetrics(lambda: (self.now(), self.reports()))
        self._reports = self.kiosks.reports()
        self._unkept = set[str]()
        self._lock = threading.Lock()
        self.decoding = asyncio.Semaphore(1)  # one core is left for taps
        self._known: tuple[tuple[int, str], int, Known] | None = None
        self._slices: dict[str, tuple[Any, bytes, str]] = {}

    def known(self) -> Known:
        """What is known of the roster, and of badges."""
        now = self.clock.now().best_at
        state = (self.roster.version, self._day(now))
        if self._known is None or (self._known[0] != state and now - self._known[1] > _INDEX_AGE):
            view = _still(self.roster.view)
            known = Known(
                RosterIndex(view, state[1]), view.since, self.ledger_name, self.badge_keys
            )
            self._known = (state, now, known)
        return self._known[2]

    def slice_of(self, kiosk: Kiosk) -> tuple[bytes, str]:
        """The roster as a kiosk sees it, as JSON, and its ETag."""
        now, known = self.clock.now().best_at, self.known()
        state = (known, kiosk, now // _HOUR)
        cached = self._slices.get(kiosk.code)
        if cached is None or cached[0][0] is not known or cached[0][1:] != state[1:]:
            said = {**kiosk_slice(known.roster, kiosk, now), **self._ours()}
            etag = f'"{hashlib.sha256(to_json(said)).hexdigest()[:16]}"'
            content = to_json({**said, "as_of": rfc_3339_of(now)})
            cached = self._slices[kiosk.code] = (state, content, etag)
        return cached[1], cached[2]

    def last_tap(self, kiosk: Kiosk, volunteer: str) -> tuple[str, int] | None:
        """What somebody last did here within the cap: the event's type, and when."""
        since = self.clock.now().best_at - CAP_SECONDS * 1_000_000
        last = self.rows.last_tap(kiosk.place, volunteer, since)
        return None if last is None else (last.kind, last.received_at)

    def reported(self, kiosk: Kiosk, report: Report) -> None:
        """A kiosk was heard of."""
        seen = Seen(self.clock.now().best_at, report.model_dump_json())
        with self._lock:
            self._reports[kiosk.code] = seen
            self._unkept.add(kiosk.code)

    def reports(self) -> dict[str, Seen]:
        """Each kiosk's last report."""
        with self._lock:
            return dict(self._reports)

    def keep_reports(self, is_over: bool = False) -> None:
        """Write what was reported, and how the gateway is, to the file: now and then.

        One transaction, for a report is worth no fsync of its own; sqlite3.Error.
        """
        with self._lock:
            codes, self._unkept = self._unkept, set()
            news = {code: self._reports[code] for code in codes}
        try:
            self.kiosks.keep_reports(news, ENDED if is_over else note_of(self.now()))
        except BaseException:
            with self._lock:
                self._unkept |= codes
            raise

    def now(self) -> GatewayNow:
        """How the gateway is."""
        return GatewayNow(
            at=self.clock.now().best_at,
            standing=self.rows.standing(),
            publisher=self.publisher(),
            clock_ahead=self.clock.ahead,
            clock_by=self.clock.measured_by,
            roster_current=self.roster.current,
            version=self.page.version,
            roster_unreadable=len(self.roster.view.unreadable),
        )

    def _day(self, at: int) -> str:
        local = datetime.fromtimestamp(at // 1_000_000, UTC).astimezone(ZoneInfo(self.timezone))
        return local.date().isoformat()

    def _ours(self) -> dict[str, Any]:
        keys = [
            {"id": key_id(key), "key": b64encode(key.public_bytes_raw()).decode()}
            for key in self.badge_keys
        ]
        return {"ledger": self.ledger_name, "timezone": self.timezone, "badge_keys": keys}


def _still(view: RosterView) -> RosterView:
    """A copy that stays as it is, while a thread reads on; made in one step of the interpreter."""
    copy = RosterView()
    copy.told, copy.since = dict(view.told), dict(view.since)
    return copy
