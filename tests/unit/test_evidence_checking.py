"""Entries held against what was signed: nothing is found where nothing is wrong, else what is."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.entries import Entry, canonical, genesis
from ledger.evidence.checking import Pin, ShardChecked, check_shard, pins_of, read_district
from ledger.evidence.moments import CertificateFate, Moment, Pinned
from ledger.evidence.volunteer_index import Indexed, VolunteerIndex, chained
from ledger.merkle import EMPTY_ROOT, leaf_hash
from ledger.shard import Head, Shard
from ledger.taps import Record, Tap, Void
from tests.facts import MINUTE, SMALL, START, lengths, random_log, seeds
from tests.unit.test_proofs import root

LEDGER = "tongzhou.hours.example"
FIRST = genesis(0, LEDGER, SMALL)
SERVED = [
    Tap.of("V1", "in", START, "/kiosks/1", "a", "合唱队", "站一"),
    Tap.of("V1", "out", START + 5 * MINUTE, "/kiosks/1", "b"),
    Void("V1", START + 6 * MINUTE, "/desks/1", "v", "/kiosks/1", "b", "leader", "错了"),
    Tap.of("V2", "in", START, "/kiosks/1", "c", "义诊队", "站二"),
    Tap.of("V2", "out", START + 4 * MINUTE, "/kiosks/1", "d"),
]


def settled(records: Sequence[Record]) -> list[Entry]:
    """All entries of the shard."""
    return [FIRST, *Shard(0, SMALL, Head.after(FIRST)).fold(records).entries]


def served() -> list[bytes]:
    """A genesis, a credit, its reversal, and another's credit."""
    records = [Record(at, START + 10 * MINUTE, fact) for at, fact in enumerate(SERVED)]
    return [entry.body for entry in settled(records)]


def root_of(bodies: Sequence[bytes]) -> bytes:
    return root([leaf_hash(body) for body in bodies])


def moment_of(*shards: Sequence[bytes], seq: int = 0, at: int = 0, ledger: str = LEDGER) -> Moment:
    """What a signer pins where each shard has these entries; `at` is a second."""
    return Moment(
        at=f"2026-11-25T00:00:{at:02}.000000Z",
        ledger=ledger,
        seq=seq,
        shards=[pinned(bodies) for bodies in shards],
    )


def pinned(bodies: Sequence[bytes]) -> Pinned:
    theirs: dict[str, list[bytes]] = {}
    for body in bodies[1:]:
        theirs.setdefault(json.loads(body)["volunteer"], []).append(leaf_hash(body))
    index = VolunteerIndex(Indexed(who, len(all), chained(all)) for who, all in theirs.items())
    return Pinned(
        root=root_of(bodies).hex(),
        size=len(bodies),
        volunteers=index.size,
        volunteers_root=index.root.hex(),
    )


def checked(bodies: Sequence[bytes], *signed: Moment) -> ShardChecked:
    last = signed[-1] if signed else None
    return check_shard(0, [bodies], pins_of(0, signed), last)


def found(bodies: Sequence[bytes], *signed: Moment) -> list[tuple[str, str, str]]:
    findings = checked(bodies, *signed).findings
    assert {(one.invariant, one.shard) for one in findings} <= {(7, 0)}
    return [(one.where, one.stored, one.expected) for one in findings]


@given(seeds, lengths, st.lists(st.integers(0, 60), max_size=4), st.integers(1, 60))
def test_entries_as_they_were_settled_hold_in_whatever_parts_they_come(
    seed: int, length: int, cuts: list[int], signed: int
) -> None:
    entries = settled(random_log(seed, length))
    bodies = [entry.body for entry in entries]
    moment = moment_of(bodies[: 1 + signed % len(bodies)])
    edges = sorted({0, *(cut % len(bodies) for cut in cuts), len(bodies)})
    parts = [bodies[start:stop] for start, stop in pairwise(edges)]
    pins = [*pins_of(0, [moment]), Pin(len(bodies), root_of(bodies), "now")]
    assert check_shard(0, parts, pins, moment) == (
        *(0, len(bodies), root_of(bodies)),
        *(Counter(entry.type for entry in entries), sum(entry.seconds for entry in entries), []),
    )


def changed(**fields: Any) -> Callable[[bytes], bytes]:
    return lambda body: canonical(json.loads(body) | fields)


def without(name: str) -> Callable[[bytes], bytes]:
    return lambda body: canonical(
        {key: value for key, value in json.loads(body).items() if key != name}
    )


@pytest.mark.parametrize(
    ("seq", "spoil", "kinds"),
    [
        (1, changed(seconds=301), {"size 4", "the volunteers' index"}),
        (1, changed(seq=2), {"seq 1", "size 4", "the volunteers' index"}),
        (1, changed(shard=1), {"seq 1", "size 4", "the volunteers' index"}),
        (1, changed(type="gift"), {"seq 1", "size 4", "the volunteers' index"}),
        (1, changed(type="genesis"), {"seq 1", "size 4", "the volunteers' index"}),
        (0, changed(type="credit"), {"seq 0", "size 4"}),
        (1, without("type"), {"seq 1", "size 4", "the volunteers' index"}),
        (1, lambda body: body + b" ", {"seq 1", "size 4", "the volunteers' index"}),
        (1, lambda body: b"\xff", {"seq 1", "size 4", "the volunteers' index"}),
        (1, lambda body: b"[]", {"seq 1", "size 4", "the volunteers' index"}),
    ],
    ids=["seconds", "seq", "shard", "type", "a second genesis", "no genesis", "no type",
         "not canonical", "no JSON", "no object"],
)  # fmt: skip
def test_one_altered_entry_is_found_and_named(
    seq: int, spoil: Callable[[bytes], bytes], kinds: set[str]
) -> None:
    bodies = served()
    moment = moment_of(bodies)
    bodies[seq] = spoil(bodies[seq])
    where = {one[0] for one in found(bodies, moment)}
    assert kinds <= where
    assert where <= {*kinds, "seq 2"}  # the reversal has lost its credit


def test_of_each_kind_of_fault_the_first_is_told() -> None:
    first, *others = served()
    others = [changed(seq=9)(body) for body in others]
    others[1] += b" "
    where = [one[0] for one in found([first, *others])]
    assert where == ["seq 1", "seq 2"]


def test_an_altered_entry_is_told_as_it_stands() -> None:
    bodies = served()
    bodies[1] = changed(seq=9)(bodies[1])
    assert found(bodies) == [("seq 1", "an entry that says 9", "1")]
    bodies = served()
    bodies[3] += b" "
    assert found(bodies) == [
        ("seq 3", bodies[3].decode(), "not an entry of this shard in canonical form")
    ]


def test_credits_and_reversals_of_a_session_take_turns_a_credit_first() -> None:
    first, credit, reversal, _ = served()
    again = changed(seq=2)(credit)
    back = changed(seq=3)(reversal)
    third = changed(seq=1)(reversal)
    name = json.loads(credit)["session"]
    for bodies, seq, kind in (
        ([first, credit, again], 2, "credit"),
        ([first, third], 1, "reversal"),
        ([first, credit, reversal, back], 3, "reversal"),
    ):
        assert found(bodies) == [
            (
                f"seq {seq}",
                f"{kind} of session {name} out of turn",
                "credits and reversals take turns, a credit first",
            )
        ]
    assert found([first, credit, reversal, changed(seq=3)(credit)]) == []
    later = changed(seq=2, opened_at="2026-09-30T00:00:00.000000Z")(credit)
    assert found([first, credit, later]) == []  # its name came again, days later


def test_entries_that_end_too_early_are_short_of_what_was_signed() -> None:
    bodies = served()
    moment = moment_of(bodies)
    assert found(bodies[:3], moment) == [("size 4", "3 entries", f"signed at {moment.at}")]


def test_every_root_that_was_signed_is_held_at_its_size() -> None:
    bodies = served()
    early, late = moment_of(bodies[:2], at=1), moment_of(bodies, at=2, seq=1)
    assert found(bodies, early, late) == []
    other = early.model_copy(
        update={"shards": [early.shards[0].model_copy(update={"root": "ab" * 32})]}
    )
    assert found(bodies, other, late) == [
        ("size 2", root_of(bodies[:2]).hex(), f"{'ab' * 32}, signed at {early.at}")
    ]


def test_the_volunteers_index_is_of_the_entries_up_to_the_moment() -> None:
    bodies = served()
    moment = moment_of(bodies[:3])
    assert found(bodies, moment) == []
    for update in ({"volunteers": 2}, {"volunteers_root": "cd" * 32}):
        other = moment.model_copy(update={"shards": [moment.shards[0].model_copy(update=update)]})
        ((where, stored, expected),) = found(bodies, other)
        assert where == "the volunteers' index"
        mine, theirs = moment.shards[0], other.shards[0]
        assert stored == f"{mine.volunteers} volunteers, {mine.volunteers_root}"
        assert expected == f"{theirs.volunteers} volunteers, {theirs.volunteers_root}"


def test_a_moment_says_nothing_of_shards_that_it_does_not_have() -> None:
    moment = moment_of(served())
    assert [pin.size for pin in pins_of(0, [moment])] == [4]
    assert pins_of(1, [moment]) == []
    assert check_shard(1, [], pins_of(1, [moment]), moment).findings == []


# The district's log


def district_of(*entries: Moment | CertificateFate) -> list[bytes]:
    return [entry.body for entry in entries]


def fate(seq: int) -> CertificateFate:
    at = "2026-11-25T00:00:30.000000Z"
    return CertificateFate(
        at=at, ledger=LEDGER, seq=seq, number="2026-1", statement="0" * 64, status="issued"
    )


def test_moments_and_fates_are_read_in_their_order() -> None:
    bodies = served()
    first, last = moment_of(bodies[:1], at=1), moment_of(bodies, at=2, seq=2)
    read = read_district(LEDGER, district_of(first, fate(1), last))
    assert (read.moments, read.fates, read.findings) == ([first, last], [fate(1)], [])
    assert (read.size, read.root) == (3, root_of(district_of(first, fate(1), last)))
    assert read_district(LEDGER, []) == ([], [], 0, EMPTY_ROOT, [])


def told(*entries: Moment | CertificateFate) -> list[tuple[str, str, str]]:
    findings = read_district(LEDGER, district_of(*entries)).findings
    assert {(one.invariant, one.shard) for one in findings} <= {(7, None)}
    return [(one.where, one.stored, one.expected) for one in findings]


def test_a_moment_goes_on_in_time_and_in_size_from_the_one_before() -> None:
    bodies = served()
    first = moment_of(bodies[:2], bodies[:1], at=5)
    same, earlier = (moment_of(bodies[:2], bodies[:1], at=at, seq=1) for at in (5, 4))
    for moment in (same, earlier):
        assert told(first, moment) == [
            ("moment 1", f"at {moment.at}", f"after {first.at}: a clock was set back")
        ]
    shrunk, fewer = moment_of(bodies[:2], [], at=6, seq=1), moment_of(bodies, at=6, seq=1)
    assert told(first, shrunk) == [("moment 1", "sizes [2, 0]", "at least [2, 1]: a tree shrank")]
    assert told(first, fewer) == [("moment 1", "sizes [4]", "at least [2, 1]: a tree shrank")]
    assert told(first, moment_of(bodies, bodies, at=6, seq=1)) == []


def test_an_entry_of_another_place_or_ledger_or_none_at_all_is_named_and_the_rest_is_read() -> None:
    moments = [moment_of(served(), seq=seq, at=seq) for seq in range(3)]
    assert told(moments[1]) == [("district 0", f"1 of {LEDGER}", f"0 of {LEDGER}")]
    foreign = moment_of(served(), ledger="other.example")
    assert told(foreign) == [("district 0", "0 of other.example", f"0 of {LEDGER}")]
    read = read_district(LEDGER, [moments[0].body, b"rubbish", moments[2].body])
    assert [moment.seq for moment in read.moments] == [0, 2]
    ((_, _, where, stored, expected),) = read.findings
    assert (where, stored) == ("district 1", "rubbish")
    assert "Invalid JSON" in expected
    (spaced,) = read_district(LEDGER, [moments[0].body + b" "]).findings
    assert spaced.expected == "not in canonical form"
