"""Moments: what the district's tree is made of. Each pins every shard's tree at one time.

Pure. The district's log has entries of two kinds: a moment, and a certificate's fate (issued,
revoked, replaced). Their bytes are RFC 8785 JSON like any entry's; hashes are in hexadecimal.
"""

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ledger.entries import canonical
from ledger.faults import first_fault

MOMENT, CERTIFICATE = "moment", "certificate"
"""The kinds of entries, as their `type` says."""

_Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_Count = Annotated[int, Field(ge=0, lt=1 << 53)]
_Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    at: _Time
    ledger: str
    seq: _Count
    v: Literal[1] = 1

    @property
    def body(self) -> bytes:
        """The bytes that are hashed."""
        return canonical(self.model_dump())


class Pinned(BaseModel):
    """A shard's tree at a moment, and its volunteers' index: sizes and roots."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    root: _Hash
    size: _Count
    volunteers: _Count
    volunteers_root: _Hash


class Moment(_Entry):
    """Every shard at one time, in the order of their numbers."""

    shards: list[Pinned]
    type: Literal["moment"] = "moment"


class CertificateFate(_Entry):
    """What became of a certificate: its number and the hash of what it states, never whose."""

    number: Annotated[str, Field(min_length=1, max_length=64)]
    replaced_by: Annotated[str, Field(max_length=64)] = ""
    statement: _Hash
    status: Literal["issued", "revoked", "replaced"]
    type: Literal["certificate"] = "certificate"


DistrictEntry = Moment | CertificateFate
_ENTRY: TypeAdapter[DistrictEntry] = TypeAdapter(
    Annotated[DistrictEntry, Field(discriminator="type")]
)


class SignedMoment(NamedTuple):
    """A moment by its place in the district's log: a point in time that was signed."""

    seq: int


class NotADistrictEntry(ValueError):
    """These bytes are no entry of a district's log."""


def read_district_entry(body: bytes) -> DistrictEntry:
    """The entry, whose bytes are the only ones it could have. NotADistrictEntry."""
    try:
        entry = _ENTRY.validate_json(body)
    except ValidationError as error:
        raise NotADistrictEntry(first_fault(error)) from error
    if entry.body != body:
        raise NotADistrictEntry("not in canonical form")
    return entry
