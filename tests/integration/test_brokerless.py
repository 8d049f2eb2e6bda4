"""A broker that names no broker or topic yet: it has just begun, or lost its controller."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.cluster import ClusterMetadata

from producers.kafka_access import KafkaAccess
from streams.log import open_log
from streams.topics import TopicRefusal
from streams.transport import _Patient
from tests.running import CLAIMED_NOTHING, Hours

NamingNone = Callable[[int], None]


@pytest.fixture
def naming_none(monkeypatch: pytest.MonkeyPatch) -> NamingNone:
    """The next so many answers name no broker, which aiokafka ignores."""

    def arrange(answers: int) -> None:
        left, update = iter(range(answers)), ClusterMetadata.update_metadata

        def ignoring(cluster: ClusterMetadata, metadata: Any) -> Any:
            return None if next(left, None) is not None else update(cluster, metadata)

        monkeypatch.setattr(ClusterMetadata, "update_metadata", ignoring)

    return arrange


class Driver:
    """As Faust's: a client of its own with each start."""

    def __init__(self, kafka: str) -> None:
        self._kafka = kafka
        self.begun = 0

    async def on_start(self) -> None:
        self.begun += 1
        self._consumer = AIOKafkaConsumer(bootstrap_servers=self._kafka, group_id="any")
        await self._consumer.start()


class PatientDriver(_Patient, Driver):
    _client_name = "_consumer"
    should_stop = False

    async def sleep(self, seconds: float) -> None:
        """Not that long."""


def test_a_worker_s_client_begins_again_until_it_is_told_of_a_broker(
    kafka: str, naming_none: NamingNone
) -> None:
    naming_none(2)

    async def begun() -> int:
        driver = PatientDriver(kafka)
        await driver.on_start()
        await driver._consumer.stop()
        return driver.begun

    assert asyncio.run(begun()) == 3


def test_a_log_is_not_read_from_a_kafka_that_names_no_broker(
    kafka: str, kafka_topic: Callable[..., str], naming_none: NamingNone
) -> None:
    topic = kafka_topic(1)
    naming_none(1)
    with (
        pytest.raises(TopicRefusal, match="does not answer"),
        open_log(KafkaAccess(kafka), topic, 1),
    ):
        pass
    with open_log(KafkaAccess(kafka), topic, 1) as log:
        assert log.bounds == {0: (0, 0)}


TOPICLESS_UNTIL_SHARED_OUT = """
from aiokafka.cluster import ClusterMetadata
from faust.assignor.partition_assignor import PartitionAssignor
from hours.cli import main

answered, shared = ClusterMetadata.update_metadata, PartitionAssignor.assign

def answer_without_topics(cluster, metadata):
    metadata.topics = []
    answered(cluster, metadata)

def share_out(assignor, *what):
    ClusterMetadata.update_metadata = answered
    return shared(assignor, *what)

ClusterMetadata.update_metadata, PartitionAssignor.assign = answer_without_topics, share_out
main()
"""


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_worker_to_whom_kafka_named_no_topic_asks_again_and_has_its_share(hours: Hours) -> None:
    hours.ok("init")
    with subprocess.Popen(
        [sys.executable, "-c", TOPICLESS_UNTIL_SHARED_OUT, "worker", "--log-level", "info"],
        env=hours.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as worker:
        try:
            hours.wait_for_new_claims(CLAIMED_NOTHING)
        finally:
            worker.terminate()
            said = worker.communicate(timeout=60)[0].decode()
    assert "Ignoring missing topic" in said
    assert worker.returncode == 0
