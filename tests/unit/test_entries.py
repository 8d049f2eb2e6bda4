"""Entries are canonical bytes: RFC 8785, exactly as design and certificates will name them."""

import json
from typing import Any

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ledger import entries
from ledger.entries import Grain
from ledger.merkle import leaf_hash
from ledger.policy import SECOND, Policy
from ledger.settling import Session
from ledger.taps import Adjustment, Record, Tap, Void

POLICY = Policy()
AT = 1_790_000_000 * SECOND
IN = Tap.of("V1", "in", AT, "/kiosks/1", "a", "合唱队", "站一", "练歌")
OUT = Tap.of("V1", "out", AT + 5_400 * SECOND + 999_999, "/kiosks/2", "b")
SESSION = Session(IN, OUT)
ID = entries.session_id(SESSION)

texts = st.text(st.characters(exclude_categories=["Cs"]))
keys = st.text(st.characters(min_codepoint=33, max_codepoint=126))
values = st.recursive(
    texts | st.integers(-(2**53) + 1, 2**53 - 1),
    lambda inner: st.dictionaries(keys, inner, max_size=4) | st.lists(inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(keys, values, max_size=4))
def test_the_canonical_bytes_are_those_of_another_rfc_8785_implementation(value: Any) -> None:
    assert entries.canonical(value) == rfc8785.dumps(value)


@given(texts, texts, texts | st.none(), st.integers(AT, AT + 57_600 * SECOND))
def test_an_entry_is_canonical_whatever_its_texts_are(
    team: str, place: str, activity: str | None, closed_at: int
) -> None:
    opened = Tap.of("V1", "in", AT, place, team, team, place, activity)
    session = Session(opened, OUT._replace(occurred_at=closed_at, id=place))
    adjusted = Adjustment(
        "V1", AT, place, team, team, activity, "2026-09-20", -900, team, place, team
    )
    for entry in (
        entries.credit(12, 0, Record(7, AT, session.closed), session, POLICY),
        entries.reversal(13, 0, Record(8, AT, session.opened), session, POLICY),
        entries.adjustment(14, 0, Record(9, AT, adjusted), adjusted),
    ):
        said = json.loads(entry.body)
        assert entry.body == rfc8785.dumps(said)
        assert said["team"] == team
        assert said.get("activity") == activity


def test_a_genesis_names_the_ledger_and_its_policy() -> None:
    entry = entries.genesis(3, "tongzhou.hours.example", POLICY)
    assert entry.body.decode() == (
        '{"ledger":"tongzhou.hours.example","policy":{"cap_seconds":57600,"debounce_seconds":60,'
        '"horizon_seconds":1209600,"shard_count":4,"skew_seconds":300,'
        '"timezone":"Asia/Shanghai"},"seq":0,"shard":3,"type":"genesis","v":1}'
    )
    assert entry[:7] == (0, "genesis", None, None, None, 0, 0)


def test_a_credit_is_these_bytes() -> None:
    entry = entries.credit(12, 0, Record(7, AT + SECOND, OUT), SESSION, POLICY)
    assert entry.body.decode() == (
        '{"activity":"练歌","closed_at":"2026-09-21T15:43:20.999999Z",'
        '"closed_by":{"id":"b","source":"/kiosks/2"},"log":{"offset":7,"partition":0},'
        '"opened_at":"2026-09-21T14:13:20.000000Z","opened_by":{"id":"a","source":"/kiosks/1"},'
        '"place":"站一","recorded_at":"2026-09-21T14:13:21.000000Z","seconds":5400,"seq":12,'
        f'"session":"{ID}","shard":0,"team":"合唱队","type":"credit","v":1,"volunteer":"V1"}}'
    )
    assert entry.leaf == leaf_hash(entry.body)
    assert (entry.sessions, entry.seconds) == (1, 5_400)
    assert entry.grain == Grain("合唱队", "站一", "练歌", "2026-09-21")


def test_a_reversal_says_which_session_it_takes_back_and_why() -> None:
    void = Void("V1", AT, "/desks/1", "v", "/kiosks/2", "b", "leader", "错了")
    entry = entries.reversal(13, 0, Record(8, AT + SECOND, void), SESSION, POLICY)
    assert entry.body.decode() == (
        '{"activity":"练歌","because":{"id":"v","source":"/desks/1"},'
        '"log":{"offset":8,"partition":0},"opened_at":"2026-09-21T14:13:20.000000Z",'
        '"place":"站一","reason":"tap-voided","recorded_at":"2026-09-21T14:13:21.000000Z",'
        f'"seconds":5400,"seq":13,"session":"{ID}","shard":0,"team":"合唱队",'
        '"type":"reversal","v":1,"volunteer":"V1"}'
    )
    assert (entry.sessions, entry.seconds) == (-1, -5_400)
    late = IN._replace(id="c", occurred_at=AT + SECOND)
    entry = entries.reversal(13, 0, Record(8, AT + SECOND, late), SESSION, POLICY)
    assert json.loads(entry.body)["reason"] == "tap-arrived"
    assert json.loads(entry.body)["because"] == {"id": "c", "source": "/kiosks/1"}


def test_what_an_entry_does_not_say_counts_under_the_empty_word() -> None:
    session = Session(Tap.of("V1", "in", AT, "/kiosks/1", "a"), OUT)
    entry = entries.credit(12, 0, Record(7, AT, OUT), session, POLICY)
    assert entry.grain == Grain("", "", "", "2026-09-21")
    assert not {"team", "place", "activity"} & json.loads(entry.body).keys()


def test_an_adjustment_names_both_people() -> None:
    adjusted = Adjustment(
        "V1", AT, "/desks/1", "x", "合唱队", None, "2026-09-20", -900, "leader", "office", "多记了"
    )
    entry = entries.adjustment(14, 0, Record(9, AT, adjusted), adjusted)
    assert entry.body.decode() == (
        '{"approved_by":"office","by":"leader","day":"2026-09-20",'
        '"event":{"id":"x","source":"/desks/1"},"log":{"offset":9,"partition":0},'
        '"reason":"多记了","recorded_at":"2026-09-21T14:13:20.000000Z","seconds":-900,"seq":14,'
        '"shard":0,"team":"合唱队","type":"adjustment","v":1,"volunteer":"V1"}'
    )
    assert entry.grain == Grain("合唱队", "", "", "2026-09-20")


def test_the_session_s_name_depends_on_its_two_taps_identities_alone() -> None:
    moved = Session(Tap.of("V1", "in", AT + 1, IN.source, IN.id, "义诊队", "站一"), OUT)
    assert entries.session_id(moved) == ID
    for other in (
        Session(IN._replace(id="z"), OUT),
        Session(IN, OUT._replace(source="/kiosks/9")),
        Session(IN._replace(volunteer="V2"), OUT),
        Session(IN._replace(source="/kiosks/1/a", id=""), OUT),
    ):
        assert entries.session_id(other) != ID
