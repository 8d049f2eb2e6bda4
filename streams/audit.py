"""The audit: every record of the log settled again, and held against the ledger, byte for byte.

The log is the topic itself or an archive of it. One that ends before the ledger does, as an older
archive may, proves the ledger's beginning alone; what it leaves out is counted as `uncovered`.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from typing import NamedTuple

from ledger import queries
from ledger.audit import Finding, check_shards
from ledger.replay import audit_shard
from ledger.roster.reports_audit import check_groupings
from ledger.store import Store
from ledger.taps import Record
from streams.collecting import collecting_rarely
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

    It ends at `most_findings`. TopicRefusal or ArchiveRefusal where the log can't be read.
    """
    with collecting_rarely(), queries.reading(store.engine) as connection:
        statuses = queries.status(connection)
        offsets = {status.shard: status.head.next_offset for status in statuses}
        covered = {shard: log.covers(shard, offset) for shard, offset in offsets.items()}
        replayed = _Replayed(store, log, progress, sum(covered.values()))
        findings = list(check_shards(connection, statuses, store.policy))
        for status in statuses:
            stop = covered[status.shard]
            is_whole = stop == status.head.next_offset
            batches = replayed.batches(status.shard, stop)
            found = audit_shard(connection, status, store.name, store.policy, batches, is_whole)
            with closing(found):
                findings.extend(islice(found, max(0, most_findings - len(findings))))
        groupings = check_groupings(connection, store.policy)
        findings.extend(islice(groupings, max(0, most_findings - len(findings))))
    return Audited(
        len(statuses),
        replayed.records,
        sum(status.head.next_seq for status in statuses),
        sum(offsets.values()) - sum(covered.values()),
        findings,
    )


class _Replayed:
    """Batches of the log, decoded and counted on their way."""

    def __init__(self, store: Store, log: Log, progress: Progress, total: int) -> None:
        self._shard_count = store.policy.shard_count
        self._log = log
        self._progress = progress
        self._total = total
        self.records = 0

    def batches(self, shard: int, stop: int) -> Iterator[list[Record]]:
        for batch in self._log.read(shard, stop):
            self.records += len(batch)
            self._progress(self.records, self._total)
            yield [decode(record, shard, self._shard_count) for record in batch]
