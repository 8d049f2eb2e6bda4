"""The gateway's copy of `hours.roster`: read as it grows, kept for days without a network.

It knows nothing of kiosks. Invariant: what is kept, and how far the topic was read, change in one
transaction; a topic made anew is read from its beginning, and what it doesn't say goes.
"""

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from producers.kafka_access import KafkaAccess
from producers.kiosk.database import open_database
from producers.roster_view import COMMITTED, RosterView

_POSITION = "roster position"
_CURRENT_SECONDS = 60
_REACH_SECONDS = 10
_PAUSE_SECONDS = 5
_POLL_MILLISECONDS = 1_000
_AT_ONCE = 2_000


class RosterCache:
    """`view` is what is known of the roster; `version` changes with it."""

    def __init__(self, file: Path) -> None:
        self._connection = open_database(file)
        self.view = RosterView()
        for key, value, since in self._connection.execute("SELECT key, value, at FROM roster"):
            self.view.told[key] = json.loads(value)
            self.view.since[key] = since
        self._reading = self.view
        self.position = self._position()
        self.version = 0
        self.reached_at: float | None = None

    @property
    def current(self) -> bool:
        """Whether the end of the topic was reached within the last minute."""
        reached = self.reached_at
        return reached is not None and time.monotonic() - reached < _CURRENT_SECONDS

    def take(self, records: Sequence[Any], position: int) -> None:
        """Take consumer records in order; `position` is where the topic is read on."""
        touched = set[str]()
        for record in records:
            self._reading.take(record.key, record.value, record.timestamp * 1_000)
            touched.add((record.key or b"").decode(errors="replace"))
        self._keep(touched, position)
        self.version += bool(records)

    def begin_anew(self) -> None:
        """The topic was made anew: what is kept serves until it is read again."""
        self._reading = RosterView()
        self.position = 0

    def finish_anew(self) -> None:
        """The topic made anew is read: what it didn't say goes."""
        kept = {key for (key,) in self._connection.execute("SELECT key FROM roster")}
        self._keep(kept - set(self._reading.told), self.position)
        self.view = self._reading
        self.version += 1

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _keep(self, keys: set[str], position: int) -> None:
        told, since = self._reading.told, self._reading.since
        rows = [
            (key, json.dumps(told[key], ensure_ascii=False), since[key])
            for key in keys
            if key in told
        ]
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            gone = [(key,) for key in keys if key not in told]
            connection.executemany("DELETE FROM roster WHERE key = ?", gone)
            connection.executemany("INSERT OR REPLACE INTO roster VALUES (?, ?, ?)", rows)
            connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (_POSITION, position))
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        self.position = position

    def _position(self) -> int:
        found = self._connection.execute(
            "SELECT value FROM facts WHERE name = ?", (_POSITION,)
        ).fetchone()
        return int(found[0]) if found else 0


class RosterReader(threading.Thread):
    """Reads the topic into a cache, until it is stopped; while Kafka is away, it tries again."""

    def __init__(self, cache: RosterCache, access: KafkaAccess, topic: str) -> None:
        super().__init__(name="roster", daemon=True)
        self._cache, self._access = cache, access
        self._partition = TopicPartition(topic, 0)
        self._over = threading.Event()

    def run(self) -> None:
        logging.getLogger("kafka").setLevel(logging.CRITICAL)
        while not self._over.is_set():
            try:
                with closing(self._consumer()) as consumer:
                    self._read(consumer)
            except (KafkaError, OSError, sqlite3.Error):
                self._over.wait(_PAUSE_SECONDS)  # `current` says that nothing comes

    def stop(self) -> None:
        """Read no more."""
        self._over.set()

    def _consumer(self) -> Any:
        return KafkaConsumer(
            **self._access.options(),
            bootstrap_timeout_ms=_REACH_SECONDS * 1_000,
            group_id=None,
            enable_auto_commit=False,
            isolation_level=COMMITTED,
            max_poll_records=_AT_ONCE,
        )

    def _read(self, consumer: Any) -> None:
        cache, partition = self._cache, self._partition
        consumer.assign([partition])
        anew = self._end(consumer) < cache.position
        if anew:
            cache.begin_anew()
        consumer.seek(partition, max(cache.position, self._begin(consumer)))
        while not self._over.is_set():
            records = consumer.poll(timeout_ms=_POLL_MILLISECONDS).get(partition, [])
            position = consumer.position(partition)
            if records or position != cache.position:
                cache.take(records, position)
            if not records and position >= self._end(consumer):
                if anew:
                    cache.finish_anew()
                    anew = False
                cache.reached_at = time.monotonic()

    def _end(self, consumer: Any) -> int:
        return int(consumer.end_offsets([self._partition])[self._partition])

    def _begin(self, consumer: Any) -> int:
        return int(consumer.beginning_offsets([self._partition])[self._partition])
