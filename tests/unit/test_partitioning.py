"""A volunteer's partition is the one Kafka's own clients choose."""

from types import SimpleNamespace

import pytest
from aiokafka.partitioner import DefaultPartitioner as AiokafkaPartitioner
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner import DefaultPartitioner

from producers.partitioning import partition_of
from tests.events import identifiers

JAVA = {  # UtilsTest.testMurmur2 of Apache Kafka
    "21": -973_932_308,
    "foobar": -790_332_482,
    "a-little-bit-long-string": -985_981_536,
    "a-little-bit-longer-string": -1_486_304_829,
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58_897_971,
    "abc": 479_470_107,
}
COUNTS = (1, 2, 3, 4, 12, 100, 1_000_003)


@pytest.mark.parametrize("subject", JAVA)
def test_the_partition_is_that_of_the_java_client(subject: str) -> None:
    for count in COUNTS:
        assert partition_of(subject, count) == (JAVA[subject] & 0x7FFF_FFFF) % count


@given(identifiers, st.integers(1, 200))
def test_the_partition_is_that_of_the_python_clients(subject: str, count: int) -> None:
    partitions = list(range(count))
    cluster = SimpleNamespace(
        topics=lambda: {"taps"},
        partitions_for_topic=lambda _: set(partitions),
        available_partitions_for_topic=lambda _: set(partitions),
    )
    key = subject.encode()
    chosen = partition_of(subject, count)
    assert chosen == DefaultPartitioner().partition("taps", None, key, None, None, cluster)
    assert chosen == AiokafkaPartitioner()(key, partitions, partitions)


def test_the_partition_depends_on_what_is_asked_and_not_on_what_was_asked_before() -> None:
    first = [partition_of(f"V{number}", 4) for number in range(100)]
    assert {partition_of(f"V{number}", 5) for number in range(100)} == set(range(5))
    assert [partition_of(f"V{number}", 4) for number in range(100)] == first
    assert set(first) == set(range(4))
