"""The restore: an archive's records put back into an empty topic, at their offsets and times.

A record's time decides settling, and stands in entries: while records are put back the topic takes
the producer's time, and is then set to the broker's again, as the log of record must be. Batches
that were put back say for ever that a producer gave their time; nothing that settles asks.
Invariant: a record stands at the offset it had, or the restore ends with a line that says where.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.aio import client_options, start_client
from streams.archive import Archive, open_archive
from streams.archive_lines import as_archived
from streams.at_once import at_once, workers_for
from streams.log import log_bounds, open_log
from streams.segments import ArchiveRefusal
from streams.settings import StreamSettings
from streams.topics import (
    check_log,
    log_exists,
    take_brokers_time,
    take_producers_time,
    unreachable,
)

_BATCH_BYTES = 900_000
_IN_FLIGHT = 4
_PRODUCERS_TIME = 0
Progress = Callable[[int, int], None]
"""Records put back so far, and in all."""


class Restored(NamedTuple):
    """How many records the topic now holds of the archive, and how many of them are new."""

    records: int
    added: int


def restore(
    settings: StreamSettings, folder: Path, progress: Progress, workers: int | None = None
) -> Restored:
    """Put an archive back; again, if it was stopped. ArchiveRefusal, TopicRefusal.

    Refused where the topic holds anything else, or the archive has a hole.
    """
    archive = open_archive(folder, settings.ledger_name, settings.policy)
    partitions = range(settings.policy.shard_count)
    ends = {number: archive.end(number) for number in partitions}
    starts = dict.fromkeys(partitions, 0)
    there = log_exists(settings)
    if there:
        bounds = log_bounds(settings.kafka, settings.taps_topic, partitions)
        starts = {
            number: _begun(settings, archive, number, bounds[number]) for number in partitions
        }
    if starts != ends:
        jobs = [(settings, folder, number, starts[number]) for number in partitions]
        total = sum(ends.values()) - sum(starts.values())
        take_producers_time(settings)
        some = workers_for(total, workers)
        at_once(_restore_partition, jobs, some, lambda done: progress(done, total))
    if there or starts != ends:
        take_brokers_time(settings)  # also where all else was done when a restore was stopped
    check_log(settings)
    return Restored(sum(ends.values()), sum(ends.values()) - sum(starts.values()))


def _begun(
    settings: StreamSettings, archive: Archive, partition: int, bounds: tuple[int, int]
) -> int:
    """How much of the archive the topic holds already; it must hold nothing else."""
    begins, end = bounds
    if begins or end > archive.end(partition):
        raise _holds_something_else(settings, partition, begins, end)
    if end:
        _refuse_another_record(settings, archive, partition, end)
    return end


def _restore_partition(
    moved: Callable[[int], None], settings: StreamSettings, folder: Path, partition: int, start: int
) -> None:
    archive = open_archive(folder, settings.ledger_name, settings.policy)
    records = chain.from_iterable(archive.read(partition, archive.end(partition)))
    rest = islice(_gapless(partition, records), start, None)

    def came(offset: int) -> None:
        moved(offset - start)

    try:
        asyncio.run(_send(settings, partition, rest, came))
    except (KafkaError, OSError) as error:
        raise unreachable(settings.kafka, error) from error


async def _send(
    settings: StreamSettings,
    partition: int,
    records: Iterable[Any],
    moved: Callable[[int], None],
) -> None:
    """Whole batches, a few at a time, each at the offset that its first record had."""
    producer = AIOKafkaProducer(
        **client_options(settings.kafka),
        acks="all",
        enable_idempotence=True,
        max_batch_size=_BATCH_BYTES,
        max_request_size=_BATCH_BYTES * 2,
    )
    waiting: deque[tuple[int, Any]] = deque()
    try:
        await start_client(producer)
        for first, batch in _batches(producer, records):
            sent = await producer.send_batch(batch, settings.taps_topic, partition=partition)
            waiting.append((first, sent))
            if len(waiting) == _IN_FLIGHT:
                moved(await _acknowledged(settings, partition, *waiting.popleft()))
        while waiting:
            moved(await _acknowledged(settings, partition, *waiting.popleft()))
    finally:
        await producer.stop()


def _batches(producer: Any, records: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    batch, first = producer.create_batch(), None
    for record in records:
        given = {
            "timestamp": record.timestamp, "key": record.key, "value": record.value,
            "headers": list(record.headers),
        }  # fmt: skip
        if batch.append(**given) is None:
            yield first or 0, batch
            batch, first = producer.create_batch(), None
            batch.append(**given)
        first = record.offset if first is None else first
    if first is not None:
        yield first, batch


async def _acknowledged(settings: StreamSettings, partition: int, first: int, sent: Any) -> int:
    metadata = await sent
    if (metadata.offset, metadata.timestamp_type) != (first, _PRODUCERS_TIME):
        raise ArchiveRefusal(
            f"分区 {partition} 的偏移 {first} 落在 {metadata.offset}：另有程序在写 "
            f"{settings.taps_topic}；请停下它，用新的空主题再恢复。 Offset {first} of partition "
            f"{partition} came to {metadata.offset}: somebody else writes to "
            f"{settings.taps_topic}; stop it, and restore into a new, empty topic."
        )
    return first


def _gapless(partition: int, records: Iterable[Any]) -> Iterator[Any]:
    for expected, record in enumerate(records):
        if record.offset != expected:
            raise ArchiveRefusal(
                f"存档的分区 {partition} 缺偏移 {expected}：日志里本就没有它（事务标记或压缩），"
                "不能原"
                f"位恢复。 Partition {partition} of the archive has no offset {expected}: the log "
                "itself had none (a transaction's marker, or compaction), so records behind it "
                "can't stand where they stood."
            )
        yield record


def _refuse_another_record(
    settings: StreamSettings, archive: Archive, partition: int, end: int
) -> None:
    """What the topic already holds must be the beginning of the archive: its last record tells."""
    with open_log(settings.kafka, settings.taps_topic, settings.policy.shard_count) as log:
        there = next(chain.from_iterable(log.read(partition, end, end - 1)), None)
    ours = next(
        one for one in chain.from_iterable(archive.read(partition, end)) if one.offset == end - 1
    )
    if there is None or as_archived(there) != as_archived(ours):
        raise _holds_something_else(settings, partition, 0, end)


def _holds_something_else(
    settings: StreamSettings, partition: int, begins: int, end: int
) -> ArchiveRefusal:
    return ArchiveRefusal(
        f"{settings.taps_topic} 的分区 {partition} 已有别的记录（{begins}–{end}）："
        f"只能恢复到空的主题；请换一个 HOURS_TOPIC_PREFIX，或先删除它。 Partition {partition} of "
        f"{settings.taps_topic} holds other records ({begins}–{end}): an archive goes into an "
        "empty topic; set another HOURS_TOPIC_PREFIX, or delete that topic first."
    )
