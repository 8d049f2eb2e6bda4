"""Everything at once: Kafka, and PostgreSQL where wanted, for as long as a `with` lasts."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hours.services.embedded import Embedded
from hours.services.jars import Say, fetch_kafka
from hours.services.kafka import EmbeddedKafka
from hours.services.postgres import EmbeddedPostgres


@dataclass(frozen=True)
class Services:
    """Where they are: bootstrap servers, and a SQLAlchemy URL (None without PostgreSQL)."""

    kafka: str
    ledger_url: str | None


@contextmanager
def run_services(home: Path, *, postgres: bool = False, say: Say = print) -> Iterator[Services]:
    """Services with their data in `home`/kafka and `home`/postgres, where a later run finds them.

    ServiceUnavailable.
    """
    with ExitStack() as stack:
        kafka = _started(stack, EmbeddedKafka(home / "kafka", fetch_kafka(say)))
        ledger = _started(stack, EmbeddedPostgres(home / "postgres")) if postgres else None
        yield Services(kafka, ledger)


def _started(stack: ExitStack, service: Embedded) -> str:
    stack.callback(service.stop)
    service.start()
    return service.address
