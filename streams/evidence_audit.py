"""The audit that needs no ledger: entries from elsewhere, held against what was signed.

Entries come from exported tiles, or from an archive of the log that is settled again here; what
was signed, from a folder with the district's tree and each shard's checkpoint. All that is trusted
is the public key. Nothing here asks a database or Kafka.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from ledger.audit import Finding
from ledger.entries import genesis
from ledger.evidence.checking import (
    SIGNED,
    DistrictRead,
    Pin,
    ShardChecked,
    check_shard,
    pins_of,
    read_district,
)
from ledger.evidence.checkpoints import (
    DISTRICT,
    SignedCheckpoint,
    origin_of,
    shard_tree,
    verified_checkpoint,
)
from ledger.evidence.folder import TileFolder
from ledger.evidence.moments import Moment
from ledger.evidence.notes import Key, NotANote
from ledger.evidence.refusals import FolderRefusal
from ledger.evidence.tiles import WIDTH, Edge, Tile
from ledger.merkle import leaf_hash
from ledger.policy import Policy
from ledger.shard import Head, Shard
from streams.archive import open_archive
from streams.at_once import at_once, workers_for
from streams.audit_state import AuditState
from streams.collecting import collecting_rarely
from streams.decoding import decode


class EvidenceSource(NamedTuple):
    """Where entries and signatures come from; `archive`: a log to settle, `tiles`: an export."""

    ledger: str
    policy: Policy
    keys: tuple[Key, ...]
    evidence: Path
    archive: Path | None
    tiles: Path | None
    state: Path | None = None


_Job = tuple[EvidenceSource, int, list[Pin], Moment | None]


class EvidenceAudited(NamedTuple):
    """What was checked against what was signed, and the differences."""

    checkpoint: str
    size: int
    signed_by: list[str]
    moments: int
    certificates: int
    last_moment: str
    shards: list[ShardChecked]
    records: int
    findings: list[Finding]


Progress = Callable[[int, int], None]
"""Entries or records so far, and in all, as far as that is known."""


def audit_evidence(
    source: EvidenceSource, progress: Progress, workers: int | None = None
) -> EvidenceAudited:
    """Check all of it. NotANote where the district's checkpoint isn't signed by a key given,
    FolderRefusal, ArchiveRefusal where something can't be read."""
    folder = TileFolder(source.evidence)
    signed = verified_checkpoint(folder.note(DISTRICT), source.keys)
    district = _district(source, folder, signed)
    last = district.moments[-1] if district.moments else None
    jobs = [
        (source, shard, _pins(source, folder, shard, district), last)
        for shard in range(source.policy.shard_count)
    ]
    results = _audited(source, signed, jobs, progress, workers)
    shards = [checked for checked, _ in results]
    findings = [*district.findings, *_unsigned(source, folder)]
    return EvidenceAudited(
        signed.checkpoint.origin, signed.checkpoint.size,
        [key.name for key in signed.keys], len(district.moments), len(district.fates),
        last.at if last else "", shards, sum(records for _, records in results),
        [*findings, *(finding for one in shards for finding in one.findings)],
    )  # fmt: skip


def _audited(
    source: EvidenceSource,
    signed: SignedCheckpoint,
    jobs: list[_Job],
    progress: Progress,
    workers: int | None,
) -> list[tuple[ShardChecked, int]]:
    """Every shard, those that were done before taken from the audit's state."""
    state = AuditState(source.state, signed.note, source._replace(state=None))
    left = [job for job in jobs if state.done(job[1]) is None]
    total = sum(max((pin.size for pin in job[2]), default=0) for job in left)
    at_once(
        _audit_shard,
        left,
        workers_for(total, workers),
        lambda done: progress(done, total),
        lambda number, result: state.keep(*result),
    )
    return [found for job in jobs if (found := state.done(job[1])) is not None]


def compare_folders(one: Path, other: Path, keys: tuple[Key, ...]) -> list[Finding]:
    """Trees that two people were shown: a size at which both were signed, with other roots."""
    findings = []
    ours, theirs = TileFolder(one), TileFolder(other)
    for tree in sorted(set(ours.trees()) & set(theirs.trees())):
        mine = verified_checkpoint(ours.note(tree), keys).checkpoint
        yours = verified_checkpoint(theirs.note(tree), keys).checkpoint
        small, large, there = (
            (mine, yours, theirs) if mine.size <= yours.size else (yours, mine, ours)
        )
        root = _root_at(there, tree, small.size, large.size)
        if root != small.root:
            findings.append(
                Finding(
                    SIGNED, None, f"{tree} size {small.size}", small.root.hex(),
                    f"{root.hex()}: a forked tree, shown to two people",
                )
            )  # fmt: skip
    return findings


def _root_at(folder: TileFolder, tree: str, size: int, whole: int) -> bytes:
    edge = Edge()
    for number in range(-(-size // WIDTH)):
        width = min(WIDTH, whole - number * WIDTH)
        hashes = folder.fetch(tree, Tile(0, number, width))
        wanted = min(width, size - number * WIDTH)
        edge.extend(hashes[at * 32 : at * 32 + 32] for at in range(wanted))
    return edge.root()


def _district(source: EvidenceSource, folder: TileFolder, signed: SignedCheckpoint) -> DistrictRead:
    origin, size, root = signed.checkpoint
    bodies = (body for part in folder.entries(DISTRICT, size) for body in part)
    read = read_district(source.ledger, bodies)
    if origin != source.ledger:
        read.findings.append(Finding(SIGNED, None, "district", origin, source.ledger))
    if read.root != root:
        read.findings.append(
            Finding(SIGNED, None, f"district, size {size}", read.root.hex(), f"signed {root.hex()}")
        )
    return read


def _pins(
    source: EvidenceSource, folder: TileFolder, shard: int, district: DistrictRead
) -> list[Pin]:
    """What moments and the shard's own checkpoint say; a wrong signature is told by `_unsigned`."""
    pins, tree = pins_of(shard, district.moments), shard_tree(shard)
    try:
        _, size, root = verified_checkpoint(folder.note(tree), source.keys).checkpoint
    except (NotANote, FolderRefusal):
        return pins
    return [*pins, Pin(size, root, f"the checkpoint of {tree}")]


def _unsigned(source: EvidenceSource, folder: TileFolder) -> Iterator[Finding]:
    for shard in range(source.policy.shard_count):
        tree = shard_tree(shard)
        expected = f"a checkpoint of {origin_of(source.ledger, tree)}, signed by a key given"
        try:
            signed = verified_checkpoint(folder.note(tree), source.keys)
        except (NotANote, FolderRefusal) as error:
            yield Finding(SIGNED, shard, f"checkpoint of {tree}", str(error), expected)
            continue
        if signed.checkpoint.origin != origin_of(source.ledger, tree):
            yield Finding(SIGNED, shard, f"checkpoint of {tree}", signed.note, expected)


def _audit_shard(
    moved: Callable[[int], None],
    source: EvidenceSource,
    shard: int,
    pins: list[Pin],
    last: Moment | None,
) -> tuple[ShardChecked, int]:
    """One shard: its entries from tiles, or settled from the archive, or both side by side."""
    with collecting_rarely():
        settled, tiled = _settled(source, shard, moved, pins), _tiled(source, shard, moved)
        beside = _Beside(shard, settled, tiled) if settled and tiled else None
        chunks = next(found.chunks() for found in (beside, settled, tiled) if found)
        checked = check_shard(shard, chunks, pins, last)
        others = [finding for found in (tiled, beside) if found for finding in found.findings]
        findings = [*checked.findings, *others]
        return checked._replace(findings=findings), settled.records if settled else 0


def _settled(
    source: EvidenceSource, shard: int, moved: Callable[[int], None], pins: list[Pin]
) -> "_Settled | None":
    if source.archive is None:
        return None
    return _Settled(source, shard, moved, max((pin.size for pin in pins), default=0))


def _tiled(source: EvidenceSource, shard: int, moved: Callable[[int], None]) -> "_Tiled | None":
    if source.tiles is None:
        return None
    return _Tiled(source.tiles, shard, moved if source.archive is None else lambda done: None)


class _Tiled:
    """A shard's entries from an export, each tile held against them on the way."""

    def __init__(self, path: Path, shard: int, moved: Callable[[int], None]) -> None:
        self._folder, self._tree, self._shard = TileFolder(path), shard_tree(shard), shard
        self._moved = moved
        self.findings: list[Finding] = []

    def chunks(self) -> Iterator[list[bytes]]:
        edge, stated = Edge(), self._folder.checkpoint(self._tree)
        for bodies in self._folder.entries(self._tree, stated.size):
            self._hold(edge.extend(map(leaf_hash, bodies)))
            self._moved(edge.size)
            yield bodies
        self._hold(edge.partial())

    def _hold(self, tiles: list[tuple[Tile, bytes]]) -> None:
        for tile, hashes in tiles:
            there = self._folder.fetch(self._tree, tile)
            if there != hashes and not self.findings:
                self.findings.append(
                    Finding(SIGNED, self._shard, f"{self._tree}/{tile.path}", there.hex()[:128],
                            f"{hashes.hex()[:128]}, by the entries beside it")
                )  # fmt: skip


class _Settled:
    """A shard's entries, settled again from an archive of its log, as far as was signed."""

    def __init__(
        self, source: EvidenceSource, shard: int, moved: Callable[[int], None], most: int
    ) -> None:
        self._source, self._number, self._moved, self._most = source, shard, moved, most
        self.records = 0

    def chunks(self) -> Iterator[list[bytes]]:
        source, number = self._source, self._number
        assert source.archive is not None
        archive = open_archive(source.archive, source.ledger, source.policy)
        first = genesis(number, source.ledger, source.policy)
        shard = Shard(number, source.policy, Head.after(first))
        yield [first.body]
        seen = 1
        for batch in archive.read(number, archive.end(number)):
            records = [decode(record, number, source.policy.shard_count) for record in batch]
            bodies = [entry.body for entry in shard.fold(records).entries]
            self.records += len(batch)
            self._moved(seen)
            # The log may have gone on since it was signed: what is beyond, nobody vouched for.
            if bodies[: self._most - seen]:
                yield bodies[: self._most - seen]
            seen += len(bodies)
            if seen >= self._most:
                return


class _Beside:
    """A shard's entries as they were settled, each held against the export's; both in one pass."""

    def __init__(self, shard: int, settled: _Settled, tiled: _Tiled) -> None:
        self._shard, self._settled, self._tiled = shard, settled, tiled
        self.findings: list[Finding] = []

    def chunks(self) -> Iterator[list[bytes]]:
        size, exported = 0, (body for chunk in self._tiled.chunks() for body in chunk)
        for bodies in self._settled.chunks():
            for body in bodies:
                self._compare(size, body, next(exported, None))
                size += 1
            yield bodies
        for seq, there in enumerate(exported, size):
            self._compare(seq, None, there)

    def _compare(self, seq: int, here: bytes | None, there: bytes | None) -> None:
        """The first difference alone is told: behind it nothing stands where it should."""
        if here != there and not self.findings:
            told = [one.decode(errors="replace") if one else "nothing" for one in (there, here)]
            self.findings.append(Finding(SIGNED, self._shard, f"seq {seq}", *told))
