"""How aiokafka's clients are told of Kafka: what `KafkaAccess` says, in their words."""

import ssl
from typing import Any

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


def tls_context(kafka: KafkaAccess) -> ssl.SSLContext | None:
    """Trusting the brokers' authority alone; None where there is no TLS."""
    return ssl.create_default_context(cafile=kafka.ca_file) if kafka.ca_file else None
