"""A whole worker under fuzzed records: real Kafka, a real ledger, the `hours worker` command.

All that is sent must be accounted for, by a process that never fell, and the audit must agree.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from kafka import KafkaProducer
from sqlalchemy import func, select

from ledger import queries, tables
from tests.fuzz import corpus
from tests.fuzz.records import RawRecord, records
from tests.running import Hours, eventually

_BATCH_BYTES = 900_000
_SILENCE_SECONDS = 180.0
_RECORDS_A_SECOND = 1_000  # fewer, and the audit is taken for stuck
Say = Callable[[str], None]


class Report(NamedTuple):
    """What a campaign came to; `sent` and `ends` are by partition."""

    sent: Counter[int]
    ends: Counter[str]
    reasons: Counter[str]
    findings: list[Any]


def run(hours: Hours, count: int, seed: int, say: Say) -> Report:
    """Send the corpus and then fuzzed records, `count` in all, to an initialised ledger."""
    partitions = len(hours.statuses())
    worker = hours.start_worker()
    wanted = chain(corpus.cases().values(), records(seed, datetime.now(UTC), partitions))
    started = time.monotonic()
    sent = asyncio.run(_send(hours, islice(wanted, count), say))
    say(f"{count} records sent in {time.monotonic() - started:.0f} s")
    _wait_until_settled(hours, worker, count, say)
    claims = hours.epochs()
    heads = {status.shard: status.head for status in hours.statuses()}
    for shard, head in heads.items():
        ended = head.accepted + head.duplicates + head.rejected + head.skipped
        assert ended == head.next_offset == sent[shard], (shard, head, sent[shard])
    assert worker.poll() is None, "the worker fell"
    assert set(claims.values()) == {1}, f"shards were claimed again: {claims}"
    assert "Traceback" not in hours.logs()
    reasons = _reasons(hours)
    ends = Counter[str]()
    for head in heads.values():
        for name in ("accepted", "duplicates", "rejected", "skipped"):
            ends[name] += getattr(head, name)
    assert sum(reasons.values()) == ends["rejected"]
    return Report(sent, ends, reasons, _findings(hours, count))


async def _send(hours: Hours, wanted: Iterable[RawRecord], say: Say) -> Counter[int]:
    """In batches, each record as it is: no client stands between to put anything right."""
    topic = hours.taps_topic
    sent = Counter[int]()
    async with AIOKafkaProducer(
        bootstrap_servers=hours.environment["HOURS_KAFKA"],
        max_batch_size=_BATCH_BYTES,
        enable_idempotence=True,
    ) as producer:
        open_batches: dict[int, Any] = {}
        under_way: set[Any] = set()
        nameless: list[RawRecord] = []

        async def close(partition: int) -> None:
            batch = open_batches.pop(partition)
            under_way.add(await producer.send_batch(batch, topic, partition=partition))
            if len(under_way) > 8:
                done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                under_way.difference_update(done)
                for one in done:
                    one.result()

        for record in wanted:
            sent[record.partition] += 1
            if any(not name.isprintable() for name, _ in record.headers):
                nameless.append(record)
                continue
            for _ in range(2):  # the second time, in a batch of its own
                batch = open_batches.setdefault(record.partition, producer.create_batch())
                fields = {"key": record.key, "value": record.value, "headers": [*record.headers]}
                if batch.append(timestamp=None, **fields):
                    break
                await close(record.partition)
            else:
                raise AssertionError("a record larger than a batch")
            if sum(sent.values()) % 100_000 == 0:
                say(f"{sum(sent.values())} sent")
        for partition in list(open_batches):
            await close(partition)
        for one in await asyncio.gather(*under_way):
            assert one.offset >= 0
    _send_nameless(hours.environment["HOURS_KAFKA"], topic, nameless)
    return sent


def _send_nameless(bootstrap: str, topic: str, wanted: Iterable[RawRecord]) -> None:
    """Records with header names that are not UTF-8, through the client that can be made to."""
    with closing(KafkaProducer(bootstrap_servers=bootstrap)) as producer:
        for partition, key, value, headers in wanted:
            named = [(_Name(name), content or b"") for name, content in headers]
            producer.send(topic, value, key or b"", named, partition)
        producer.flush()


class _Name(str):
    __slots__ = ()

    def encode(self, *_: str) -> bytes:  # type: ignore[override]
        return super().encode("utf-8", "surrogateescape")


def _wait_until_settled(hours: Hours, worker: Any, count: int, say: Say) -> None:
    """As long as there is progress."""
    settled = -1
    while settled < count:
        before = settled

        def moved() -> bool:
            assert worker.poll() is None, f"the worker fell\n{hours.logs()[-2_000:]}"
            return hours.settled() > before  # noqa: B023 - asked before it changes

        eventually(moved, f"more than {before} of {count} settled", _SILENCE_SECONDS)
        settled = hours.settled()
        if settled // 100_000 > before // 100_000:
            say(f"{settled} settled")


def _findings(hours: Hours, count: int) -> list[Any]:
    command = [sys.executable, "-m", "hours", "audit", "--json"]
    patience = _SILENCE_SECONDS + count / _RECORDS_A_SECOND
    audited = subprocess.run(
        command, env=hours.environment, capture_output=True, timeout=patience, check=False
    )
    found: list[Any] = json.loads(audited.stdout)["findings"]
    return found


def _reasons(hours: Hours) -> Counter[str]:
    table = tables.rejections
    with queries.reading(hours.engine) as connection:
        counted = connection.execute(select(table.c.reason, func.count()).group_by(table.c.reason))
        return Counter({reason: number for reason, number in counted})  # noqa: C416 - rows
