"""Changes that are settled and not appended yet: while one append runs, the next ones gather.

Pure bookkeeping. Changes of one shard that follow each other become one append: the busier the
ledger, the larger its transactions, and the less each record costs. Invariant: changes of a shard
leave in the order they came, and only those of one claim together.
"""

from typing import NamedTuple

from ledger.shard import Changes


class Append(NamedTuple):
    """Changes to be appended in one transaction, under one claim."""

    shard: int
    epoch: int
    changes: Changes


class Pending:
    """Appends to be, the one that has waited longest first."""

    def __init__(self) -> None:
        self._waiting: dict[int, Append] = {}

    @property
    def records(self) -> int:
        """How many offsets wait."""
        return sum(
            changes.head.next_offset - changes.start for _, _, changes in self._waiting.values()
        )

    def put(self, shard: int, epoch: int, changes: Changes) -> None:
        """Add what a batch came to; what waits from an earlier claim would be fenced, and goes."""
        waiting = self._waiting.get(shard)
        if waiting is not None and waiting.epoch == epoch:
            waiting.changes.add(changes)
        else:
            self._waiting[shard] = Append(shard, epoch, changes)

    def take(self) -> Append | None:
        """The append that has waited longest."""
        for shard in self._waiting:
            return self._waiting.pop(shard)
        return None

    def has(self, shard: int) -> bool:
        """Whether anything of a shard waits."""
        return shard in self._waiting

    def drop(self, shard: int, epoch: int) -> None:
        """Forget what waits for a shard under a claim: it is still in the log."""
        waiting = self._waiting.get(shard)
        if waiting is not None and waiting.epoch == epoch:
            del self._waiting[shard]
