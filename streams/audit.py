"""The audit: every record of the log settled again, and held against the ledger, byte for byte."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ledger import queries
from ledger.audit import Finding, Replay, check_shards, check_stored
from ledger.queries import ShardStatus
from ledger.store import open_store
from streams.decoding import decode
from streams.log import read_log
from streams.settings import StreamSettings


class Audited(NamedTuple):
    """What was compared, and the differences found; `records` and `entries` are counts."""

    shards: int
    records: int
    entries: int
    findings: list[Finding]


Progress = Callable[[int, int], None]
"""Records replayed so far, and in all."""


def audit(settings: StreamSettings, progress: Progress, most_findings: int = 20) -> Audited:
    """Compare the whole ledger, as it stands now, with the log. LedgerRefusal, TopicRefusal."""
    store = open_store(settings.ledger_url, settings.ledger_name, settings.policy)
    findings: list[Finding] = []
    try:
        store.check()
        with queries.reading(store.engine) as connection:
            statuses = queries.status(connection)
            findings.extend(check_shards(connection, statuses, settings.policy))
            total = sum(status.head.next_offset for status in statuses)
            done = 0
            for status in statuses:
                replay = Replay(connection, status, settings.ledger_name, settings.policy)
                findings.extend(check_stored(connection, status))
                findings.extend(replay.begin())
                for read, found in _follow(settings, status, replay):
                    done += read
                    findings.extend(found)
                    progress(done, total)
                    if len(findings) >= most_findings:
                        break
                else:
                    findings.extend(replay.end())
            entries = sum(status.head.next_seq for status in statuses)
            return Audited(len(statuses), done, entries, findings)
    finally:
        store.engine.dispose()


def _follow(
    settings: StreamSettings, status: ShardStatus, replay: Replay
) -> Iterator[tuple[int, list[Finding]]]:
    shard, stop = status.shard, status.head.next_offset
    count = settings.policy.shard_count
    for batch in read_log(settings.bootstrap, settings.taps_topic, shard, stop):
        records = [decode(record, shard, count) for record in batch]
        yield len(records), list(replay.follow(records))
