"""The whole log of record, as kafka-python reads it."""

from collections.abc import Iterator
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from tests.chaos.reading import Logged

_SILENT_POLLS = 30


def read_log(bootstrap: str, topic: str, ends: dict[int, int]) -> Iterator[Logged]:
    """Every record up to `ends`, partition by partition."""
    for partition, end in ends.items():
        consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
        try:
            yield from _read_partition(consumer, TopicPartition(topic, partition), end)
        finally:
            consumer.close()


def _read_partition(consumer: Any, tp: TopicPartition, end: int) -> Iterator[Logged]:
    consumer.assign([tp])
    consumer.seek_to_beginning(tp)
    silent = 0
    while consumer.position(tp) < end:
        records = consumer.poll(timeout_ms=1_000).get(tp, [])
        silent = 0 if records else silent + 1
        assert silent < _SILENT_POLLS, f"{tp} sends no more"
        for record in records:
            headers = tuple((name, bytes(it)) for name, it in record.headers)
            yield Logged(
                tp.partition, record.offset, record.timestamp * 1_000, record.value, headers
            )
