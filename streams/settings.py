"""What a worker, and the audit, must know to run; read from the environment by `hours`."""

from dataclasses import dataclass, field
from pathlib import Path

from ledger.policy import Policy
from producers.kafka_access import KafkaAccess


@dataclass(frozen=True)
class StreamSettings:
    """Where Kafka and the ledger are, and how the topics are named.

    A worker that Kafka has not heard of for `session_seconds` is taken for dead.
    `web_port` serves metrics and health on `web_host`; None serves neither.
    """

    kafka: KafkaAccess
    ledger_url: str = field(repr=False)  # it may hold a password
    ledger_name: str
    data_dir: Path
    policy: Policy = field(default_factory=Policy)
    topic_prefix: str = "hours"
    session_seconds: float = 6.0
    web_host: str = "127.0.0.1"
    web_port: int | None = None

    @property
    def taps_topic(self) -> str:
        return f"{self.topic_prefix}.taps"

    @property
    def team_totals_topic(self) -> str:
        return f"{self.topic_prefix}.team-totals"

    @property
    def roster_topic(self) -> str:
        return f"{self.topic_prefix}.roster"

    @property
    def group(self) -> str:
        return f"{self.topic_prefix}.worker"
