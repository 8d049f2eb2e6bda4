"""What stands on a topic, read whole by kafka-python with none of the product's own reading."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from kafka import KafkaConsumer, TopicPartition

_POLL_MILLISECONDS = 1_000
_SILENT_POLLS = 30


def records_of(kafka: str, topic: str, partitions: int = 1) -> Iterator[Any]:
    """Partition after partition, each in its order, as far as it reaches when it is begun."""
    with closing(KafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)) as consumer:
        for number in range(partitions):
            yield from _records_in(consumer, TopicPartition(topic, number))


def values_of(kafka: str, topic: str) -> list[bytes]:
    """The values alone, of a topic with one partition."""
    return [record.value for record in records_of(kafka, topic)]


def _records_in(consumer: KafkaConsumer, tp: TopicPartition) -> Iterator[Any]:
    consumer.assign([tp])
    consumer.seek_to_beginning(tp)
    end, silent = consumer.end_offsets([tp])[tp], 0
    while consumer.position(tp) < end:
        records = consumer.poll(timeout_ms=_POLL_MILLISECONDS).get(tp, [])
        silent = 0 if records else silent + 1
        assert silent < _SILENT_POLLS, f"{tp} sends no more"
        yield from records
