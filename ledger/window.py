"""The window of a shard: accepted events that can still matter, in as little memory as may be.

Pure. Found by identity and in the volunteer's order. Not acceptance (that is `shard`). Invariant:
everything in it that `known` denies is invisible, so that when it is dropped can't be noticed;
and a window restored from what was accepted is the window that accepted it.
"""

from array import array
from collections import defaultdict, deque
from collections.abc import Iterable

from ledger.policy import Policy
from ledger.settling import Change, Timeline
from ledger.taps import Fact, Tap, Void

Accepted = tuple[int, Fact]
"""The offset of a record, and the event that was accepted there."""


class Window:
    """Accepted events by identity, by volunteer, and in the order of the log."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        # By id alone, as its own string is then the key; those that share one stand in a list.
        self._by_id: dict[str, Fact | list[Fact]] = {}
        self._timelines: defaultdict[str, Timeline] = defaultdict(Timeline)
        self._held = _Held()
        self._voided: set[tuple[str, str, str]] = set()

    def __len__(self) -> int:
        return len(self._held)

    def known(self, volunteer: str, source: str, id: str, watermark: int) -> Fact | None:
        """The accepted event of that identity, unless it is older than the window."""
        event = self._find(volunteer, source, id)
        if event is None or event.occurred_at < watermark - self._policy.window:
            return None
        return event

    def admit(self, offset: int, event: Fact) -> Change | None:
        """Take an accepted event in. What changed among sessions and halves; None: nothing can."""
        self._remember(offset, event)
        if isinstance(event, Tap):
            return self._timelines[event.volunteer].insert(event, self._policy)
        if isinstance(event, Void):
            tap = self._void(event)
            if tap is not None:
                return self._timelines[tap.volunteer].remove(tap, self._policy)
        return None

    def reload(self, offset: int, event: Fact) -> None:
        """Take in again what the ledger accepted, or counted as a duplicate, before."""
        if self._find(event.volunteer, event.source, event.id) != event:
            self.admit(offset, event)

    def restore(self, accepted: Iterable[Accepted]) -> None:
        """Fill an empty window: as admitting each, but every timeline is settled only once."""
        taps: defaultdict[str, list[Tap]] = defaultdict(list)
        for offset, event in accepted:
            self._remember(offset, event)
            if isinstance(event, Tap):
                taps[event.volunteer].append(event)
            elif isinstance(event, Void) and (tap := self._void(event)):
                taps[tap.volunteer].remove(tap)
        for volunteer, theirs in taps.items():
            self._timelines[volunteer] = Timeline.of(theirs, self._policy)

    def forget(self, watermark: int) -> None:
        """Drop, in log order, what is too old to be known or to neighbour what is."""
        oldest = watermark - self._policy.window - self._policy.reach
        while self._held and self._held.first().occurred_at < oldest:
            self._drop(self._held.pop())

    def replay_from(self, next_offset: int) -> int:
        """The offset of the oldest event still held."""
        return self._held.first_offset() if self._held else next_offset

    def _find(self, volunteer: str, source: str, id: str) -> Fact | None:
        found = self._by_id.get(id)
        if found is None:
            return None
        for event in found if isinstance(found, list) else (found,):
            if event.source == source and event.volunteer == volunteer:
                return event
        return None

    def _remember(self, offset: int, event: Fact) -> None:
        self._held.append(offset, event)
        there = self._by_id.setdefault(event.id, event)
        if there is event:
            return
        same_id = there if isinstance(there, list) else [there]
        others = [one for one in same_id if _identity(one) != _identity(event)]
        self._by_id[event.id] = [*others, event] if others else event
        self._voided.discard(_identity(event))

    def _void(self, void: Void) -> Tap | None:
        """The tap that `void` takes out of the set; None where it is out already."""
        identity = (void.volunteer, void.tap_source, void.tap_id)
        tap = self._find(*identity)
        if not isinstance(tap, Tap) or identity in self._voided:
            return None
        self._voided.add(identity)
        return tap

    def _drop(self, event: Fact) -> None:
        found = self._by_id.get(event.id)
        if found is event:
            del self._by_id[event.id]
            self._voided.discard(_identity(event))
        elif isinstance(found, list) and any(one is event for one in found):
            found[:] = [one for one in found if one is not event]
            self._voided.discard(_identity(event))
            if not found:
                del self._by_id[event.id]
        if isinstance(event, Tap):
            timeline = self._timelines[event.volunteer]
            timeline.forget(event)
            if not timeline:
                del self._timelines[event.volunteer]


class _Held:
    """Events in log order; their offsets are machine words, as there are millions of them."""

    def __init__(self) -> None:
        self._events: deque[Fact] = deque()
        self._offsets = array("q")
        self._popped = 0

    def __len__(self) -> int:
        return len(self._events)

    def append(self, offset: int, event: Fact) -> None:
        self._offsets.append(offset)
        self._events.append(event)

    def first(self) -> Fact:
        return self._events[0]

    def first_offset(self) -> int:
        return self._offsets[self._popped]

    def pop(self) -> Fact:
        self._popped += 1
        if self._popped > len(self._events):  # half of it is gone: what it costs is shared by all
            del self._offsets[: self._popped]
            self._popped = 0
        return self._events.popleft()


def _identity(event: Fact) -> tuple[str, str, str]:
    return (event.volunteer, event.source, event.id)
