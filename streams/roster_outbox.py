"""Publishing what waits in the roster's outbox on `hours.roster`, from every worker.

One of them at a time, by the outbox's turn; and all under one transactional id, so that the
broker itself refuses a publisher that was stopped in the middle and wakes when another has gone
on. Not the messages, which are `ledger.roster.distribution`'s. Invariant: settling never waits for
this, and nothing that goes wrong here ends a worker.
"""

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import IllegalOperation, KafkaError
from kafka import KafkaConsumer, TopicPartition
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from ledger import queries
from ledger.refusals import LedgerRefusal
from ledger.roster import outbox
from ledger.roster.outbox import STALLED_SECONDS, Publish, Waiting
from producers.kafka_access import KafkaAccess
from producers.publishing import ask_any_broker
from producers.roster_view import QUIET
from streams.aio import client_options, start_client
from streams.metrics import Metrics
from streams.settings import StreamSettings
from streams.topics import (
    LONGEST_MESSAGE_BYTES,
    REACHING_MILLISECONDS,
    ROSTER_LAG_SECONDS,
    TopicRefusal,
    check_roster,
    reaching_kafka,
)

logger = logging.getLogger(__name__)

_MOST_AT_ONCE = 1_000
_BATCH_BYTES = 262_144
# Less than a worker that was told to stop is given.
_TURN_SECONDS = 8.0
_CLOSING_SECONDS = 1.0
_IDLE_SECONDS = 0.5
_RETRY_SECONDS = 2.0
_LOOK_SECONDS = ROSTER_LAG_SECONDS / 8
# Of the database, of Kafka's clients, of a topic set otherwise.
_TO_WAIT_OUT = (DBAPIError, LedgerRefusal, KafkaError, TopicRefusal, TimeoutError, OSError)


class RosterOutbox:
    """What one worker does for the roster, a step at a time."""

    def __init__(self, settings: StreamSettings, engine: Engine, metrics: Metrics) -> None:
        self._settings = settings
        self._engine = engine
        self._metrics = metrics
        self._stepping = asyncio.Lock()
        self._next_look = 0.0
        self._is_checked = False
        self._waits = False

    async def step(self) -> float:
        """Publish a bounded number of what waits; seconds until the next step."""
        async with self._stepping:
            try:
                pause = await asyncio.to_thread(self._step)
            except _TO_WAIT_OUT as error:
                self._say_it_waits(error)
            except Exception:
                logger.exception("The roster is not published")
            else:
                self._say_it_goes_on()
                return pause
            self._is_checked = False
            return _RETRY_SECONDS

    async def ended(self) -> None:
        """Wait for the step under way, a few seconds at most where Kafka is away."""
        async with self._stepping:
            return

    def _step(self) -> float:
        with queries.reading(self._engine) as connection:
            pending = outbox.pending(connection)
        self._metrics.roster_pending.set(pending)
        if not pending and not self._is_overdue():
            return _IDLE_SECONDS
        self._check_topic()
        opening = publishing if pending else _publishing_anything
        published = outbox.publish_next(
            self._engine, partial(opening, self._settings), _MOST_AT_ONCE
        )
        if published is None:
            return _IDLE_SECONDS
        self._metrics.roster_published.inc(published)
        self._metrics.roster_pending.set(max(pending - published, 0))
        return 0 if published == _MOST_AT_ONCE else _IDLE_SECONDS

    def _is_overdue(self) -> bool:
        """Whether the topic has been quiet for so long that it is to be compacted.

        The broker rolls a segment, and compacts what is in it, only when another record comes.
        """
        if time.monotonic() < self._next_look:
            return False
        self._check_topic()
        settings = self._settings
        overdue = is_quiet(settings.kafka, settings.roster_topic, ROSTER_LAG_SECONDS)
        self._next_look = time.monotonic() + _LOOK_SECONDS
        return overdue

    def _check_topic(self) -> None:
        if not self._is_checked:
            check_roster(self._settings)
            self._is_checked = True

    def _say_it_waits(self, error: Exception) -> None:
        if not self._waits:
            logger.warning(
                "名册暂时不能发布，正在重试。 The roster can't be published, retrying: %s",
                str(error).strip().partition("\n")[0] or repr(error),
            )
        self._waits = True

    def _say_it_goes_on(self) -> None:
        if self._waits:
            logger.warning("名册又能发布了。 The roster is published again.")
        self._waits = False


@contextmanager
def publishing(settings: StreamSettings) -> Iterator[Publish]:
    """A producer for one turn, before which every earlier one is refused by the broker.

    What it publishes it publishes in one transaction. KafkaError, TimeoutError: readers see
    nothing of it, unless it was the broker's answer that got lost.
    """
    deadline = time.monotonic() + _TURN_SECONDS
    # A loop of its own: whatever of Kafka's client hangs ends with it.
    with asyncio.Runner() as runner:
        # Kafka's client leaves futures that nobody looks at; what they say is raised here as well.
        runner.get_loop().set_exception_handler(lambda _, said: logger.debug("%s", said))
        producer = runner.run(_prepared(settings, deadline))
        try:
            yield lambda messages: runner.run(
                _publish(producer, settings.roster_topic, messages, deadline)
            )
        finally:
            runner.run(_close(producer))


@contextmanager
def _publishing_anything(settings: StreamSettings) -> Iterator[Publish]:
    """As `publishing`, with something to publish even where there is nothing."""
    with publishing(settings) as publish:
        yield lambda messages: publish(messages or [Waiting(0, 0, QUIET, None)])


def is_quiet(kafka: KafkaAccess, topic: str, seconds: float) -> bool:
    """Whether a topic of one partition holds records, and none of the last so many seconds."""
    partition = TopicPartition(topic, 0)
    with (
        reaching_kafka(kafka),
        closing(
            KafkaConsumer(**kafka.options(), bootstrap_timeout_ms=REACHING_MILLISECONDS)
        ) as consumer,
    ):
        if not ask_any_broker(lambda: consumer.end_offsets([partition]))[partition]:
            return False
        since = int((time.time() - seconds) * 1_000)
        return (
            ask_any_broker(lambda: consumer.offsets_for_times({partition: since}))[partition]
            is None
        )


async def _prepared(settings: StreamSettings, deadline: float) -> Any:
    producer = AIOKafkaProducer(
        **client_options(settings.kafka),
        transactional_id=settings.roster_topic,
        transaction_timeout_ms=STALLED_SECONDS * 1_000,
        request_timeout_ms=int(_TURN_SECONDS * 1_000),
        max_request_size=LONGEST_MESSAGE_BYTES,
        max_batch_size=_BATCH_BYTES,
    )
    try:
        async with asyncio.timeout_at(deadline):
            await start_client(producer)
    except BaseException:
        await _close(producer)
        raise
    return producer


async def _publish(producer: Any, topic: str, messages: Sequence[Waiting], deadline: float) -> None:
    if not messages:
        return
    async with asyncio.timeout_at(deadline):
        await producer.begin_transaction()
        sent = []
        with suppress(IllegalOperation):  # the producer gave up: what was sent says why
            for one in messages:
                value = None if one.value is None else one.value.encode()
                sent.append(await producer.send(topic, value, one.key.encode()))
        for done in await asyncio.gather(*sent, return_exceptions=True):
            if isinstance(done, BaseException):
                raise done
        await producer.commit_transaction()


async def _close(producer: Any) -> None:
    with suppress(TimeoutError, KafkaError):
        async with asyncio.timeout(_CLOSING_SECONDS):
            await producer.stop()
    await producer.client.close()
