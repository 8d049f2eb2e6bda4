"""A record of the log, as a line of an archive, is whole."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.archive_lines import ArchivedRecord, read_line, write_line

contents = st.none() | st.binary(max_size=40) | st.text(max_size=20).map(str.encode)
names = st.text(max_size=9) | st.binary(max_size=9).map(
    lambda name: name.decode("utf-8", "surrogateescape")
)
records = st.builds(
    ArchivedRecord,
    offset=st.integers(0, (1 << 63) - 1),
    timestamp=st.integers(-1, (1 << 63) - 1),
    timestamp_type=st.sampled_from([-1, 0, 1]),
    key=contents,
    value=contents,
    headers=st.lists(st.tuples(names, contents), max_size=4).map(tuple),
)
GOOD = ArchivedRecord(7, 1_764_000_000_123, 1, b"V1", "{“好”}".encode(), (("h", b"\xff"),))


@given(records)
@example(ArchivedRecord(0, 0, 1, b"", b"", (("", b""), ("", b""), ("", None))))
@example(ArchivedRecord(0, 0, 1, b"\r\n", b"\xe2\x80\xa8\x00", ()))
@example(ArchivedRecord(0, 0, 1, None, b'{"base64": "AA=="}', ()))
@example(ArchivedRecord(0, 0, 1, None, b"\xed\xa0\x80", ()))  # a surrogate, as it can't be in UTF-8
def test_what_is_written_is_read_back_whole(record: ArchivedRecord) -> None:
    line = write_line(record)
    assert read_line(line) == record
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")


@given(records)
def test_the_standard_librarys_json_reads_the_same(record: ArchivedRecord) -> None:
    fields = json.loads(write_line(record))
    assert (fields["offset"], fields["timestamp"]) == (record.offset, record.timestamp)
    if isinstance(fields["value"], str):
        assert fields["value"].encode() == record.value


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("offset", "7"),
        ("offset", True),
        ("timestamp", None),
        ("timestamp_type", 1),
        ("key", 7),
        ("value", {"base64": "*"}),
        ("value", {"hex": "00"}),
        ("headers", None),
        ("headers", [["name"]]),
        ("headers", [[None, "text"]]),
        ("headers", [[7, "text"]]),
    ],
)
def test_a_line_that_says_no_record_is_refused(member: str, value: Any) -> None:
    fields = {**json.loads(write_line(GOOD)), member: value}
    with pytest.raises((KeyError, TypeError, ValueError)):
        read_line(json.dumps(fields).encode())


@pytest.mark.parametrize("line", [b"", b"[]", b"7", b"{}", b"{", write_line(GOOD)[:-9]])
def test_a_line_that_is_cut_or_something_else_is_refused(line: bytes) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        read_line(line)
