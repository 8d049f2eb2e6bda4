"""The Faust app: batches in, settled and appended; changed team totals and the roster out.

It wires; the deciding is done in `ledger`, the settling in `shards`, the storing and waiting in
`appending`. Settling and appending have a thread each: while one batch is stored, the next is
settled. Invariant: a batch ends appended, fenced, or still in the log.
"""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import faust
from aiokafka.errors import KafkaError
from faust.transport.drivers import TRANSPORTS
from prometheus_client import generate_latest
from sqlalchemy.exc import DBAPIError

from ledger import queries
from ledger.refusals import Fenced, LedgerRefusal
from ledger.shard import Changes
from ledger.store import Store
from producers.kafka_access import KafkaAccess
from streams.aio import tls_context
from streams.appending import Ledger, Stopped
from streams.claims import Batch
from streams.log import log_bounds
from streams.metrics import Metrics
from streams.pending import Append, Pending
from streams.roster_outbox import RosterOutbox
from streams.settings import StreamSettings
from streams.shards import Claimed, Shards
from streams.standstill import Standstill, stands_still
from streams.team_totals import ChangedTotals, TeamTotal, read_totals
from streams.topics import TopicRefusal
from streams.transport import BatchSchema

logger = logging.getLogger(__name__)

_TRANSPORT = "owned-offsets"
_SHOW_SECONDS = 0.25
_RETRY_SECONDS = 1.0
_MOST_PENDING_RECORDS = 40_000
_REACH_SECONDS = 2.0
_STOPPING_SECONDS = 10.0
_DOUBT_SECONDS = 20.0
# A broker that has just begun may say that it has no topic: no worker is given a share until it is
# asked again, which is five minutes by default.
_TOPICS_ASKED_ANEW_SECONDS = 5
# Of the producer's three, Faust's own, aiokafka's, and what Faust says once it is stopped.
_NOT_SHOWN = (
    *(LedgerRefusal, DBAPIError),
    *(faust.exceptions.ProducerSendError, KafkaError, faust.exceptions.NotReady),
)

Done = TypeVar("Done")


class HoursApp(faust.App):  # type: ignore[misc]
    """The Faust app, with what its transport asks of it."""

    def begin(self, settings: StreamSettings, store: Store) -> None:
        """Give the app its ledger."""
        self.settings = settings
        self.store = store
        self.taps_topic = settings.taps_topic
        self.metrics = Metrics()
        self.settled_offsets: dict[int, int] = {}
        self.changed = ChangedTotals()
        self.refusal: Exception | None = None
        self._unsettled: dict[int, tuple[int, int]] = {}
        self._ledger = Ledger(store, self.metrics)
        self._ledger_thread = ThreadPoolExecutor(1, "append")
        self._shards = Shards(store.policy, self.metrics)
        self._settling_thread = ThreadPoolExecutor(1, "settle")
        self._pending = Pending()
        self._roster = RosterOutbox(settings, store.engine, self.metrics)
        self._moved = asyncio.Condition()
        self._appending: int | None = None

    async def log_bounds(self, shard: int) -> tuple[int, int] | None:
        """First and end offset of a shard's log; None where Kafka doesn't say now."""
        try:
            # A connection of its own: on the consumer's, it would wait behind a fetch.
            bounds = await asyncio.to_thread(
                log_bounds, self.settings.kafka, self.taps_topic, [shard]
            )
        except TopicRefusal as refusal:
            logger.warning("%s", refusal)
            await self.sleep(_RETRY_SECONDS)
            return None
        return bounds[shard]

    async def claim(self, shard: int) -> Claimed | None:
        """Claim a shard in the ledger; None where the worker is stopping."""
        try:
            claimed = await self._claim(shard)
        except Stopped:
            return None
        except Exception as error:
            await self.refuse(error)
            return None
        logger.info(
            "Claimed shard %d: epoch %d, next offset %d, reading from %d", shard, *claimed[::2],
            claimed.read_from,
        )  # fmt: skip
        self.settled_offsets[shard] = claimed.next_offset
        self.changed.note_claim(shard)
        return claimed

    async def settle(self, batch: Batch[Any]) -> None:
        """Settle a batch, and leave what it came to to be appended."""
        await self._until(lambda: self._pending.records < _MOST_PENDING_RECORDS)
        try:
            changes = await self._run(self._settling_thread, self._shards.fold, batch)
        except Stopped:
            return
        except Fenced as fenced:
            self._give_up(batch.shard, batch.epoch, fenced)
        except Exception as error:
            await self.refuse(error)
        else:
            if changes is not None:
                self._pending.put(batch.shard, batch.epoch, changes)
                await self._tell()

    async def append_pending(self) -> None:
        """Append what is settled, one transaction after the other, until the worker stops."""
        while not self.should_stop:
            append = self._pending.take()
            if append is None:
                await self._until(lambda: self._pending.records > 0)
                continue
            self._appending = append.shard
            try:
                await self._append(append)
            finally:
                self._appending = None
                await self._tell()

    def keep_only(self, assigned: set[int]) -> None:
        """Forget shards that are another worker's now."""
        for shard in self.settled_offsets.keys() - assigned:
            del self.settled_offsets[shard]
            self._unsettled.pop(shard, None)
            self.changed.forget_shard(shard)
            self.metrics.forget_shard(shard)
            self._settling_thread.submit(self._shards.forget, shard)

    async def refuse(self, error: Exception) -> None:
        """Stop the worker: it can't go on without losing or doubling hours."""
        if self.refusal is None:
            self.refusal = error
            if not isinstance(error, LedgerRefusal):
                logger.error("Stopping: %s", error, exc_info=error)
            await self.crash(error)

    def on_fetched(self, batch: Batch[Any]) -> None:
        """A batch was fetched: its age counts from now on."""
        last = batch.records[-1]
        self._unsettled.setdefault(batch.shard, (batch.records[0].timestamp, last.offset))

    def watch(self) -> None:
        """Bring lag and age up to date."""
        for tp in self.consumer.assignment():
            shard, end = tp.partition, self.consumer.log_end(tp)
            if tp.topic != self.taps_topic or end is None or shard not in self.settled_offsets:
                continue
            lag = max(end - self.settled_offsets[shard], 0)
            since = self._unsettled.get(shard)
            age = max(time.time() - since[0] / 1000, 0) if lag and since else 0
            self.metrics.lag.labels(shard).set(lag)
            self.metrics.oldest.labels(shard).set(age)

    async def reach_kafka(self) -> None:
        """Note, and say once, that Kafka went away or came back."""
        try:
            await self.consumer.reach()
        except (KafkaError, TimeoutError) as error:
            if self.metrics.kafka.went():
                logger.warning(
                    "Kafka 没有回应，正在重试。 Kafka does not answer, retrying: %r", error
                )
        else:
            if self.metrics.kafka.came():
                logger.warning("Kafka 恢复了。 Kafka is back.")

    async def doubt_idleness(self) -> None:
        """End the worker where it was given nothing and nobody settles."""
        seen = Standstill()
        while not self.should_stop:
            await self.sleep(_DOUBT_SECONDS)
            if seen.see(await self._left_to_others(), time.monotonic()):
                await self.refuse(stands_still())

    def not_ready(self) -> str | None:
        """Why this worker settles nothing now; None where it does."""
        if self.should_stop:
            return "it is stopping"
        if self.metrics.ledger.away:
            return "the ledger's database does not answer"
        if self.metrics.kafka.away:
            return "Kafka does not answer"
        waiting = [
            tp.partition
            for tp in self.consumer.assignment()
            if tp.topic == self.taps_topic and not self.consumer.is_claimed(tp.partition)
        ]
        return f"shards not claimed yet: {waiting}" if waiting else None

    async def show(self) -> None:
        """Publish the team totals that changed; what can't be published is tried again."""
        for shard, keys in self.changed.take():
            if not self.consumer.is_claimed(shard):
                self.changed.put_back(shard, keys)  # it is about to be, or will be forgotten
                continue
            try:
                totals = await asyncio.to_thread(read_totals, self.store.engine, shard, keys)
                await self._publish(totals)
            except _NOT_SHOWN as error:
                logger.debug("Team totals of shard %d wait: %s", shard, error)
                self.changed.put_back(shard, keys)
        self.metrics.totals_pending.set(len(self.changed))

    async def publish_roster(self) -> None:
        """Publish what is to be known of the roster, until the worker stops.

        No timer: Faust's says that it overlaps whenever a step takes longer than its interval.
        """
        while not self.should_stop:
            await self.sleep(await self._roster.step())

    async def crash(self, reason: BaseException) -> None:
        """Faust's own: something beyond this app's understanding ends it."""
        _end_at_last(1)
        await super().crash(reason)

    async def on_stop(self) -> None:
        """Finish the append in hand, then leave; what is pending is still in the log."""
        _end_at_last(0)
        self._ledger.stop()
        await self._roster.ended()
        await super().on_stop()
        self._settling_thread.shutdown()
        self._ledger_thread.shutdown()

    async def _claim(self, shard: int) -> Claimed:
        """What waits to be appended goes first: so the shard in memory can be gone on with."""
        await self._until(lambda: not self._pending.has(shard) and self._appending != shard)
        claim = await self._run(self._ledger_thread, self._ledger.claim, shard)
        claimed = await self._run(self._settling_thread, self._shards.resume, shard, claim)
        if claimed is not None:
            return claimed
        window = await self._run(self._ledger_thread, self._ledger.window, shard, claim.head)
        return await self._run(self._settling_thread, self._shards.begin, shard, claim, window)

    async def _append(self, append: Append) -> None:
        try:
            await self._run(self._ledger_thread, self._ledger.append, *append)
        except Stopped:
            return
        except Fenced as fenced:
            self._give_up(append.shard, append.epoch, fenced)
        except Exception as error:
            await self.refuse(error)
        else:
            self._note(append.shard, append.changes)

    def _give_up(self, shard: int, epoch: int, fenced: Fenced) -> None:
        again = self.consumer.give_up(shard, epoch)
        self._pending.drop(shard, epoch)
        self.metrics.fenced.labels(shard).inc()
        logger.info("Fenced (%s); %s", fenced, "claiming again" if again else "dropped")

    def _note(self, shard: int, changes: Changes) -> None:
        self.settled_offsets[shard] = changes.head.next_offset
        since = self._unsettled.get(shard)
        if since is not None and since[1] < changes.head.next_offset:
            del self._unsettled[shard]
        self.changed.note_changes(shard, changes)

    async def _run(
        self, thread: ThreadPoolExecutor, deed: Callable[..., Done], *arguments: Any
    ) -> Done:
        if self.should_stop:
            raise Stopped
        return await asyncio.get_running_loop().run_in_executor(thread, deed, *arguments)

    async def _left_to_others(self) -> dict[int, int]:
        """The next offset of each shard whose log holds more; none where some shard is ours."""
        if any(tp.topic == self.taps_topic for tp in self.consumer.assignment()):
            return {}
        try:
            return await asyncio.to_thread(self._waiting)
        except (DBAPIError, LedgerRefusal, TopicRefusal):
            return {}  # who is away is said elsewhere

    def _waiting(self) -> dict[int, int]:
        shards = range(self.settings.policy.shard_count)
        bounds = log_bounds(self.settings.kafka, self.taps_topic, shards)
        with queries.reading(self.store.engine) as connection:
            heads = {one.shard: one.head for one in queries.status(connection)}
        return {
            shard: head.next_offset
            for shard, head in heads.items()
            if bounds[shard][1] > head.next_offset
        }

    async def _until(self, holds: Callable[[], bool]) -> None:
        """Wait until something appended or pending makes it so, or the worker stops."""
        async with self._moved:
            await self._moved.wait_for(lambda: holds() or self.should_stop)

    async def _tell(self) -> None:
        async with self._moved:
            self._moved.notify_all()

    async def _publish(self, totals: list[TeamTotal]) -> None:
        # Not through Faust's topic: it leaves a future that nobody looks at, logged as a crash.
        producer = await self.maybe_start_producer()
        sent = [
            await producer.send(
                self.settings.team_totals_topic,
                total.model_dump_json(include={"team", "day", "shard"}).encode(),
                total.model_dump_json().encode(),
                *(None, None, None),  # any partition, now, no headers
            )
            for total in totals
        ]
        for done in await asyncio.gather(*sent, return_exceptions=True):
            if isinstance(done, BaseException):
                raise done
        self.metrics.totals_published.inc(len(totals))


def _end_at_last(code: int) -> None:
    """End the process if stopping hangs, as Kafka's client can: it would settle nothing any more.

    Nothing is lost by it: what isn't in the ledger is still in the log.
    """

    def end() -> None:
        logger.warning("Kafka 的客户端没有关闭，进程结束。 Kafka's client does not close; ending.")
        os._exit(code)

    watch = threading.Timer(_STOPPING_SECONDS, end)
    watch.daemon = True
    watch.start()


def create_app(settings: StreamSettings, store: Store) -> HoursApp:
    """The app, ready to be run by a Faust worker."""
    TRANSPORTS.aliases[_TRANSPORT] = "streams.transport:Transport"
    app = HoursApp(
        settings.group,
        broker=[f"{_TRANSPORT}://{server}" for server in settings.kafka.bootstrap.split(",")],
        broker_credentials=_credentials(settings.kafka),
        store="memory://",
        datadir=settings.data_dir,
        topic_partitions=settings.policy.shard_count,
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=False,
        stream_buffer_maxsize=8,
        consumer_auto_offset_reset="earliest",
        consumer_metadata_max_age_ms=_TOPICS_ASKED_ANEW_SECONDS * 1_000,
        broker_max_poll_records=5_000,
        broker_session_timeout=settings.session_seconds,
        broker_heartbeat_interval=settings.session_seconds / 6,
        broker_rebalance_timeout=settings.session_seconds,
        producer_request_timeout=30.0,
        web_enabled=settings.web_port is not None,
        web_bind=settings.web_host,
        **({} if settings.web_port is None else {"web_port": settings.web_port}),
    )
    app.begin(settings, store)
    _add_agent(app, settings)
    app.task(app.append_pending)
    app.task(app.publish_roster)
    app.task(app.doubt_idleness)
    _add_show(app)
    _add_pages(app)
    return app


def _add_agent(app: HoursApp, settings: StreamSettings) -> None:
    taps = app.topic(settings.taps_topic, schema=BatchSchema(), acks=False)

    @app.agent(taps, name="settle")  # type: ignore[untyped-decorator]
    async def settle(batches: Any) -> None:
        async for batch in batches:
            await app.settle(batch)


def _add_show(app: HoursApp) -> None:
    @app.timer(interval=_SHOW_SECONDS, name="show")  # type: ignore[untyped-decorator]
    async def show() -> None:
        await app.show()
        app.watch()

    @app.timer(interval=_REACH_SECONDS, name="reach")  # type: ignore[untyped-decorator]
    async def reach() -> None:
        await app.reach_kafka()


def _add_pages(app: HoursApp) -> None:
    @app.page("/metrics", name="metrics")  # type: ignore[untyped-decorator]
    async def metrics(web: Any, request: Any) -> Any:
        return web.bytes(generate_latest(app.metrics.registry), content_type="text/plain")

    @app.page("/health/live", name="live")  # type: ignore[untyped-decorator]
    async def live(web: Any, request: Any) -> Any:
        return web.json({"live": True})

    @app.page("/health/ready", name="ready")  # type: ignore[untyped-decorator]
    async def ready(web: Any, request: Any) -> Any:
        why = app.not_ready()
        return web.json({"ready": why is None, "why": why}, status=503 if why else 200)


def _credentials(kafka: KafkaAccess) -> Any:
    """What Faust is to say to the brokers; None where they ask for nothing."""
    context = tls_context(kafka)
    if kafka.user is not None:
        return faust.SASLCredentials(
            username=kafka.user,
            password=kafka.password,
            mechanism=kafka.mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context=context) if context else None
