"""Which shards a worker claims: those alone whose partition Kafka assigns to it now."""

import asyncio
from types import SimpleNamespace

from faust.types.tuples import TP

from streams.transport import Consumer

LOG = "hours.taps"


class Assigned(Consumer):  # type: ignore[misc]
    """The worker's consumer just after a rebalance, without Kafka; tells what it would claim."""

    def __init__(self, assigned: set[TP], active: set[TP], buffered: set[TP]) -> None:
        self.app = SimpleNamespace(taps_topic=LOG)
        self.claimed: list[TP] = []
        self._assigned, self._readings = assigned, {}
        self._active_partitions, self._buffered_partitions = active, buffered

    def assignment(self) -> set[TP]:
        return self._assigned

    async def _claim(self, tp: TP) -> None:
        self.claimed.append(tp)


def test_a_shard_whose_buffer_was_full_when_it_was_given_to_another_is_not_claimed() -> None:
    mine, another = TP(LOG, 2), TP(LOG, 1)
    consumer = Assigned(assigned={mine}, active={mine}, buffered={another})
    others_wait = asyncio.run(consumer._claim_next())
    assert consumer.claimed == [mine]
    assert not others_wait


def test_a_shard_whose_buffer_is_full_is_still_this_worker_s() -> None:
    mine = TP(LOG, 2)
    consumer = Assigned(assigned={mine}, active=set(), buffered={mine})
    asyncio.run(consumer._claim_next())
    assert consumer.claimed == [mine]
