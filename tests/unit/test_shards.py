"""A worker's shards: what was read without a hole is settled, anything else is claimed again."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ledger.policy import Policy
from ledger.refusals import Fenced
from ledger.store import Store, open_store
from producers.events import CheckedIn, CheckedInData
from producers.writing import write_record
from streams.claims import Batch
from streams.metrics import Metrics
from streams.shards import Shards

MILLISECONDS = 1_790_000_000_000


@dataclass
class Logged:
    """A check-in, as a Kafka client hands it over."""

    offset: int
    timestamp: int = MILLISECONDS
    headers: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def value(self) -> bytes:
        data = CheckedInData(team="合唱队", place="站一")
        at = (MILLISECONDS - 600_000 + self.offset) * 1_000
        event = CheckedIn(id=f"t{self.offset}", source="/k", subject="V1", time=at, data=data)
        return write_record(event)[1]


def batch(start: int, stop: int, epoch: int) -> Batch[Logged]:
    return Batch(0, epoch, start, [Logged(offset) for offset in range(start, stop)])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    opened = open_store(f"sqlite:///{tmp_path / 'ledger.db'}", "test", Policy(shard_count=1))
    opened.init()
    return opened


def test_a_batch_lost_on_its_way_is_not_taken_for_a_hole_in_the_log(store: Store) -> None:
    shards = Shards(store, Metrics())
    epoch = shards.claim(0).epoch
    shards.settle(batch(0, 5, epoch))
    with pytest.raises(Fenced, match="read to 5, not to 10"):
        shards.settle(batch(10, 15, epoch))
    again = shards.claim(0)
    assert again.read_from == 5
    shards.settle(batch(5, 15, again.epoch))
    head = store.claim(0).head
    assert (head.next_offset, head.accepted, head.skipped) == (15, 15, 0)
    store.engine.dispose()


def test_a_claim_made_again_while_the_window_is_rebuilt_rebuilds_all_of_it(store: Store) -> None:
    first = Shards(store, Metrics())
    first.settle(batch(0, 10, first.claim(0).epoch))
    shards = Shards(store, Metrics())
    claimed = shards.claim(0)
    assert (claimed.read_from, claimed.next_offset) == (0, 10)
    shards.settle(batch(0, 5, claimed.epoch))
    again = shards.claim(0)
    assert again.read_from == 0
    shards.settle(batch(0, 10, again.epoch))
    assert shards.claim(0).read_from == 10
    store.engine.dispose()


def test_a_claim_made_again_by_its_owner_keeps_the_window(store: Store) -> None:
    shards = Shards(store, Metrics())
    shards.settle(batch(0, 10, shards.claim(0).epoch))
    assert shards.claim(0).read_from == 10
    store.engine.dispose()
