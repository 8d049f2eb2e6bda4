"""A folder that keeps what it was given, and says so when it can't."""

import gzip
import hashlib
import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ledger.policy import Policy
from streams import segments
from streams.archive import Archive, extending_archive, open_archive
from streams.archive_lines import ArchivedRecord
from streams.segments import ArchiveRefusal, write_segment

POLICY = Policy(shard_count=2)
NAME, TOPIC = "archived.example", "t.taps"
DOCUMENT = Path(__file__).parents[2] / "docs" / "archive.md"


def record(offset: int, value: bytes | None = b"{}") -> ArchivedRecord:
    return ArchivedRecord(offset, 1_764_000_000_000 + offset, 1, b"V1", value, (("h", b"\xff"),))


LOG = [record(offset, bytes([offset % 256]) * offset) for offset in range(300) if offset % 7]


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MOST_RECORDS", 100)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An archive of 257 records of partition 0, in three segments."""
    fill(tmp_path / "archive")
    return tmp_path / "archive"


def fill(folder: Path, log: list[ArchivedRecord] = LOG) -> None:
    with extending_archive(folder, NAME, TOPIC, POLICY) as archive:
        add_all(archive, iter([one for one in log if one.offset >= archive.end(0)]))


def add_all(archive: Archive, records: Iterator[Any]) -> None:
    while segment := write_segment(archive.folder, 0, archive.end(0), records):
        archive.add(segment)


def read_all(folder: Path, stop: int = 1_000) -> list[Any]:
    archive = open_archive(folder, NAME, POLICY)
    return [one for batch in archive.read(0, stop) for one in batch]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_was_put_in_is_read_back(folder: Path) -> None:
    assert read_all(folder) == LOG
    assert read_all(folder, 150) == [one for one in LOG if one.offset < 150]
    archive = open_archive(folder, NAME, POLICY)
    assert [one.records for one in archive.segments] == [100, 100, 57]
    assert (archive.end(0), archive.end(1)) == (300, 0)
    assert (archive.covers(0, 200), archive.covers(0, 400)) == (200, 300)


def test_the_same_records_make_the_same_files(folder: Path, tmp_path: Path) -> None:
    fill(tmp_path / "other")
    assert files(tmp_path / "other") == files(folder)


def test_a_segment_ends_behind_the_record_with_which_it_is_large_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "MOST_BYTES", 1_000)
    fill(tmp_path, [record(0, b"x" * 2_000), record(1), record(2)])
    assert [one.records for one in open_archive(tmp_path, NAME, POLICY).segments] == [1, 2]


def test_what_is_there_is_added_to_and_never_written_again(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    fill(folder, LOG[:150])
    before = {path: path.stat() for path in folder.glob("*.gz")}
    fill(folder)
    assert read_all(folder) == LOG
    assert {path: path.stat().st_mtime_ns for path in before} == {
        path: stat.st_mtime_ns for path, stat in before.items()
    }


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a bit": flip,
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "gone": lambda path: path.unlink(),
    "another": lambda path: shutil.copy(
        path.with_name("00000-00000000000000000000.jsonl.gz"), path
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_segment_is_named_before_any_of_it_is_used(folder: Path, damage: str) -> None:
    archive = open_archive(folder, NAME, POLICY)
    second = archive.segments[1]
    DAMAGE[damage](folder / second.file)
    with pytest.raises(ArchiveRefusal, match=second.file):
        archive.verify(lambda done, total: None)
    read = []
    with pytest.raises(ArchiveRefusal, match=second.file):
        read.extend(one for batch in archive.read(0, 1_000) for one in batch)
    assert read == LOG[:100]


def forge(folder: Path, lines: bytes, **members: Any) -> None:
    """Another content for the first segment, with the hash of the file put right."""
    path = folder / "00000-00000000000000000000.jsonl.gz"
    path.write_bytes(gzip.compress(lines))
    packed = path.read_bytes()
    manifest = json.loads((folder / "manifest.json").read_text())
    digest = hashlib.sha256(packed).hexdigest()
    manifest["segments"][0].update(bytes=len(packed), sha256=digest, **members)
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("lines", [b"", b"{}\n", segments.write_line(record(0)) * 2])
def test_a_segment_that_hides_another_content_is_refused(folder: Path, lines: bytes) -> None:
    forge(folder, lines)
    with pytest.raises(ArchiveRefusal, match="00000-00000000000000000000"):
        read_all(folder)


def test_a_file_that_is_no_gzip_is_refused(folder: Path) -> None:
    path = folder / "00000-00000000000000000000.jsonl.gz"
    forge(folder, b"")
    path.write_bytes(b"\0" * path.stat().st_size)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["segments"][0]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArchiveRefusal, match="damaged"):
        read_all(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-9],
        lambda text: text.replace('"version": 1', '"version": 2'),
        lambda text: text.replace('"first_offset": 0', '"first_offset": 1'),
        lambda text: text.replace('"00000-00000000000000000000.jsonl.gz"', '"../other.jsonl.gz"'),
        lambda text: text.replace('"partition": 0', '"partition": 2'),
    ],
)
def test_a_manifest_that_can_not_be_is_refused(folder: Path, change: Callable[[str], str]) -> None:
    path = folder / "manifest.json"
    changed = change(path.read_text())
    assert changed != path.read_text()
    path.write_text(changed)
    with pytest.raises(ArchiveRefusal, match=r"manifest\.json"):
        open_archive(folder, NAME, POLICY)


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with (
        pytest.raises(ArchiveRefusal, match=r"letter\.txt"),
        extending_archive(tmp_path, NAME, TOPIC, POLICY),
    ):
        pass
    assert files(tmp_path) == {"letter.txt": b"dear"}
    with pytest.raises(ArchiveRefusal, match="is no archive"):
        open_archive(tmp_path, NAME, POLICY)


@pytest.mark.parametrize(
    ("name", "topic", "policy", "named"),
    [
        ("other.example", TOPIC, POLICY, "ledger"),
        (NAME, "other.taps", POLICY, "topic"),
        (NAME, TOPIC, Policy(shard_count=2, cap_seconds=1), "cap_seconds"),
        (NAME, TOPIC, Policy(shard_count=3), "partitions"),
    ],
)
def test_the_archive_of_another_log_is_refused_and_the_difference_named(
    folder: Path, name: str, topic: str, policy: Policy, named: str
) -> None:
    before = files(folder)
    with pytest.raises(ArchiveRefusal, match=named), extending_archive(folder, name, topic, policy):
        pass
    if topic == TOPIC:
        with pytest.raises(ArchiveRefusal):
            open_archive(folder, name, policy)
    assert files(folder) == before


def test_one_process_at_a_time_writes_an_archive(folder: Path) -> None:
    with (
        extending_archive(folder, NAME, TOPIC, POLICY),
        pytest.raises(ArchiveRefusal, match="Another process"),
        extending_archive(folder, NAME, TOPIC, POLICY),
    ):
        pass
    fill(folder)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """As a full disk: writing beyond it fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_one_line_and_leaves_an_archive_that_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    fill(folder, LOG[:150])
    before = files(folder)
    with files_of_at_most(500), pytest.raises(ArchiveRefusal, match="can't be written"):
        fill(folder)
    assert files(folder) == before
    fill(folder)
    assert read_all(folder) == LOG


def test_a_folder_that_can_not_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ArchiveRefusal, match="can't be written"),
        extending_archive(tmp_path / "file" / "archive", NAME, TOPIC, POLICY),
    ):
        pass


def test_the_program_in_the_documentation_reads_it(folder: Path, tmp_path: Path) -> None:
    program = DOCUMENT.read_text().split("```python\n")[1].split("```")[0]
    assert program.count("\n") <= 20
    shown = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, check=True, text=True
    )
    assert shown.stdout.splitlines() == [f"0 {one.offset} {one.value}" for one in LOG]
    flip(folder / "00000-00000000000000000000.jsonl.gz")
    damaged = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, check=False, text=True
    )
    assert damaged.returncode == 1
