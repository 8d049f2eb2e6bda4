"""Reading the log of record from its start: for the audit, apart from how workers read it."""

from collections.abc import Iterable, Iterator
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from producers.publishing import ask_any_broker
from streams.topics import REACHING_MILLISECONDS, TopicRefusal, lost_log, reaching_kafka

_BATCH = 5_000
_SILENT_POLLS = 30


def log_bounds(bootstrap: str, topic: str, partitions: Iterable[int]) -> dict[int, tuple[int, int]]:
    """First and end offset of each partition. TopicRefusal where Kafka does not answer."""
    wanted = [TopicPartition(topic, number) for number in partitions]
    with reaching_kafka(bootstrap):
        consumer = _consumer(bootstrap)
        try:
            begins = ask_any_broker(lambda: consumer.beginning_offsets(wanted))
            ends = ask_any_broker(lambda: consumer.end_offsets(wanted))
        finally:
            consumer.close()
    return {tp.partition: (begins[tp], ends[tp]) for tp in wanted}


def read_log(bootstrap: str, topic: str, partition: int, stop: int) -> Iterator[list[Any]]:
    """Records of a partition from offset 0 up to `stop`, in batches. TopicRefusal."""
    tp = TopicPartition(topic, partition)
    with reaching_kafka(bootstrap):
        consumer = _consumer(bootstrap)
        try:
            begins = ask_any_broker(lambda: consumer.beginning_offsets([tp]))[tp]
            ends = ask_any_broker(lambda: consumer.end_offsets([tp]))[tp]
            lost = lost_log(partition, begins, ends, 0, stop)
            if lost:
                raise TopicRefusal(lost)
            consumer.assign([tp])
            consumer.seek(tp, 0)
            yield from _batches(consumer, tp, stop)
        finally:
            consumer.close()


def _batches(consumer: Any, tp: TopicPartition, stop: int) -> Iterator[list[Any]]:
    silent = 0
    while consumer.position(tp) < stop:
        records = consumer.poll(timeout_ms=1_000, max_records=_BATCH).get(tp, [])
        silent = 0 if records else silent + 1
        if silent > _SILENT_POLLS:
            raise TopicRefusal(
                "Kafka 不再发送记录，请稍后重试。 Kafka sends no more records: try again later."
            )
        wanted = [record for record in records if record.offset < stop]
        if wanted:
            yield wanted


def _consumer(bootstrap: str) -> Any:
    return KafkaConsumer(
        bootstrap_servers=bootstrap,
        bootstrap_timeout_ms=REACHING_MILLISECONDS,
        group_id=None,
        enable_auto_commit=False,
        max_partition_fetch_bytes=4_194_304,
    )
