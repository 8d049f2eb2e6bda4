"""A simulated district's events on a log, quickly.

Through librdkafka where it is there (Quix brings it): a million events in half a minute, most of
which is simulating them. Elsewhere through the product's own producer, ten times slower.
Invariant: the same seed and sizes give the same events, but for the instant they end at.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from benchmarks.arena import Arena
from producers.events import Event
from producers.kafka_access import KafkaAccess
from producers.publishing import open_producer, publish_events
from producers.simulation import plan_ending_now, simulate
from producers.writing import write_record
from streams.topics import create_topics

_DAYS = 13
_TAPS_A_VOLUNTEER = 10
_FEWEST_VOLUNTEERS = 200


@dataclass(frozen=True)
class Log:
    """Records on topic `prefix`.taps."""

    prefix: str
    records: int

    @property
    def topic(self) -> str:
        return f"{self.prefix}.taps"


def district_events(taps: int, seed: int) -> Iterator[Event]:
    """Exactly `taps` events of the last thirteen days, all still within the window."""
    if not taps:
        return
    volunteers = max(taps // _TAPS_A_VOLUNTEER, _FEWEST_VOLUNTEERS)
    some_more = taps + taps // 20 + 200
    plan = plan_ending_now(
        time.time_ns() // 1_000, days=_DAYS, seed=seed, volunteers=volunteers, taps=some_more
    )
    events = (delivery.event for delivery in simulate(plan))
    for number, event in enumerate(islice(events, taps), 1):
        yield event
        if number == taps:
            return
    raise RuntimeError(f"the simulation gave fewer than {taps} events")


def load_log(arena: Arena, name: str, taps: int, seed: int) -> Log:
    """A new log with `taps` events, 0 of them too."""
    log = Log(name, taps)
    create_topics(arena.settings(name, "sqlite:///unused").streams())
    send(arena.kafka, log.topic, district_events(taps, seed))
    return log


def send(bootstrap: str, topic: str, events: Iterable[Event]) -> None:
    """Publish, and wait until all are acknowledged."""
    try:
        from confluent_kafka import Producer  # noqa: PLC0415 - only the peers' venv has it
    except ImportError:
        with open_producer(KafkaAccess(bootstrap)) as slower:
            publish_events(events, slower, topic)
        return
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "log_level": 3,
            "linger.ms": 50,
            "batch.size": 1_000_000,
            "queue.buffering.max.messages": 200_000,
        }
    )
    failed: list[str] = []

    def delivered(error: object, _message: object) -> None:
        if error is not None:
            failed.append(str(error))

    for key, value, headers in map(write_record, events):
        while True:
            try:
                producer.produce(topic, value, key, headers=headers, on_delivery=delivered)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    producer.flush()
    if failed:
        raise RuntimeError(f"Kafka did not acknowledge {len(failed)} events: {failed[0]}")
