"""A volunteer's record: what it proves, and that nothing else passes for it."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.entries import genesis
from ledger.evidence.base64_text import encoded
from ledger.evidence.checkpoints import Checkpoint, origin_of, shard_tree
from ledger.evidence.moments import CertificateFate, Moment, Pinned
from ledger.evidence.notes import Key, NotANote, signed
from ledger.evidence.proofs import inclusion_proof
from ledger.evidence.records import (
    Hashes,
    IndexPlace,
    PinnedMoment,
    ProvenEntry,
    Record,
    read_record,
    split,
    verified_record,
)
from ledger.evidence.tiles import TileNodes
from ledger.evidence.tlog_proofs import NotAProof, verified_proof
from ledger.evidence.volunteer_index import Indexed, chained
from ledger.merkle import leaf_hash
from ledger.policy import SECOND, Policy
from ledger.shard import Head, Shard
from ledger.taps import Record as LogRecord
from ledger.taps import Tap
from tests.unit.test_proofs import root, tiled

LEDGER = "tongzhou.hours.example"
POLICY = Policy()
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = Key(LEDGER, PRIVATE.public_key().public_bytes_raw())
AT = 1_790_000_000 * SECOND
VOLUNTEERS = ("V1", "V2", "V3")
SHARD = 1


def path(at: int, leaves: list[bytes]) -> list[bytes]:
    """What lies beside the way from a leaf up to the root."""
    return inclusion_proof(at, len(leaves), TileNodes(len(leaves), tiled(leaves).__getitem__))


class World:
    """A shard's entries of three volunteers, a district's log of four entries, all of it signed."""

    def __init__(self) -> None:
        shard = Shard(SHARD, POLICY, Head.after(genesis(SHARD, LEDGER, POLICY)))
        log = [
            LogRecord(0, AT + 90_000 * SECOND, tap)
            for number in range(3)
            for who in VOLUNTEERS
            for tap in self._session(who, AT + number * 20_000 * SECOND, f"{who}-{number}")
        ]
        log = [one._replace(offset=at) for at, one in enumerate(log)]
        entries = [genesis(SHARD, LEDGER, POLICY), *shard.fold(log).entries]
        self.bodies = [entry.body for entry in entries]
        self.leaves = [entry.leaf for entry in entries]
        self.places = {
            who: [entry.seq for entry in entries if entry.volunteer == who] for who in VOLUNTEERS
        }
        self.index = [
            leaf_hash(Indexed(who, len(theirs), chained(self.leaves[seq] for seq in theirs)).body)
            for who, theirs in self.places.items()
        ]
        pinned = Pinned(
            root=root(self.leaves).hex(),
            size=len(self.leaves),
            volunteers=len(self.index),
            volunteers_root=root(self.index).hex(),
        )
        self.moment = moment(2, pinned)
        self.district = [
            moment(0, pinned).body,
            CertificateFate(
                at=_time(1), ledger=LEDGER, seq=1, number="1", statement="0" * 64, status="issued"
            ).body,
            self.moment.body,
            moment(3, pinned, ledger="other.example").body,
            b"rubbish",
        ]

    @staticmethod
    def _session(who: str, at: int, id: str) -> list[Tap]:
        opened = Tap.of(who, "in", at, "/kiosks/1", f"{id}-in", "choir", "station-1")
        return [opened, Tap.of(who, "out", at + 3_600 * SECOND, "/kiosks/1", f"{id}-out")]

    def record(self, who: str = "V2", at: int = 2, is_whole: bool = True) -> Record:
        """The whole record of a volunteer, at the entry `at` of the district's log."""
        hashes = Hashes()
        entries = [
            ProvenEntry(
                body=self.bodies[seq].decode(),
                seq=seq,
                path=hashes.places(path(seq, self.leaves)),
            )
            for seq in self.places[who]
        ]
        leaves = [leaf_hash(body) for body in self.district]
        place = VOLUNTEERS.index(who)
        whole = IndexPlace(index=place, path=hashes.places(path(place, self.index)))
        return Record(
            ledger=LEDGER,
            volunteer=who,
            shard=SHARD,
            moment=PinnedMoment(
                body=self.district[at].decode(),
                index=at,
                path=hashes.places(path(at, leaves)),
                checkpoint=checkpoint(LEDGER, leaves),
            ),
            shard_checkpoint=checkpoint(origin_of(LEDGER, shard_tree(SHARD)), self.leaves),
            entries=entries,
            whole=whole if is_whole else None,
            hashes=hashes.listed(),
        )


def checkpoint(origin: str, leaves: list[bytes]) -> str:
    text = Checkpoint(origin, len(leaves), root(leaves)).text
    return signed(text, [(KEY.named(origin), PRIVATE.sign)])


def _time(second: int) -> str:
    return f"2026-11-25T00:00:{second:02}.000000Z"


def moment(seq: int, pinned: Pinned, ledger: str = LEDGER) -> Moment:
    empty = pinned.model_copy(update={"size": 1})
    return Moment(at=_time(seq), ledger=ledger, seq=seq, shards=[empty, pinned])


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def altered(record: Record, change: Callable[[dict[str, Any]], Any]) -> Record:
    """A copy with something else in it."""
    fields = record.model_dump(exclude_none=True)
    change(fields)
    return Record.model_validate(fields)


def why(record: Record) -> str:
    with pytest.raises(NotAProof) as refused:
        verified_record(record, [KEY])
    return str(refused.value)


@pytest.mark.parametrize("who", VOLUNTEERS)
def test_a_whole_record_proves_all_of_a_volunteer_s_entries(world: World, who: str) -> None:
    record = world.record(who)
    proven = verified_record(read_record(record.text), [KEY])
    assert proven.bodies == [world.bodies[seq] for seq in world.places[who]]
    assert (proven.volunteer, proven.moment, proven.is_whole) == (who, world.moment, True)
    assert proven.checkpoint.checkpoint.origin == LEDGER
    assert proven.checkpoint.checkpoint.size == len(world.district)


def test_without_its_place_in_the_index_it_proves_what_it_has_and_says_no_more(
    world: World,
) -> None:
    some = altered(world.record(is_whole=False), lambda it: it["entries"].pop(1))
    proven = verified_record(some, [KEY])
    assert (len(proven.bodies), proven.is_whole) == (2, False)


def test_an_entry_left_out_of_a_whole_record_is_noticed(world: World) -> None:
    for at in range(3):
        assert "these are not all entries of V2: the index of shard 1" in why(
            altered(world.record(), lambda it, at=at: it["entries"].pop(at))
        )
    nothing = altered(world.record(), lambda it: it.update(volunteer="V1", entries=[]))
    assert "not all entries of V1" in why(nothing)


@pytest.mark.parametrize("is_whole", [True, False])
def test_nobody_can_show_another_s_entries_as_their_own(world: World, is_whole: bool) -> None:
    renamed = altered(world.record(is_whole=is_whole), lambda it: it.update(volunteer="V1"))
    assert why(renamed) == f"entry {world.places['V2'][0]} is not of V1"


def test_an_entry_that_is_nobody_s_is_in_no_record(world: World) -> None:
    record = world.record(is_whole=False)
    hashes = [*record.hashes, *map(encoded, path(0, world.leaves))]
    way = list(range(len(record.hashes), len(hashes)))
    begun = ProvenEntry(body=world.bodies[0].decode(), seq=0, path=way)
    with_it = record.model_copy(update={"hashes": hashes, "entries": [begun, *record.entries]})
    assert why(with_it) == "entry 0 is not of V2"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: it["entries"].reverse(), "comes twice, or out of order"),
        (lambda it: it["entries"].append(it["entries"][-1]), "comes twice, or out of order"),
        (lambda it: it["entries"][0].update(body="{}"), "is not in the tree of shard 1"),
        (lambda it: it["entries"][0]["path"].pop(), "is not in the tree of shard 1"),
        (lambda it: it["entries"][0]["path"].append(999), "a path names a hash that isn't there"),
        (lambda it: it["entries"][0]["path"].append(len(it["hashes"])), "that isn't there"),
        (lambda it: it["whole"].update(index=0), "not all entries of V2"),
        (lambda it: it["moment"].update(index=0), "the moment is not in the district's tree"),
        (lambda it: it["moment"]["path"].pop(), "the moment is not in the district's tree"),
        (lambda it: it.update(shard=2), "the moment has no shard 2"),
        (lambda it: it.update(shard=0), "is not in the tree of shard 0"),
        (
            lambda it: it["hashes"].__setitem__(0, encoded(sha256(b"").digest())),
            "is not in the tree of shard 1",
        ),
    ],
)
def test_whatever_is_altered_is_refused_and_named(
    world: World, change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    assert said in why(altered(world.record(), change))


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (1, "that entry of the district's tree is no moment of this ledger"),
        (3, "that entry of the district's tree is no moment of this ledger"),
        (4, "the moment: "),
    ],
    ids=["a certificate's fate", "another ledger's", "rubbish"],
)
def test_what_stands_in_the_district_s_tree_but_is_no_moment_of_it_proves_nothing(
    world: World, at: int, said: str
) -> None:
    assert why(world.record(at=at)).startswith(said)


def test_the_checkpoint_is_the_district_s_and_signed_by_a_key_that_is_trusted(
    world: World,
) -> None:
    record = world.record()
    of_shard = altered(record, lambda it: it["moment"].update(checkpoint=record.shard_checkpoint))
    assert why(of_shard) == f"{origin_of(LEDGER, shard_tree(SHARD))} is not the district's tree"
    stranger = Key(LEDGER, Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    with pytest.raises(NotANote):
        verified_record(record, [stranger])


def test_it_can_be_split_into_bundles_that_prove_the_same_one_by_one(world: World) -> None:
    record = world.record()
    of_moment, *of_entries = split(record)
    assert verified_proof(of_moment, [KEY]).checkpoint.origin == LEDGER
    assert of_moment.entry == world.moment.body
    assert [bundle.entry.decode() for bundle in of_entries] == [
        entry.body for entry in record.entries
    ]
    for bundle in of_entries:
        assert verified_proof(bundle, [KEY]).checkpoint.size == len(world.leaves)


@pytest.mark.parametrize("text", ["", "[]", "{}", "rubbish", '{"format":"hours-record"}'])
def test_a_file_that_is_no_record_is_refused_and_says_why(text: str) -> None:
    with pytest.raises(NotAProof, match=r"\w"):
        read_record(text)
