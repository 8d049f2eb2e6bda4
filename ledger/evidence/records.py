"""A record: a volunteer's entries with all that proves them, in one file that needs no network.

Pure. JSON of its own, since the bundle format knows one entry alone: each hash stands in it once.
What it proves, step by step: a key signed the district's checkpoint; the moment is in that tree;
the moment names the shard's size and root; each entry is in that tree; and, in a whole record, the
volunteer's leaf is in the index the moment names, so that no entry up to then was left out.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ledger.evidence.base64_text import encoded
from ledger.evidence.checkpoints import (
    DISTRICT,
    SignedCheckpoint,
    tree_of,
    verified_checkpoint,
)
from ledger.evidence.growing import volunteer_of
from ledger.evidence.moments import Moment, NotADistrictEntry, read_district_entry
from ledger.evidence.notes import Key
from ledger.evidence.proofs import is_included
from ledger.evidence.tlog_proofs import NotAProof, TlogProof, hashes_of
from ledger.evidence.volunteer_index import Indexed, chained
from ledger.faults import first_fault
from ledger.merkle import leaf_hash

_Number = Annotated[int, Field(ge=0, lt=1 << 53)]
_MOST_ENTRIES = 100_000


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class PinnedMoment(_Part):
    """A moment, and where it stands in the district's tree."""

    body: str
    index: _Number
    path: list[_Number]
    checkpoint: str


class ProvenEntry(_Part):
    """An entry's bytes, as text, and where it stands in its shard's tree."""

    body: str
    seq: _Number
    path: list[_Number]


class IndexPlace(_Part):
    """Where the volunteer stands in the shard's index."""

    index: _Number
    path: list[_Number]


class Record(_Part):
    """The file. Paths are places in `hashes`, which are in base64."""

    format: Literal["hours-record"] = "hours-record"
    version: Literal[1] = 1
    ledger: str
    volunteer: str
    shard: _Number
    moment: PinnedMoment
    shard_checkpoint: str
    entries: Annotated[list[ProvenEntry], Field(max_length=_MOST_ENTRIES)]
    whole: IndexPlace | None = None
    hashes: list[str]

    @property
    def text(self) -> str:
        """As it is kept in a file."""
        return self.model_dump_json(exclude_none=True) + "\n"


class ProvenRecord(NamedTuple):
    """What a record proves: entries' bytes in order, at a moment, under a checkpoint."""

    volunteer: str
    bodies: list[bytes]
    moment: Moment
    checkpoint: SignedCheckpoint
    is_whole: bool


class Hashes:
    """Hashes each of which is written once."""

    def __init__(self) -> None:
        self._places: dict[bytes, int] = {}

    def places(self, hashes: Iterable[bytes]) -> list[int]:
        """Where they stand, added if they are new."""
        return [self._places.setdefault(one, len(self._places)) for one in hashes]

    def listed(self) -> list[str]:
        """All of them."""
        return [encoded(one) for one in self._places]


def read_record(data: bytes | str) -> Record:
    """The record in a file. NotAProof, naming what is wrong with it."""
    try:
        return Record.model_validate_json(data)
    except ValidationError as error:
        raise NotAProof(first_fault(error)) from error


def verified_record(record: Record, keys: Iterable[Key]) -> ProvenRecord:
    """What the record proves to who trusts these keys. NotANote, NotAProof."""
    hashes = hashes_of(record.hashes)
    signed = verified_checkpoint(record.moment.checkpoint, keys)
    if tree_of(record.ledger, signed.checkpoint.origin) != DISTRICT:
        raise NotAProof(f"{signed.checkpoint.origin} is not the district's tree")
    moment = _verified_moment(record, hashes, signed)
    bodies = _verified_entries(record, hashes, moment)
    if record.whole is not None:
        _verify_whole(record, record.whole, hashes, moment, bodies)
    return ProvenRecord(record.volunteer, bodies, moment, signed, record.whole is not None)


def split(record: Record) -> list[TlogProof]:
    """A bundle for each entry, and one for the moment, as other programs take them."""
    hashes = hashes_of(record.hashes)
    moment = record.moment
    return [
        TlogProof(
            moment.body.encode(), moment.index, tuple(_path(moment.path, hashes)), moment.checkpoint
        ),
        *(
            TlogProof(
                one.body.encode(), one.seq, tuple(_path(one.path, hashes)), record.shard_checkpoint
            )
            for one in record.entries
        ),
    ]


def _verified_moment(record: Record, hashes: Sequence[bytes], signed: SignedCheckpoint) -> Moment:
    pinned = record.moment
    body = pinned.body.encode()
    _, size, root = signed.checkpoint
    path = _path(pinned.path, hashes)
    if not is_included(leaf_hash(body), pinned.index, size, path, root):
        raise NotAProof("the moment is not in the district's tree")
    try:
        moment = read_district_entry(body)
    except NotADistrictEntry as error:
        raise NotAProof(f"the moment: {error}") from error
    if not isinstance(moment, Moment) or moment.ledger != record.ledger:
        raise NotAProof("that entry of the district's tree is no moment of this ledger")
    if record.shard >= len(moment.shards):
        raise NotAProof(f"the moment has no shard {record.shard}")
    return moment


def _verified_entries(record: Record, hashes: Sequence[bytes], moment: Moment) -> list[bytes]:
    pinned = moment.shards[record.shard]
    root, before, bodies = bytes.fromhex(pinned.root), -1, []
    for one in record.entries:
        body, path = one.body.encode(), _path(one.path, hashes)
        if one.seq <= before:
            raise NotAProof(f"entry {one.seq} comes twice, or out of order")
        if not is_included(leaf_hash(body), one.seq, pinned.size, path, root):
            raise NotAProof(f"entry {one.seq} is not in the tree of shard {record.shard}")
        if not _is_of(record.volunteer, body):
            raise NotAProof(f"entry {one.seq} is not of {record.volunteer}")
        before = one.seq
        bodies.append(body)
    return bodies


def _is_of(volunteer: str, body: bytes) -> bool:
    try:
        return volunteer_of(body) == volunteer
    except ValueError:
        return False


def _verify_whole(
    record: Record,
    place: IndexPlace,
    hashes: Sequence[bytes],
    moment: Moment,
    bodies: Sequence[bytes],
) -> None:
    pinned = moment.shards[record.shard]
    leaf = Indexed(record.volunteer, len(bodies), chained(map(leaf_hash, bodies)))
    path, root = _path(place.path, hashes), bytes.fromhex(pinned.volunteers_root)
    if not is_included(leaf_hash(leaf.body), place.index, pinned.volunteers, path, root):
        raise NotAProof(
            f"these are not all entries of {record.volunteer}: the index of shard "
            f"{record.shard} says otherwise"
        )


def _path(places: Sequence[int], hashes: Sequence[bytes]) -> list[bytes]:
    if any(place >= len(hashes) for place in places):
        raise NotAProof("a path names a hash that isn't there")
    return [hashes[place] for place in places]
