"""A shard at work: the records of one partition, folded into entries, counters and halves.

Pure, though it keeps state: no I/O, no clock. Not the store: `Changes` says what to write.
Invariant: what `fold` returns is a function of the log before it. How the log was cut into
batches, how often it was replayed, and whether the window was kept in memory, restored or rebuilt
from the log, leave no trace.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ledger import entries
from ledger.entries import Entry, Grain
from ledger.merkle import Frontier
from ledger.policy import SECOND, Policy
from ledger.settling import Change, Half, HalfKey, Session
from ledger.taps import Adjustment, Fact, Record, Refusal, Tap, Void
from ledger.window import Accepted, Window

BEFORE_ALL = -62_135_596_800 * SECOND
"""The watermark before the first record: the year 1, earlier than any record time."""


@dataclass(frozen=True)
class Head:
    """Where a shard stands: stored with its entries in one transaction.

    `skipped` counts offsets that hold no record (compaction, transaction markers), so that
    accepted + duplicates + rejected + skipped = next_offset. `watermark` is the latest record
    time seen. `replay_from` is the offset from which the log rebuilds the window.
    """

    next_offset: int = 0
    next_seq: int = 0
    replay_from: int = 0
    watermark: int = BEFORE_ALL
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    skipped: int = 0
    frontier: bytes = b""

    @classmethod
    def after(cls, genesis: Entry) -> "Head":
        """Where a shard stands that holds nothing but its genesis."""
        frontier = Frontier()
        frontier.extend([genesis.leaf])
        return cls(next_seq=1, frontier=frontier.pack())

    def root(self) -> bytes:
        """The Merkle root over the shard's entries."""
        return Frontier(self.next_seq, self.frontier).root()


class Rejection(NamedTuple):
    """A record that was refused: where it stands, and why."""

    offset: int
    recorded_at: int
    reason: str
    detail: str


class Effect(NamedTuple):
    """What a counter gains: sessions and seconds, either possibly negative."""

    sessions: int
    seconds: int


@dataclass
class Changes:
    """What records from `start` on do to the ledger, beside the head they lead to.

    `halves` holds, by key, whether the half was there before, and what stands there now.
    """

    start: int
    head: Head
    entries: list[Entry] = field(default_factory=list)
    counters: dict[Grain, Effect] = field(default_factory=dict)
    halves: dict[HalfKey, tuple[bool, Half | None]] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)

    @property
    def halves_gone(self) -> list[HalfKey]:
        """Halves that were there before, and are no more or other than they were."""
        return [key for key, (was_there, _) in self.halves.items() if was_there]

    @property
    def halves_come(self) -> list[Half]:
        """Halves that stand where they didn't before, or that are other than they were."""
        return [half for _, half in self.halves.values() if half is not None]

    def add(self, later: "Changes") -> None:
        """Take in what the records just behind these did: as if all had been one batch."""
        assert later.start == self.head.next_offset, "changes follow each other"
        self.head = later.head
        self.entries += later.entries
        for grain, gain in later.counters.items():
            self.count(grain, gain.sessions, gain.seconds)
        for key, (was_there, half) in later.halves.items():
            self.set_half(key, was_there, half)
        self.rejections += later.rejections
        self.accepted += later.accepted

    def update_halves(self, halves: dict[HalfKey, Half]) -> None:
        """Bring the halves that stood before these changes to where they stand after."""
        for key in self.halves_gone:
            del halves[key]
        halves.update((half.key, half) for half in self.halves_come)

    def count(self, grain: Grain, sessions: int, seconds: int) -> None:
        """Let a counter gain this much."""
        then = self.counters.get(grain)
        if then is not None:
            sessions, seconds = then.sessions + sessions, then.seconds + seconds
        self.counters[grain] = Effect(sessions, seconds)

    def set_half(self, key: HalfKey, was_there: bool, half: Half | None) -> None:
        """Let `half`, or nothing, stand at `key`, where one stood just before or didn't."""
        before = self.halves.get(key)
        if before is not None:
            was_there = before[0]
        if half is None and not was_there:
            del self.halves[key]
        else:
            self.halves[key] = (was_there, half)


class Shard:
    """One shard's window over its volunteers' recent taps, and the head it belongs to."""

    def __init__(self, number: int, policy: Policy, head: Head) -> None:
        self.number = number
        self.policy = policy
        self.head = head
        self._window = Window(policy)

    @property
    def window_taps(self) -> int:
        """How many accepted events the window holds."""
        return len(self._window)

    def restore(self, accepted: Iterable[Accepted]) -> None:
        """Fill the window with what was accepted from `head.replay_from` up to the head."""
        self._window.restore(accepted)

    def rebuild(self, records: Iterable[Record], rejected_offsets: Set[int]) -> None:
        """Fill the window from records below the head: nothing is decided again, nothing put out.

        `records` run from `head.replay_from`; `rejected_offsets` are those the ledger refused.
        """
        for record in records:
            if record.offset not in rejected_offsets and not isinstance(record.content, Refusal):
                self._window.reload(record.offset, record.content)

    def fold(self, records: Iterable[Record]) -> Changes:
        """Settle records at and after `head.next_offset`, and move the head behind them.

        After a fold whose changes could not be stored, this shard is ahead of the ledger and of
        no use: build another from the stored head.
        """
        fold = _Fold(self.number, self.policy, self.head, self._window)
        for record in records:
            fold.take(record)
        changes = fold.finish()
        self.head = changes.head
        return changes


class _Fold:
    """One batch on its way: counts and changes so far."""

    def __init__(self, number: int, policy: Policy, head: Head, window: Window) -> None:
        self._number = number
        self._policy = policy
        self._window = window
        self._head = head
        self._changes = Changes(head.next_offset, head)
        self._next_offset = head.next_offset
        self._next_seq = head.next_seq
        self._watermark = head.watermark
        self._duplicates = 0
        self._skipped = 0

    def take(self, record: Record) -> None:
        """Bring one record to its end: accepted, duplicate or rejected."""
        offset, recorded_at, event = record
        assert offset >= self._next_offset, "records come in log order, each once"
        self._skipped += offset - self._next_offset
        self._next_offset = offset + 1
        self._watermark = max(self._watermark, recorded_at)
        if isinstance(event, Refusal):
            self._reject(record, event)
            return
        known = self._window.known(event.volunteer, event.source, event.id, self._watermark)
        refusal = self._refusal(recorded_at, event, known)
        if refusal is not None:
            self._reject(record, refusal)
        elif known is not None:
            self._duplicates += 1
        else:
            self._accept(record, event)

    def finish(self) -> Changes:
        """All changes, with the head they lead to."""
        self._window.forget(self._watermark)
        changes, head = self._changes, self._head
        frontier = Frontier(head.next_seq, head.frontier)
        frontier.extend(entry.leaf for entry in changes.entries)
        changes.head = replace(
            head,
            next_offset=self._next_offset,
            next_seq=self._next_seq,
            replay_from=self._window.replay_from(self._next_offset),
            watermark=self._watermark,
            accepted=head.accepted + len(changes.accepted),
            duplicates=head.duplicates + self._duplicates,
            rejected=head.rejected + len(changes.rejections),
            skipped=head.skipped + self._skipped,
            frontier=frontier.pack(),
        )
        return changes

    def _refusal(self, recorded_at: int, event: Fact, known: Fact | None) -> Refusal | None:
        policy = self._policy
        judged_at = max(recorded_at, self._watermark - policy.margin)
        if event.occurred_at < judged_at - policy.horizon:
            days = policy.horizon_seconds / 86_400
            return Refusal("too-late", f"reached the log over {days:g} days after its time")
        if event.occurred_at > judged_at + policy.skew:
            ahead = (event.occurred_at - judged_at) // SECOND
            return Refusal("from-the-future", f"its time is {ahead} s ahead of the broker's clock")
        if known is not None and known != event:
            return Refusal(
                "conflicting-identity",
                f"{event.source} {event.id} was accepted before with other content; use a new id",
            )
        if known is None and isinstance(event, Void):
            return self._refuse_void(event)
        return None

    def _refuse_void(self, void: Void) -> Refusal | None:
        named = (void.volunteer, void.tap_source, void.tap_id)
        if isinstance(self._window.known(*named, self._watermark), Tap):
            return None
        return Refusal(
            "unknown-tap",
            f"no tap {void.tap_source} {void.tap_id} of this volunteer is in the window",
        )

    def _reject(self, record: Record, refusal: Refusal) -> None:
        self._changes.rejections.append(
            Rejection(record.offset, record.recorded_at, refusal.reason, refusal.detail)
        )

    def _accept(self, record: Record, event: Fact) -> None:
        self._changes.accepted.append((record.offset, event))
        change = self._window.admit(record.offset, event)
        if change is not None:
            self._apply(record, change)
        elif isinstance(event, Adjustment):
            self._append(entries.adjustment(self._next_seq, self._number, record, event))

    def _apply(self, record: Record, change: Change) -> None:
        for fate in change.gone:
            if isinstance(fate, Session):
                self._append(
                    entries.reversal(self._next_seq, self._number, record, fate, self._policy)
                )
            else:
                self._changes.set_half(fate.key, True, None)
        for fate in change.come:
            if isinstance(fate, Session):
                self._append(
                    entries.credit(self._next_seq, self._number, record, fate, self._policy)
                )
            else:
                self._changes.set_half(fate.key, False, fate)

    def _append(self, entry: Entry) -> None:
        self._changes.entries.append(entry)
        self._next_seq += 1
        if entry.grain is not None:
            self._changes.count(entry.grain, entry.sessions, entry.seconds)
