"""Reads `hours.roster` into a gateway's cache as it grows; while Kafka is away, it tries again.

It decides nothing of what is kept. Invariant: it reads on where the cache says, of that topic alone
whose id it was told; a topic made anew under the same name is another topic.
"""

import logging
import sqlite3
import threading
import time
from contextlib import closing
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, UnknownTopicOrPartitionError

from producers.kafka_access import KafkaAccess
from producers.kiosk.roster_cache import RosterCache
from producers.roster_view import COMMITTED

logger = logging.getLogger(__name__)

_EXPECTED = (KafkaError, OSError, sqlite3.Error)
_REACH_SECONDS = 10
_PAUSE_SECONDS = 5
_POLL_MILLISECONDS = 1_000
_AT_ONCE = 2_000
_LOOK_AGAIN_SECONDS = 600
"""After how long a connection ends, so that it is seen whether it is still the same topic."""


class RosterReader(threading.Thread):
    """Reads the topic into a cache, until it is stopped."""

    def __init__(self, cache: RosterCache, access: KafkaAccess, topic: str) -> None:
        super().__init__(name="roster", daemon=True)
        self._cache, self._access = cache, access
        self._partition = TopicPartition(topic, 0)
        self._over = threading.Event()

    def run(self) -> None:
        logging.getLogger("kafka").setLevel(logging.CRITICAL)
        while not self._over.is_set():
            try:
                topic = self._topic_id()
                with closing(self._consumer()) as consumer:
                    self._read(consumer, topic)
            except Exception as error:
                if not isinstance(error, _EXPECTED):  # ours, and it must be seen
                    logger.exception("reading the roster failed")
                self._over.wait(_PAUSE_SECONDS)  # `current` says that nothing comes

    def stop(self) -> None:
        """Read no more."""
        self._over.set()

    def _topic_id(self) -> str:
        """What Kafka knows the topic by, whatever it is called."""
        with closing(
            KafkaAdminClient(**self._access.options(), bootstrap_timeout_ms=_REACH_SECONDS * 1_000)
        ) as admin:
            (found,) = admin.describe_topics([self._partition.topic])
        if found["error_code"]:
            raise UnknownTopicOrPartitionError(self._partition.topic)
        return str(found["topic_id"])

    def _consumer(self) -> Any:
        return KafkaConsumer(
            **self._access.options(),
            bootstrap_timeout_ms=_REACH_SECONDS * 1_000,
            group_id=None,
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            # Of a topic that became shorter nothing is passed over: it is begun anew.
            auto_offset_reset="none",
            isolation_level=COMMITTED,
            max_poll_records=_AT_ONCE,
        )

    def _read(self, consumer: Any, topic: str) -> None:
        cache, partition = self._cache, self._partition
        consumer.assign([partition])
        position = cache.begin(topic, self._end(consumer))
        consumer.seek(partition, max(position, self._begin(consumer)))
        until = time.monotonic() + _LOOK_AGAIN_SECONDS
        while not self._over.is_set() and time.monotonic() < until:
            records = consumer.poll(timeout_ms=_POLL_MILLISECONDS).get(partition, [])
            position = consumer.position(partition)
            if records:
                cache.take(records, position)
            elif position >= self._end(consumer):
                cache.reached_end(position)

    def _end(self, consumer: Any) -> int:
        return int(consumer.end_offsets([self._partition])[self._partition])

    def _begin(self, consumer: Any) -> int:
        return int(consumer.beginning_offsets([self._partition])[self._partition])
