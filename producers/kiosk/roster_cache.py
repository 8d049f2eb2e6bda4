"""The gateway's copy of what `hours.roster` says, kept for days without a network.

It knows nothing of kiosks, and doesn't read the topic: `roster_reader` does. Invariant: what is
kept, and how far which topic was read, change in one transaction; while a topic is read anew, what
is kept stays as it is, and what the topic doesn't say goes once it is read whole.
"""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from producers.kiosk.database import WRITING, open_database
from producers.kiosk.gateway_clock import GatewayClock
from producers.roster_view import RosterView

LONGEST_AWAY_SECONDS = 3 * 86_400
"""The topic keeps tombstones for a week: who was away for long might never hear what is gone."""

_PLACE = "roster position"
_UNREADABLE = "roster unreadable"
_CURRENT_SECONDS = 60
_SECOND = 1_000_000
_NOTED_AFTER = 3_600 * _SECOND

_Row = tuple[str, str, str]


class _Place(NamedTuple):
    """Up to where which topic was read, and when its end was last reached: an uptime of a boot.

    Not a time of day: whether it is right, a computer without a clock can't know.
    """

    topic: str
    position: int
    boot: str
    reached: int


_PLACES = TypeAdapter(_Place)


class RosterCache:
    """`view` is what is known of the roster; `version` changes with it."""

    def __init__(self, file: Path, clock: GatewayClock | None = None) -> None:
        self._clock = clock or GatewayClock()
        self._connection = open_database(file)
        # Who was erased leaves nothing of a masked name in a page that nothing is written over.
        self._connection.execute("PRAGMA secure_delete = ON")
        self.view = self._reading = self._kept_view()
        self.version = 0
        self._topic = ""
        self._place = self._kept_place()
        self._reached_at: float | None = None

    @property
    def current(self) -> bool:
        """Whether the end of the topic was reached within the last minute."""
        reached = self._reached_at
        return reached is not None and time.monotonic() - reached < _CURRENT_SECONDS

    def begin(self, topic: str, end: int) -> int:
        """Where a topic, by its id, is to be read on; it is as long as `end` says.

        That is its beginning where it was made anew, or where a tombstone might have been missed.
        """
        self._topic, place = topic, self._place
        if place is None or place.topic != topic or place.position > end or self._away(place):
            self._reading = RosterView(self.view)
            return 0
        self._reading = self.view
        return place.position

    def take(self, records: Sequence[Any], position: int) -> None:
        """Take consumer records in order; `position` is where the topic is read on. sqlite3.Error.

        Nothing is kept of a topic that is read anew, nor shown, until its end.
        """
        touched = set[str]()
        for record in records:
            self._reading.take(record.key, record.value, record.timestamp * 1_000)
            touched.add((record.key or b"").decode(errors="replace"))
        if self._reading is self.view and self._place is not None:
            self._keep(touched, self._place._replace(position=position))
            self.version += bool(records)

    def reached_end(self, position: int) -> None:
        """Nothing more is there for now: what was read anew holds. sqlite3.Error."""
        place = _Place(self._topic, position, self._clock.now().boot, self._clock.uptime())
        if self._reading is not self.view:
            self._keep(None, place)
            self._reading.whole()
            self.view = self._reading
            self.version += 1
        elif self._place is None or place.reached - self._place.reached > _NOTED_AFTER:
            self._keep((), place)
        self._reached_at = time.monotonic()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _away(self, place: _Place) -> bool:
        away = self._clock.uptime() - place.reached
        return place.boot != self._clock.now().boot or away > LONGEST_AWAY_SECONDS * _SECOND

    def _keep(self, keys: Iterable[str] | None, place: _Place) -> None:
        """Write what is known of these keys (None: of all), and up to where it was read."""
        gone, rows = self._changed() if keys is None else _written(self._reading, keys)
        connection = self._connection
        with WRITING:
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.executemany("DELETE FROM roster WHERE key = ?", gone)
                connection.executemany("INSERT OR REPLACE INTO roster VALUES (?, ?, ?)", rows)
                self._note(_PLACE, place)
                self._note(_UNREADABLE, self._reading.unreadable)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        self._place = place

    def _changed(self) -> tuple[list[tuple[str]], list[_Row]]:
        """What differs from the file, for a card that wears out with writing."""
        rows = self._connection.execute("SELECT key, value, since FROM roster")
        kept = {row[0]: row for row in rows}
        _, said = _written(self._reading, self._reading.told)
        gone = [(key,) for key in kept.keys() - self._reading.told.keys()]
        return gone, [row for row in said if kept.get(row[0]) != row]

    def _note(self, name: str, value: Any) -> None:
        said = json.dumps(value, ensure_ascii=False)
        self._connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, said))

    def _noted(self, name: str) -> str | None:
        found = self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,))
        row = found.fetchone()
        return None if row is None else str(row[0])

    def _kept_view(self) -> RosterView:
        view = RosterView()
        for key, value, since in self._connection.execute("SELECT key, value, since FROM roster"):
            view.told[key], view.since[key] = from_json(value), from_json(since)
        view.unreadable = json.loads(self._noted(_UNREADABLE) or "{}")
        return view

    def _kept_place(self) -> _Place | None:
        try:
            return _PLACES.validate_json(self._noted(_PLACE) or "null")
        except ValidationError:
            return None


def _written(view: RosterView, keys: Iterable[str]) -> tuple[list[tuple[str]], list[_Row]]:
    """Which keys are gone, and the rows of the others."""
    names = list(keys)
    rows = [
        (key, _json(view.told[key]), _json(view.since[key])) for key in names if key in view.told
    ]
    return [(key,) for key in names if key not in view.told], rows


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
