"""How Kafka is reached: where it is, and who asks. Its clients are configured from here alone.

Invariant: the password is in no text that this makes of itself.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MECHANISM = "SCRAM-SHA-512"


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
