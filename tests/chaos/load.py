"""The load on its way: kiosks that publish all the time, and send again what wasn't acknowledged.

A thread of its own, on kafka-python. What a fault of delivery orders comes in between. Invariant:
when `finish` returns, every record was acknowledged, and `acknowledged` says where it stands.
"""

import logging
import queue
import random
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from kafka import KafkaProducer
from kafka.errors import KafkaError

from tests.chaos.kiosks import Kiosks, Sent

_TICK_SECONDS = 0.05
_IN_FLIGHT = 2_000
_DELIVERY_SECONDS = 20
_HELD_BACK = 40
_BURST = 40


class Acknowledged(NamedTuple):
    """Where the broker said a record stands, and a checksum of its value."""

    partition: int
    offset: int
    checksum: int


class Load(threading.Thread):
    """Publishes the visits of a seed until told to finish, `rate` records a second."""

    def __init__(self, bootstrap: str, topic: str, seed: int, begun: datetime, rate: int) -> None:
        super().__init__(daemon=True, name="load")
        logging.getLogger("kafka").setLevel(logging.CRITICAL)
        self.acknowledged: list[Acknowledged] = []
        self.sent_again = 0
        self._kafka, self._topic, self._seed, self._begun = bootstrap, topic, seed, begun
        self._per_tick = max(round(rate * _TICK_SECONDS), 1)
        self._stream = _mostly_in_order(Kiosks(seed, begun).visits(), random.Random(seed))
        self._history: list[Sent] = []
        self._orders: queue.SimpleQueue[Callable[[], list[Sent]]] = queue.SimpleQueue()
        self._outbox: deque[Sent] = deque()
        self._in_flight: deque[tuple[Sent, Any]] = deque()
        self._over = threading.Event()

    def order(self, kind: str, number: int) -> None:
        """Let a burst of a fault's own come in between: of a kind of delivery in the plan."""
        self._orders.put(lambda: self._burst(kind, number))

    def finish(self, patience: float) -> None:
        """Publish no more; returns when all that was sent is acknowledged."""
        self._over.set()
        self.join(patience)
        assert not self.is_alive(), "Kafka took no more"

    def run(self) -> None:
        while not self._is_done():
            with suppress(KafkaError):  # no broker, or a producer that gave up: a new one
                self._publish()
            time.sleep(_TICK_SECONDS)

    def _is_done(self) -> bool:
        return self._over.is_set() and not self._outbox and not self._in_flight

    def _publish(self) -> None:
        producer = KafkaProducer(
            bootstrap_servers=self._kafka,
            acks="all",
            enable_idempotence=True,
            linger_ms=5,
            max_block_ms=_DELIVERY_SECONDS * 1_000,
            request_timeout_ms=5_000,
            delivery_timeout_ms=_DELIVERY_SECONDS * 1_000,
        )
        try:
            while not self._is_done():
                self._over.wait(_TICK_SECONDS)
                self._fill_outbox()
                self._empty_outbox(producer)
                if not self._collect(_DELIVERY_SECONDS if self._over.is_set() else 0):
                    return
        finally:
            with suppress(KafkaError):
                producer.close(timeout=2 * _DELIVERY_SECONDS)  # till the last has expired
            self._collect(_TICK_SECONDS)  # what isn't known by now never will be

    def _fill_outbox(self) -> None:
        if self._over.is_set():
            return
        while not self._orders.empty():
            self._outbox.extend(self._orders.get()())
        if len(self._in_flight) < _IN_FLIGHT:
            self._outbox.extend(next(self._stream) for _ in range(self._per_tick))

    def _empty_outbox(self, producer: Any) -> None:
        while self._outbox:
            sent = self._outbox[0]
            future = producer.send(
                self._topic,
                key=sent.key,
                value=sent.value,
                headers=list(sent.headers),
                partition=sent.partition,
            )
            self._in_flight.append((self._outbox.popleft(), future))
            self._history.append(sent)

    def _collect(self, patience: float) -> bool:
        """Note acknowledgements; what has failed goes back to the outbox. Whether none did.

        Those that are there, or with some patience all, in the order they were sent.
        """
        failed = []
        while self._in_flight and (patience or self._in_flight[0][1].is_done):
            sent, future = self._in_flight.popleft()
            try:
                stands = future.get(patience)
            except KafkaError:
                failed.append(sent)
                continue
            checksum = zlib.crc32(sent.value or b"")
            self.acknowledged.append(Acknowledged(stands.partition, stands.offset, checksum))
        self.sent_again += len(failed)
        self._outbox.extendleft(reversed(failed))
        return not failed

    def _burst(self, kind: str, number: int) -> list[Sent]:
        chance = random.Random(f"burst {self._seed} {number}")
        kiosks = Kiosks(f"{self._seed} {number}", self._begun, str(number), volunteers=15)
        if kind == "duplicate delivery":
            return chance.choices(self._history, k=_BURST) if self._history else []
        if kind == "shuffled delivery":
            visits = kiosks.visits()
            burst = [sent for _ in range(_BURST * 4) for sent in next(visits)]
            chance.shuffle(burst)
            return burst
        make = {
            "malformed delivery": kiosks.malformed,
            "kiosk's clock ahead": kiosks.ahead,
            "kiosk's clock behind": kiosks.behind,
        }[kind]
        return [sent for _ in range(_BURST) for sent in make()]


def _mostly_in_order(visits: Iterator[list[Sent]], chance: random.Random) -> Iterator[Sent]:
    """Records of the visits; a few are held back, to come later and in another order."""
    held: list[Sent] = []
    for visit in visits:
        for sent in visit:
            if chance.random() < 0.05:
                held.append(sent)
            else:
                yield sent
        if len(held) > _HELD_BACK:
            yield held.pop(chance.randrange(len(held)))
