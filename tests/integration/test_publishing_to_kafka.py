"""Publishing to a real broker: every good line is in the log, where and as it was meant."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from producers.events import Event
from producers.examples import EXAMPLES
from producers.kafka_access import KafkaAccess
from producers.partitioning import partition_of
from producers.publishing import Account, open_producer, publish_lines
from producers.reading import read_record
from producers.refusals import Refusal
from producers.writing import write_line
from tests.topic_records import records_of

PARTITIONS = 4


def published_events() -> list[Event]:
    """Forty volunteers, each with one event of each type."""
    return [
        example.model_copy(update={"subject": f"V{number:04}", "id": f"{example.id}-{number}"})
        for number in range(40)
        for example in EXAMPLES
    ]


def test_every_good_line_is_in_the_log_once_in_order_and_in_its_partition(
    kafka: str, kafka_topic: Callable[..., str]
) -> None:
    topic = kafka_topic(PARTITIONS)
    events = published_events()
    lines = [write_line(event) + b"\n" for event in events]
    refused: list[Any] = []
    reports: list[int] = []
    with open_producer(KafkaAccess(kafka)) as producer:
        account = publish_lines(
            [*lines[:7], b"\n", b"garbage\n", *lines[7:]],
            producer,
            topic,
            lambda so_far: reports.append(so_far.sent),
            refused.append,
        )
    assert account == Account(lines=162, blank=1, sent=160, refused=1)
    assert [trouble.line for trouble in refused] == [9]
    assert reports[-1] == 160

    written: defaultdict[str, list[Event]] = defaultdict(list)
    for record in records_of(kafka, topic, PARTITIONS):
        read = read_record(record.value, record.headers)
        assert not isinstance(read, Refusal), read
        assert record.key == read.subject.encode()
        assert record.partition == partition_of(read.subject, PARTITIONS)
        written[read.subject].append(read)
    assert [event for group in sorted(written.items()) for event in group[1]] == events
