"""Checking entries against what was signed: for an auditor who has them from elsewhere.

Pure: entries' bytes go in, in order; differences come out, the first of each kind by name. Entries
must be gapless, canonical and in turn, and give the root that every moment and checkpoint says at
its size. Where they come from (tiles, an archive settled again) is the caller's.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from pydantic_core import from_json

from ledger.audit import Finding
from ledger.entries import canonical
from ledger.evidence.moments import (
    CertificateFate,
    Moment,
    NotADistrictEntry,
    read_district_entry,
)
from ledger.evidence.volunteer_index import EMPTY_CHAIN, Indexed, VolunteerIndex, chained
from ledger.merkle import Frontier, leaf_hash

SIGNED = 7
"""The invariant that is checked here: what was signed is what stands there."""

_TYPES = ("genesis", "credit", "reversal", "adjustment")


class Pin(NamedTuple):
    """What somebody said of a tree at a size: its root, and who said it."""

    size: int
    root: bytes
    said_by: str


class DistrictRead(NamedTuple):
    """The district's log: its moments and certificates' fates in order, its tree, what is wrong."""

    moments: list[Moment]
    fates: list[CertificateFate]
    size: int
    root: bytes
    findings: list[Finding]


class ShardChecked(NamedTuple):
    """A shard's entries as they were checked: how many of each type, seconds, what is wrong."""

    shard: int
    size: int
    root: bytes
    types: dict[str, int]
    seconds: int
    findings: list[Finding]


def read_district(ledger: str, bodies: Iterable[bytes]) -> DistrictRead:
    """Read the district's log: each moment goes on from the one before, in time and in size."""
    read = DistrictRead([], [], 0, b"", [])
    frontier = Frontier()
    for seq, body in enumerate(bodies):
        frontier.extend([leaf_hash(body)])
        try:
            entry = read_district_entry(body)
        except NotADistrictEntry as error:
            read.findings.append(_finding(None, f"district {seq}", _text(body), str(error)))
            continue
        if (entry.seq, entry.ledger) != (seq, ledger):
            said = f"{entry.seq} of {entry.ledger}"
            read.findings.append(_finding(None, f"district {seq}", said, f"{seq} of {ledger}"))
        if isinstance(entry, CertificateFate):
            read.fates.append(entry)
            continue
        read.findings.extend(_stepped_back(read.moments[-1] if read.moments else None, entry))
        read.moments.append(entry)
    return read._replace(size=frontier.size, root=frontier.root())


def pins_of(shard: int, moments: Iterable[Moment]) -> list[Pin]:
    """What the moments say of a shard's tree."""
    return [
        Pin(moment.shards[shard].size, bytes.fromhex(moment.shards[shard].root), moment.at)
        for moment in moments
        if shard < len(moment.shards)
    ]


def check_shard(
    shard: int, chunks: Iterable[Sequence[bytes]], pins: Iterable[Pin], last: Moment | None
) -> ShardChecked:
    """Check a shard's entries; `last` is the moment whose index they must give."""
    checked = _Checking(shard, pins, last)
    for bodies in chunks:
        checked.take(bodies)
    return checked.finish()


class _Checking:
    def __init__(self, shard: int, pins: Iterable[Pin], last: Moment | None) -> None:
        self._shard, self._frontier = shard, Frontier()
        self._pins = sorted(pins)
        self._last = last.shards[shard] if last and shard < len(last.shards) else None
        self._chains: dict[str, tuple[int, bytes]] = {}
        self._turn: dict[tuple[str, str], str] = {}
        self._types: Counter[str] = Counter()
        self._seconds = 0
        self._findings: dict[str, Finding] = {}

    def take(self, bodies: Sequence[bytes]) -> None:
        seq = self._frontier.size
        leaves = [leaf_hash(body) for body in bodies]
        for at, body in enumerate(bodies):
            self._look(seq + at, body, leaves[at])
        self._grow(leaves)

    def finish(self) -> ShardChecked:
        size = self._frontier.size
        for pin in self._pins:
            self._note("short", f"size {pin.size}", f"{size} entries", f"signed at {pin.said_by}")
        self._check_index()
        findings = list(self._findings.values())
        return ShardChecked(
            self._shard, size, self._frontier.root(), dict(self._types), self._seconds, findings
        )

    def _grow(self, leaves: Sequence[bytes]) -> None:
        """Grow the tree, stopping at each size somebody signed."""
        start = self._frontier.size
        while self._pins and self._pins[0].size <= start + len(leaves):
            pin = self._pins.pop(0)
            self._frontier.extend(leaves[self._frontier.size - start : pin.size - start])
            if self._frontier.root() != pin.root:
                self._note(
                    "root",
                    f"size {pin.size}",
                    self._frontier.root().hex(),
                    f"{pin.root.hex()}, signed at {pin.said_by}",
                )
        self._frontier.extend(leaves[self._frontier.size - start :])

    def _look(self, seq: int, body: bytes, leaf: bytes) -> None:
        try:
            entry = from_json(body)
            known = entry["type"] in _TYPES and (seq == 0) == (entry["type"] == "genesis")
            if canonical(entry) != body or not known or entry["shard"] != self._shard:
                raise ValueError("not an entry of this shard in canonical form")
            if entry["seq"] != seq:
                self._note("seq", f"seq {seq}", f"an entry that says {entry['seq']}", f"{seq}")
        except (ValueError, KeyError, TypeError) as error:
            self._note("entry", f"seq {seq}", _text(body), str(error))
            return
        self._types[entry["type"]] += 1
        if entry["type"] != "genesis":
            self._count(seq, entry, leaf)

    def _count(self, seq: int, entry: dict[str, Any], leaf: bytes) -> None:
        if entry["type"] != "adjustment":
            self._take_turn(seq, entry)
        sign = -1 if entry["type"] == "reversal" else 1
        self._seconds += sign * entry["seconds"]
        if self._last is not None and seq < self._last.size:
            entries, chain = self._chains.get(entry["volunteer"], (0, EMPTY_CHAIN))
            self._chains[entry["volunteer"]] = entries + 1, chained([leaf], chain)

    def _take_turn(self, seq: int, entry: dict[str, Any]) -> None:
        """Credits and reversals of a session take turns, a credit first."""
        session = entry["session"], entry["opened_at"]
        if self._turn.get(session, "reversal") == entry["type"]:
            self._note(
                "turn",
                f"seq {seq}",
                f"{entry['type']} of session {entry['session']} out of turn",
                "credits and reversals take turns, a credit first",
            )
        self._turn[session] = entry["type"]

    def _check_index(self) -> None:
        if self._last is None or self._frontier.size < self._last.size:
            return
        index = VolunteerIndex(
            Indexed(name, entries, chain) for name, (entries, chain) in self._chains.items()
        )
        if (index.size, index.root.hex()) != (self._last.volunteers, self._last.volunteers_root):
            self._note(
                "index",
                "the volunteers' index",
                f"{index.size} volunteers, {index.root.hex()}",
                f"{self._last.volunteers} volunteers, {self._last.volunteers_root}",
            )

    def _note(self, kind: str, where: str, stored: str, expected: str) -> None:
        """The first of each kind: what follows a lost entry is all of one cause."""
        self._findings.setdefault(kind, _finding(self._shard, where, stored, expected))


def _stepped_back(before: Moment | None, moment: Moment) -> Iterator[Finding]:
    if before is None:
        return
    where = f"moment {moment.seq}"
    if moment.at <= before.at:
        yield _finding(None, where, f"at {moment.at}", f"after {before.at}: a clock was set back")
    sizes, earlier = ([one.size for one in each.shards] for each in (moment, before))
    if len(sizes) != len(earlier) or any(a < b for a, b in zip(sizes, earlier, strict=False)):
        yield _finding(None, where, f"sizes {sizes}", f"at least {earlier}: a tree shrank")


def _finding(shard: int | None, where: str, stored: str, expected: str) -> Finding:
    return Finding(SIGNED, shard, where, stored, expected)


def _text(body: bytes) -> str:
    return body.decode(errors="backslashreplace")[:2_000]
