"""Entries: what the ledger records, as the canonical bytes that are hashed and stored.

Pure. The bytes are RFC 8785 JSON of strings, integers and objects of them; an absent activity
or place is an absent key. Invariant: the bytes that were hashed are the bytes stored; no field
beside `body` says anything that `body` doesn't.
"""

import json
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from ledger.merkle import leaf_hash
from ledger.policy import Policy, iso_utc
from ledger.settling import Session
from ledger.taps import Adjustment, Record, Tap, Void

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
    fields = {
        "ledger": ledger_name,
        "policy": policy.as_dict(),
        "seq": 0,
        "shard": shard,
        "type": "genesis",
        "v": VERSION,
    }
    return _entry(fields, None, 0, 0)


def credit(seq: int, shard: int, record: Record, session: Session, policy: Policy) -> Entry:
    """The seconds of a session that appeared when `record` was settled."""
    opened, closed = session
    fields = {
        "closed_at": iso_utc(closed.occurred_at),
        "closed_by": _identity(closed),
        "opened_by": _identity(opened),
        **_session_fields(session),
        **_position("credit", seq, shard, record),
    }
    return _entry(fields, _session_grain(session, policy), 1, session.seconds)


def reversal(seq: int, shard: int, record: Record, session: Session, policy: Policy) -> Entry:
    """Takes back the credit of a session that disappeared when `record` was settled.

    `seconds` in the body is what the credit gave; the entry's effect is its negative.
    """
    event = record.content
    assert isinstance(event, Tap | Void), "only a tap or a void can end a session"
    reason: ReversalReason = "tap-voided" if isinstance(event, Void) else "tap-arrived"
    fields = {
        "because": _identity(event),
        "reason": reason,
        **_session_fields(session),
        **_position("reversal", seq, shard, record),
    }
    return _entry(fields, _session_grain(session, policy), -1, -session.seconds)


def adjustment(seq: int, shard: int, record: Record, adjusted: Adjustment) -> Entry:
    """Seconds somebody entered and somebody else approved."""
    fields = {
        "approved_by": adjusted.approved_by,
        "by": adjusted.by,
        "day": adjusted.day,
        "event": _identity(adjusted),
        "reason": adjusted.reason,
        "seconds": adjusted.seconds,
        "team": adjusted.team,
        "volunteer": adjusted.volunteer,
        **_given("activity", adjusted.activity),
        **_position("adjustment", seq, shard, record),
    }
    grain = Grain(adjusted.team, "", adjusted.activity or "", adjusted.day)
    return _entry(fields, grain, 0, adjusted.seconds)


def session_id(session: Session) -> str:
    """The session's name: 128 bits of a hash over its volunteer and its two taps' identities.

    A short name is enough: what is proven is the entry's bytes, which hold both identities whole.
    """
    opened, closed = session
    named = [opened.volunteer, opened.source, opened.id, closed.source, closed.id]
    return sha256(canonical(named)).hexdigest()[:32]


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of strings, integers below 2^53, lists and string-keyed objects of them.

    For those (ASCII keys, no floats) the standard library's encoder gives exactly RFC 8785,
    ten times as fast as a general implementation; a property test holds the two together.
    """
    return _encode(value).encode()


_encode = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False
).encode


def _entry(fields: dict[str, Any], grain: Grain | None, sessions: int, seconds: int) -> Entry:
    body = canonical(fields)
    return Entry(
        fields["seq"],
        fields["type"],
        fields.get("volunteer"),
        fields.get("session"),
        grain,
        sessions,
        seconds,
        body,
        leaf_hash(body),
    )


def _position(kind: EntryType, seq: int, shard: int, record: Record) -> dict[str, Any]:
    return {
        "log": {"offset": record.offset, "partition": shard},
        "recorded_at": iso_utc(record.recorded_at),
        "seq": seq,
        "shard": shard,
        "type": kind,
        "v": VERSION,
    }


def _session_fields(session: Session) -> dict[str, Any]:
    opened = session.opened
    return {
        "opened_at": iso_utc(opened.occurred_at),
        "seconds": session.seconds,
        "session": session_id(session),
        "team": opened.team,
        "volunteer": opened.volunteer,
        **_given("place", opened.place),
        **_given("activity", opened.activity),
    }


def _session_grain(session: Session, policy: Policy) -> Grain:
    opened = session.opened
    day = policy.civil_day(opened.occurred_at)
    return Grain(opened.team or "", opened.place or "", opened.activity or "", day)


def _identity(event: Tap | Void | Adjustment) -> dict[str, str]:
    return {"id": event.id, "source": event.source}


def _given(name: str, value: str | None) -> dict[str, str]:
    return {} if value is None else {name: value}
