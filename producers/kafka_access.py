"""How Kafka is reached: where it is, and who asks. Its clients are configured from here alone.

Invariant: the password is in no text that this makes of itself.
"""

import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Mechanism = Literal["SCRAM-SHA-512", "PLAIN"]

# By name: kafka-python and aiokafka have classes of their own.
_UNKNOWN_USER = {
    *("SaslAuthenticationFailedError", "AuthenticationFailedError", "SaslAuthenticationFailed"),
    *("UnsupportedSaslMechanismError", "UnsupportedSaslMechanism"),
}
_NO_RIGHT = {
    "TopicAuthorizationFailed": "主题 topic",
    "GroupAuthorizationFailed": "消费组 group",
    "TransactionalIdAuthorizationFailed": "事务 transactional id",
    "ClusterAuthorizationFailed": "集群 cluster",
}
_HEARD_SECONDS = 60


@dataclass(frozen=True)
class KafkaAccess:
    """Bootstrap servers, and a principal with its password where the brokers ask for one.

    With `ca_file` (PEM) the connection is TLS, and the broker's certificate must be that
    authority's. SCRAM never sends the password; PLAIN does.
    """

    bootstrap: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    mechanism: Mechanism = "SCRAM-SHA-512"

    def options(self) -> dict[str, Any]:
        """What kafka-python's clients take to reach it so; what refuses them is listened for."""
        logging.getLogger("kafka.net.manager").addFilter(_heard)
        logging.getLogger("kafka.net.manager").setLevel(logging.WARNING)
        encrypted = "SSL" if self.ca_file else "PLAINTEXT"
        options: dict[str, Any] = {"bootstrap_servers": self.bootstrap}
        if self.ca_file:
            options["ssl_cafile"] = str(self.ca_file)
        if self.user is None:
            return {**options, "security_protocol": encrypted}
        return {
            **options,
            "security_protocol": f"SASL_{encrypted}",
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.user,
            "sasl_plain_password": self.password,
        }


def refused_by_kafka(kafka: KafkaAccess, error: Exception) -> str | None:
    """What to tell people of an error by which Kafka refuses who asks; None of any other."""
    who = kafka.user or "anonymous"
    named = type(error).__name__
    if named in _UNKNOWN_USER or (named == "KafkaTimeoutError" and _heard.lately()):
        return (
            f"Kafka {kafka.bootstrap} 不接受用户 {who}：请检查 HOURS_KAFKA_USER 和 "
            f"HOURS_KAFKA_PASSWORD_FILE。 Kafka at {kafka.bootstrap} refuses the user {who}: "
            "check HOURS_KAFKA_USER and HOURS_KAFKA_PASSWORD_FILE."
        )
    lacking = _NO_RIGHT.get(named.removesuffix("Error"))
    if lacking:
        chinese, _, english = lacking.partition(" ")
        what = " ".join(str(error).split())[:200]
        return (
            f"Kafka 用户 {who} 没有对{chinese}的权限（{what}）：请用有权限的用户，"
            "或由管理员运行 hours init --grant。 "
            f"Kafka's user {who} lacks a right to a {english} ({what}): use another user, or let "
            "an administrator run hours init --grant."
        )
    return None


def perhaps_unseen(kafka: KafkaAccess) -> tuple[str, str]:
    """What to add, in two languages, where a topic isn't seen: Kafka shows none without rights."""
    if kafka.user is None:
        return "", ""
    return (
        f"，或者用户 {kafka.user} 无权看到它（hours init --grant）",
        f", or its user {kafka.user} has no right to see it (hours init --grant)",
    )


class _Refusals(logging.Filter):
    """kafka-python tries on until time is up, and says in its log alone that it was refused."""

    _at = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        told = record.args if isinstance(record.args, tuple) else ()
        if any(type(one).__name__ in _UNKNOWN_USER for one in told):
            self._at = time.monotonic()
        return record.levelno >= logging.getLogger("kafka").getEffectiveLevel()

    def lately(self) -> bool:
        return time.monotonic() - self._at < _HEARD_SECONDS


_heard = _Refusals()
