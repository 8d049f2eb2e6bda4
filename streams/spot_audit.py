"""A spot audit: some volunteers drawn at random, their log settled again, against exported entries.

It reads all of the log and of the export, and settles a sample; so it is quick, and says with what
confidence. Every other record is passed on as refused, so that the log's time goes on as it did.
What stands in the tree at which place is for the whole audit (`evidence_audit`).
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import from_json

from ledger.audit import Finding
from ledger.entries import canonical, genesis
from ledger.evidence.checking import SIGNED
from ledger.evidence.checkpoints import shard_tree
from ledger.evidence.folder import TileFolder
from ledger.policy import Policy
from ledger.shard import Head, Shard
from ledger.taps import Record, Refusal
from streams.archive import open_archive
from streams.decoding import decode

_CONFIDENCE = 0.95
_NOT_DRAWN = Refusal("not-drawn", "not in the sample")
_MILLISECOND = 1_000
_ESCAPE = rb"\\"


class SpotAudited(NamedTuple):
    """How many volunteers there are, how many were drawn, and what differs."""

    volunteers: int
    drawn: int
    entries: int
    findings: list[Finding]

    @property
    def most_differing(self) -> float:
        """The share of all volunteers below which those who differ are, with 95 % confidence.

        None drawn differed: of n drawn from very many, (1 − share)^n is the chance to meet none.
        """
        return 1.0 if not self.drawn else 1 - (1 - _CONFIDENCE) ** (1 / self.drawn)


def spot_audit(
    ledger: str,
    policy: Policy,
    archive: Path,
    tiles: Path,
    count: int,
    seed: int,
    progress: Callable[[int, int], None],
) -> SpotAudited:
    """Draw so many volunteers, and compare their entries. ArchiveRefusal, FolderRefusal."""
    exported = {shard: _exported(tiles, shard) for shard in range(policy.shard_count)}
    everybody = sorted({name for theirs in exported.values() for name in theirs.by_volunteer})
    chance = random.Random(seed)  # noqa: S311 - drawn to be drawn again, by whoever has the seed
    drawn = set(chance.sample(everybody, min(count, len(everybody))))
    findings, entries = list[Finding](), 0
    for shard, theirs in exported.items():
        progress(shard, policy.shard_count)
        wanted = drawn & theirs.by_volunteer.keys()
        settled = _settled(ledger, policy, archive, shard, wanted, theirs.last_offset)
        entries += sum(map(len, settled.values()))
        findings += _differences(shard, settled, theirs.by_volunteer)
    return SpotAudited(len(everybody), len(drawn), entries, findings)


class _Exported(NamedTuple):
    """Each volunteer's entries, without their places; and how far in the log they reach."""

    by_volunteer: dict[str, list[bytes]]
    last_offset: int


def _exported(tiles: Path, shard: int) -> _Exported:
    folder, tree = TileFolder(tiles), shard_tree(shard)
    found, last = dict[str, list[bytes]](), -1
    for bodies in folder.entries(tree, folder.checkpoint(tree).size):
        for body in bodies:
            entry = from_json(body)
            if "volunteer" in entry:
                found.setdefault(entry["volunteer"], []).append(_placeless(entry))
                last = max(last, entry["log"]["offset"])
    return _Exported(found, last)


def _settled(
    ledger: str, policy: Policy, archive: Path, shard: int, drawn: set[str], last_offset: int
) -> dict[str, list[bytes]]:
    """What the log gives for them, as far as the export reaches: the log may have gone on."""
    settled: dict[str, list[bytes]] = {name: [] for name in drawn}
    if not drawn:
        return settled
    opened = open_archive(archive, ledger, policy)
    first = genesis(shard, ledger, policy)
    ours = Shard(shard, policy, Head.after(first))
    for batch in opened.read(shard, min(opened.end(shard), last_offset + 1)):
        for entry in ours.fold(_sampled(batch, shard, policy, drawn)).entries:
            if entry.volunteer in settled:
                settled[entry.volunteer].append(_placeless(from_json(entry.body)))
    return settled


def _sampled(batch: Sequence[Any], shard: int, policy: Policy, drawn: set[str]) -> Iterator[Record]:
    names = (re.escape(name.encode()) for name in sorted(drawn))
    named = re.compile(b"|".join([*names, _ESCAPE]))
    for record in batch:
        # In binary mode a header says whom it is about; in JSON, escapes can hide it.
        texts = (record.value, *(content for _, content in record.headers))
        if any(text and named.search(text) for text in texts):
            yield decode(record, shard, policy.shard_count)
        else:
            yield Record(record.offset, record.timestamp * _MILLISECOND, _NOT_DRAWN)


def _differences(
    shard: int, settled: dict[str, list[bytes]], exported: dict[str, list[bytes]]
) -> Iterator[Finding]:
    for name, ours in sorted(settled.items()):
        theirs = exported[name]
        if ours != theirs:
            at = next(
                (at for at, (a, b) in enumerate(zip(theirs, ours, strict=False)) if a != b),
                min(len(theirs), len(ours)),
            )
            there = theirs[at].decode() if at < len(theirs) else "nothing"
            here = ours[at].decode() if at < len(ours) else "nothing"
            yield Finding(SIGNED, shard, f"entry {at} of {name}", there, here)


def _placeless(entry: dict[str, Any]) -> bytes:
    """An entry but for its place in the shard, which others' entries decide."""
    return canonical({name: value for name, value in entry.items() if name != "seq"})
