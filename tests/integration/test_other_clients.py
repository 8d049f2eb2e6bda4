"""What clients of other makes may send: it stops nothing, and the audit and the archive read it."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaProducer

from tests.running import Hours, lines
from tests.taps import Load

on_sqlite = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)


class Name(str):
    """A header's name in bytes of its own, as clients in C and Go may send it."""

    __slots__ = ()

    def encode(self, *_: str) -> bytes:  # type: ignore[override]
        return b"\xff\xfe" + super().encode()


def settles_and_agrees(hours: Hours, records: int, folder: Path) -> None:
    worker = hours.start_worker()
    hours.wait_until_settled(records)
    assert worker.poll() is None
    assert "Traceback" not in hours.logs()
    (audited,) = hours.rows("audit")
    assert (audited["records"], audited["findings"]) == (records, [])
    hours.ok("dump", str(folder))
    assert hours.rows("audit", "--log", str(folder)) == [audited]


@on_sqlite
def test_a_header_whose_name_is_not_utf_8_stops_nothing(hours: Hours, tmp_path: Path) -> None:
    hours.ok("init")
    topic = f"{hours.environment['HOURS_TOPIC_PREFIX']}.taps"
    with closing(KafkaProducer(bootstrap_servers=hours.environment["HOURS_KAFKA"])) as producer:
        for headers in ([], [(Name("x"), b"v"), ("trace", b"\xff")], []):
            producer.send(topic, b"rubbish", b"k", headers=headers, partition=0)
    hours.ok("publish", input=lines(Load(1).session()[:2]))
    settles_and_agrees(hours, 5, tmp_path / "archive")
    assert [row["reason"] for row in hours.rows("rejections")] == ["not-json"] * 3
    assert sum(row["accepted"] for row in hours.rows("status")) == 2


@on_sqlite
def test_records_of_every_compression_are_read(hours: Hours, tmp_path: Path) -> None:
    hours.ok("init")
    codecs = ("gzip", "snappy", "lz4", "zstd")
    for codec in codecs:
        asyncio.run(send_compressed(hours, codec))
    settles_and_agrees(hours, 50 * len(codecs), tmp_path / "archive")


async def send_compressed(hours: Hours, codec: str) -> None:
    topic = f"{hours.environment['HOURS_TOPIC_PREFIX']}.taps"
    async with AIOKafkaProducer(
        bootstrap_servers=hours.environment["HOURS_KAFKA"], compression_type=codec, linger_ms=50
    ) as producer:
        for sent in [await producer.send(topic, b"rubbish " * 99, b"k") for _ in range(50)]:
            await sent
