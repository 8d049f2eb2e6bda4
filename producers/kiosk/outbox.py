"""The outbox: taps on the disk before anybody is told that they were accepted.

One thread writes. It takes all that waits, commits it with one fsync, then tells those who wait: so
a thousand taps a second cost some dozens of fsyncs. It publishes nothing. Invariant: a tap whose
future says it is kept survives a power cut; of one source and id the first stays.
"""

import errno
import queue
import shutil
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from producers.events import Event
from producers.kiosk.database import WRITING, open_database
from producers.kiosk.gateway_clock import Moment
from producers.writing import write_line

RESERVE_BYTES = 32 << 20
"""With less room on the disk nothing new is taken, so that what is there can still be sent."""

MOST_REFUSALS = 10_000
"""How many are kept in full, the newest; all of them are counted."""

_MOST_AT_ONCE = 2_000
_LONGEST_BODY = 2_048
_INSERT_TAP = (
    "INSERT INTO taps (source, id, volunteer, kind, place, event, received_at, boot, clock_base)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, id) DO NOTHING"
)
_INSERT_REFUSAL = (
    "INSERT INTO refusals (at, source, id, reason, detail, body) VALUES (?, ?, ?, ?, ?, ?)"
)
_FORGET_REFUSALS = "DELETE FROM refusals WHERE number <= (SELECT max(number) FROM refusals) - ?"


class NewTap(NamedTuple):
    """An event, where it was made, and when the gateway received it."""

    event: Event
    place: str
    received: Moment


class RefusedTap(NamedTuple):
    """What was refused at the door; `source` is empty where nobody known spoke."""

    source: str
    id: str
    reason: str
    detail: str
    body: bytes
    at: int


class OutboxUnavailable(Exception):
    """Nothing can be kept now: `reason` is disk-full or disk-error; the message says what to do."""

    def __init__(self, reason: str, what: str) -> None:
        super().__init__(what)
        self.reason = reason


class Outbox:
    """Keeps taps and refusals in the gateway's file; `kept` is set after each commit."""

    def __init__(self, file: Path, reserve_bytes: int = RESERVE_BYTES) -> None:
        self.kept = threading.Event()
        self._folder = file.parent
        self._reserve = reserve_bytes
        self._connection = open_database(file)
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="outbox", daemon=True)
        self._thread.start()

    def add(self, taps: Sequence[NewTap]) -> "Future[list[bool]]":
        """Keep taps; once they are on the disk, which of them are new.

        Where the future fails, with OutboxUnavailable, none of them was kept.
        """
        return self._put(_Work(taps, ()))

    def refuse(self, refused: Sequence[RefusedTap]) -> "Future[list[bool]]":
        """Keep what was refused. Its future fails with OutboxUnavailable."""
        return self._put(_Work((), refused))

    def trouble(self) -> str | None:
        """Why nothing new could be kept now; None where it could."""
        try:
            self._refuse_a_full_disk()
        except OSError as error:
            return str(unavailable(error))
        return None

    def close(self) -> None:
        """Write what was given, then let go of the file."""
        self._queue.put(None)
        self._thread.join()
        self._connection.close()

    def _put(self, work: "_Work") -> "Future[list[bool]]":
        self._queue.put(work)
        return work.done

    def _write(self) -> None:
        while works := self._next():
            try:
                self._refuse_a_full_disk()
                with WRITING:
                    kept = self._commit(works)
            except Exception as error:
                for work in works:  # whatever it was, those who wait must hear of it
                    work.done.set_exception(unavailable(error))
            else:
                self.kept.set()
                for work, new in zip(works, kept, strict=True):
                    work.done.set_result(new)

    def _next(self) -> list["_Work"]:
        """All that waits, at least one; none when it is over."""
        works, size = list[_Work](), 0
        while size < _MOST_AT_ONCE:
            try:
                work = self._queue.get(block=not works)
            except queue.Empty:
                break
            if work is None:
                if works:
                    self._queue.put(None)  # the end comes after these
                break
            works.append(work)
            size += len(work.taps)
        return works

    def _refuse_a_full_disk(self) -> None:
        if shutil.disk_usage(self._folder).free < self._reserve:
            raise OSError(errno.ENOSPC, "less room than is kept in reserve")

    def _commit(self, works: Sequence["_Work"]) -> list[list[bool]]:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            kept = [[self._insert(tap) for tap in work.taps] for work in works]
            self._insert_refusals([one for work in works for one in work.refused])
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        return kept

    def _insert(self, tap: NewTap) -> bool:
        event, received = tap.event, tap.received
        who = (event.source, event.id, event.subject, event.type, tap.place)
        when = (received.best_at, received.boot, received.base)
        return self._connection.execute(_INSERT_TAP, (*who, write_line(event), *when)).rowcount == 1

    def _insert_refusals(self, refused: Sequence[RefusedTap]) -> None:
        if not refused:
            return
        rows = [
            (one.at, one.source, one.id, one.reason, one.detail, one.body[:_LONGEST_BODY])
            for one in refused
        ]
        self._connection.executemany(_INSERT_REFUSAL, rows)
        self._connection.execute(_FORGET_REFUSALS, (MOST_REFUSALS,))


@dataclass(frozen=True)
class _Work:
    taps: Sequence[NewTap]
    refused: Sequence[RefusedTap]
    done: "Future[list[bool]]" = field(default_factory=Future)


def unavailable(error: Exception) -> OutboxUnavailable:
    """What an error of the disk or of SQLite means to whoever has a tap."""
    full = getattr(error, "errno", None) == errno.ENOSPC or (
        getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    )
    if full:
        return OutboxUnavailable(
            "disk-full",
            "网关的磁盘满了，新的签到先留在签到机上：请清理磁盘。 "
            "The gateway's disk is full; new taps stay on the kiosk: make room on it.",
        )
    return OutboxUnavailable(
        "disk-error",
        f"网关写不了磁盘（{error}），新的签到先留在签到机上。 The gateway can't write to its disk "
        f"({error}); new taps stay on the kiosk.",
    )
