"""Reading the log of record from its start: for audit and archive, apart from how workers read it.

kafka-python asks where the log begins and ends; aiokafka reads the records, because it checks and
parses them in C: 5 µs of processor time a record, where pure Python takes 47 (most of it CRC).
"""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as Partition
from aiokafka.errors import KafkaError
from kafka import KafkaConsumer, TopicPartition

from producers.kafka_access import KafkaAccess
from producers.publishing import ask_any_broker
from streams.aio import client_options, start_client
from streams.batches import read_any_header_name
from streams.topics import (
    REACHING_MILLISECONDS,
    TopicRefusal,
    lost_log,
    reaching_kafka,
    unreachable,
)

_BATCH = 5_000
_FETCH_BYTES = 4_194_304
_SILENT_POLLS = 30
_ANY = "read_uncommitted"  # what is in the log of record is in it, whoever's transaction failed
# Nothing is received while a batch is being settled; that must not look like a broker's silence.
_REQUEST_MILLISECONDS = 60_000


class Log(Protocol):
    """A log of record to replay: the topic itself, or an archive of it."""

    def covers(self, partition: int, next_offset: int) -> int:
        """How much of the log below `next_offset` can be read: the offset behind it."""

    def read(self, partition: int, stop: int) -> Iterator[list[Any]]:
        """Consumer records (`archive_lines.WholeRecord`) from offset 0 up to `stop`, in batches."""


def log_bounds(
    kafka: KafkaAccess, topic: str, partitions: Iterable[int], isolation: str = _ANY
) -> dict[int, tuple[int, int]]:
    """First and end offset of each partition. TopicRefusal where Kafka does not answer."""
    wanted = [TopicPartition(topic, number) for number in partitions]
    with reaching_kafka(kafka):
        consumer = KafkaConsumer(
            **kafka.options(),
            bootstrap_timeout_ms=REACHING_MILLISECONDS,
            group_id=None,
            enable_auto_commit=False,
            isolation_level=isolation,
        )
        try:
            begins = ask_any_broker(lambda: consumer.beginning_offsets(wanted))
            ends = ask_any_broker(lambda: consumer.end_offsets(wanted))
        finally:
            consumer.close()
    return {tp.partition: (begins[tp], ends[tp]) for tp in wanted}


@contextmanager
def open_log(
    kafka: KafkaAccess, topic: str, partition_count: int, isolation: str = _ANY
) -> Iterator["TopicLog"]:
    """A log as it stands now, on one connection; `isolation` as Kafka names it. TopicRefusal."""
    bounds = log_bounds(kafka, topic, range(partition_count), isolation)
    with asyncio.Runner() as runner:
        with _reading(kafka):
            consumer = runner.run(_consumer(kafka, isolation))
        try:
            yield TopicLog(kafka, topic, bounds, consumer, runner)
        finally:
            runner.run(consumer.stop())


class TopicLog:
    """The log of record in Kafka; `bounds` are each partition's first and end offset."""

    def __init__(
        self,
        kafka: KafkaAccess,
        topic: str,
        bounds: dict[int, tuple[int, int]],
        consumer: Any,
        runner: asyncio.Runner,
    ) -> None:
        self.bounds = bounds
        self._kafka = kafka
        self._topic = topic
        self._consumer = consumer
        self._runner = runner

    def covers(self, partition: int, next_offset: int) -> int:
        """All of it: TopicRefusal where the log lost its beginning or its end."""
        begins, ends = self.bounds[partition]
        lost = lost_log(partition, begins, ends, 0, next_offset)
        if lost:
            raise TopicRefusal(lost)
        return next_offset

    def read(self, partition: int, stop: int, start: int = 0) -> Iterator[list[Any]]:
        """Records from offset `start` up to `stop`, in batches. TopicRefusal."""
        with _reading(self._kafka):
            yield from self._batches(Partition(self._topic, partition), start, stop)

    def _batches(self, tp: Partition, start: int, stop: int) -> Iterator[list[Any]]:
        consumer, run = self._consumer, self._runner.run
        run(_begin(consumer, tp, start))
        silent, position = 0, start
        while position < stop:
            fetched = run(consumer.getmany(tp, timeout_ms=1_000, max_records=_BATCH))
            moved = run(consumer.position(tp))
            silent = 0 if moved > position else silent + 1
            if silent > _SILENT_POLLS:
                raise TopicRefusal(
                    "Kafka 不再发送记录，请稍后重试。 Kafka sends no more records: try again later."
                )
            position = moved
            wanted = [record for record in fetched.get(tp, []) if record.offset < stop]
            if wanted:
                yield wanted


async def _consumer(kafka: KafkaAccess, isolation: str) -> Any:
    read_any_header_name()
    consumer = AIOKafkaConsumer(
        **client_options(kafka),
        group_id=None,
        enable_auto_commit=False,
        isolation_level=isolation,
        request_timeout_ms=_REQUEST_MILLISECONDS,
        max_partition_fetch_bytes=_FETCH_BYTES,
    )
    try:
        await start_client(consumer)
    except BaseException:
        await consumer.stop()
        raise
    return consumer


async def _begin(consumer: Any, tp: Partition, start: int) -> None:
    consumer.assign([tp])
    consumer.seek(tp, start)


@contextmanager
def _reading(kafka: KafkaAccess) -> Iterator[None]:
    try:
        yield
    except (KafkaError, OSError) as error:
        raise unreachable(kafka, error) from error
