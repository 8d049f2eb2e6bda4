"""Three brokers with the settings of docker-compose.three-brokers.yml, losing one and then two.

Without containers: the same variables, as the image would turn them into server.properties, with
the services' names replaced by ports on loopback.
"""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import KafkaError

from hours.services import EmbeddedKafka
from hours.services.embedded import free_port
from hours.services.guard import Command
from hours.settings import read_settings
from producers.kafka_access import KafkaAccess
from producers.reading import read_line
from producers.refusals import Refusal
from producers.writing import write_record
from streams.topics import thin_log
from tests.compose import BASE, THREE_BROKERS, effective, properties_of
from tests.running import Hours, environment, lines
from tests.taps import Load

COMPOSE = effective(BASE, THREE_BROKERS)
NAMES = ("kafka", "kafka-2", "kafka-3")
# What one small machine needs to see a loss within seconds; nothing that decides what is kept.
QUICKER = {
    "group.min.session.timeout.ms": "1000",
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "400",
    "replica.lag.time.max.ms": "3000",
    "log.cleaner.dedupe.buffer.size": "8388608",
    "offsets.topic.num.partitions": "4",
}


class ComposedBroker(EmbeddedKafka):
    """The broker of one service of the compose files."""

    def __init__(self, name: str, folder: Path, jars: Path, ports: dict[str, int]) -> None:
        super().__init__(folder / name, jars)
        variables = COMPOSE["services"][name]["environment"]
        self._cluster = variables["CLUSTER_ID"]
        self._ports = ports
        self.port = ports[f"{name}:9092"]
        secrets = str(folder / "secrets")
        self._settings = {
            setting: value.replace("/run/secrets", secrets)
            for setting, value in properties_of(variables).items()
        }
        self._settings |= QUICKER | {"log.dirs": str(self.data / "log")}
        for setting in ("advertised.listeners", "controller.quorum.voters"):
            self._settings[setting] = self.on_loopback(self._settings[setting])
        controller = ports[f"{name}:9093"]
        self._settings["listeners"] = (
            f"CLIENTS://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller},"
            f"OWNER://127.0.0.1:{ports[f'{name}:9094']}"
        )

    def _prepare(self) -> str:
        if not (self.data / "log").exists():
            self._format(self._settings)
        self._write(self._settings)
        return f"127.0.0.1:{self.port}"

    def _java(self, main: str, *arguments: str) -> Command:
        """Formatted with the file's own cluster id, as the image does."""
        given = list(arguments)
        if "--cluster-id" in given:
            given[given.index("--cluster-id") + 1] = self._cluster
        return super()._java(main, *given)

    def on_loopback(self, value: str) -> str:
        """With the services' names and ports replaced by where they are here."""
        return re.sub(
            r"[a-z0-9-]+:909[234]", lambda at: f"127.0.0.1:{self._ports[at.group()]}", value
        )


@pytest.fixture(scope="module")
def brokers(jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ComposedBroker]]:
    folder = tmp_path_factory.mktemp("three")
    (folder / "secrets").mkdir()
    for name in COMPOSE["secrets"]:
        (folder / "secrets" / name).write_text(token_urlsafe(32))
    ports = {f"{name}:{port}": free_port() for name in NAMES for port in (9092, 9093, 9094)}
    three = [ComposedBroker(name, folder, jars, ports) for name in NAMES]
    start(three)
    yield three
    for broker in three:
        broker.kill()


@pytest.fixture
def hours(
    brokers: list[ComposedBroker], sqlite_url: str, fresh_name: str, tmp_path: Path
) -> Iterator[Hours]:
    start([broker for broker in brokers if not broker.pid])
    product = Hours(
        environment(tmp_path, ledger_url=sqlite_url, topic_prefix=fresh_name, session_seconds="1.5")
    )
    product.environment |= way_of("init", brokers)
    yield product
    product.end()


def way_of(service: str, brokers: list[ComposedBroker]) -> dict[str, str]:
    """How a service of the compose files asks Kafka, on loopback."""
    asked = COMPOSE["services"][service]["environment"]
    secrets = brokers[0].data.parent / "secrets"
    found = {"HOURS_KAFKA_MECHANISM": ""}  # not that of another service
    found |= {key: str(it) for key, it in asked.items() if key.startswith("HOURS_KAFKA")}
    return {
        key: brokers[0].on_loopback(it.replace("/run/secrets", str(secrets)))
        for key, it in found.items()
    }


def access_of(hours: Hours) -> KafkaAccess:
    kept = {name: it for name, it in hours.environment.items() if name.startswith("HOURS_")}
    return read_settings(kept).kafka_access()


def init(hours: Hours, brokers: list[ComposedBroker]) -> None:
    """As the service init does."""
    secrets = str(brokers[0].data.parent / "secrets")
    command = COMPOSE["services"]["init"]["command"]
    hours.ok(*(word.replace("/run/secrets", secrets) for word in command))


def start(brokers: list[ComposedBroker]) -> None:
    """All at once: none is ready before the controllers have a majority."""
    with ThreadPoolExecutor(len(NAMES)) as pool:
        list(pool.map(lambda broker: broker.start(), brokers))


def test_init_makes_every_topic_with_three_replicas_of_which_two_must_have_a_record(
    hours: Hours,
) -> None:
    done = hours.run("init")
    assert done.returncode == 0, done.stderr
    assert "replicas" not in done.stderr
    prefix = hours.environment["HOURS_TOPIC_PREFIX"]
    with closing(KafkaAdminClient(**access_of(hours).options())) as admin:
        for name in ("taps", "team-totals", "roster"):
            topic = f"{prefix}.{name}"
            assert min(map(len, replicas_of(admin, topic))) == 3, topic
            assert in_sync_of(admin, topic) == "2", topic


def test_a_log_kept_on_one_of_three_brokers_is_warned_of_and_works(hours: Hours) -> None:
    topic = f"{hours.environment['HOURS_TOPIC_PREFIX']}.taps"
    kept = {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1"}
    with closing(KafkaAdminClient(**access_of(hours).options())) as admin:
        admin.create_topics([NewTopic(topic, 4, 1, topic_configs=kept)])
    done = hours.run("init")
    assert done.returncode == 0, done.stderr
    assert f"3 brokers keep only 1 replicas of topic {topic}" in done.stderr


@pytest.mark.parametrize(
    ("brokers", "replicas", "in_sync", "warned"),
    [(1, 1, 1, False), (2, 1, 1, False), (3, 3, 2, False), (3, 3, 1, True), (3, 2, 2, True)],
)
def test_a_log_is_thin_where_more_brokers_could_keep_it(
    brokers: int, replicas: int, in_sync: int, warned: bool
) -> None:
    assert (thin_log("t", brokers, replicas, in_sync) is not None) == warned


def test_one_broker_may_go_without_notice_two_are_noticed_and_nothing_is_lost(
    hours: Hours, brokers: list[ComposedBroker]
) -> None:
    init(hours, brokers)
    keeper = Hours({**hours.environment, **way_of("keeper", brokers)})
    load = Load(seed=33)
    acknowledged = publish(keeper, load)
    hours.start_worker(**way_of("worker", brokers))
    hours.wait_until_settled(acknowledged)

    brokers[0].kill()
    for asked in ("init", "status"):
        hours.ok(asked)  # at once, while the others still name the one that is gone
    acknowledged += publish(keeper, load)
    hours.wait_until_settled(acknowledged)

    brokers[1].stop()
    session = load.session()
    left = replace(access_of(keeper), bootstrap=brokers[2].address)
    # In a process of its own: kafka-python leaves sockets open to brokers that are away.
    with get_context("spawn").Pool(1) as pool:
        ends = pool.apply(ends_of_sending, (left, hours.taps_topic, session))
    assert ends == ["NotEnoughReplicasError"] * len(session)

    start(brokers[:2])
    keeper.ok("publish", input=lines(session))  # the kiosk still has them
    acknowledged += len(session) + publish(keeper, load)
    hours.wait_until_settled(acknowledged)
    assert hours.totals() == dict(load.totals)
    assert hours.settled() == acknowledged  # what was refused is not in the log
    assert "Equal" in hours.ok("audit")


def publish(hours: Hours, load: Load, sessions: int = 200) -> int:
    """Publishes sessions, each record acknowledged; how many records."""
    events = [event for _ in range(sessions) for event in load.session()]
    hours.ok("publish", input=lines(events))
    return len(events)


def ends_of_sending(broker: KafkaAccess, topic: str, events: list[dict[str, Any]]) -> list[str]:
    """How each event ends that a kiosk sends once, to the broker that is left."""
    ends = []
    with closing(
        KafkaProducer(**broker.options(), acks="all", retries=0, enable_idempotence=False)
    ) as producer:
        for event in events:
            read = read_line(json.dumps(event).encode())
            assert not isinstance(read, Refusal)
            key, value, headers = write_record(read[0])
            sent = producer.send(topic, key=key, value=value, headers=headers)
            try:
                sent.get(timeout=30)
                ends.append("acknowledged")
            except KafkaError as error:
                ends.append(type(error).__name__)
    return ends


def replicas_of(admin: KafkaAdminClient, topic: str) -> list[list[int]]:
    (described,) = admin.describe_topics([topic])
    return [partition["replica_nodes"] for partition in described["partitions"]]


def in_sync_of(admin: KafkaAdminClient, topic: str) -> str:
    resource = ConfigResource(ConfigResourceType.TOPIC, topic)
    described = admin.describe_configs([resource], config_filter="all")
    return str(described["topic"][topic]["min.insync.replicas"]["value"])
