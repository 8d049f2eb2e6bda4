"""A broker that names no broker yet: it has just begun, or lost its controller for a moment."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.cluster import ClusterMetadata

from producers.kafka_access import KafkaAccess
from streams.log import open_log
from streams.topics import TopicRefusal
from streams.transport import _Patient

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
