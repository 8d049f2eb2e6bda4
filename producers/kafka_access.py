"""How Kafka is reached: where it is, and who asks. Its clients are configured from here alone.

Invariant: the password is in no text that this makes of itself.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MECHANISM = "SCRAM-SHA-512"

# By name: kafka-python and aiokafka have classes of their own.
_UNKNOWN_USER = {"SaslAuthenticationFailedError", "AuthenticationFailedError"}


@dataclass(frozen=True)
class KafkaAccess:
    """Bootstrap servers, and a principal with its password where the brokers ask for one.

    With `ca_file` (PEM) the connection is TLS, and the broker's certificate must be that
    authority's.
    """

    bootstrap: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None

    def options(self) -> dict[str, Any]:
        """What kafka-python's clients take to reach it so."""
        encrypted = "SSL" if self.ca_file else "PLAINTEXT"
        options: dict[str, Any] = {"bootstrap_servers": self.bootstrap}
        if self.ca_file:
            options["ssl_cafile"] = str(self.ca_file)
        if self.user is None:
            return {**options, "security_protocol": encrypted}
        return {
            **options,
            "security_protocol": f"SASL_{encrypted}",
            "sasl_mechanism": MECHANISM,
            "sasl_plain_username": self.user,
            "sasl_plain_password": self.password,
        }


def refused_by_kafka(kafka: KafkaAccess, error: Exception) -> str | None:
    """What to tell people of an error by which Kafka refuses who asks; None of any other."""
    who = kafka.user or "anonymous"
    named = type(error).__name__
    if named in _UNKNOWN_USER:
        return (
            f"Kafka {kafka.bootstrap} 不接受用户 {who}：请检查 HOURS_KAFKA_USER 和 "
            f"HOURS_KAFKA_PASSWORD_FILE。 Kafka at {kafka.bootstrap} refuses the user {who}: "
            "check HOURS_KAFKA_USER and HOURS_KAFKA_PASSWORD_FILE."
        )
    if named.endswith("AuthorizationFailedError"):
        what = f"{named} {error}".strip()
        return (
            f"Kafka 不许用户 {who} 这样做（{what}）：请用有权限的用户，或运行 hours init --grant。 "
            f"Kafka doesn't let {who} do that ({what}): use another principal, or grant it the "
            "right with hours init --grant."
        )
    return None
