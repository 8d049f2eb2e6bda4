"""What a worker outlives, what it says meanwhile, and what it leaves behind.

Services that are killed here are this test's own, so that no other test is hurt.
"""

import json
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from hours.services import EmbeddedKafka, EmbeddedPostgres
from hours.services.embedded import free_port
from hours.settings import read_settings
from producers.kafka_access import KafkaAccess
from producers.publishing import open_producer, publish_lines
from streams.metrics import Metrics
from streams.topics import create_topics
from tests.running import CLAIMED_NOTHING, Hours, eventually, lines, product_at, publishing
from tests.taps import Load
from tests.topic_records import records_of

on_postgresql = pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)


def test_a_killed_database_costs_nothing_the_worker_waits_says_so_and_stops_when_told(
    kafka: str, fresh_name: str, tmp_path: Path
) -> None:
    database = EmbeddedPostgres(tmp_path / "postgres")
    database.start()
    with closing_service(database), product(tmp_path, kafka, database.address, fresh_name) as hours:
        worker, load = start_watched_worker(hours), Load(17)
        with publishing(hours, load) as published:
            hours.wait_until_settled(500)
            database.kill()
            _, answer = eventually(lambda: when(hours, 503), "a worker that isn't ready")
            assert answer == {"ready": False, "why": "the ledger's database does not answer"}
            assert metrics_of(hours)["hours_ledger_up"] == {(): 0}
            assert get(hours, "/health/live") == (200, {"live": True})
            before = published.sent
            eventually(lambda: published.sent > before + 500, "taps published meanwhile")
            database.start()
            eventually(lambda: when(hours, 200), "a worker that is ready again")
            assert metrics_of(hours)["hours_ledger_outages_total"] == {(): 1}
            assert worker.poll() is None
            database.kill()
            eventually(lambda: when(hours, 503), "a second outage")
            assert hours.stop_worker(worker) == 0
        database.start()
        hours.start_worker()
        assert_all_settled_exactly(hours, load, published.sent)
        assert "数据库恢复了" in hours.logs()


def test_a_killed_kafka_is_found_again_by_the_worker_itself(
    jars: Path, postgres_url: str, fresh_name: str, tmp_path: Path
) -> None:
    broker = EmbeddedKafka(tmp_path / "kafka", jars)
    broker.start()
    with closing_service(broker), product(tmp_path, broker.address, postgres_url, fresh_name) as it:
        hours, load = it, Load(19)
        worker = start_watched_worker(hours)
        publish(hours, load, sessions=1_000)
        sent = taps_sent(hours)
        broker.kill()
        _, answer = eventually(lambda: when(hours, 503), "a worker that isn't ready")
        assert answer == {"ready": False, "why": "Kafka does not answer"}
        assert metrics_of(hours)["hours_kafka_up"] == {(): 0}
        assert get(hours, "/health/live") == (200, {"live": True})
        broker.start()
        eventually(lambda: when(hours, 200), "a worker that is ready again")
        assert metrics_of(hours)["hours_kafka_outages_total"] == {(): 1}
        assert "Kafka 恢复了" in hours.logs()
        hours.wait_until_settled(sent)
        publish(hours, load, sessions=100)
        assert_all_settled_exactly(hours, load, taps_sent(hours))
        assert worker.poll() is None
        assert hours.stop_worker(worker) == 0


@on_postgresql
def test_a_worker_told_to_stop_under_load_leaves_in_order_and_the_next_goes_on(
    hours: Hours,
) -> None:
    hours.ok("init")
    load = Load(23)
    with publishing(hours, load) as published:
        for _ in range(2):
            settled = hours.settled()
            worker = hours.start_worker()
            hours.wait_until_settled(settled + 200)
            assert hours.stop_worker(worker) == 0
            assert hours.settled() <= published.sent
        hours.start_worker()
    assert_all_settled_exactly(hours, load, published.sent)
    assert "Fenced" not in hours.logs()  # whoever left had finished what was in hand


@on_postgresql
def test_a_running_worker_shows_its_metrics_its_totals_and_its_health(hours: Hours) -> None:
    hours.ok("init")
    worker, load = start_watched_worker(hours), Load(29)
    publish(hours, load, sessions=400, spoilt=[b"{}", b"rubbish"])
    sent = taps_sent(hours)
    hours.wait_until_settled(sent)
    eventually(lambda: when(hours, 200), "a worker that is ready")
    eventually(lambda: totals_on_the_topic(hours) == load.totals, "the totals on their topic")
    eventually(lambda: lags_of(hours) == [0] * 4, "no lag")
    eventually(lambda: metrics_of(hours)["hours_team_totals_pending"] == {(): 0}, "no total left")
    found = metrics_of(hours)
    assert set(family_names(scrape(hours))) >= set(family_names_of(Metrics()))
    assert found["hours_records_total"] == ends_in_the_ledger(hours)
    assert sum(found["hours_rejections_total"].values()) == 2
    heads = {one.shard: one.head for one in hours.statuses()}
    assert found["hours_ledger_tree_size"] == {(str(it),): heads[it].next_seq for it in heads}
    assert found["hours_epoch"] == {(str(it),): epoch for it, epoch in hours.epochs().items()}
    assert found["hours_team_totals_published_total"][()] >= len(load.totals)
    assert found["hours_ledger_up"] == {(): 1}
    assert get(hours, "/health/live") == (200, {"live": True})
    assert hours.totals() == dict(load.totals)
    assert hours.stop_worker(worker) == 0


@on_postgresql
def test_team_totals_that_were_lost_are_published_again_on_the_next_claim(hours: Hours) -> None:
    hours.ok("init")
    worker, load = hours.start_worker(), Load(31)
    publish(hours, load, sessions=300)
    hours.wait_until_settled(taps_sent(hours))
    eventually(lambda: totals_on_the_topic(hours) == load.totals, "the totals on their topic")
    assert hours.stop_worker(worker) == 0
    lose_team_totals(hours)
    assert totals_on_the_topic(hours) == {}
    worker = hours.start_worker()
    eventually(lambda: totals_on_the_topic(hours) == load.totals, "the totals again")
    assert hours.stop_worker(worker) == 0


# The product


@contextmanager
def closing_service(service: EmbeddedKafka | EmbeddedPostgres) -> Iterator[None]:
    try:
        yield
    finally:
        service.stop()


@contextmanager
def product(home: Path, kafka: str, ledger_url: str, prefix: str) -> Iterator[Hours]:
    """The product on services of the test's own, initialised."""
    hours = product_at(home, kafka, ledger_url, prefix)
    try:
        hours.ok("init")
        yield hours
    finally:
        hours.end()


def start_watched_worker(hours: Hours) -> Any:
    """A worker with its pages, all shards claimed."""
    hours.environment["HOURS_WEB_PORT"] = str(free_port())
    worker = hours.start_worker()
    hours.wait_for_new_claims(CLAIMED_NOTHING)
    return worker


def assert_all_settled_exactly(hours: Hours, load: Load, sent: int) -> None:
    hours.wait_until_settled(sent)
    assert hours.totals() == dict(load.totals)
    heads = [one.head for one in hours.statuses()]
    assert sum(head.accepted + head.duplicates for head in heads) == sent
    assert "Equal" in hours.ok("audit")
    assert "Traceback" not in hours.logs()


# Its events


def publish(hours: Hours, load: Load, sessions: int, spoilt: Any = ()) -> None:
    """Publish sessions at once, and values that are no events."""
    events = [event for _ in range(sessions) for event in load.session()]
    with open_producer(KafkaAccess(hours.environment["HOURS_KAFKA"])) as producer:
        sent = [producer.send(hours.taps_topic, value, partition=0) for value in spoilt]
        publish_lines(
            lines(events).splitlines(), producer, hours.taps_topic, lambda so_far: None, print
        )
        for future in sent:
            future.get(30)


def taps_sent(hours: Hours) -> int:
    kafka = hours.environment["HOURS_KAFKA"]
    with closing(KafkaConsumer(bootstrap_servers=kafka)) as consumer:
        partitions = [TopicPartition(hours.taps_topic, number) for number in range(4)]
        return sum(consumer.end_offsets(partitions).values())


# Its pages


def get(hours: Hours, path: str) -> tuple[int, Any]:
    """Status and JSON of a page."""
    status, body = page(hours, path)
    return status, json.loads(body)


def when(hours: Hours, status: int) -> tuple[int, Any] | None:
    """The readiness page, once it answers with this status."""
    found = get(hours, "/health/ready")
    return found if found[0] == status else None


def page(hours: Hours, path: str) -> tuple[int, bytes]:
    url = f"http://127.0.0.1:{hours.environment['HOURS_WEB_PORT']}{path}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def scrape(hours: Hours) -> list[Any]:
    status, body = page(hours, "/metrics")
    assert status == 200
    return list(text_string_to_metric_families(body.decode()))


def metrics_of(hours: Hours) -> dict[str, dict[tuple[str, ...], float]]:
    """Each sample's value, by its labels' values in the order of their names."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in scrape(hours):
        for sample in family.samples:
            labels = tuple(sample.labels[name] for name in sorted(sample.labels))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


def lags_of(hours: Hours) -> list[float]:
    """By shard; none of those that were not looked at yet."""
    return list(metrics_of(hours).get("hours_lag_records", {}).values())


def family_names(families: list[Any]) -> list[str]:
    assert all(family.documentation for family in families)
    return [family.name for family in families]


def family_names_of(metrics: Metrics) -> list[str]:
    return [family.name for family in metrics.registry.collect()]


def ends_in_the_ledger(hours: Hours) -> dict[tuple[str, ...], int]:
    return {
        (end, str(one.shard)): count
        for one in hours.statuses()
        for end, count in (
            ("accepted", one.head.accepted),
            ("duplicate", one.head.duplicates),
            ("rejected", one.head.rejected),
            ("skipped", one.head.skipped),
        )
    }


# Its totals


def totals_on_the_topic(hours: Hours) -> dict[tuple[str, str], int]:
    """The latest value of each key, shards added up."""
    latest: dict[bytes, dict[str, Any]] = {}
    topic = f"{hours.environment['HOURS_TOPIC_PREFIX']}.team-totals"
    for record in records_of(hours.environment["HOURS_KAFKA"], topic):
        latest[record.key] = json.loads(record.value)
        assert {"team", "day", "shard"} == json.loads(record.key).keys()
    summed: Counter[tuple[str, str]] = Counter()
    for total in latest.values():
        summed[(total["team"], total["day"])] += total["seconds"]
    return dict(summed)


def lose_team_totals(hours: Hours) -> None:
    topic = f"{hours.environment['HOURS_TOPIC_PREFIX']}.team-totals"
    with closing(KafkaAdminClient(bootstrap_servers=hours.environment["HOURS_KAFKA"])) as admin:
        admin.delete_topics([topic])
        eventually(lambda: topic not in admin.list_topics(), "the end of the topic")
    create_topics(read_settings(hours.environment).streams())
