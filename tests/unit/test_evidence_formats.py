"""The formats of evidence, to the byte: keys, notes, checkpoints, bundles, moments, the index."""

import base64
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ledger.evidence.checkpoints import (
    Checkpoint,
    note_of_line,
    one_line,
    read_checkpoint,
    verified_checkpoint,
)
from ledger.evidence.moments import (
    CertificateFate,
    Moment,
    NotADistrictEntry,
    Pinned,
    read_district_entry,
)
from ledger.evidence.notes import (
    Key,
    NotAKey,
    NotANote,
    cosigned_text,
    key_of,
    read_note,
    signature_line,
    signed,
    verified,
    with_signatures,
)
from ledger.evidence.proofs import is_included
from ledger.evidence.tlog_proofs import NotAProof, TlogProof, read_tlog_proof, verified_proof
from ledger.evidence.volunteer_index import EMPTY_CHAIN, Indexed, VolunteerIndex, chained
from ledger.merkle import EMPTY_ROOT, Frontier, leaf_hash

LEDGER = "tongzhou.hours.example"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key().public_bytes_raw()
KEY = Key(LEDGER, PUBLIC)
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
WITNESS = Key("witness.example", OTHER.public_key().public_bytes_raw(), is_witness=True)
ROOT = leaf_hash(b"{}")
VKEY = "tongzhou.hours.example+ba6e2ca7+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
NOTE = (
    "tongzhou.hours.example\n1\nKKOhj2zWQGsIbp/9ofm4oT289EsPPzLLkDGhH9BTrPk=\n\n"
    "— tongzhou.hours.example um4sp+oocAma375NlEMeVsvny7a1CUt7blJtI9pCL99XbRzuYxQWVnOLnlBF"
    "jWn0+QzEpuLUtJGioWuvsQBWyU+9MQI=\n"
)


def checkpoint_note(origin: str = LEDGER, size: int = 1, root: bytes = ROOT) -> str:
    return signed(Checkpoint(origin, size, root).text, [(KEY.named(origin), PRIVATE.sign)])


def witnessed(note: str, at: int) -> str:
    text = read_note(note).text
    signature = at.to_bytes(8, "big") + OTHER.sign(cosigned_text(text, at))
    return with_signatures(note, signature_line(WITNESS, signature))


def test_a_key_and_a_checkpoint_have_these_bytes() -> None:
    assert KEY.vkey == VKEY
    assert key_of(VKEY) == KEY
    assert checkpoint_note() == NOTE


def test_a_bundle_has_these_bytes() -> None:
    proof = TlogProof(b"{}", 0, (ROOT,), NOTE)
    assert proof.text == (
        "c2sp.org/tlog-proof@v1\nextra e30=\nindex 0\n"
        "KKOhj2zWQGsIbp/9ofm4oT289EsPPzLLkDGhH9BTrPk=\n\n" + NOTE
    )
    assert read_tlog_proof(proof.text) == proof


def test_a_moment_and_a_fate_have_these_bytes() -> None:
    pinned = Pinned(root="0" * 64, size=3, volunteers=1, volunteers_root="1" * 64)
    moment = Moment(at="2026-11-25T08:00:00.000000Z", ledger=LEDGER, seq=7, shards=[pinned])
    assert moment.body == (
        b'{"at":"2026-11-25T08:00:00.000000Z","ledger":"tongzhou.hours.example","seq":7,"shards":'
        b'[{"root":"' + b"0" * 64 + b'","size":3,"volunteers":1,"volunteers_root":"' + b"1" * 64
        + b'"}],"type":"moment","v":1}'
    )  # fmt: skip
    fate = CertificateFate(
        at="2026-11-25T08:00:00.000000Z", ledger=LEDGER, seq=8, number="2026-000001",
        statement="2" * 64, status="issued",
    )  # fmt: skip
    assert [read_district_entry(one.body) for one in (moment, fate)] == [moment, fate]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b'{"type":"moment"}', b"[]",
        b'{"at":"2026-11-25T08:00:00.000000Z","ledger":"x","seq":7,"shards":[],"type":"moment","v":2}',
        b'{"ledger":"x","at":"2026-11-25T08:00:00.000000Z","seq":7,"shards":[],"type":"moment","v":1}',
        b'{"at":"2026-11-25","ledger":"x","seq":7,"shards":[],"type":"moment","v":1}',
    ],
)  # fmt: skip
def test_what_is_no_entry_of_the_district_is_refused(body: bytes) -> None:
    with pytest.raises(NotADistrictEntry):
        read_district_entry(body)


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "x+00+AQ==", VKEY.replace("ba6e2ca7", "ba6e2ca8"), VKEY.replace("+AQ", "+Ag"),
        VKEY.replace("tongzhou", "tong zhou"), VKEY + "A", VKEY.replace("tongzhou", "tongzhov"),
    ],
)  # fmt: skip
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NotAKey):
        key_of(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x", "a line name+id+base64"),
        (VKEY.replace("+AQ", "+Ag"), "type 2 is not known"),
        (VKEY.replace("ba6e2ca7", "ba6e2ca8"), "is not ba6e2ca8: the line was altered"),
    ],
)
def test_what_is_wrong_with_a_key_is_said(text: str, why: str) -> None:
    with pytest.raises(NotAKey, match=re.escape(why)):
        key_of(text)


def test_a_key_s_line_gives_it_back_a_witness_s_too() -> None:
    assert key_of(f" {KEY.vkey}\n") == KEY
    assert key_of(WITNESS.vkey) == WITNESS
    assert key_of(VKEY.replace("ba6e2ca7", "BA6E2CA7")) == KEY


def test_lines_that_are_added_stand_behind_those_there_are_each_once() -> None:
    note = checkpoint_note()
    first, second = (witnessed(note, at).removeprefix(note) for at in (1, 2))
    assert with_signatures(note, first + second + first) == note + first + second
    assert with_signatures(note + first, first + second) == note + first + second


@pytest.mark.parametrize(
    ("note", "why"),
    [
        ("", "no text, blank line and signatures"),
        ("x\n", "no text, blank line and signatures"),
        ("\n\n— x AAAAAAA=\n", "no text, blank line and signatures"),
        ("x\n\n— x AAAAAAA=", "no text, blank line and signatures"),
        ("x\ty\n\n— x AAAAAAA=\n", "too long, or with control characters"),
        ("x" * 1_000_000 + "\n\n— x AAAAAAA=\n", "too long, or with control characters"),
        ("x\n\n" + "— x AAAAAAA=\n" * 101, "more than 100 signatures"),
        ("x\n\n— x AAAAAA==\n", "not a signature line: — x AAAAAA=="),
        ("x\n\n— x+y AAAAAAA=\n", "not a signature line: — x+y"),
        ("x\n\n" + "y" * 100 + "\n", "not a signature line: " + "y" * 80 + "$"),
    ],
)
def test_what_is_no_note_is_refused_and_says_why(note: str, why: str) -> None:
    with pytest.raises(NotANote, match=re.escape(why).replace(r"\$", "$")):
        read_note(note)


def test_a_note_may_be_as_long_and_signed_as_often_as_the_format_lets_it() -> None:
    line = "— x AAAAAAA=\n"
    assert read_note("a\n\nb\n\n" + line * 100).text == "a\n\nb\n"
    longest = "y" * (1_000_000 - len(("\n\n" + line).encode())) + "\n\n" + line
    assert len(longest.encode()) == 1_000_000
    assert read_note(longest).signatures == (("x", bytes(5)),)


def test_a_signature_that_is_missing_or_wrong_is_told_apart() -> None:
    assert verified_checkpoint(NOTE, [KEY]).note == NOTE
    with pytest.raises(NotANote, match="none of the keys given has signed it"):
        verified(NOTE, [WITNESS])
    with pytest.raises(NotANote, match=f"the signature of {re.escape(LEDGER)} is wrong"):
        verified(NOTE.replace("\n1\n", "\n2\n"), [KEY])
    assert WITNESS.named("x").is_witness


def test_one_key_signs_all_trees_of_its_ledger_and_no_other_s() -> None:
    for tree in (LEDGER, f"{LEDGER}/shard-0", f"{LEDGER}/shard-12"):
        assert verified_checkpoint(checkpoint_note(tree), [KEY]).checkpoint.origin == tree
    for other in ("other.example", f"{LEDGER}/shard-01", f"{LEDGER}x/shard-0", f"{LEDGER}/x"):
        with pytest.raises(NotANote):
            verified_checkpoint(checkpoint_note(other), [KEY])


def test_a_witness_adds_when_it_saw_and_alone_is_not_the_log() -> None:
    note = witnessed(checkpoint_note(), 1_790_000_000)
    assert verified_checkpoint(note, [KEY, WITNESS]).keys == {KEY: None, WITNESS: 1_790_000_000}
    assert verified_checkpoint(note, [KEY]).keys == {KEY: None}
    with pytest.raises(NotANote, match="the log itself"):
        verified_checkpoint(note, [WITNESS])


def test_while_a_key_is_followed_by_another_either_verifies() -> None:
    new = Key(LEDGER, OTHER.public_key().public_bytes_raw())
    note = signed(Checkpoint(LEDGER, 1, ROOT).text, [(new, OTHER.sign), (KEY, PRIVATE.sign)])
    for known in ([KEY], [new], [KEY, new]):
        assert set(verified_checkpoint(note, known).keys) == set(known)


@given(st.data())
def test_any_change_of_a_signed_checkpoint_is_refused(data: Any) -> None:
    note = bytearray(checkpoint_note().encode())
    at = data.draw(st.integers(0, len(note) - 1))
    changed = data.draw(st.integers(0, 255).filter(lambda one: one != note[at]))
    note[at] = changed
    try:
        text = note.decode()
    except UnicodeDecodeError:
        return
    with pytest.raises(NotANote):
        verified_checkpoint(text, [KEY])


@given(st.text(max_size=200))
def test_any_text_is_a_checkpoint_or_is_refused(text: str) -> None:
    for given_text in (text, f"{text}\n\n— {LEDGER} {text}\n", NOTE + text):
        try:
            verified(given_text, [KEY])
        except NotANote:
            continue
        assert given_text.startswith(NOTE)


def test_a_line_for_paper_gives_the_checkpoint_back() -> None:
    note = checkpoint_note()
    line = one_line(witnessed(note, 1_790_000_000))
    assert note_of_line(line) == note
    assert note_of_line(f"  {line}\n") == note
    assert note_of_line("hours-checkpoint/1 x 1") is None
    assert note_of_line(note) is None


def test_a_line_for_paper_keeps_all_keys_of_a_log_that_changes_its_own() -> None:
    new = Key(LEDGER, OTHER.public_key().public_bytes_raw())
    note = signed(Checkpoint(LEDGER, 1, ROOT).text, [(new, OTHER.sign), (KEY, PRIVATE.sign)])
    assert note_of_line(one_line(note)) == note


@pytest.mark.parametrize(
    "checkpoint",
    [Checkpoint("x", 0, EMPTY_ROOT), Checkpoint("a b", 10**18, ROOT), Checkpoint("x", 1, ROOT)],
)
def test_a_checkpoint_s_text_gives_it_back_whatever_lines_follow(checkpoint: Checkpoint) -> None:
    assert read_checkpoint(checkpoint.text) == checkpoint
    assert read_checkpoint(f"{checkpoint.text}more\n") == checkpoint


@pytest.mark.parametrize(
    "text",
    ["x\n01\n" + base64.b64encode(ROOT).decode() + "\n", "x\n1\nAA==\n", "x\n-1\n\n", "x\n", ""],
)
def test_a_checkpoint_that_is_not_to_the_letter_is_refused(text: str) -> None:
    with pytest.raises(NotANote, match="origin, size and root are not to the letter"):
        read_checkpoint(text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@v1", "@v2"), ("extra e30=", "extra e30"), ("extra e30=\n", ""), ("index 0", "index 00"),
        ("index 0", "index 1"), ("e30=", "e31="), ("=\n\n", "\n\n"), ("\n\n", "\n"),
    ],
)  # fmt: skip
def test_a_bundle_that_was_changed_proves_nothing(old: str, new: str) -> None:
    top = Frontier()
    beside = leaf_hash(b"[]")
    top.extend([leaf_hash(b"{}"), beside])
    proof = TlogProof(b"{}", 0, (beside,), checkpoint_note(size=2, root=top.root())).text
    assert verified_proof(read_tlog_proof(proof), [KEY]).checkpoint.size == 2
    with pytest.raises((NotAProof, NotANote)):
        verified_proof(read_tlog_proof(proof.replace(old, new, 1)), [KEY])


@given(st.sets(st.text("ABCDV0123", min_size=1, max_size=6), max_size=60), st.data())
def test_the_index_is_the_rfc_6962_tree_of_its_leaves_in_order(names: set[str], data: Any) -> None:
    index = VolunteerIndex()
    rest = sorted(names)
    for part in (rest[::2], rest[1::2]):  # in whatever order they come
        index.update(Indexed(name, len(name), EMPTY_CHAIN) for name in part)
    expected = Frontier()
    expected.extend(leaf_hash(Indexed(name, len(name), EMPTY_CHAIN).body) for name in rest)
    assert (index.size, index.root) == (len(names), expected.root())
    for at, name in enumerate(rest):
        place = index.place(name)
        assert place == (at, Indexed(name, len(name), EMPTY_CHAIN))
        assert is_included(leaf_hash(place[1].body), at, index.size, index.proof(at), index.root)
    assert index.place("absent") is None


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=8), st.data())
def test_a_chain_tells_of_any_entry_left_out_or_moved(leaves: list[bytes], data: Any) -> None:
    cut = data.draw(st.integers(0, len(leaves)))
    assert chained(leaves[cut:], chained(leaves[:cut])) == chained(leaves)
    if leaves:
        left_out = data.draw(st.integers(0, len(leaves) - 1))
        assert chained(leaves[:left_out] + leaves[left_out + 1 :]) != chained(leaves)
