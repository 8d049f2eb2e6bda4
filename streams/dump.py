"""The dump: what is new in the log of record, on its way into an archive.

It goes on where the archive ends, and refuses where log and archive can't be of one piece: a log
that lost its end or beginning, or has other records where the archive has its last.
"""

from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from streams.archive import Archive, extending_archive
from streams.archive_lines import as_archived, write_line
from streams.log import TopicLog, open_log
from streams.segments import ArchiveRefusal, Segment, write_segment
from streams.settings import StreamSettings
from streams.topics import check_log

Progress = Callable[[int, int], None]
"""Records written so far, and in all; or files checked so far, and in all."""


class Dumped(NamedTuple):
    """What was added, and what the archive now holds."""

    added_records: int
    added_segments: int
    records: int
    segments: int
    bytes: int


def dump(settings: StreamSettings, folder: Path, progress: Progress) -> Dumped:
    """Add all that is new in the log to the archive in `folder`. ArchiveRefusal, TopicRefusal."""
    check_log(settings)
    topic, policy = settings.taps_topic, settings.policy
    with (
        extending_archive(folder, settings.ledger_name, topic, policy) as archive,
        open_log(settings.kafka, topic, policy.shard_count) as log,
    ):
        for partition, (begins, ends) in log.bounds.items():
            _refuse_gap(partition, archive.end(partition), begins, ends)
        archive.verify(progress)
        added = list(_add_all(archive, log, progress))
    return Dumped(
        sum(one.records for one in added),
        len(added),
        sum(one.records for one in archive.segments),
        len(archive.segments),
        sum(one.bytes for one in archive.segments),
    )


def _add_all(archive: Archive, log: TopicLog, progress: Progress) -> Iterator[Segment]:
    total = sum(ends - archive.end(number) for number, (_, ends) in log.bounds.items())
    done = 0
    for partition in log.bounds:
        records = _new_records(archive, log, partition)
        while segment := write_segment(archive.folder, partition, archive.end(partition), records):
            archive.add(segment)
            done += segment.records
            progress(done, total)
            yield segment


def _new_records(archive: Archive, log: TopicLog, partition: int) -> Iterator[Any]:
    """From behind the archive's last record, which must be the log's as well."""
    begins, stop = log.bounds[partition]
    end = archive.end(partition)
    start = max(begins, end - 1)
    records = chain.from_iterable(log.read(partition, stop, start))
    if start < end:
        _refuse_another_record(archive.of(partition)[-1], next(records, None))
    yield from records


def _refuse_gap(partition: int, end: int, begins: int, ends: int) -> None:
    if ends < end:
        raise ArchiveRefusal(
            f"分区 {partition} 的日志到 {ends} 为止，存档到 {end}：日志丢了结尾，或主题被重建过。"
            f"存档没有改动；请恢复日志。 Partition {partition} of the log ends at {ends}, the "
            f"archive at {end}: the log lost its end, or the topic was made anew. The archive is "
            "left as it was; restore the log of record."
        )
    if begins > end:
        raise ArchiveRefusal(
            f"分区 {partition} 的日志从 {begins} 开始，存档到 {end} 为止：中间的记录已被删除。"
            f"存档没有改动；请恢复日志。 Partition {partition} of the log begins at {begins}, the "
            f"archive ends at {end}: the records between them were deleted. The archive is left "
            "as it was; restore the log of record."
        )


def _refuse_another_record(last: Segment, record: Any) -> None:
    is_same = (
        record is not None
        and record.offset == last.next_offset - 1
        and last.last_line_sha256
        in {sha256(line).hexdigest() for line in (write_line(record), as_archived(record))}
    )
    if not is_same:
        raise ArchiveRefusal(
            f"分区 {last.partition} 偏移 {last.next_offset - 1} 的记录与存档的不同：主题被重建过？"
            f"存档没有改动。 Partition {last.partition} of the log has another record at offset "
            f"{last.next_offset - 1} than the archive: was the topic made anew? The archive is "
            "left as it was; dump another log into another folder."
        )
