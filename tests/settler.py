"""Facts settled straight into a ledger's database, as its workers would, with no log beside it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ledger.shard import Shard
from ledger.store import Store
from ledger.taps import Fact, Record
from producers.partitioning import partition_of


@dataclass
class Settler:
    """The one worker of a ledger: it claims a shard when its first fact comes."""

    store: Store
    _shards: dict[int, tuple[int, Shard]] = field(default_factory=dict)

    def settle(self, facts: Iterable[Fact], at: int) -> None:
        """Let facts be the next records of their shards, recorded then; append what they give."""
        by_shard: dict[int, list[Fact]] = {}
        for fact in facts:
            number = partition_of(fact.volunteer, self.store.policy.shard_count)
            by_shard.setdefault(number, []).append(fact)
        for number, theirs in by_shard.items():
            epoch, shard = self._shards.get(number) or self._claimed(number)
            start = shard.head.next_offset
            records = [Record(start + place, at, fact) for place, fact in enumerate(theirs)]
            self.store.append(number, epoch, shard.fold(records))

    def _claimed(self, number: int) -> tuple[int, Shard]:
        claim = self.store.claim(number)
        shard = Shard(number, self.store.policy, claim.head)
        shard.restore(self.store.accepted(number, claim.head) or [])
        self._shards[number] = claim.epoch, shard
        return self._shards[number]
