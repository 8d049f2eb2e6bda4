"""A shard at work: the records of one partition, folded into entries, counters and halves.

Pure, though it keeps state: no I/O, no clock. Not the store: `Changes` says what to write.
Invariant: what `fold` returns is a function of the log before it. How the log was cut into
batches, how often it was replayed, and whether the window was kept in memory or rebuilt from
the log with `rebuild`, leave no trace.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Set
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from ledger import entries
from ledger.entries import Entry, Grain
from ledger.merkle import Frontier
from ledger.policy import SECOND, Policy
from ledger.settling import Change, Half, HalfKey, Timeline
from ledger.taps import Adjustment, Fact, Record, Refusal, Tap, Void

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
    """What a batch does to the ledger, beside the head it leads to."""

    head: Head
    entries: list[Entry] = field(default_factory=list)
    counters: dict[Grain, Effect] = field(default_factory=dict)
    halves_gone: list[HalfKey] = field(default_factory=list)
    halves_come: list[Half] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)


class Shard:
    """One shard's window over its volunteers' recent taps, and the head it belongs to."""

    def __init__(self, number: int, policy: Policy, head: Head) -> None:
        self.number = number
        self.policy = policy
        self.head = head
        self._window = _Window(policy)

    @property
    def window_taps(self) -> int:
        """How many accepted events the window holds."""
        return len(self._window)

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


class _Window:
    """Accepted events that can still matter, found by identity and in the volunteer's order.

    Everything in it that `known` denies is invisible: when it is dropped can't be noticed.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._known: dict[tuple[str, str, str], Fact] = {}
        self._timelines: defaultdict[str, Timeline] = defaultdict(Timeline)
        self._by_offset: deque[tuple[int, Fact]] = deque()
        self._voided: set[tuple[str, str, str]] = set()

    def __len__(self) -> int:
        return len(self._by_offset)

    def known(self, volunteer: str, source: str, id: str, watermark: int) -> Fact | None:
        """The accepted event of that identity, unless it is older than the window."""
        event = self._known.get((volunteer, source, id))
        if event is None or event.occurred_at < watermark - self._policy.window:
            return None
        return event

    def admit(self, offset: int, event: Fact) -> Change | None:
        """Take an accepted event in. What changed among sessions and halves; None: nothing can."""
        self._remember(offset, event)
        if isinstance(event, Tap):
            return self._timelines[event.volunteer].insert(event, self._policy)
        if isinstance(event, Void):
            return self._void(event)
        return None

    def reload(self, offset: int, event: Fact) -> None:
        """Take in again what the ledger accepted, or counted as a duplicate, before."""
        key = (event.volunteer, event.source, event.id)
        if self._known.get(key) != event:
            self.admit(offset, event)

    def forget(self, watermark: int) -> None:
        """Drop, in log order, what is too old to be known or to neighbour what is."""
        oldest = watermark - self._policy.window - self._policy.reach
        while self._by_offset and self._by_offset[0][1].occurred_at < oldest:
            self._drop(self._by_offset.popleft()[1])

    def replay_from(self, next_offset: int) -> int:
        """The offset of the oldest event still held."""
        return self._by_offset[0][0] if self._by_offset else next_offset

    def _remember(self, offset: int, event: Fact) -> None:
        key = (event.volunteer, event.source, event.id)
        self._known[key] = event
        self._voided.discard(key)
        self._by_offset.append((offset, event))

    def _void(self, void: Void) -> Change | None:
        key = (void.volunteer, void.tap_source, void.tap_id)
        tap = self._known.get(key)
        if not isinstance(tap, Tap) or key in self._voided:
            return None
        self._voided.add(key)
        return self._timelines[void.volunteer].remove(tap, self._policy)

    def _drop(self, event: Fact) -> None:
        key = (event.volunteer, event.source, event.id)
        if self._known.get(key) is event:
            del self._known[key]
            self._voided.discard(key)
        if isinstance(event, Tap):
            timeline = self._timelines[event.volunteer]
            timeline.forget(event)
            if not timeline:
                del self._timelines[event.volunteer]


End = Literal["accepted", "duplicate", "rejected"]


class _Fold:
    """One batch on its way: counts and changes so far."""

    def __init__(self, number: int, policy: Policy, head: Head, window: _Window) -> None:
        self._number = number
        self._policy = policy
        self._window = window
        self._head = head
        self._changes = Changes(head)
        self._next_offset = head.next_offset
        self._next_seq = head.next_seq
        self._watermark = head.watermark
        self._skipped = 0
        self._ends: dict[End, int] = {"accepted": 0, "duplicate": 0, "rejected": 0}
        self._halves: dict[HalfKey, tuple[bool, Half | None]] = {}

    def take(self, record: Record) -> None:
        """Bring one record to its end: accepted, duplicate or rejected."""
        assert record.offset >= self._next_offset, "records come in log order, each once"
        self._skipped += record.offset - self._next_offset
        self._next_offset = record.offset + 1
        self._watermark = max(self._watermark, record.recorded_at)
        self._ends[self._settle(record)] += 1

    def finish(self) -> Changes:
        """All changes, with the head they lead to."""
        self._window.forget(self._watermark)
        changes = self._changes
        for key, (was_there, half) in self._halves.items():
            if was_there:
                changes.halves_gone.append(key)
            if half is not None:
                changes.halves_come.append(half)
        frontier = Frontier(self._head.next_seq, self._head.frontier)
        frontier.extend(entry.leaf for entry in changes.entries)
        head = self._head
        changes.head = replace(
            head,
            next_offset=self._next_offset,
            next_seq=self._next_seq,
            replay_from=self._window.replay_from(self._next_offset),
            watermark=self._watermark,
            accepted=head.accepted + self._ends["accepted"],
            duplicates=head.duplicates + self._ends["duplicate"],
            rejected=head.rejected + self._ends["rejected"],
            skipped=head.skipped + self._skipped,
            frontier=frontier.pack(),
        )
        return changes

    def _settle(self, record: Record) -> End:
        event = record.content
        if not isinstance(event, Refusal):
            refusal = self._refusal(record.recorded_at, event)
            if refusal is None:
                return self._accept(record, event)
            event = refusal
        self._changes.rejections.append(
            Rejection(record.offset, record.recorded_at, event.reason, event.detail)
        )
        return "rejected"

    def _refusal(self, recorded_at: int, event: Fact) -> Refusal | None:
        judged_at = max(recorded_at, self._watermark - self._policy.margin)
        if event.occurred_at < judged_at - self._policy.horizon:
            days = self._policy.horizon_seconds / 86_400
            return Refusal("too-late", f"reached the log over {days:g} days after its time")
        if event.occurred_at > judged_at + self._policy.skew:
            ahead = (event.occurred_at - judged_at) // SECOND
            return Refusal("from-the-future", f"its time is {ahead} s ahead of the broker's clock")
        known = self._known(event.volunteer, event.source, event.id)
        if known is not None:
            return None if known == event else _conflict(event)
        if isinstance(event, Void):
            target = self._known(event.volunteer, event.tap_source, event.tap_id)
            if not isinstance(target, Tap):
                return Refusal(
                    "unknown-tap",
                    f"no tap {event.tap_source} {event.tap_id} of this volunteer is in the window",
                )
        return None

    def _known(self, volunteer: str, source: str, id: str) -> Fact | None:
        return self._window.known(volunteer, source, id, self._watermark)

    def _accept(self, record: Record, event: Fact) -> End:
        if self._known(event.volunteer, event.source, event.id) is not None:
            return "duplicate"
        change = self._window.admit(record.offset, event)
        if isinstance(event, Adjustment):
            self._append(entries.adjustment(self._next_seq, self._number, record, event))
        if change is not None:
            self._apply(record, change)
        return "accepted"

    def _apply(self, record: Record, change: Change) -> None:
        for session in change.sessions_gone:
            self._append(
                entries.reversal(self._next_seq, self._number, record, session, self._policy)
            )
        for session in change.sessions_come:
            self._append(
                entries.credit(self._next_seq, self._number, record, session, self._policy)
            )
        for half in change.halves_gone:
            self._set_half(half.key, True, None)
        for half in change.halves_come:
            self._set_half(half.key, False, half)

    def _append(self, entry: Entry) -> None:
        self._changes.entries.append(entry)
        self._next_seq += 1
        if entry.grain is not None:
            then = self._changes.counters.get(entry.grain, Effect(0, 0))
            self._changes.counters[entry.grain] = Effect(
                then.sessions + entry.sessions, then.seconds + entry.seconds
            )

    def _set_half(self, key: HalfKey, was_there: bool, half: Half | None) -> None:
        was_there_first = self._halves[key][0] if key in self._halves else was_there
        self._halves[key] = (was_there_first, half)


def _conflict(event: Fact) -> Refusal:
    return Refusal(
        "conflicting-identity",
        f"{event.source} {event.id} was accepted before with other content; use a new id",
    )
