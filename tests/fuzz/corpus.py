"""Records worth trying first in every run: each once was, or would be, a fault.

A file is one record as a line of an archive writes it (docs/archive.md); its name says what it is.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from streams.archive_lines import ArchivedRecord, read_line, write_line
from tests.fuzz.records import RawRecord

FOLDER = Path(__file__).with_name("corpus")


def cases() -> dict[str, RawRecord]:
    """The kept records by name, on their way to partition 0."""
    found = {}
    for path in sorted(FOLDER.glob("*.json")):
        kept = read_line(path.read_bytes())
        found[path.stem] = RawRecord(0, kept.key, kept.value, tuple(kept.headers))
    return found


def keep(record: RawRecord, name: str = "") -> Path:
    """Write a record to the corpus, by a name, or else by a hash of it."""
    line = write_line(ArchivedRecord(0, 0, 1, record.key, record.value, record.headers))
    path = FOLDER / f"{name or sha256(line).hexdigest()[:12]}.json"
    path.write_bytes(line)
    return path


def minimised(record: RawRecord, fails: Callable[[RawRecord], object]) -> RawRecord:
    """As small a record as cutting headers, and ever smaller pieces of its value, gives."""
    for header in record.headers:
        fewer = record._replace(headers=tuple(one for one in record.headers if one != header))
        if fails(fewer):
            record = fewer
    size = len(record.value or b"") // 2
    while size:
        start = 0
        while start < len(record.value or b""):
            value = record.value or b""
            shorter = record._replace(value=value[:start] + value[start + size :])
            if fails(shorter):
                record = shorter
            else:
                start += size
        size //= 2
    return record
