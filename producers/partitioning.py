"""Which partition a volunteer's events go to: Kafka's own murmur2 of the volunteer id.

It is the rule of the Java client and of kafka-python; librdkafka clients follow it only with
`partitioner=murmur2_random`. Invariant: a function of the id and the number of partitions
alone, so that producers and the ledger agree without asking each other.
"""

from functools import lru_cache

from kafka.partitioner import murmur2


@lru_cache(maxsize=1 << 16)
def partition_of(subject: str, partition_count: int) -> int:
    """The partition, 0 to `partition_count` - 1, of a volunteer id."""
    positive = murmur2(subject.encode()) & 0x7FFF_FFFF  # Kafka drops the sign, takes no abs()
    return int(positive % partition_count)
