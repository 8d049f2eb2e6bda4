"""The audit: every record of the log settled again, and held against the ledger, byte for byte.

The log is the topic itself or an archive of it. One that ends before the ledger does, as an older
archive may, proves the ledger's beginning alone; what it leaves out is counted as `uncovered`.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ledger import queries
from ledger.audit import Finding, Replay, check_shards, check_stored
from ledger.store import Store
from streams.decoding import decode
from streams.log import Log


class Audited(NamedTuple):
    """What was compared, and the differences found; the others are counts."""

    shards: int
    records: int
    entries: int
    uncovered: int
    findings: list[Finding]


Progress = Callable[[int, int], None]
"""Records replayed so far, and in all."""


def audit(store: Store, log: Log, progress: Progress, most_findings: int = 20) -> Audited:
    """Compare a checked store's whole ledger, as it stands now, with the log.

    TopicRefusal or ArchiveRefusal where the log can't be read.
    """
    findings: list[Finding] = []
    with queries.reading(store.engine) as connection:
        statuses = queries.status(connection)
        findings.extend(check_shards(connection, statuses, store.policy))
        total = sum(status.head.next_offset for status in statuses)
        done, uncovered = 0, 0
        for status in statuses:
            stop = log.covers(status.shard, status.head.next_offset)
            uncovered += status.head.next_offset - stop
            replay = Replay(connection, status, store.name, store.policy)
            findings.extend(check_stored(connection, status))
            findings.extend(replay.begin())
            for read, found in _follow(store, log, status.shard, stop, replay):
                done += read
                findings.extend(found)
                progress(done, total)
                if len(findings) >= most_findings:
                    break
            else:
                if stop == status.head.next_offset:
                    findings.extend(replay.end())
        entries = sum(status.head.next_seq for status in statuses)
        return Audited(len(statuses), done, entries, uncovered, findings)


def _follow(
    store: Store, log: Log, shard: int, stop: int, replay: Replay
) -> Iterator[tuple[int, list[Finding]]]:
    count = store.policy.shard_count
    for batch in log.read(shard, stop):
        records = [decode(record, shard, count) for record in batch]
        yield len(records), list(replay.follow(records))
