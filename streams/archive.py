"""The archive of a log of record: a folder of segments, and a manifest that names each.

docs/archive.md says how another program reads it. Not where it comes from (`dump`), not what is
in a segment (`segments`). Invariant: what the manifest names is there whole; what it doesn't name
is not of the archive. Nothing that this didn't write is deleted.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ledger.faults import first_fault
from ledger.policy import Policy
from streams.segments import (
    ArchiveRefusal,
    Segment,
    check_file,
    read_segment,
    segment_name,
    sync_folder,
    writing,
)

_MANIFEST = "manifest.json"
_NEW_MANIFEST = "manifest.json.partial"


class Manifest(BaseModel):
    """What the archive is of, and its segments: of each partition in order, from offset 0."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    format: Literal["hours-log-archive"] = "hours-log-archive"
    version: Literal[1] = 1
    ledger: str
    topic: str
    partitions: Annotated[int, Field(gt=0)]
    policy: dict[str, str | int]
    segments: list[Segment] = []

    @model_validator(mode="after")
    def _segments_follow_each_other(self) -> Self:
        ends = dict.fromkeys(range(self.partitions), 0)
        for one in self.segments:
            if ends.get(one.partition) != one.first_offset or one.first_offset >= one.next_offset:
                raise ValueError(f"{one.file} does not begin where the one before it ends")
            if one.file != segment_name(one.partition, one.first_offset):
                raise ValueError(f"{one.file} is not what such a segment is called")
            ends[one.partition] = one.next_offset
        return self


class Archive:
    """An archive as its manifest says it stands."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest

    @property
    def segments(self) -> list[Segment]:
        return self.manifest.segments

    def of(self, partition: int) -> list[Segment]:
        """A partition's segments, in order."""
        return [one for one in self.segments if one.partition == partition]

    def end(self, partition: int) -> int:
        """The offset behind the last record it holds of a partition."""
        return max((one.next_offset for one in self.of(partition)), default=0)

    def covers(self, partition: int, next_offset: int) -> int:
        """How much of the log below `next_offset` it holds: the offset behind it."""
        return min(next_offset, self.end(partition))

    def read(self, partition: int, stop: int) -> Iterator[list[Any]]:
        """Records from offset 0 up to `stop`, in batches. ArchiveRefusal, naming the damaged."""
        for segment in self.of(partition):
            if segment.first_offset >= stop:
                return
            for records in read_segment(self.folder, segment):
                wanted = [record for record in records if record.offset < stop]
                if wanted:
                    yield wanted

    def verify(self, progress: Callable[[int, int], None]) -> None:
        """Hash every file there is: ArchiveRefusal, naming the first that is damaged."""
        for done, segment in enumerate(self.segments):
            progress(done, len(self.segments))
            check_file(self.folder, segment)

    def add(self, segment: Segment) -> None:
        """Name one more segment in the manifest, whose file is there. ArchiveRefusal."""
        segments = [*self.segments, segment]
        self.manifest = self.manifest.model_copy(update={"segments": segments})
        _write_manifest(self.folder, self.manifest)


def open_archive(folder: Path, ledger_name: str, policy: Policy) -> Archive:
    """The archive in a folder, to read: ArchiveRefusal where it is none, or another ledger's."""
    manifest = _read_manifest(folder)
    if manifest is None:
        raise ArchiveRefusal(
            f"{folder} 不是存档：里面没有 {_MANIFEST}。 "
            f"{folder} is no archive: no {_MANIFEST} is in it."
        )
    _refuse_other(folder, manifest, {"ledger": ledger_name, "policy": policy.as_dict()})
    return Archive(folder, manifest)


@contextmanager
def extending_archive(
    folder: Path, ledger_name: str, topic: str, policy: Policy
) -> Iterator[Archive]:
    """The archive in a folder, begun if there is none, for one process to add to. ArchiveRefusal.

    A folder that holds anything else is left alone.
    """
    fresh = Manifest(
        ledger=ledger_name,
        topic=topic,
        partitions=policy.shard_count,
        policy=policy.as_dict(),
    )
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = _lock(folder)
    try:
        manifest = _read_manifest(folder)
        if manifest is None:
            _refuse_foreign_files(folder)
            _write_manifest(folder, fresh)
        else:
            _refuse_other(folder, manifest, fresh.model_dump(exclude={"segments", "version"}))
        yield Archive(folder, manifest or fresh)
    finally:
        os.close(lock)


def _read_manifest(folder: Path) -> Manifest | None:
    path = folder / _MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ArchiveRefusal(
            f"读不了 {path}（{error.strerror}）。 {path} can't be read ({error.strerror})."
        ) from error
    except ValidationError as error:
        raise ArchiveRefusal(
            f"{path} 损坏了，或出自更新的版本：请从另一份存档恢复它。 {path} is damaged, or of a "
            f"newer version ({first_fault(error)}): restore it from "
            "another copy of the archive, or update this program."
        ) from error


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    """All of it or nothing: the old one stays until the new one is on the disk."""
    with writing(folder):
        partial = folder / _NEW_MANIFEST
        with partial.open("wb") as file:
            file.write(manifest.model_dump_json(indent=1).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / _MANIFEST)
        sync_folder(folder)


def _refuse_other(folder: Path, manifest: Manifest, wanted: dict[str, object]) -> None:
    differences = [
        f"{name}={getattr(manifest, name)} ≠ {value}"
        for name, value in wanted.items()
        if getattr(manifest, name) != value
    ]
    if differences:
        listed = "; ".join(differences)
        raise ArchiveRefusal(
            f"{folder} 是另一个日志的存档（存档里 ≠ 这里）：{listed}。 "
            f"{folder} is the archive of another log (there ≠ here): {listed}."
        )


def _refuse_foreign_files(folder: Path) -> None:
    foreign = sorted(path.name for path in folder.iterdir() if path.name != _NEW_MANIFEST)
    if foreign:
        raise ArchiveRefusal(
            f"{folder} 里有别的文件（{foreign[0]}），不是存档：请给一个新的或空的文件夹。 "
            f"{folder} holds other files ({foreign[0]}) and is no archive: "
            "give a new or an empty folder."
        )


def _lock(folder: Path) -> int:
    """Held until it is closed, also by the end of the process."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ArchiveRefusal(
            f"另一个进程正在写存档 {folder}。 Another process is writing the archive {folder}."
        ) from None
    return descriptor
