"""What an operator's Prometheus sees of a gateway: counted as it happens, or read when asked.

Each gateway has a registry of its own.
"""

from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from producers.kiosk.kiosks import Seen
from producers.kiosk.messages import Report
from producers.kiosk.overview import GatewayNow

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_MICRO = 1_000_000

Look = Callable[[], tuple[GatewayNow, dict[str, Seen]]]
"""How the gateway is now, and each kiosk's last report."""


class GatewayMetrics:
    """Counters of one gateway, and gauges read from what `look` gives."""

    def __init__(self, look: Look | None = None) -> None:
        self.registry = CollectorRegistry()
        self.taps = Counter(
            "hours_kiosk_taps",
            "Taps that came in, by how they ended: accepted, repeated, refused",
            ("end",),
            registry=self.registry,
        )
        self.refused = Counter(
            "hours_kiosk_refused",
            "What was refused at the door",
            ("reason",),
            registry=self.registry,
        )
        self.answer_seconds = Histogram(
            "hours_kiosk_answer_seconds",
            "From taps coming in to their answer, after the fsync",
            buckets=_SECONDS,
            registry=self.registry,
        )
        if look is not None:
            self.registry.register(_Gauges(look))


class _Gauges(Collector):
    def __init__(self, look: Look) -> None:
        self._look = look

    def collect(self) -> Iterator[Metric]:
        now, reports = self._look()
        yield from _of_gateway(now)
        yield from _of_kiosks(now, reports)


def _of_gateway(now: GatewayNow) -> Iterator[Metric]:
    standing = now.standing
    oldest = 0.0 if standing.oldest_at is None else (now.at - standing.oldest_at) / _MICRO
    for name, help_text, value in (
        ("hours_kiosk_outbox_waiting", "Taps on the gateway's disk, not in the log yet",
         standing.waiting),
        ("hours_kiosk_outbox_oldest_seconds", "Age of the oldest of them", max(oldest, 0.0)),
        ("hours_kiosk_refused_by_kafka", "Taps that Kafka will never take",
         standing.refused_by_kafka),
        ("hours_kiosk_kafka_up", "1 while Kafka takes what is sent", int(now.publisher.connected)),
        ("hours_kiosk_roster_current", "1 while the roster is read to its end",
         int(now.roster_current)),
        ("hours_kiosk_roster_unreadable", "Things of the roster whose record can't be read",
         now.roster_unreadable),
        ("hours_kiosk_gateway_clock_ahead_seconds", "The gateway's clock beside Kafka's or NTP's",
         (now.clock_ahead or 0) / _MICRO),
    ):  # fmt: skip
        yield GaugeMetricFamily(name, help_text, value)
    published = "hours_kiosk_published"
    yield CounterMetricFamily(published, "Taps acknowledged by Kafka", standing.published)


def _of_kiosks(now: GatewayNow, reports: dict[str, Seen]) -> Iterator[Metric]:
    read: dict[str, tuple[Seen, Report]] = {
        code: (seen, Report.model_validate_json(seen.report)) for code, seen in reports.items()
    }
    shown: tuple[tuple[str, str, Callable[[Seen, Report], Any]], ...] = (
        ("hours_kiosk_seen_timestamp_seconds", "When a kiosk was last heard of",
         lambda seen, report: seen.at / _MICRO),
        ("hours_kiosk_queued", "Taps in a kiosk's browser, not at the gateway yet",
         lambda seen, report: report.queued),
        ("hours_kiosk_queue_oldest_seconds", "Age of the oldest of them",
         lambda seen, report: (
             0 if report.oldest is None else max(0, now.at - report.oldest) / _MICRO
         )),
        ("hours_kiosk_refused_taps", "Refused taps the person in charge has not looked at",
         lambda seen, report: report.refused),
        ("hours_kiosk_clock_ahead_seconds", "A kiosk's clock beside the gateway's",
         lambda seen, report: (report.offset_ms or 0) / 1_000),
        ("hours_kiosk_storage_kept", "0 where the browser may evict what is queued",
         lambda seen, report: int(report.persisted is not False)),
    )  # fmt: skip
    for name, help_text, value in shown:
        family = GaugeMetricFamily(name, help_text, labels=["kiosk"])
        for code, (seen, report) in sorted(read.items()):
            family.add_metric([code], value(seen, report))
        yield family
