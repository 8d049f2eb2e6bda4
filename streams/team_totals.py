"""Live totals: what changed in the ledger, as absolute values on the compacted totals topic.

One record for (team, day, shard), so repeating one is harmless; it says at which claim and
offset it was true, so that whoever reads can drop an older one. Not the truth: that is the ledger.
"""

from collections.abc import Iterable

from pydantic import BaseModel
from sqlalchemy import Engine

from ledger import queries
from ledger.shard import Changes

_MOST_AT_ONCE = 200


class TotalKey(BaseModel):
    """What the total is of; the Kafka key."""

    team: str
    day: str
    shard: int


class TeamTotal(TotalKey):
    """The team's sessions and seconds on that day, in that shard, at `epoch` and `next_offset`."""

    sessions: int
    seconds: int
    epoch: int
    next_offset: int


class ChangedTotals:
    """Which totals of which shards have changed since they were last published."""

    def __init__(self) -> None:
        self._all: set[int] = set()
        self._keys: dict[int, dict[tuple[str, str], None]] = {}

    def __len__(self) -> int:
        return len(self._all) + sum(map(len, self._keys.values()))

    def note_claim(self, shard: int) -> None:
        """Everything of a shard just claimed is to be published."""
        self._all.add(shard)

    def note_changes(self, shard: int, changes: Changes) -> None:
        """What a batch changed is to be published."""
        keys = self._keys.setdefault(shard, {})
        keys.update(dict.fromkeys((grain.team, grain.day) for grain in changes.counters))

    def forget_shard(self, shard: int) -> None:
        """The shard's new owner publishes it."""
        self._all.discard(shard)
        self._keys.pop(shard, None)

    def take(self) -> list[tuple[int, list[tuple[str, str]] | None]]:
        """Shards with keys (team, day), None for all of them; each once, a bounded number."""
        taken: list[tuple[int, list[tuple[str, str]] | None]] = []
        for shard in sorted(self._all):
            self._keys.pop(shard, None)
            taken.append((shard, None))
        self._all.clear()
        for shard, keys in list(self._keys.items()):
            some = list(keys)[:_MOST_AT_ONCE]
            for key in some:
                del keys[key]
            if some:
                taken.append((shard, some))
        return taken

    def put_back(self, shard: int, keys: Iterable[tuple[str, str]] | None) -> None:
        """What `take` gave could not be published."""
        if keys is None:
            self._all.add(shard)
        else:
            self._keys.setdefault(shard, {}).update(dict.fromkeys(keys))


def read_totals(engine: Engine, shard: int, keys: list[tuple[str, str]] | None) -> list[TeamTotal]:
    """The totals as they stand, with the claim and offset they stand at."""
    with queries.reading(engine) as connection:
        now = next(s for s in queries.status(connection) if s.shard == shard)
        return [
            TeamTotal(
                team=total.team,
                day=total.day,
                shard=shard,
                sessions=total.sessions,
                seconds=total.seconds,
                epoch=now.epoch,
                next_offset=now.head.next_offset,
            )
            for total in queries.shard_totals(connection, shard, keys)
        ]
