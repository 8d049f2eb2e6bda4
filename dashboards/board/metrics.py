"""What an operator's Prometheus sees of a board: counted as it happens, or read when asked.

Each board has a registry of its own.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class BoardNow(NamedTuple):
    """How the board is: ages in seconds, None where there is nothing to be old."""

    open_pages: int
    read_age_seconds: float
    behind_seconds: float
    corrections_waiting: int
    oldest_correction_seconds: float
    exceptions_open: int
    notices_untold: int


Look = Callable[[], BoardNow]


class BoardMetrics:
    """Counters of one board, and gauges read from what `look` gives."""

    def __init__(self, look: Look) -> None:
        self.registry = CollectorRegistry()
        self.answers = Counter(
            "hours_board_answers",
            "Answers by route and status",
            ("route", "status"),
            registry=self.registry,
        )
        self.answer_seconds = Histogram(
            "hours_board_answer_seconds",
            "From a request to its answer, streams left out",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.sign_ins_refused = Counter(
            "hours_board_sign_ins_refused",
            "Sign-ins with a wrong name, password, badge or code, or too many of them",
            registry=self.registry,
        )
        self.registry.register(_Gauges(look))


class _Gauges(Collector):
    def __init__(self, look: Look) -> None:
        self._look = look

    def collect(self) -> Iterator[Metric]:
        now = self._look()
        for name, said, value in (
            ("open_pages", "Pages that follow the figures now", now.open_pages),
            ("read_age_seconds", "How old the figures are that it shows", now.read_age_seconds),
            (
                "behind_seconds",
                "For how long the log has held taps that the figures lack",
                now.behind_seconds,
            ),
            (
                "corrections_waiting",
                "Corrections that were approved and haven't settled",
                now.corrections_waiting,
            ),
            (
                "oldest_correction_seconds",
                "How long the oldest of them has waited",
                now.oldest_correction_seconds,
            ),
            ("exceptions_open", "Taps without a partner", now.exceptions_open),
            (
                "notices_untold",
                "Who could not be told of new exceptions at the last look",
                now.notices_untold,
            ),
        ):
            yield GaugeMetricFamily(f"hours_board_{name}", said, value)
