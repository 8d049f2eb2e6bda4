"""How aiokafka's clients are told of Kafka, what `KafkaAccess` says in their words, and started."""

import ssl
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError

from producers.kafka_access import KafkaAccess


def client_options(kafka: KafkaAccess) -> dict[str, Any]:
    """What aiokafka's clients take."""
    options: dict[str, Any] = {"bootstrap_servers": kafka.bootstrap}
    if kafka.ca_file:
        options["ssl_context"] = tls_context(kafka)
    encrypted = "SSL" if kafka.ca_file else "PLAINTEXT"
    if kafka.user is None:
        return {**options, "security_protocol": encrypted}
    return {
        **options,
        "security_protocol": f"SASL_{encrypted}",
        "sasl_mechanism": kafka.mechanism,
        "sasl_plain_username": kafka.user,
        "sasl_plain_password": kafka.password,
    }


async def start_client(client: Any) -> None:
    """Start a consumer or producer; KafkaError, OSError where it can't be: it is to be closed."""
    await _inner(client).bootstrap()  # first: with no broker, a producer's `start` doesn't end
    refuse_brokerless(client)
    await client.start()


def refuse_brokerless(client: Any) -> None:
    """KafkaConnectionError where Kafka named no broker, as one that just began may.

    aiokafka takes that for an answer: it would never ask again, nor say that it can't go on.
    """
    if not _inner(client).cluster.brokers():
        raise KafkaConnectionError("Kafka names no broker yet")


def _inner(client: Any) -> Any:
    return client._client if isinstance(client, AIOKafkaConsumer) else client.client


def tls_context(kafka: KafkaAccess) -> ssl.SSLContext | None:
    """Trusting the brokers' authority alone; None where there is no TLS."""
    return ssl.create_default_context(cafile=kafka.ca_file) if kafka.ca_file else None
