"""What a peer does with one event: the ledger's own settling, without the ledger around it.

For plain Faust and Quix alike, so that they differ only in how they read, keep and write. It is
kinder to them than the product is to itself: the contract isn't checked, entries have no Merkle
tree and no gapless numbers, and nothing is ever forgotten. Invariant: fed a volunteer's events in
log order, each once, it comes to the product's hours.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from benchmarks.arena import SHARDS
from ledger import entries
from ledger.entries import Entry, Grain
from ledger.policy import Policy
from ledger.settling import Change, Fate, Half, HalfKey, Session, Timeline
from ledger.taps import Adjustment, Fact, Record, Refusal, Tap, Void

POLICY = Policy(shard_count=SHARDS)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Identity = tuple[str, str]


class Settled(NamedTuple):
    """What one event does to the tables."""

    entries: list[Entry] = []  # noqa: RUF012 - never changed
    halves_gone: list[HalfKey] = []  # noqa: RUF012
    halves_come: list[Half] = []  # noqa: RUF012
    refusal: Refusal | None = None


class Account:
    """One volunteer's events so far: what a peer keeps in its state, pickled."""

    __slots__ = ("known", "timeline", "voided")

    def __init__(self) -> None:
        self.timeline = Timeline()
        self.known: dict[Identity, Fact] = {}
        self.voided: set[Identity] = set()


def settle(account: Account, record: Record, shard: int) -> Settled | None:
    """Take one event in. None: a duplicate, or nothing follows from it."""
    event = record.content
    assert not isinstance(event, Refusal)
    identity = (event.source, event.id)
    refusal = _refusal(account, record.recorded_at, event)
    if refusal is not None:
        return Settled(refusal=refusal)
    if identity in account.known:
        return None
    account.known[identity] = event
    if isinstance(event, Adjustment):
        return Settled([entries.adjustment(record.offset, shard, record, event)])
    change = _change(account, event)
    return None if change is None else _settled(record, shard, change)


def grain_of(entry: Entry) -> Grain:
    """The counter an entry moves."""
    assert entry.grain is not None, "no peer writes a genesis"
    return entry.grain


def fact_of(event: Mapping[str, Any]) -> Fact:
    """A decoded CloudEvent as the plain value settling takes; the contract is not checked."""
    data = event["data"]
    volunteer, source, id = event["subject"], event["source"], event["id"]
    at = (datetime.fromisoformat(event["time"]) - _EPOCH) // _MICROSECOND
    match event["type"]:
        case "hours.checked-in.v1":
            return Tap.of(
                volunteer, "in", at, source, id, data["team"], data["place"],
                data.get("activity"), data.get("supplied_by"), data.get("reason"),
            )  # fmt: skip
        case "hours.checked-out.v1":
            return Tap.of(
                volunteer, "out", at, source, id, None, data.get("place"),
                None, data.get("supplied_by"), data.get("reason"),
            )  # fmt: skip
        case "hours.tap-voided.v1":
            return Void(
                volunteer, at, source, id,
                data["tap_source"], data["tap_id"], data["by"], data["reason"],
            )  # fmt: skip
        case _:
            return Adjustment(
                volunteer, at, source, id, data["team"], data.get("activity"), data["day"],
                data["seconds"], data["by"], data["approved_by"], data["reason"],
            )  # fmt: skip


def _refusal(account: Account, recorded_at: int, event: Fact) -> Refusal | None:
    if event.occurred_at < recorded_at - POLICY.horizon:
        return Refusal("too-late", "")
    if event.occurred_at > recorded_at + POLICY.skew:
        return Refusal("from-the-future", "")
    known = account.known.get((event.source, event.id))
    if known is not None and known != event:
        return Refusal("conflicting-identity", "")
    if isinstance(event, Void) and (event.tap_source, event.tap_id) not in account.known:
        return Refusal("unknown-tap", "")
    return None


def _change(account: Account, event: Tap | Void) -> Change | None:
    if isinstance(event, Tap):
        return account.timeline.insert(event, POLICY)
    identity = (event.tap_source, event.tap_id)
    tap = account.known[identity]
    if identity in account.voided or not isinstance(tap, Tap):
        return None
    account.voided.add(identity)
    return account.timeline.remove(tap, POLICY)


def _settled(record: Record, shard: int, change: Change) -> Settled:
    # Numbered by offset: a reversal and the credits that replace it share one.
    number = record.offset
    return Settled(
        [
            *(entries.reversal(number, shard, record, it, POLICY) for it in _sessions(change.gone)),
            *(entries.credit(number, shard, record, it, POLICY) for it in _sessions(change.come)),
        ],
        [fate.key for fate in change.gone if isinstance(fate, Half)],
        [fate for fate in change.come if isinstance(fate, Half)],
    )


def _sessions(fates: list[Fate]) -> list[Session]:
    return [fate for fate in fates if isinstance(fate, Session)]
