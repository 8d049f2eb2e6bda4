"""Batches are read whatever their headers are called, and otherwise as aiokafka reads them."""

from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record import default_records, memory_records

from streams.batches import Batches, read_any_header_name

GOOD, BAD = b"a-good-name", b"\xff\xfe\x00-name\xc3"


def batch(first: int, headers: int = 1, codec: int = 0) -> bytes:
    """Ten records, those with odd offsets with headers."""
    builder = default_records.DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 100_000)
    for offset in range(10):
        named = [(GOOD.decode(), b"\xff"), ("none", None)] * headers * (offset % 2)
        assert builder.append(offset, 1_000 + offset, b"k", b"v%d" % offset, named)
    return first.to_bytes(8, "big") + bytes(builder.build())[8:]


def read(fetched: bytes, reader: Any = Batches) -> list[tuple[Any, ...]]:
    records, found = reader(fetched), []
    while records.has_next():
        one = records.next_batch()
        assert one.validate_crc() or BAD in fetched
        found += [
            (it.offset, it.timestamp, it.timestamp_type, it.key, it.value, [*it.headers])
            for it in one
        ]
    assert records.next_batch() is None
    return found


@pytest.mark.parametrize("codec", [0, 1], ids=["plain", "gzip"])
def test_batches_of_good_names_are_read_as_aiokafka_reads_them(codec: int) -> None:
    fetched = batch(0, codec=codec) + batch(10) + batch(20, headers=0) + batch(30)[:-5]
    expected = read(fetched, memory_records.MemoryRecords)
    assert len(expected) == 30
    assert read(fetched) == expected
    assert Batches(fetched).size_in_bytes() == len(fetched)
    assert read(b"") == []


def test_a_name_of_any_bytes_is_read_and_all_records_around_it() -> None:
    spoilt = batch(10).replace(GOOD, BAD[: len(GOOD)].ljust(len(GOOD), b"\xff"))
    fetched = batch(0) + spoilt + batch(20)
    with pytest.raises(UnicodeDecodeError):
        read(fetched, memory_records.MemoryRecords)
    found = read(fetched)
    assert [one[0] for one in found] == list(range(30))
    plain = read(batch(10))
    assert [one[:5] for one in found[10:20]] == [one[:5] for one in plain]
    name, content = found[11][5][0]
    assert name.encode("utf-8", "surrogateescape").startswith(b"\xff\xfe\x00-name\xc3")
    assert (content, found[11][5][1]) == (b"\xff", ("none", None))


def test_what_is_broken_is_still_refused() -> None:
    broken = bytearray(batch(0).replace(GOOD, BAD[: len(GOOD)].ljust(len(GOOD), b"\xff")))
    broken[61] ^= 64  # the first record's length
    with pytest.raises(CorruptRecordException):
        read(bytes(broken))


def test_consumers_of_this_process_read_so() -> None:
    read_any_header_name()
    read_any_header_name()
    assert fetcher.MemoryRecords is Batches
