"""The topics: created as the ledger needs them, and refused where they are set otherwise.

The log of record must keep every record for ever and carry the broker's time; a topic that
doesn't would lose hours, or let a client's clock decide. The roster's must forget what was
overtaken, within a day. Through kafka-python's admin client.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, TopicAlreadyExistsError

from producers.kafka_access import KafkaAccess, lacking, perhaps_unseen, refused_by_kafka
from producers.publishing import ask_any_broker
from streams.settings import StreamSettings

logger = logging.getLogger(__name__)

_LOG_OF_RECORD = {
    "message.timestamp.type": "LogAppendTime",
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
}
_COMPACTED = {"cleanup.policy": "compact"}

ROSTER_LAG_SECONDS = 8 * 3_600
"""After how long the broker rolls the roster's segment, at the next record, and compacts it."""

LONGEST_MESSAGE_BYTES = 8 << 20
"""Of the roster: an activity that everybody signs up for takes a megabyte and a half."""

_ROSTER = {
    **_COMPACTED,
    # The broker's clock says when a segment is due, and nobody else's.
    "message.timestamp.type": "LogAppendTime",
    "max.compaction.lag.ms": str(ROSTER_LAG_SECONDS * 1_000),
    # Whoever reads on after less than a week hears of everything that went.
    "delete.retention.ms": str(7 * 86_400_000),
    "max.message.bytes": str(LONGEST_MESSAGE_BYTES),
}

REACHING_MILLISECONDS = 10_000
"""How long a broker may take to answer before it is said not to."""

_LOOK_AGAIN_SECONDS = 0.1


class TopicRefusal(Exception):
    """The log can't serve as it stands, or Kafka does not answer; one line says what to do."""


def create_topics(settings: StreamSettings) -> None:
    """Create what is missing, and check what is there. TopicRefusal.

    How many replicas each has is the brokers' to say: their `default.replication.factor`.
    """
    wanted = {
        settings.taps_topic: (settings.policy.shard_count, _LOG_OF_RECORD),
        settings.team_totals_topic: (1, _COMPACTED),
        settings.roster_topic: (1, _ROSTER),
    }
    with administering(settings.kafka) as admin:
        there = set(ask_any_broker(admin.list_topics))
        for name, (partitions, config) in wanted.items():
            if name not in there:
                _create(admin, name, partitions, config)
        _set(settings.kafka, admin, settings.roster_topic, _ROSTER)
    check_log(settings)
    check_roster(settings)


def take_producers_time(settings: StreamSettings) -> None:
    """Let the log of record take records that bring their own time; made if there is none.

    Until `take_brokers_time` no worker reads it, as it may be half of a log. TopicRefusal.
    """
    taps, theirs = settings.taps_topic, {**_LOG_OF_RECORD, "message.timestamp.type": "CreateTime"}
    with administering(settings.kafka) as admin:
        if taps not in set(ask_any_broker(admin.list_topics)):
            _create(admin, taps, settings.policy.shard_count, theirs)
        _set(settings.kafka, admin, taps, theirs)
        _, found = _describe(settings.kafka, admin, taps)
    differences = _differences(found, {"partitions": str(settings.policy.shard_count)})
    if differences:
        raise TopicRefusal(
            f"主题 {taps} 的分区数不对（现在 ≠ 需要）：{differences}。 Topic {taps} has another "
            f"number of partitions (is ≠ must be): {differences}."
        )


def take_brokers_time(settings: StreamSettings) -> None:
    """Let the log of record give records their time, as it must. TopicRefusal."""
    with administering(settings.kafka) as admin:
        _set(settings.kafka, admin, settings.taps_topic, _LOG_OF_RECORD)


def log_exists(settings: StreamSettings) -> bool:
    """Whether Kafka has the topic. TopicRefusal where it doesn't answer."""
    with administering(settings.kafka) as admin:
        return settings.taps_topic in set(ask_any_broker(admin.list_topics))


def check_log(settings: StreamSettings) -> None:
    """Refuse a log of record that is missing or set otherwise: TopicRefusal, naming each.

    One that could be kept more safely is only warned of.
    """
    taps, shard_count = settings.taps_topic, settings.policy.shard_count
    with administering(settings.kafka) as admin:
        partitions, found = _describe(settings.kafka, admin, taps)
        brokers = len(ask_any_broker(admin.describe_cluster)["brokers"])
    differences = _differences(found, {**_LOG_OF_RECORD, "partitions": str(shard_count)})
    if differences:
        raise TopicRefusal(
            f"主题 {taps} 的设置不对（现在 ≠ 需要）：{differences}。 "
            f"Topic {taps} is set otherwise than the ledger needs (is ≠ must be): {differences}."
        )
    replicas = min(len(partition["replica_nodes"]) for partition in partitions)
    thin = thin_log(taps, brokers, replicas, int(found["min.insync.replicas"]))
    if thin:
        logger.warning("%s", thin)


def check_roster(settings: StreamSettings) -> None:
    """Refuse the roster's topic where it is missing or set otherwise: TopicRefusal, naming each."""
    topic = settings.roster_topic
    with administering(settings.kafka) as admin:
        _, found = _describe(settings.kafka, admin, topic)
    differences = _differences(found, {**_ROSTER, "partitions": "1"})
    if differences:
        raise TopicRefusal(
            f"主题 {topic} 的设置不对（现在 ≠ 需要）：{differences}；请运行 hours init，"
            "分区数不对就先删除这个主题，再运行 hours roster publish-again。 "
            f"Topic {topic} is set otherwise than it must be (is ≠ must be): {differences}. "
            "Run hours init; where it has other partitions delete it first, and run "
            "hours roster publish-again afterwards."
        )


def thin_log(topic: str, brokers: int, replicas: int, in_sync: int) -> str | None:
    """One line, if three brokers or more keep the log so that the loss of one could lose hours."""
    if brokers < 3 or (replicas >= 3 and in_sync >= 2):
        return None
    return (
        f"{brokers} 个 broker，主题 {topic} 却只有 {replicas} 份副本，"
        f"min.insync.replicas={in_sync}：坏一个 broker 就可能丢时长，请改为 3 份和 2。 "
        f"{brokers} brokers keep only {replicas} replicas of topic {topic}, with "
        f"min.insync.replicas={in_sync}: the loss of one broker could lose hours. Make it 3 "
        "replicas (kafka-reassign-partitions.sh) and min.insync.replicas=2 (kafka-configs.sh)."
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
def reaching_kafka(kafka: KafkaAccess) -> Iterator[None]:
    """Turn a broker that doesn't answer into TopicRefusal."""
    quiet = logging.getLogger("kafka")
    level = quiet.level
    quiet.setLevel(logging.CRITICAL)
    try:
        yield
    except (KafkaError, OSError) as error:
        raise unreachable(kafka, error) from error
    finally:
        quiet.setLevel(level)


def unreachable(kafka: KafkaAccess, error: Exception) -> TopicRefusal:
    """What to say of a broker that doesn't answer."""
    refused = refused_by_kafka(kafka, error)
    if refused:
        return TopicRefusal(refused)
    return TopicRefusal(
        f"连不上 Kafka {kafka.bootstrap}：请检查它是否在运行，以及 HOURS_KAFKA。 "
        f"Kafka at {kafka.bootstrap} does not answer ({type(error).__name__}): "
        "check that it runs, and HOURS_KAFKA."
    )


@contextmanager
def administering(kafka: KafkaAccess) -> Iterator[KafkaAdminClient]:
    """kafka-python's administrator. TopicRefusal where Kafka doesn't answer, or refuses."""
    with reaching_kafka(kafka):
        admin = KafkaAdminClient(
            **kafka.options(),
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
        ask_any_broker(lambda: admin.create_topics(wanted, wait_for_metadata=True))
    except TopicAlreadyExistsError:
        return  # somebody else was quicker; it is checked all the same


def _set(
    kafka: KafkaAccess, admin: KafkaAdminClient, topic: str, config: Mapping[str, str]
) -> None:
    """Bring a topic's settings to these, where they are others."""
    found = _config(kafka, admin, topic)
    other = {name: value for name, value in config.items() if found.get(name) != value}
    if other:
        wanted = [ConfigResource(ConfigResourceType.TOPIC, topic, other)]
        ask_any_broker(lambda: admin.alter_configs(wanted, incremental=True))


def _describe(
    kafka: KafkaAccess, admin: KafkaAdminClient, topic: str
) -> tuple[list[Any], dict[str, str]]:
    """A topic's partitions, and its settings with their number. TopicRefusal: there is none."""
    if topic not in set(ask_any_broker(admin.list_topics)):
        chinese, english = perhaps_unseen(kafka)
        raise TopicRefusal(
            f"Kafka 里没有主题 {topic}{chinese}：请运行 hours init。 "
            f"Kafka has no topic {topic}{english}: run hours init."
        )
    partitions = ask_any_broker(lambda: admin.describe_topics([topic]))[0]["partitions"]
    return partitions, {**_config(kafka, admin, topic), "partitions": str(len(partitions))}


def _config(kafka: KafkaAccess, admin: KafkaAdminClient, topic: str) -> dict[str, str]:
    """A topic's settings, waited for where a broker hasn't heard of it yet. TopicRefusal."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic)]
    deadline = time.monotonic() + REACHING_MILLISECONDS / 1_000
    while True:
        described = ask_any_broker(lambda: admin.describe_configs(asked, config_filter="all"))
        settings = described["topic"][topic]
        if settings:
            return {name: setting["value"] for name, setting in settings.items()}
        if time.monotonic() > deadline or not _may_see_config(admin, topic):
            raise TopicRefusal(lacking(kafka, "DESCRIBE_CONFIGS", topic))
        time.sleep(_LOOK_AGAIN_SECONDS)


def _may_see_config(admin: KafkaAdminClient, topic: str) -> bool:
    """For kafka-python leaves out why there are no settings; where it isn't known yet, perhaps."""
    (found,) = ask_any_broker(lambda: admin.describe_topics([topic]))
    return bool(found["error_code"]) or "DESCRIBE_CONFIGS" in found["authorized_operations"]


def _differences(found: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    return "; ".join(
        f"{name}={found.get(name)} ≠ {value}"
        for name, value in wanted.items()
        if found.get(name) != value
    )
