"""A second, naive settling, written from the rules alone: sort everything, scan once.

It shares no code with the ledger but the plain values. Slow on purpose: nothing is forgotten,
nothing is found by bisection, every question is asked of the whole history again.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from ledger.policy import Policy
from ledger.taps import Adjustment, Fact, Record, Refusal, Tap, Void

MICROSECONDS = 1_000_000


class Settled(NamedTuple):
    """Sessions as (in, out) pairs, and halves by what is wrong with them."""

    sessions: set[tuple[Tap, Tap]]
    open: set[Tap]
    no_check_out: set[Tap]
    no_check_in: set[Tap]


def settled(taps: Iterable[Tap], policy: Policy, now: int) -> Settled:
    """What one volunteer's accepted taps come to, looked at at `now`."""
    ordered = sorted(taps, key=lambda tap: (tap.occurred_at, tap.kind != "out", tap.source, tap.id))
    left = [
        tap
        for before, tap in zip([None, *ordered], ordered, strict=False)
        if before is None or not doubled(before, tap, policy)
    ]
    cap = policy.cap_seconds * MICROSECONDS
    result = Settled(set(), set(), set(), set())
    waiting: Tap | None = None
    for tap in left:
        if tap.kind == "in":
            if waiting is not None:
                result.no_check_out.add(waiting)
            waiting = tap
        elif waiting is None:
            result.no_check_in.add(tap)
        elif tap.occurred_at - waiting.occurred_at > cap:
            result.no_check_out.add(waiting)
            result.no_check_in.add(tap)
            waiting = None
        else:
            result.sessions.add((waiting, tap))
            waiting = None
    if waiting is not None:
        still = now - waiting.occurred_at <= cap
        (result.open if still else result.no_check_out).add(waiting)
    return result


def doubled(before: Tap, tap: Tap, policy: Policy) -> bool:
    """Whether a tap only repeats the one before it."""
    near = tap.occurred_at - before.occurred_at <= policy.debounce_seconds * MICROSECONDS
    alike = (tap.kind, tap.kind == "out" or (tap.team, tap.place)) == (
        before.kind,
        before.kind == "out" or (before.team, before.place),
    )
    return near and alike


class Outcome(NamedTuple):
    """How each record ended, by offset; the taps that stand, by volunteer; the adjustments."""

    ends: dict[int, str]
    watermark: int
    standing: dict[str, list[Tap]]
    adjustments: list[Adjustment]

    def settled(self, policy: Policy) -> Settled:
        """All volunteers' sessions and halves, looked at when the last record came."""
        each = [settled(taps, policy, self.watermark) for taps in self.standing.values()]
        return Settled(*(set().union(*parts) for parts in zip(*each, strict=True)))

    def seconds(self, policy: Policy) -> dict[tuple[str, str], int]:
        """Whole seconds by (volunteer, team), where they aren't nought."""
        seconds: Counter[tuple[str, str]] = Counter()
        for opened, closed in self.settled(policy).sessions:
            served = (closed.occurred_at - opened.occurred_at) // MICROSECONDS
            seconds[(opened.volunteer, opened.team or "")] += served
        for adjusted in self.adjustments:
            seconds[(adjusted.volunteer, adjusted.team)] += adjusted.seconds
        return {key: worth for key, worth in seconds.items() if worth}


def run(records: Iterable[Record], policy: Policy) -> Outcome:
    """How a whole log ends: each record judged against everything accepted before it."""
    ends: dict[int, str] = {}
    accepted: list[Fact] = []
    voided: list[Tap] = []
    watermark = -(10**18)
    for record in records:
        event = record.content
        watermark = max(watermark, record.recorded_at)
        known = [one for one in accepted if one.occurred_at >= watermark - _window(policy)]
        ends[record.offset] = _end(record, watermark, known, policy)
        if ends[record.offset] == "accepted":
            assert not isinstance(event, Refusal)
            accepted.append(event)
            if isinstance(event, Void):
                voided += [one for one in known if isinstance(one, Tap) and _names(event, one)]
    standing: dict[str, list[Tap]] = {"": []}
    for one in accepted:
        if isinstance(one, Tap) and one not in voided:
            standing.setdefault(one.volunteer, []).append(one)
    adjustments = [one for one in accepted if isinstance(one, Adjustment)]
    return Outcome(ends, watermark, standing, adjustments)


def _window(policy: Policy) -> int:
    seconds = policy.horizon_seconds + policy.cap_seconds + policy.skew_seconds
    return (seconds + policy.margin_seconds) * MICROSECONDS


def _end(record: Record, watermark: int, known: list[Fact], policy: Policy) -> str:
    event = record.content
    if isinstance(event, Refusal):
        return event.reason
    judged = max(record.recorded_at, watermark - policy.margin_seconds * MICROSECONDS)
    if event.occurred_at < judged - policy.horizon_seconds * MICROSECONDS:
        return "too-late"
    if event.occurred_at > judged + policy.skew_seconds * MICROSECONDS:
        return "from-the-future"
    same = [one for one in known if _identity(one) == _identity(event)]
    if same:
        return "duplicate" if same == [event] else "conflicting-identity"
    if isinstance(event, Void) and not any(
        isinstance(one, Tap) and _names(event, one) for one in known
    ):
        return "unknown-tap"
    return "accepted"


def _identity(event: Fact) -> tuple[str, str, str]:
    return (event.volunteer, event.source, event.id)


def _names(void: Void, tap: Tap) -> bool:
    return _identity(tap) == (void.volunteer, void.tap_source, void.tap_id)
