"""The topics: created as the ledger needs them, and refused where they are set otherwise.

The log of record must keep every record for ever and carry the broker's time; a topic that
doesn't would lose hours, or let a client's clock decide. Through kafka-python's admin client.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, TopicAlreadyExistsError

from streams.settings import StreamSettings

_LOG_OF_RECORD = {
    "message.timestamp.type": "LogAppendTime",
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
}
_COMPACTED = {"cleanup.policy": "compact"}

REACHING_MILLISECONDS = 10_000
"""How long a broker may take to answer before it is said not to."""


class TopicRefusal(Exception):
    """The log can't serve as it stands, or Kafka does not answer; one line says what to do."""


def create_topics(settings: StreamSettings) -> None:
    """Create what is missing, and check what is there. TopicRefusal."""
    wanted = {
        settings.taps_topic: (settings.policy.shard_count, _LOG_OF_RECORD),
        settings.team_totals_topic: (1, _COMPACTED),
        settings.roster_topic: (1, _COMPACTED),
    }
    with _admin(settings.bootstrap) as admin:
        there = set(admin.list_topics())
        for name, (partitions, config) in wanted.items():
            if name not in there:
                _create(admin, name, partitions, config)
    check_log(settings)


def check_log(settings: StreamSettings) -> None:
    """Refuse a log of record that is missing or set otherwise: TopicRefusal, naming each."""
    taps, shard_count = settings.taps_topic, settings.policy.shard_count
    with _admin(settings.bootstrap) as admin:
        if taps not in set(admin.list_topics()):
            raise TopicRefusal(
                f"Kafka 里没有主题 {taps}：请运行 hours init。 "
                f"Kafka has no topic {taps}: run hours init."
            )
        found = _config(admin, taps)
        found["partitions"] = str(len(admin.describe_topics([taps])[0]["partitions"]))
    wanted = {**_LOG_OF_RECORD, "partitions": str(shard_count)}
    differences = [
        f"{name}={found.get(name)} ≠ {value}"
        for name, value in wanted.items()
        if found.get(name) != value
    ]
    if differences:
        listed = "; ".join(differences)
        raise TopicRefusal(
            f"主题 {taps} 的设置不对（现在 ≠ 需要）：{listed}。 "
            f"Topic {taps} is set otherwise than the ledger needs (is ≠ must be): {listed}."
        )


def lost_log(
    partition: int, begins: int, ends: int, read_from: int, next_offset: int
) -> str | None:
    """One line, if the log no longer holds what the ledger settled or would read next."""
    if ends < next_offset:
        return (
            f"分区 {partition} 的日志到 {ends} 为止，账本已结算到 {next_offset}：主题被重建过？"
            f"请恢复日志。 Partition {partition} of the log ends at {ends}, the ledger at "
            f"{next_offset}: was the topic made anew? Restore the log of record."
        )
    if begins > read_from:
        return (
            f"分区 {partition} 的日志从 {begins} 开始，需要从 {read_from} 读：记录被删除过？"
            f"请恢复日志。 Partition {partition} of the log begins at {begins}, {read_from} is "
            "needed: were records deleted? Restore the log of record."
        )
    return None


@contextmanager
def reaching_kafka(bootstrap: str) -> Iterator[None]:
    """Turn a broker that doesn't answer into TopicRefusal."""
    quiet = logging.getLogger("kafka")
    level = quiet.level
    quiet.setLevel(logging.CRITICAL)
    try:
        yield
    except (KafkaError, OSError) as error:
        raise unreachable(bootstrap, error) from error
    finally:
        quiet.setLevel(level)


def unreachable(bootstrap: str, error: Exception) -> TopicRefusal:
    """What to say of a broker that doesn't answer."""
    return TopicRefusal(
        f"连不上 Kafka {bootstrap}：请检查它是否在运行，以及 HOURS_KAFKA。 "
        f"Kafka at {bootstrap} does not answer ({type(error).__name__}): "
        "check that it runs, and HOURS_KAFKA."
    )


@contextmanager
def _admin(bootstrap: str) -> Iterator[KafkaAdminClient]:
    with reaching_kafka(bootstrap):
        admin = KafkaAdminClient(
            bootstrap_servers=bootstrap,
            bootstrap_timeout_ms=REACHING_MILLISECONDS,
            request_timeout_ms=REACHING_MILLISECONDS,
        )
        try:
            yield admin
        finally:
            admin.close()


def _create(admin: KafkaAdminClient, name: str, partitions: int, config: Mapping[str, str]) -> None:
    wanted = {name: {"num_partitions": partitions, "configs": dict(config)}}
    try:
        admin.create_topics(wanted, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        return  # somebody else was quicker; it is checked all the same


def _config(admin: KafkaAdminClient, topic: str) -> dict[str, str]:
    described = admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, topic)], config_filter="all"
    )
    settings = described["topic"][topic]
    return {name: setting["value"] for name, setting in settings.items()}
