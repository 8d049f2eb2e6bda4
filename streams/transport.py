"""Faust's Kafka transport, with the ledger owning the offset.

A subclass of the aiokafka driver. Where Faust would read on from Kafka's committed offsets and
hand over single records, this claims the shard in the ledger, reads on from there, and hands
over whole fetched batches. Kafka's committed offsets are written for lag monitoring alone.
Invariant: nothing is fetched from a partition of the log that isn't claimed.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from aiokafka.errors import IllegalStateError, KafkaConnectionError, KafkaError
from aiokafka.structs import OffsetAndMetadata
from aiokafka.structs import TopicPartition as KafkaPartition
from faust.serializers.schemas import Schema
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import TP, ConsumerMessage

from producers.kafka_access import refused_by_kafka
from streams.aio import refuse_brokerless
from streams.claims import Batch, Reading, SeekBack
from streams.topics import TopicRefusal, lost_log

logger = logging.getLogger(__name__)

_REACH_SECONDS = 5.0
_RETRY_SECONDS = 1.0
_BETWEEN_CLAIMS_SECONDS = 0.05


class _Patient:
    """Starts as soon as Kafka can be reached: it may have gone since the worker asked last."""

    _client_name = ""

    async def on_start(self) -> None:
        service: Any = self
        while not service.should_stop:
            try:
                await super().on_start()  # type: ignore[misc]
                refuse_brokerless(getattr(self, self._client_name))
            except KafkaConnectionError as error:
                logger.warning(
                    "Kafka 没有回应，正在重试。 Kafka does not answer, retrying: %r", error
                )
                await getattr(self, self._client_name).stop()
                await service.sleep(_RETRY_SECONDS)
            else:
                return


class ConsumerThread(_Patient, driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """The driver's, which waits for Kafka."""

    _client_name = "_consumer"

    async def on_thread_stop(self) -> None:
        """The driver's; but closing a client whose broker has just gone can raise CancelledError.

        Nobody cancelled this thread: left alone, it would end here, and be waited for for ever.
        """
        with suppress(asyncio.CancelledError):
            await super().on_thread_stop()

    async def stop(self) -> None:
        """The driver's stop; after a crash the thread, and the loop in it, may be gone already."""
        if not self.thread_loop.is_closed():
            await super().stop()


class Producer(_Patient, driver.Producer):  # type: ignore[misc]
    """The driver's, which waits for Kafka."""

    _client_name = "_producer"


class Consumer(driver.Consumer):  # type: ignore[misc]
    """Reads what this worker's claims say, in batches."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._readings: dict[int, Reading] = {}
        self._committed: dict[int, int] = {}

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        """Begin anew after a rebalance or a pause: every claim has to be made again."""
        self._readings.clear()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        for tp in revoked:
            self._readings.pop(tp.partition, None)
            self._committed.pop(tp.partition, None)
        self._buffered_partitions -= revoked
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self.app.keep_only({tp.partition for tp in assigned if tp.topic == self.app.taps_topic})
        await super().on_partitions_assigned(assigned, generation_id)

    def give_up(self, shard: int, epoch: int) -> bool:
        """Forget a claim that was fenced. False: a later claim had replaced it.

        A stalled process can claim late and fence the rightful owner, who then claims again.
        """
        reading = self._readings.get(shard)
        if reading is None or reading.epoch != epoch:
            return False
        del self._readings[shard]
        return True

    def is_claimed(self, shard: int) -> bool:
        return shard in self._readings

    async def reach(self) -> None:
        """Ask the broker for anything at all. KafkaError, TimeoutError where it doesn't answer."""
        await asyncio.wait_for(
            self._thread.call_thread(self._thread._ensure_consumer().topics), _REACH_SECONDS
        )

    def log_end(self, tp: TP) -> int | None:
        """The end of a partition as a fetch last told it; None before that, and once it is lost."""
        try:
            return self.highwater(tp)  # type: ignore[no-any-return]
        except IllegalStateError:
            return None

    async def getmany(
        self,
        timeout: float,  # noqa: ASYNC109 - Faust's signature
    ) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """One message for each partition fetched from, its value a `Batch`."""
        unclaimed = self.flow_active and await self._claim_next()
        try:
            records, active = await self._wait_next_records(
                _BETWEEN_CLAIMS_SECONDS if unclaimed else timeout
            )
        except KafkaError as error:
            await self._end_where_refused(error)
            return
        if records is None or self.should_stop:
            return
        if not self.flow_active:
            await self.perform_seek()
            return
        for kafka_tp, fetched in records.items():
            tp = TP(kafka_tp.topic, kafka_tp.partition)
            reading = self._readings.get(tp.partition)
            is_active = active is None or tp in active or tp in self._buffered_partitions
            if reading is None:
                continue
            if not is_active:
                await self._seek_if_assigned(tp, reading.lost())
                continue
            taken = reading.take(fetched)
            if isinstance(taken, SeekBack):
                self.app.metrics.gaps.labels(tp.partition).inc()
                await self._seek_if_assigned(tp, taken.offset)
            elif taken is not None:
                self.app.on_fetched(taken)
                yield tp, self._message(tp, taken)

    async def _end_where_refused(self, error: KafkaError) -> None:
        """A right that was taken away comes back by no waiting: end with a line that names it."""
        refused = refused_by_kafka(self.app.settings.kafka, error)
        if refused is None:
            raise error
        await self.app.refuse(TopicRefusal(refused))

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Tell Kafka where settling stands, for those who watch the group's lag; never needed."""
        moved = {
            shard: offset
            for shard, offset in self.app.settled_offsets.items()
            if self._committed.get(shard) != offset and shard in self._readings
        }
        if not moved or self.app.should_stop:  # then Kafka's client may wait for ever for an answer
            return False
        offsets = {
            KafkaPartition(self.app.taps_topic, shard): OffsetAndMetadata(offset, "")
            for shard, offset in moved.items()
        }
        try:
            await self._thread.call_thread(self._thread._ensure_consumer().commit, offsets)
        except KafkaError as error:
            refused = refused_by_kafka(self.app.settings.kafka, error)
            if refused is not None:  # what the heartbeat asks too, but whichever is first
                await self.app.refuse(TopicRefusal(refused))
            logger.info("Kafka took no offsets for lag monitoring: %r", error)
            return False
        self._committed.update(moved)
        return True

    async def _claim_next(self) -> bool:
        """Claim one shard; whether others wait. What is claimed is read before the next one is."""
        unclaimed = [tp for tp in sorted(self._owned()) if tp.partition not in self._readings]
        for tp in unclaimed[:1]:
            await self._claim(tp)
        return len(unclaimed) > 1

    def _owned(self) -> set[TP]:
        """Partitions of the log that Kafka assigns to this worker at this moment.

        Faust's own sets keep a partition that was revoked while its buffer was full: claimed on
        their word, a shard would be fenced from its rightful owner again and again.
        """
        known = set(self._get_active_partitions()) | set(self._buffered_partitions)
        return {tp for tp in known & self.assignment() if tp.topic == self.app.taps_topic}

    async def _claim(self, tp: TP) -> None:
        generation = self.app.consumer_generation_id
        claimed = await self.app.claim(tp.partition)
        if claimed is None:
            return
        # Asked after the claim: before it, another worker may have settled what came since.
        bounds = await self.app.log_bounds(tp.partition)
        if bounds is None or generation != self.app.consumer_generation_id:
            return  # Kafka is away, or assigned anew: whoever owns it claims it again
        begins, ends = bounds
        lost = lost_log(tp.partition, begins, ends, claimed.read_from, claimed.next_offset)
        if lost:
            await self.app.refuse(TopicRefusal(lost))
            return
        if await self._seek_if_assigned(tp, claimed.read_from):
            self._readings[tp.partition] = Reading(tp.partition, claimed.epoch, claimed.read_from)

    async def _seek_if_assigned(self, tp: TP, offset: int) -> bool:
        """Whether it could: Kafka's client, in its own thread, may just have lost the partition."""
        try:
            await self.seek(tp, offset)
        except IllegalStateError:
            return False
        return True

    def _message(self, tp: TP, batch: Batch[Any]) -> ConsumerMessage:
        first, last = batch.records[0], batch.records[-1]
        return ConsumerMessage(
            tp.topic, tp.partition, first.offset,
            last.timestamp / 1000, last.timestamp_type,
            (), None, batch, None, 0, 0, tp,
            generation_id=self.app.consumer_generation_id,
        )  # fmt: skip


class Transport(driver.Transport):  # type: ignore[misc]
    """The aiokafka transport with this module's consumer and producer."""

    Consumer = Consumer
    Producer = Producer


class BatchSchema(Schema):  # type: ignore[misc]
    """Hands a batch on as it is: records are decoded when they are settled."""

    def loads_key(self, app: Any, message: Any, **options: Any) -> None:
        return None

    def loads_value(self, app: Any, message: Any, **options: Any) -> Any:
        return message.value
