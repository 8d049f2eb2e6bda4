"""Embedded Kafka and PostgreSQL: they start, keep their data, stay on loopback, and never outlive
the process that started them.
"""

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import psycopg
import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from sqlalchemy.engine import make_url

from hours.services import (
    EmbeddedKafka,
    EmbeddedPostgres,
    ServiceUnavailable,
    fetch_kafka,
    run_services,
)
from hours.services import jars as fetching
from hours.services import kafka as embedded_kafka
from hours.services.embedded import free_port
from hours.services.kafka import properties
from tests.conftest import Broker
from tests.running import PATIENCE_SECONDS, environment, eventually
from tests.topic_records import values_of

OWNER = """
import signal, sys
from pathlib import Path
from hours.services import run_services
with run_services(Path(sys.argv[1]), postgres=True, say=lambda line: None) as services:
    print(services.kafka, flush=True)
    signal.pause()
"""


def test_a_record_produced_is_read_back(kafka: str, kafka_topic: Callable[..., str]) -> None:
    topic = kafka_topic(partitions=1)
    produce(kafka, topic, b"hello")
    assert values_of(kafka, topic) == [b"hello"]


def test_a_second_run_on_the_same_home_finds_the_data_and_addresses_of_the_first(
    tmp_path: Path,
) -> None:
    with run_services(tmp_path, postgres=True, say=print) as first:
        assert first.ledger_url is not None
        create_topic(first.kafka, "kept")
        produce(first.kafka, "kept", b"before")
        execute(first.ledger_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    with run_services(tmp_path, postgres=True, say=print) as second:
        assert second == first
        assert values_of(second.kafka, "kept") == [b"before"]
        assert execute(first.ledger_url, "SELECT answer FROM kept") == [(42,)]


def test_without_postgres_there_is_no_ledger_url(tmp_path: Path) -> None:
    with run_services(tmp_path, say=print) as services:
        assert services.ledger_url is None
    assert not (tmp_path / "postgres").exists()


def test_a_killed_broker_starts_again_on_its_port_with_its_data(jars: Path, tmp_path: Path) -> None:
    broker = EmbeddedKafka(tmp_path / "kafka", jars)
    try:
        broker.start()
        address = broker.address
        create_topic(address, "kept")
        produce(address, "kept", b"before")
        broker.kill()
        assert broker.pid == 0
        broker.start()
        assert broker.address == address
        assert values_of(address, "kept") == [b"before"]
    finally:
        broker.stop()


def test_a_killed_database_starts_again_on_its_port_with_its_data(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")
    try:
        server.start()
        address = server.address
        execute(address, "CREATE TABLE kept (answer integer)")
        for answer in range(5):
            execute(address, f"INSERT INTO kept VALUES ({answer})")
            server.kill()
            server.start()
        assert server.address == address
        assert execute(address, "SELECT count(*) FROM kept") == [(5,)]
    finally:
        server.stop()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_of_an_owner_that_is_killed(end: signal.Signals, tmp_path: Path) -> None:
    with owner_of(tmp_path) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline().startswith(b"127.0.0.1:")
        living = started_in(tmp_path)
        assert {"java", "postgres"} <= {name_of(process) for process in living}
        owner.send_signal(end)
    assert_over(living, tmp_path)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_of_an_owner_that_is_killed_while_starting(
    end: signal.Signals, tmp_path: Path
) -> None:
    with owner_of(tmp_path) as owner:
        living = eventually(lambda: started_in(tmp_path), "a first process")
        owner.send_signal(end)
    assert_over(living, tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_service_ends_when_its_guard_is_killed(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.start()
    try:
        service = psutil.Process(server.pid)
        guard = service.parent()
        assert guard is not None
        assert guard.pid != os.getpid()
        guard.kill()
        assert_over([service], tmp_path)
    finally:
        server.stop()


def test_no_port_is_given_twice() -> None:
    ports = [free_port() for _ in range(500)]
    assert len(set(ports)) == len(ports)


def test_a_port_that_somebody_was_quicker_to_take_is_exchanged_for_another(
    jars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as quicker:
        taken = [quicker.getsockname()[1]]
        monkeypatch.setattr(
            embedded_kafka, "free_port", lambda: taken.pop() if taken else free_port()
        )
        broker = EmbeddedKafka(tmp_path, jars)
        try:
            broker.start()
            assert taken == []
        finally:
            broker.stop()


def test_killing_what_does_not_run_harms_nobody(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.kill()
    server.stop()
    assert server.pid == 0


def test_one_home_is_not_shared_by_two_owners(tmp_path: Path) -> None:
    first, second = (EmbeddedPostgres(tmp_path / "postgres") for _ in range(2))
    first.start()
    try:
        with pytest.raises(ServiceUnavailable, match="stop it first"):
            second.start()
        assert execute(first.address, "SELECT 1") == [(1,)]
    finally:
        first.stop()


def test_they_listen_on_loopback_only(broker: Broker, postgres_server: EmbeddedPostgres) -> None:
    for pid, ports in ((broker.pid, 2), (postgres_server.pid, 1)):
        connections = psutil.Process(pid).net_connections("inet")
        listening = [it.laddr for it in connections if it.status == psutil.CONN_LISTEN]
        assert len(listening) == ports
        assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}


def test_the_database_asks_for_a_password_that_only_its_owner_may_read(
    postgres_server: EmbeddedPostgres,
) -> None:
    url = make_url(postgres_server.address).set(drivername="postgresql")
    for password in (None, "guess"):
        wrong = url._replace(password=password).render_as_string(hide_password=False)
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(wrong)
    assert stat.S_IMODE((postgres_server.data / "password").stat().st_mode) == 0o600


def test_a_service_that_cannot_start_says_why_in_one_line(jars: Path, tmp_path: Path) -> None:
    broker = EmbeddedKafka(tmp_path / "kafka", jars)
    (tmp_path / "kafka" / "log").mkdir(parents=True)  # a log without its meta.properties
    with pytest.raises(ServiceUnavailable, match=r"kafka\.log.*did not start: .*meta") as refusal:
        broker.start()
    assert_one_line(refusal)
    assert started_in(tmp_path) == []


def test_a_jar_with_another_hash_is_refused_and_named(jars: Path, tmp_path: Path) -> None:
    cached = tmp_path / jars.name
    cached.mkdir()
    for jar in jars.iterdir():
        (cached / jar.name).symlink_to(jar)
    assert fetch_kafka(print, tmp_path) == cached
    (cached / "re2j-1.8.jar").unlink()
    (cached / "re2j-1.8.jar").write_bytes((jars / "re2j-1.8.jar").read_bytes() + b"!")
    with pytest.raises(ServiceUnavailable, match=r"re2j-1\.8\.jar is .* not used") as refusal:
        fetch_kafka(print, tmp_path)
    assert_one_line(refusal)


def test_a_jar_nobody_pinned_never_reaches_the_class_path(jars: Path, tmp_path: Path) -> None:
    cached = tmp_path / "jars"
    cached.mkdir()
    (cached / "evil-1.0.jar").write_bytes(b"")
    java = " ".join(EmbeddedKafka(tmp_path, cached)._command().arguments)
    assert "kafka_2.13-4.2.0.jar" in java
    assert "evil" not in java


@pytest.mark.parametrize("name", ["re2j-1.8.jar", "evil-1.0.jar"])
def test_a_download_of_other_bytes_or_other_jars_never_reaches_the_cache(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_download(monkeypatch, tmp_path, name)
    monkeypatch.setattr(fetching, "pinned_hashes", lambda: {"re2j-1.8.jar": "0" * 64})
    with pytest.raises(ServiceUnavailable, match=f"downloaded, {name} is .* not used") as refusal:
        fetch_kafka(print, tmp_path / "cache")
    assert_one_line(refusal)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["lock"]


def test_an_interrupted_download_leaves_no_broken_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> Path:
        raise KeyboardInterrupt

    pretend_download(monkeypatch, tmp_path, "re2j-1.8.jar", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch_kafka(print, tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["lock"]


def test_an_unreachable_maven_central_is_one_line_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(tmp_path / "none.conf"))
    said: list[str] = []
    with pytest.raises(ServiceUnavailable, match=r"check the network or HTTPS_PROXY") as refusal:
        fetch_kafka(said.append, tmp_path / "cache")
    assert_one_line(refusal)
    assert ["once, about 45 MB" in line for line in said] == [True]


def test_settings_of_a_broker_name_loopback_only() -> None:
    settings = properties(Path("/data"), 20001, 20002)
    assert settings["listeners"] == "PLAINTEXT://127.0.0.1:20001,CONTROLLER://127.0.0.1:20002"
    assert settings["auto.create.topics.enable"] == "false"


def test_a_home_with_a_chinese_name_and_spaces_will_do(tmp_path: Path) -> None:
    with run_services(tmp_path / "志愿 服务", postgres=True, say=print) as services:
        create_topic(services.kafka, "kept")
        assert services.ledger_url is not None
        assert execute(services.ledger_url, "SELECT 1") == [(1,)]


def owner_of(home: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", OWNER, str(home)],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def started_in(home: Path) -> list[psutil.Process]:
    """The guards and services that name a folder of `home`, and all their children."""
    named = [it for it in psutil.process_iter() if it.pid != os.getpid() and names(it, home)]
    services = [it for it in named if OWNER not in cmdline(it)]
    return [each for it in services for each in (it, *children(it))]


def names(process: psutil.Process, home: Path) -> bool:
    return any(f"{home}/" in argument for argument in cmdline(process))


def name_of(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.Error:  # PostgreSQL's helpers come and go
        return ""


def cmdline(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.Error:
        return []


def assert_over(living: list[psutil.Process], home: Path) -> None:
    _, alive = psutil.wait_procs(living, timeout=PATIENCE_SECONDS)
    assert alive == []
    eventually(lambda: not started_in(home), "the end of every process")


def assert_one_line(refusal: pytest.ExceptionInfo[ServiceUnavailable]) -> None:
    assert len(str(refusal.value).splitlines()) == 1


def create_topic(kafka: str, name: str) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.create_topics([NewTopic(name, 1, 1)])


def produce(kafka: str, topic: str, value: bytes) -> None:
    with closing(KafkaProducer(bootstrap_servers=kafka)) as producer:
        producer.send(topic, value).get(30)


def execute(url: str, statement: str) -> list[Any]:
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as connection:
        done = connection.execute(statement)
        return done.fetchall() if done.description else []


def pretend_download(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    name: str,
    resolve: Callable[[], Path] | None = None,
) -> None:
    (folder / name).write_bytes(b"other bytes")
    artifact = SimpleNamespace(
        filename=name,
        component=SimpleNamespace(path_prefix=Path("none")),
        resolve=resolve or (lambda: folder / name),
    )
    monkeypatch.setattr(fetching, "_artifacts", lambda maven: [artifact])
