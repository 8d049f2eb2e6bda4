"""Real Kafka and real PostgreSQL from Python packages and Maven Central: no Docker, no root.

For trying, demos and tests on one machine, bound to loopback; not for a district's production.
Invariant: what is started here ends with the process that started it, however that ends.
"""

from hours.services.jars import fetch_kafka
from hours.services.kafka import EmbeddedKafka
from hours.services.postgres import EmbeddedPostgres
from hours.services.running import Services, run_services
from hours.services.unavailable import ServiceUnavailable

__all__ = [
    "EmbeddedKafka",
    "EmbeddedPostgres",
    "ServiceUnavailable",
    "Services",
    "fetch_kafka",
    "run_services",
]
