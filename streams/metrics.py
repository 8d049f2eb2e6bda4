"""What an operator sees of a worker: Prometheus metrics, named by the stages of a tap's life.

decode → settle → append → show. Each worker has a registry of its own.
"""

from collections import Counter as Tally
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ledger.shard import Changes, Head

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Availability:
    """Whether something a worker needs answers: shown, and each time it went away counted."""

    def __init__(self, up: Gauge, outages: Counter) -> None:
        self._up = up
        self._outages = outages
        self.away = False
        up.set(1)

    def went(self) -> bool:
        """Note that it doesn't answer; whether that is news."""
        is_news, self.away = not self.away, True
        if is_news:
            self._outages.inc()
            self._up.set(0)
        return is_news

    def came(self) -> bool:
        """Note that it answers; whether that is news."""
        is_news, self.away = self.away, False
        if is_news:
            self._up.set(1)
        return is_news


class Metrics:
    """Counters and gauges of one worker."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.records = self._counter(
            "hours_records", "Log records settled, by how they ended", "shard", "end"
        )
        self.rejections = self._counter("hours_rejections", "Log records rejected", "reason")
        self.entries = self._counter("hours_entries_appended", "Entries appended", "shard", "type")
        self.fenced = self._counter("hours_fenced", "Batches refused: a later claim", "shard")
        self.gaps = self._counter("hours_gaps", "Fetches read again to fill a hole", "shard")
        self.totals_published = self._counter(
            "hours_team_totals_published", "Team totals acknowledged by the broker"
        )
        self.tree_size = self._gauge("hours_ledger_tree_size", "Entries in the shard", "shard")
        self.epoch = self._gauge("hours_epoch", "Number of this worker's claim", "shard")
        self.lag = self._gauge("hours_lag_records", "Log records not settled yet", "shard")
        self.oldest = self._gauge(
            "hours_oldest_unsettled_seconds", "Age of the oldest record not settled yet", "shard"
        )
        self.window_events = self._gauge(
            "hours_window_events", "Accepted events held in memory", "shard"
        )
        self.rebuild_remaining = self._gauge(
            "hours_rebuild_remaining_records", "Offsets to read before settling goes on", "shard"
        )
        self.totals_pending = self._gauge(
            "hours_team_totals_pending", "Team totals changed and not published yet"
        )
        self.roster_published = self._counter(
            "hours_roster_published", "Messages of the roster acknowledged by the broker"
        )
        self.roster_pending = self._gauge(
            "hours_roster_outbox_pending", "Messages of the roster not published yet"
        )
        self.ledger = Availability(
            self._gauge("hours_ledger_up", "1 while the database answers"),
            self._counter("hours_ledger_outages", "Times the database went away"),
        )
        self.kafka = Availability(
            self._gauge("hours_kafka_up", "1 while Kafka answers"),
            self._counter("hours_kafka_outages", "Times Kafka went away"),
        )
        self.decode_seconds = self._histogram("hours_decode_seconds", "Decoding of one batch")
        self.settle_seconds = self._histogram("hours_settle_seconds", "Settling of one batch")
        self.append_seconds = self._histogram("hours_append_seconds", "Append of one batch")

    def count(self, shard: int, before: Head, changes: Changes) -> None:
        """Count what one appended batch did."""
        after = changes.head
        for end, count in (
            ("accepted", after.accepted - before.accepted),
            ("duplicate", after.duplicates - before.duplicates),
            ("rejected", after.rejected - before.rejected),
            ("skipped", after.skipped - before.skipped),
        ):
            self.records.labels(shard, end).inc(count)
        for reason, count in Tally(one.reason for one in changes.rejections).items():
            self.rejections.labels(reason).inc(count)
        for kind, count in Tally(entry.type for entry in changes.entries).items():
            self.entries.labels(shard, kind).inc(count)
        self.tree_size.labels(shard).set(after.next_seq)

    def forget_shard(self, shard: int) -> None:
        """Drop the gauges of a shard given up: another worker shows them now."""
        for gauge in (
            *(self.tree_size, self.epoch, self.lag, self.oldest),
            *(self.window_events, self.rebuild_remaining),
        ):
            with suppress(KeyError):
                gauge.remove(shard)

    def _counter(self, name: str, help: str, *labels: str) -> Counter:
        return Counter(name, help, labels, registry=self.registry)

    def _gauge(self, name: str, help: str, *labels: str) -> Gauge:
        return Gauge(name, help, labels, registry=self.registry)

    def _histogram(self, name: str, help: str) -> Histogram:
        return Histogram(name, help, buckets=_SECONDS, registry=self.registry)
