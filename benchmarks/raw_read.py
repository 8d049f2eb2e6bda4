"""The limit: records read from the log by each Kafka client, and only counted.

Run as `python -m benchmarks.raw_read CLIENT`; prints one line of JSON: records and seconds from
the first record to the last. Not a program anybody would keep.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.arena import SHARDS

_WAIT_MILLISECONDS = 1_000
_AT_ONCE = 5_000


def aiokafka_counts(bootstrap: str, topic: str) -> Iterator[int]:
    """As Faust reads, with no Faust."""
    import aiokafka  # noqa: PLC0415 - a client at a time, so that none is loaded in vain

    partitions = [aiokafka.TopicPartition(topic, number) for number in range(SHARDS)]
    with asyncio.Runner() as runner:

        async def started() -> Any:
            consumer = aiokafka.AIOKafkaConsumer(
                bootstrap_servers=bootstrap, auto_offset_reset="earliest"
            )
            await consumer.start()
            consumer.assign(partitions)
            return consumer

        async def fetched(consumer: Any) -> Any:
            return await consumer.getmany(timeout_ms=_WAIT_MILLISECONDS, max_records=_AT_ONCE)

        consumer = runner.run(started())
        while True:
            yield sum(map(len, runner.run(fetched(consumer)).values()))


def kafka_python_counts(bootstrap: str, topic: str) -> Iterator[int]:
    """As the audit reads."""
    import kafka  # noqa: PLC0415

    consumer = kafka.KafkaConsumer(
        bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest",
        max_partition_fetch_bytes=4_194_304,
    )  # fmt: skip
    consumer.assign([kafka.TopicPartition(topic, number) for number in range(SHARDS)])
    while True:
        polled = consumer.poll(timeout_ms=_WAIT_MILLISECONDS, max_records=_AT_ONCE)
        yield sum(map(len, polled.values()))


def confluent_counts(bootstrap: str, topic: str) -> Iterator[int]:
    """As Quix reads, in batches."""
    import confluent_kafka  # noqa: PLC0415

    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "raw", "enable.auto.commit": False}
    )
    beginning = confluent_kafka.OFFSET_BEGINNING
    consumer.assign(
        [confluent_kafka.TopicPartition(topic, number, beginning) for number in range(SHARDS)]
    )
    while True:
        yield len(consumer.consume(_AT_ONCE, _WAIT_MILLISECONDS / 1_000))


CLIENTS: dict[str, Callable[[str, str], Iterator[int]]] = {
    "aiokafka": aiokafka_counts,
    "kafka-python": kafka_python_counts,
    "confluent-kafka": confluent_counts,
}


def main(client: str) -> None:
    bootstrap, topic = os.environ["BENCH_KAFKA"], os.environ["BENCH_TOPIC"]
    wanted = int(os.environ["BENCH_RECORDS"])
    first_count, began, records = 0, 0.0, 0
    for count in CLIENTS[client](bootstrap, topic):
        if not records and count:
            first_count, began = count, time.perf_counter()
        records += count
        if records >= wanted:
            break
    seconds = time.perf_counter() - began
    times = time.process_time()
    print(
        json.dumps(
            {"records": records - first_count, "seconds": seconds, "cpu_seconds": times,
             "all_records": records}
        )
    )  # fmt: skip
    sys.stdout.flush()
    os._exit(0)  # no client is asked to close: nothing is to be kept


if __name__ == "__main__":
    main(sys.argv[1])
