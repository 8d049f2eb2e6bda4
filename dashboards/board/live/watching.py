"""Two threads that look: one at the ledger, several times a second, one at where the log ends.

Invariant: what they hold is replaced whole, so that whoever reads it sees one moment; and while a
look fails, the last one stays, together with how old it is.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from dashboards.board.directory import DirectoryCache
from dashboards.board.live.reading import Reader
from dashboards.board.live.state import Freshness, State
from ledger import queries
from ledger.policy import Policy
from ledger.refusals import LedgerRefusal
from producers.kafka_access import KafkaAccess, reach

_LOOK_SECONDS = 0.2
_LOG_SECONDS = 1.0
_PAUSE_SECONDS = 2.0
_REACH_MILLISECONDS = 5_000

log = logging.getLogger(__name__)


class LedgerWatch(threading.Thread):
    """The latest `State`, looked for five times a second."""

    def __init__(
        self, engine: Engine, policy: Policy, directories: DirectoryCache, clock: Callable[[], int]
    ) -> None:
        super().__init__(name="ledger-watch", daemon=True)
        self._engine, self._reader, self._clock = engine, Reader(policy, directories), clock
        self._over = threading.Event()
        self.state: State | None = None
        self.failing_since: int | None = None

    def run(self) -> None:
        while not self._over.is_set():
            self._over.wait(_LOOK_SECONDS if self.look() else _PAUSE_SECONDS)

    def look(self) -> bool:
        """Look once; whether the ledger could be read."""
        try:
            with queries.reading(self._engine) as connection:
                self.state = self._reader.read(connection, self._clock(), self.state)
        except Exception as error:
            if self.failing_since is None:
                self.failing_since = self._clock()
                ours = not isinstance(error, (LedgerRefusal, SQLAlchemyError))  # then it says where
                log.warning("账本读不到。 The ledger can't be read: %s", error, exc_info=ours)
            return False
        self.failing_since = None
        return True

    def stop(self) -> None:
        """Look no more."""
        self._over.set()


class LogWatch(threading.Thread):
    """Where the log of taps ends, asked every second, and since when the ledger has been behind."""

    def __init__(
        self,
        access: KafkaAccess,
        topic: str,
        shards: int,
        ledger: LedgerWatch,
        clock: Callable[[], int],
    ) -> None:
        super().__init__(name="log-watch", daemon=True)
        self._access, self._ledger, self._clock = access, ledger, clock
        self._partitions = [TopicPartition(topic, number) for number in range(shards)]
        self._over = threading.Event()
        self._seen_at: dict[int, tuple[int, int]] = {}
        self.asked_at: int | None = None

    def run(self) -> None:
        logging.getLogger("kafka").setLevel(logging.CRITICAL)
        while not self._over.is_set():
            try:
                reach(self._access)
                with closing(self._consumer()) as consumer:
                    self._ask(consumer)
            except Exception as error:
                if not isinstance(error, (KafkaError, OSError)):  # ours, and it must be seen
                    log.exception("asking where the log ends failed")
                self.asked_at = None
                self._over.wait(_PAUSE_SECONDS)

    def freshness(self) -> Freshness:
        """How far what is shown may be from what was tapped, as of now."""
        state = self._ledger.state
        return Freshness(
            read_at=state.read_at if state else 0,
            behind_since=self._behind_since(state),
            asked_at=self.asked_at,
            failing_since=self._ledger.failing_since,
        )

    def stop(self) -> None:
        """Ask no more."""
        self._over.set()

    def _behind_since(self, state: State | None) -> int | None:
        """When the first end was seen that the ledger has not reached yet."""
        offsets = state.offsets if state else {}
        waiting = [
            at for shard, (end, at) in self._seen_at.copy().items() if offsets.get(shard, 0) < end
        ]
        return min(waiting, default=None)

    def _consumer(self) -> Any:
        return KafkaConsumer(
            **self._access.options(),
            bootstrap_timeout_ms=_REACH_MILLISECONDS,
            group_id=None,
            enable_auto_commit=False,
        )

    def _ask(self, consumer: Any) -> None:
        while not self._over.is_set():
            ends = consumer.end_offsets(self._partitions)
            now, state = self._clock(), self._ledger.state
            for partition, end in ends.items():
                self._note(partition.partition, int(end), now, state)
            self.asked_at = now
            self._over.wait(_LOG_SECONDS)

    def _note(self, shard: int, end: int, now: int, state: State | None) -> None:
        """Keep the oldest end that isn't reached; once it is, begin with the newest."""
        reached = state.offsets.get(shard, 0) if state else 0
        kept = self._seen_at.get(shard)
        if kept is None or reached >= kept[0]:
            self._seen_at[shard] = (end, now)


def now() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1_000
