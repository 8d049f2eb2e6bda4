"""How kiosks are, by what reached the ledger: when each was last heard, and how much it sent.

Queue, clock and version are known to the gateway alone, on its operator's page. Plain SELECTs;
invariant: a kiosk that sent anything in these days is in it.
"""

import json
from collections import Counter
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, select

from ledger import tables
from ledger.policy import SECOND, Policy
from producers.times import microseconds_of

DAYS = 14
_PREFIX = "/kiosks/"
_SILENT = 48 * 3_600 * SECOND


class KioskHealth(NamedTuple):
    """A kiosk's last tap (microseconds), where, and how many of its taps are in entries."""

    code: str
    place: str
    last_at: int
    today: int
    lately: int
    is_silent: bool


def kiosk_health(connection: Connection, policy: Policy, now: int) -> list[KioskHealth]:
    """The kiosks of the last days, the longest silent first."""
    today = policy.civil_day(now)
    first = (date.fromisoformat(today) - timedelta(days=DAYS)).isoformat()
    last, places = dict[str, int](), dict[str, str]()
    lately, todays = Counter[str](), Counter[str]()
    for source, place, at in _taps(connection, first):
        code = source.removeprefix(_PREFIX)
        lately[code] += 1
        todays[code] += policy.civil_day(at) == today
        if at >= last.get(code, 0):
            last[code], places[code] = at, place
    found = [
        KioskHealth(code, places[code], at, todays[code], lately[code], now - at > _SILENT)
        for code, at in last.items()
    ]
    return sorted(found, key=lambda one: one.last_at)


def _taps(connection: Connection, first: str) -> list[tuple[str, str, int]]:
    """Source, place and time of each tap of a kiosk."""
    table, halves = tables.entries.c, tables.halves.c
    found: list[tuple[str, str, int]] = []
    for place, body in connection.execute(
        select(table.place, table.body).where(table.type == "credit", table.day >= first)
    ):
        entry = json.loads(bytes(body))
        for end in ("opened", "closed"):
            at = microseconds_of(entry[f"{end}_at"])
            found.append((entry[f"{end}_by"]["source"], place, at))
    found += [
        (row.source, row.place, row.occurred_at)
        for row in connection.execute(select(halves.source, halves.place, halves.occurred_at))
    ]
    return [one for one in found if one[0].startswith(_PREFIX)]
