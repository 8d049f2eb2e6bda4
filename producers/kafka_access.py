"""How Kafka is reached: where it is, and who asks. Its clients are configured from here alone.

Invariant: the password is in no text that this makes of itself.
"""

import logging
import re
import socket
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
_CLOSED = "socket disconnected"
_CUT_SHORT = "RequestTimedOutError"  # the last try, when time is up


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
        logging.getLogger("kafka.net.transport").addFilter(_in_a_line)
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


def reach(kafka: KafkaAccess, seconds: float = 2.0) -> None:
    """OSError where no bootstrap server takes a connection.

    Asked before a client is made: kafka-python would go on trying, in threads of its own, for all
    the time it is given.
    """
    refused: OSError = ConnectionRefusedError(kafka.bootstrap)
    for server in kafka.bootstrap.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            with socket.create_connection((host.strip("[]"), int(port)), seconds):
                return
        except OSError as error:
            refused = error
    raise refused


def refused_by_kafka(kafka: KafkaAccess, error: Exception) -> str | None:
    """What to tell people of an error by which Kafka refuses who asks; None of any other."""
    who = kafka.user or "anonymous"
    named = type(error).__name__
    if named in _UNKNOWN_USER or (named == "KafkaTimeoutError" and _heard.lately()):
        return (
            f"Kafka {kafka.bootstrap} 不让用户 {who} 进来：请检查 HOURS_KAFKA_USER、"
            "HOURS_KAFKA_PASSWORD_FILE 和 HOURS_KAFKA_CA_FILE。 "
            f"Kafka at {kafka.bootstrap} doesn't let the user {who} in: check HOURS_KAFKA_USER, "
            "HOURS_KAFKA_PASSWORD_FILE and HOURS_KAFKA_CA_FILE."
        )
    # Of an answer to InitProducerId kafka-python keeps the name in its text alone.
    told = re.search(r"(\w+AuthorizationFailed)", f"{named} {error}")
    if told:
        chinese, _, english = _NO_RIGHT.get(told[1], "资源 resource").partition(" ")
        what = _resource(error)
        return (
            f"Kafka 用户 {who} 没有对{chinese}的权限（{what}）：请用有权限的用户，"
            "或由管理员运行 hours init --grant。 "
            f"Kafka's user {who} lacks a right to a {english} ({what}): use another user, or let "
            "an administrator run hours init --grant."
        )
    return None


def lacking(kafka: KafkaAccess, right: str, topic: str) -> str:
    """What to tell people of a right (as Kafka names it) to a topic that its user hasn't."""
    return (
        f"Kafka 用户 {kafka.user} 没有主题 {topic} 的 {right} 权限：请由管理员运行 "
        f"hours init --grant。 Kafka's user {kafka.user} lacks the right {right} to topic "
        f"{topic}: let an administrator run hours init --grant."
    )


def perhaps_unseen(kafka: KafkaAccess) -> tuple[str, str]:
    """What to add, in two languages, where a topic isn't seen: Kafka shows none without rights."""
    if kafka.user is None:
        return "", ""
    return (
        f"，或者用户 {kafka.user} 无权看到它（hours init --grant）",
        f", or its user {kafka.user} has no right to see it (hours init --grant)",
    )


def _resource(error: Exception) -> str:
    """What it was about, of an error that may say all of the request."""
    told = " ".join(str(error).split())
    named = re.search(r"needs (\w+) permission|name='([^']+)'", told)
    if named:
        return named[1] or named[2]
    return re.sub(r"^\[Error \d+\] \w+: ", "", told)[:100]


class _Refusals(logging.Filter):
    """Hears in its log why kafka-python could not begin: its error says that time was up.

    Brokers answer wrong passwords, and close; it sees the end before the answer.
    """

    _turned_away_at = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        if str(record.msg).startswith("Bootstrap connection to") and record.args:
            told = str(record.args)
            away = _CLOSED in told or any(name in told for name in _UNKNOWN_USER)
            if away:
                self._turned_away_at = time.monotonic()
            elif _CUT_SHORT not in told:
                self._turned_away_at = float("-inf")
        return record.levelno >= logging.getLogger("kafka").getEffectiveLevel()

    def lately(self) -> bool:
        return time.monotonic() - self._turned_away_at < _HEARD_SECONDS


def _in_a_line(record: logging.LogRecord) -> bool:
    """A connection that a broker cut off is expected trouble: it takes no traceback to say so."""
    if record.exc_info and isinstance(record.exc_info[1], OSError):
        record.msg, record.exc_info = f"{record.msg}: {record.exc_info[1]}", None
    return True


_heard = _Refusals()
