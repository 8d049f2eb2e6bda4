"""A worker's shards: what was read without a hole is settled, anything else is claimed again."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import delete

from ledger import tables
from ledger.policy import Policy
from ledger.refusals import Fenced
from ledger.store import Store, open_store
from producers.events import CheckedIn, CheckedInData
from producers.writing import write_record
from streams.appending import Ledger
from streams.claims import Batch
from streams.metrics import Metrics
from streams.shards import Claimed, Shards

MILLISECONDS = 1_790_000_000_000


@dataclass
class Logged:
    """A check-in, as a Kafka client hands it over."""

    offset: int
    tap: int | None = None
    timestamp: int = MILLISECONDS
    headers: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def value(self) -> bytes:
        data = CheckedInData(team="合唱队", place="站一")
        number = self.offset if self.tap is None else self.tap
        at = (MILLISECONDS - 600_000 + number) * 1_000
        event = CheckedIn(id=f"t{number}", source="/k", subject="V1", time=at, data=data)
        return write_record(event)[1]


def batch(start: int, stop: int, epoch: int) -> Batch[Logged]:
    return Batch(0, epoch, start, [Logged(offset) for offset in range(start, stop)])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    opened = open_store(f"sqlite:///{tmp_path / 'ledger.db'}", "test", Policy(shard_count=1))
    opened.init()
    return opened


@dataclass
class Worker:
    """What a worker does with its shards, in one thread."""

    store: Store
    shards: Shards = field(init=False)

    def __post_init__(self) -> None:
        metrics = Metrics()
        self.ledger = Ledger(self.store, metrics)
        self.shards = Shards(self.store.policy, metrics)

    def claim(self) -> Claimed:
        claim = self.ledger.claim(0)
        window = self.ledger.window(0, claim.head)
        return self.shards.resume(0, claim) or self.shards.begin(0, claim, window)

    def settle(self, given: Batch[Logged]) -> None:
        changes = self.shards.fold(given)
        if changes is not None:
            self.ledger.append(0, given.epoch, changes)


def forget_segments(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(delete(tables.window_segments))


def test_a_batch_lost_on_its_way_is_not_taken_for_a_hole_in_the_log(store: Store) -> None:
    worker = Worker(store)
    epoch = worker.claim().epoch
    worker.settle(batch(0, 5, epoch))
    with pytest.raises(Fenced, match="read to 5, not to 10"):
        worker.settle(batch(10, 15, epoch))
    again = worker.claim()
    assert again.read_from == 5
    worker.settle(batch(5, 15, again.epoch))
    head = store.claim(0).head
    assert (head.next_offset, head.accepted, head.skipped) == (15, 15, 0)
    store.engine.dispose()


def test_a_batch_of_an_earlier_claim_is_not_settled(store: Store) -> None:
    worker = Worker(store)
    earlier, later = worker.claim(), worker.claim()
    with pytest.raises(Fenced, match="was given up"):
        worker.settle(batch(0, 5, earlier.epoch))
    worker.settle(batch(0, 5, later.epoch))
    store.engine.dispose()


def test_a_new_owner_restores_the_window_and_reads_on_behind_it(store: Store) -> None:
    first, second = Worker(store), Worker(store)
    first.settle(batch(0, 10, first.claim().epoch))
    claimed = second.claim()
    assert claimed.read_from == 10
    second.settle(Batch(0, claimed.epoch, 10, [Logged(10), Logged(11, tap=3)]))
    assert store.claim(0).head.duplicates == 1
    store.engine.dispose()


def test_without_its_segments_the_window_is_rebuilt_from_the_log(store: Store) -> None:
    first, second = Worker(store), Worker(store)
    first.settle(batch(0, 10, first.claim().epoch))
    forget_segments(store)
    claimed = second.claim()
    assert (claimed.read_from, claimed.next_offset) == (0, 10)
    second.settle(batch(0, 5, claimed.epoch))
    again = second.claim()
    assert again.read_from == 0
    second.settle(batch(0, 12, again.epoch))
    assert second.claim().read_from == 12
    store.engine.dispose()


def test_a_claim_made_again_by_its_owner_keeps_the_window(store: Store) -> None:
    worker = Worker(store)
    worker.settle(batch(0, 10, worker.claim().epoch))
    forget_segments(store)
    assert worker.claim().read_from == 10
    store.engine.dispose()


def test_a_shard_that_another_worker_settled_meanwhile_is_begun_anew(store: Store) -> None:
    one, other = Worker(store), Worker(store)
    mine = one.claim()
    one.settle(batch(0, 5, mine.epoch))
    other.settle(batch(5, 9, other.claim().epoch))
    with pytest.raises(Fenced):
        one.settle(batch(5, 8, mine.epoch))
    again = one.claim()
    assert again.read_from == 9
    one.settle(batch(9, 10, again.epoch))
    head = store.claim(0).head
    assert (head.next_offset, head.accepted, head.duplicates) == (10, 10, 0)
    store.engine.dispose()
