"""Entries: what the ledger records, as the canonical bytes that are hashed and stored.

Pure. The bytes are RFC 8785 JSON of strings, integers and objects of them; an absent activity
or place is an absent key. Invariant: the bytes that were hashed are the bytes stored; no field
beside `body` says anything that `body` doesn't.
"""

import json
from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from ledger.merkle import leaf_hash
from ledger.policy import Policy, iso_utc
from ledger.settling import Session
from ledger.taps import Adjustment, Record, Tap, TapData, Void

EntryType = Literal["genesis", "credit", "reversal", "adjustment"]
ReversalReason = Literal["tap-arrived", "tap-voided"]
VERSION = 1


class Grain(NamedTuple):
    """What a counter counts by; `place` and `activity` are empty where an entry has none."""

    team: str
    place: str
    activity: str
    day: str


class Entry(NamedTuple):
    """One entry and what it does to the counter at its grain (None: a genesis does nothing)."""

    seq: int
    type: EntryType
    volunteer: str | None
    session: str | None
    grain: Grain | None
    sessions: int
    seconds: int
    body: bytes
    leaf: bytes


def genesis(shard: int, ledger_name: str, policy: Policy) -> Entry:
    """The first entry of a shard: whose ledger it is and the policy it settles by."""
    body = canonical(
        {
            "ledger": ledger_name,
            "policy": policy.as_dict(),
            "seq": 0,
            "shard": shard,
            "type": "genesis",
            "v": VERSION,
        }
    )
    return Entry(0, "genesis", None, None, None, 0, 0, body, leaf_hash(body))


def credit(seq: int, shard: int, record: Record, session: Session, policy: Policy) -> Entry:
    """The seconds of a session that appeared when `record` was settled."""
    opened, closed = session
    name, seconds = session_id(session), session.seconds
    activity, place, team = _served(opened.data)
    body = (
        f'{{{activity}"closed_at":"{iso_utc(closed.occurred_at)}",'
        f'"closed_by":{_identity(closed)},"log":{{"offset":{record.offset},"partition":{shard}}},'
        f'"opened_at":"{iso_utc(opened.occurred_at)}","opened_by":{_identity(opened)},'
        f'{place}"recorded_at":"{iso_utc(record.recorded_at)}",'
        f'"seconds":{seconds},"seq":{seq},"session":"{name}","shard":{shard},'
        f'{team}"type":"credit","v":{VERSION},"volunteer":{_name(opened.volunteer)}}}'
    ).encode()
    grain = _session_grain(opened, policy)
    return Entry(seq, "credit", opened.volunteer, name, grain, 1, seconds, body, leaf_hash(body))


def reversal(seq: int, shard: int, record: Record, session: Session, policy: Policy) -> Entry:
    """Takes back the credit of a session that disappeared when `record` was settled.

    `seconds` in the body is what the credit gave; the entry's effect is its negative.
    """
    event = record.content
    assert isinstance(event, Tap | Void), "only a tap or a void can end a session"
    reason: ReversalReason = "tap-voided" if isinstance(event, Void) else "tap-arrived"
    opened, name, seconds = session.opened, session_id(session), session.seconds
    activity, place, team = _served(opened.data)
    body = (
        f'{{{activity}"because":{_identity(event)},'
        f'"log":{{"offset":{record.offset},"partition":{shard}}},"opened_at":"{iso_utc(opened.occurred_at)}",'
        f'{place}"reason":"{reason}",'
        f'"recorded_at":"{iso_utc(record.recorded_at)}","seconds":{seconds},"seq":{seq},'
        f'"session":"{name}","shard":{shard},{team}"type":"reversal","v":{VERSION},'
        f'"volunteer":{_name(opened.volunteer)}}}'
    ).encode()
    grain = _session_grain(opened, policy)
    return Entry(
        seq, "reversal", opened.volunteer, name, grain, -1, -seconds, body, leaf_hash(body)
    )


def adjustment(seq: int, shard: int, record: Record, adjusted: Adjustment) -> Entry:
    """Seconds somebody entered and somebody else approved."""
    body = (
        f'{{{_given("activity", adjusted.activity)}"approved_by":{_text(adjusted.approved_by)},'
        f'"by":{_text(adjusted.by)},"day":{_text(adjusted.day)},"event":{_identity(adjusted)},'
        f'"log":{{"offset":{record.offset},"partition":{shard}}},"reason":{_text(adjusted.reason)},'
        f'"recorded_at":"{iso_utc(record.recorded_at)}","seconds":{adjusted.seconds},'
        f'"seq":{seq},"shard":{shard},"team":{_text(adjusted.team)},"type":"adjustment",'
        f'"v":{VERSION},"volunteer":{_text(adjusted.volunteer)}}}'
    ).encode()
    grain = Grain(adjusted.team, "", adjusted.activity or "", adjusted.day)
    return Entry(
        seq, "adjustment", adjusted.volunteer, None, grain, 0, adjusted.seconds, body,
        leaf_hash(body),
    )  # fmt: skip


def session_id(session: Session) -> str:
    """The session's name: 128 bits of a hash over its volunteer and its two taps' identities.

    A short name is enough: what is proven is the entry's bytes, which hold both identities whole.
    """
    opened, closed = session
    named = (
        f"[{_name(opened.volunteer)},{_name(opened.source)},{_text(opened.id)},"
        f"{_name(closed.source)},{_text(closed.id)}]"
    )
    return sha256(named.encode()).hexdigest()[:32]


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of strings, integers below 2^53, lists and string-keyed objects of them.

    For those (ASCII keys, no floats) the standard library's encoder gives exactly RFC 8785; a
    property test holds the two together.
    """
    return _encode(value).encode()


_encode = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False
).encode

# Entries are written out, their keys in RFC 8785's order, in a third of the time that an encoder
# takes; a property test holds them to `canonical`.
_text = json.encoder.encode_basestring
"""A string as RFC 8785 wants it: the standard library's C code does just that."""

_name = lru_cache(maxsize=1 << 16)(_text)
"""The same for strings that come again and again."""


@lru_cache(maxsize=1 << 14)
def _served(data: TapData) -> tuple[str, str, str]:
    """The members for activity, place and team of those who checked in so, as far as given."""
    return (
        _given("activity", data.activity),
        _given("place", data.place),
        _given("team", data.team),
    )


def _given(name: str, value: str | None) -> str:
    return "" if value is None else f'"{name}":{_text(value)},'


def _identity(event: Tap | Void | Adjustment) -> str:
    return f'{{"id":{_text(event.id)},"source":{_name(event.source)}}}'


def _session_grain(opened: Tap, policy: Policy) -> Grain:
    data = opened.data
    day = policy.civil_day(opened.occurred_at)
    return Grain(data.team or "", data.place or "", data.activity or "", day)
