"""What waits in the outbox, and what became of it: for whoever publishes, and whoever looks.

It takes no new taps. Invariant: once a row was offered to Kafka its event never changes, so that
however often it is sent, it is one tap.
"""

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from producers.events import TapVoided
from producers.kiosk.database import WRITING, open_database
from producers.kiosk.gateway_clock import Moment
from producers.kiosk.outbox import RefusedTap

KEPT_SECONDS = 60 * 86_400
"""How long a published tap stays, so that a page that sends it again finds it here."""

_VOIDED = TapVoided.model_fields["type"].default
_WAITING = "published_at IS NULL AND refused IS NULL"
_COLUMNS = "number, source, id, volunteer, kind, event, offered, received_at, boot, clock_base"


class Row(NamedTuple):
    """A tap that waits; `kind` is the event's type, `received` when the gateway got it."""

    number: int
    source: str
    id: str
    volunteer: str
    kind: str
    event: bytes
    offered: bool
    received: Moment


class Published(NamedTuple):
    """Where a row is in the log; offset -1: Kafka had it already and didn't say where."""

    number: int
    partition: int
    offset: int


class Standing(NamedTuple):
    """Counts of taps; `oldest_at` is when the longest waiting was received."""

    waiting: int
    oldest_at: int | None
    published: int
    refused_by_kafka: int
    refused_at_door: int


class LastTap(NamedTuple):
    """What a volunteer last did at a place: the event's type, and when it was received."""

    volunteer: str
    kind: str
    received_at: int


class OutboxRows:
    """Reads and marks rows, for any number of threads, one at a time."""

    def __init__(self, file: Path) -> None:
        self._connection = open_database(file)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def waiting(self, limit: int) -> list[Row]:
        """The oldest that wait, in the order of their arrival."""
        found = self._all(
            f"SELECT {_COLUMNS} FROM taps WHERE {_WAITING} ORDER BY number LIMIT ?",  # noqa: S608
            (limit,),
        )
        return [Row._make((*one[:7], Moment(*one[7:]))) for one in found]

    def offer(self, rows: Sequence[Row]) -> None:
        """Fix what these rows say, before Kafka sees it; it is on the disk on return."""
        self._change(
            "UPDATE taps SET event = ?, offered = 1 WHERE number = ?",
            [(row.event, row.number) for row in rows if not row.offered],
        )

    def published(self, rows: Iterable[Published], at: int) -> None:
        """Kafka acknowledged these."""
        self._change(
            "UPDATE taps SET published_at = ?, partition = ?, log_offset = ? WHERE number = ?",
            [(at, row.partition, row.offset, row.number) for row in rows],
        )

    def refused_by_kafka(self, number: int, why: str) -> None:
        """Kafka will never take this one; it stays, to be looked at."""
        self._change("UPDATE taps SET refused = ? WHERE number = ?", [(why, number)])

    def forget_published(self, before: int) -> None:
        """Drop what was published before then."""
        self._change("DELETE FROM taps WHERE published_at < ?", [(before,)])

    def standing(self) -> Standing:
        """How many there are of each kind."""
        waiting, oldest = self._all(
            f"SELECT count(*), min(received_at) FROM taps WHERE {_WAITING}"  # noqa: S608
        )[0]
        refused = self._all("SELECT count(*) FROM taps WHERE refused IS NOT NULL")[0][0]
        ever = dict(self._all("SELECT name, seq FROM sqlite_sequence"))
        published = ever.get("taps", 0) - waiting - refused
        return Standing(waiting, oldest, published, refused, ever.get("refusals", 0))

    def is_published(self, source: str, id_: str) -> bool:
        """Whether Kafka has acknowledged a tap."""
        return bool(
            self._all(
                "SELECT 1 FROM taps WHERE source = ? AND id = ? AND published_at IS NOT NULL",
                (source, id_),
            )
        )

    def has(self, source: str, id_: str) -> bool:
        """Whether a tap was kept."""
        return bool(self._all("SELECT 1 FROM taps WHERE source = ? AND id = ?", (source, id_)))

    def waiting_by_source(self) -> dict[str, int]:
        """How many wait of each kiosk."""
        return dict(
            self._all(f"SELECT source, count(*) FROM taps WHERE {_WAITING} GROUP BY source")  # noqa: S608
        )

    def last_tap(self, place: str, volunteer: str, since: int) -> LastTap | None:
        """What a volunteer last did at a place since then; undone taps count as done."""
        found = self._all(
            "SELECT kind, received_at FROM taps WHERE place = ? AND received_at >= ?"
            " AND volunteer = ? AND kind != ? ORDER BY number DESC LIMIT 1",
            (place, since, volunteer, _VOIDED),
        )
        return LastTap(volunteer, *found[0]) if found else None

    def refusals(self, limit: int) -> list[RefusedTap]:
        """The newest of what was refused at the door, the newest last."""
        found = self._all(
            "SELECT source, id, reason, detail, body, at FROM refusals"
            " ORDER BY number DESC LIMIT ?",
            (limit,),
        )
        return [RefusedTap(*one) for one in reversed(found)]

    def refused_rows(self) -> list[tuple[str, str, str]]:
        """Source, id and reason of what Kafka will never take."""
        return self._all("SELECT source, id, refused FROM taps WHERE refused IS NOT NULL")

    def _all(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def _change(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """All of it, on the disk, or nothing."""
        if not rows:
            return
        with self._lock, WRITING:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(statement, rows)
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise
