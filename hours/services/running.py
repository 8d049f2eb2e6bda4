"""Everything at once: Kafka, and PostgreSQL where wanted, for as long as a `with` lasts."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hours.services.embedded import Embedded
from hours.services.jars import Say, fetch_kafka
from hours.services.kafka import EmbeddedKafka
from hours.services.postgres import EmbeddedPostgres
from hours.services.secured import OWNER, passwords, secret_file


@dataclass(frozen=True)
class Services:
    """Where they are: bootstrap servers, and a SQLAlchemy URL (None without PostgreSQL).

    `kafka_settings` are lines for people: a setting, or for each user all of its settings.
    """

    kafka: str
    ledger_url: str | None
    kafka_settings: list[str]


@contextmanager
def run_services(
    home: Path, *, postgres: bool = False, users: Sequence[str] = (), say: Say = print
) -> Iterator[Services]:
    """Services with their data in `home`/kafka and `home`/postgres, where a later run finds them.

    With users Kafka asks for one; their passwords are in `home`/kafka/secrets. ServiceUnavailable.
    """
    with ExitStack() as stack:
        kafka = EmbeddedKafka(home / "kafka", fetch_kafka(say), passwords(home / "kafka", users))
        address = _started(stack, kafka)
        ledger = _started(stack, EmbeddedPostgres(home / "postgres")) if postgres else None
        yield Services(address, ledger, _settings(kafka, users))


def _settings(kafka: EmbeddedKafka, users: Sequence[str]) -> list[str]:
    if not users:
        return [f"HOURS_KAFKA={kafka.address}"]
    asked = {OWNER: kafka.owner} | {user: kafka.access(user) for user in users}
    return [
        f"{user}: HOURS_KAFKA={access.bootstrap} HOURS_KAFKA_USER={user} "
        f"HOURS_KAFKA_PASSWORD_FILE={secret_file(kafka.data, user)}"
        + (f" HOURS_KAFKA_MECHANISM={access.mechanism}" if user == OWNER else "")
        for user, access in asked.items()
    ]


def _started(stack: ExitStack, service: Embedded) -> str:
    stack.callback(service.stop)
    service.start()
    return service.address
