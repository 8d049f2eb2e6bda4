"""The audit: every record of the log settled again, and held against the ledger, byte for byte.

The log is the topic itself or an archive of it. One that ends before the ledger does, as an older
archive may, proves the ledger's beginning alone; what it leaves out is counted as `uncovered`.
Shards are independent: each is audited in a process of its own, as many at once as are wanted.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ledger import queries
from ledger.audit import Finding, check_shards
from ledger.policy import Policy
from ledger.replay import audit_shard
from ledger.roster.reports_audit import check_groupings
from ledger.store import Store, checked_store
from ledger.taps import Record
from producers.kafka_access import KafkaAccess
from streams.archive import open_archive
from streams.at_once import at_once, workers_for
from streams.collecting import collecting_rarely
from streams.decoding import decode
from streams.log import Log, open_log


class Audited(NamedTuple):
    """What was compared, and the differences found; the others are counts."""

    shards: int
    records: int
    entries: int
    uncovered: int
    findings: list[Finding]


@dataclass(frozen=True)
class AuditSource:
    """The ledger that is audited, and its log: an archive's folder, or else a topic of Kafka's."""

    url: str = field(repr=False)  # it may hold a password
    name: str
    policy: Policy
    log: Path | tuple[KafkaAccess, str]

    def store(self) -> AbstractContextManager[Store]:
        """The ledger, checked. LedgerRefusal."""
        return checked_store(self.url, self.name, self.policy)

    def open_log(self) -> AbstractContextManager[Log]:
        """TopicRefusal or ArchiveRefusal where it can't be read."""
        if isinstance(self.log, Path):
            return nullcontext(open_archive(self.log, self.name, self.policy))
        kafka, topic = self.log
        return open_log(kafka, topic, self.policy.shard_count)


Progress = Callable[[int, int], None]
"""Records replayed so far, and in all."""


def audit(
    source: AuditSource, progress: Progress, workers: int | None = None, most_findings: int = 20
) -> Audited:
    """Compare a whole ledger, each shard as it stands when its turn comes, with the log.

    It ends at `most_findings`. LedgerRefusal, TopicRefusal, ArchiveRefusal.
    """
    with source.store() as store, queries.reading(store.engine) as connection:
        statuses = queries.status(connection)
        findings = list(check_shards(connection, statuses, store.policy))
        groupings = list(islice(check_groupings(connection, store.policy), most_findings))
    total = sum(status.head.next_offset for status in statuses)
    jobs = [(source, status.shard, most_findings) for status in statuses]
    some = workers_for(total, workers)
    audited = at_once(_audit_shard, jobs, some, lambda done: progress(done, total))
    findings += [finding for one in audited for finding in one.findings]
    return Audited(
        len(statuses),
        sum(one.records for one in audited),
        sum(one.entries for one in audited),
        sum(one.uncovered for one in audited),
        [*findings, *groupings][:most_findings],
    )


class _ShardAudited(NamedTuple):
    records: int
    entries: int
    uncovered: int
    findings: list[Finding]


def _audit_shard(
    moved: Callable[[int], None], source: AuditSource, shard: int, most_findings: int
) -> _ShardAudited:
    with (
        collecting_rarely(),
        source.store() as store,
        source.open_log() as log,
        queries.reading(store.engine) as connection,
    ):
        (status,) = [one for one in queries.status(connection) if one.shard == shard]
        stop = log.covers(shard, status.head.next_offset)
        is_whole = stop == status.head.next_offset
        replayed = _Replayed(log, shard, source.policy.shard_count, moved)
        found = audit_shard(
            connection, status, source.name, source.policy, replayed.batches(stop), is_whole
        )
        with closing(found):
            findings = list(islice(found, most_findings))
        return _ShardAudited(
            replayed.records, status.head.next_seq, status.head.next_offset - stop, findings
        )


class _Replayed:
    """Batches of a shard's log, decoded and counted on their way."""

    def __init__(
        self, log: Log, shard: int, shard_count: int, moved: Callable[[int], None]
    ) -> None:
        self._log, self._shard, self._shard_count = log, shard, shard_count
        self._moved = moved
        self.records = 0

    def batches(self, stop: int) -> Iterator[list[Record]]:
        for batch in self._log.read(self._shard, stop):
            self.records += len(batch)
            self._moved(self.records)
            yield [decode(record, self._shard, self._shard_count) for record in batch]
