"""One segment of an archive: a gzip file of JSON lines, each one record of one partition.

gzip and JSON because anything can read them; zstandard would save a seventh of the space.
Invariant: a file that has a segment's name was whole on the disk before it got it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from gzip import BadGzipFile, GzipFile
from hashlib import file_digest, sha256
from io import BufferedReader
from itertools import chain
from pathlib import Path
from typing import Annotated, NamedTuple
from zlib import error as BadDeflate  # noqa: N812 - an exception, whatever its module calls it

from pydantic import BaseModel, ConfigDict, Field

from streams.archive_lines import ArchivedRecord, WholeRecord, read_line, write_line

MOST_RECORDS = 200_000
MOST_BYTES = 64 * 1024 * 1024
"""A segment ends behind the record with which it reaches either."""

_READ_BYTES = 1_048_576
_BATCH_BYTES = 2_097_152
_GZIP_LEVEL = 6
_DIGEST = r"^[0-9a-f]{64}$"

Count = Annotated[int, Field(ge=0)]
Digest = Annotated[str, Field(pattern=_DIGEST)]


class ArchiveRefusal(Exception):
    """The archive can't be used, or not be written; one line says what to do."""


class Segment(BaseModel):
    """What the manifest says of a segment. Its content is the file's once it is unpacked.

    Offsets that no record has, between `first_offset` and `next_offset`, are holes in the log.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    file: str
    partition: Count
    first_offset: Count
    next_offset: Count
    records: Annotated[int, Field(gt=0)]
    bytes: Count
    sha256: Digest
    content_bytes: Count
    content_sha256: Digest
    last_line_sha256: Digest


def segment_name(partition: int, first_offset: int) -> str:
    return f"{partition:05}-{first_offset:020}.jsonl.gz"


def write_segment(
    folder: Path, partition: int, first_offset: int, records: Iterator[WholeRecord]
) -> Segment | None:
    """Write the next records as a segment, taking no more than fit. None: there were none.

    The file has its name only once it is whole and on the disk. ArchiveRefusal.
    """
    first = next(records, None)
    if first is None:
        return None
    file = folder / segment_name(partition, first_offset)
    partial = file.with_name(f"{file.name}.partial")
    with writing(folder):
        try:
            content = _pack(partial, chain([first], records))
            segment = _described(file.name, partial, partition, first_offset, content)
            partial.replace(file)
            sync_folder(folder)
        except BaseException:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise
    return segment


def check_file(folder: Path, segment: Segment) -> None:
    """Refuse a segment's file that isn't what the manifest says: ArchiveRefusal, naming it."""
    path = folder / segment.file
    try:
        with path.open("rb") as file:
            is_whole = (
                os.fstat(file.fileno()).st_size == segment.bytes
                and file_digest(file, "sha256").hexdigest() == segment.sha256
            )
    except OSError as error:
        raise ArchiveRefusal(
            f"读不了存档的 {path}（{error.strerror}）：请从另一份存档恢复它。 "
            f"{path} of the archive can't be read ({error.strerror}): "
            "restore it from another copy of the archive."
        ) from error
    if not is_whole:
        raise _damaged(path, "its SHA-256 is not the manifest's")


def read_segment(folder: Path, segment: Segment) -> Iterator[list[ArchivedRecord]]:
    """The segment's records, in batches.

    ArchiveRefusal where the file is damaged, which is found before its first record is given out,
    or isn't what the manifest says of it.
    """
    check_file(folder, segment)
    path = folder / segment.file
    content, next_offset, count = sha256(), segment.first_offset, 0
    with path.open("rb") as file, GzipFile(fileobj=file) as packed:
        unpacked = BufferedReader(packed, _READ_BYTES)
        while lines := _lines(path, unpacked):
            content.update(b"".join(lines))
            records = _records(path, lines)
            for record in records:
                if record.offset < next_offset:
                    raise _damaged(path, f"offset {record.offset} is out of order")
                next_offset = record.offset + 1
            count += len(records)
            yield records
    said = (segment.content_sha256, segment.next_offset, segment.records)
    if (content.hexdigest(), next_offset, count) != said:
        raise _damaged(path, "its content is not the manifest's")


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn a disk that is full, or that may not be written to, into ArchiveRefusal."""
    try:
        yield
    except OSError as error:
        raise ArchiveRefusal(
            f"写不了存档 {folder}（{error.strerror}）：处理后再运行一次，会接着写。 "
            f"The archive {folder} can't be written ({error.strerror}): put that right and run "
            "this again, it goes on where it stands."
        ) from error


def sync_folder(folder: Path) -> None:
    """Bring the names of a folder's files to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Content(NamedTuple):
    records: int
    next_offset: int
    size: int
    digest: str
    last_line: bytes


def _pack(path: Path, records: Iterator[WholeRecord]) -> _Content:
    digest, size, count = sha256(), 0, 0
    with path.open("wb") as file:
        # No name and no time within: the same records make the same file.
        with GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as packed:
            for record in records:
                line = write_line(record)
                packed.write(line)
                digest.update(line)
                size, count = size + len(line), count + 1
                if count >= MOST_RECORDS or size >= MOST_BYTES:
                    break
        file.flush()
        os.fsync(file.fileno())
    return _Content(count, record.offset + 1, size, digest.hexdigest(), line)


def _described(
    name: str, partial: Path, partition: int, first_offset: int, content: _Content
) -> Segment:
    with partial.open("rb") as file:
        packed = file_digest(file, "sha256").hexdigest()
        size = os.fstat(file.fileno()).st_size
    return Segment(
        file=name,
        partition=partition,
        first_offset=first_offset,
        next_offset=content.next_offset,
        records=content.records,
        bytes=size,
        sha256=packed,
        content_bytes=content.size,
        content_sha256=content.digest,
        last_line_sha256=sha256(content.last_line).hexdigest(),
    )


def _lines(path: Path, unpacked: "BufferedReader[GzipFile]") -> list[bytes]:
    try:
        return unpacked.readlines(_BATCH_BYTES)
    except (BadGzipFile, BadDeflate, EOFError) as error:
        raise _damaged(path, str(error)) from error


def _records(path: Path, lines: list[bytes]) -> list[ArchivedRecord]:
    try:
        return [read_line(line) for line in lines]
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, f"a line of it is no record: {error}") from error


def _damaged(path: Path, why: str) -> ArchiveRefusal:
    return ArchiveRefusal(
        f"存档的 {path} 损坏了：请从另一份存档恢复它，或另存一份新的。 "
        f"{path} of the archive is damaged ({why}): restore it from another copy, "
        "or dump into a new folder."
    )
