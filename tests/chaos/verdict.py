"""The verdict: what the log comes to by the oracle, held against what the ledger holds. Pure.

Invariant: a ledger that differs from the truth in a single row is found different.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.chaos.load import Acknowledged
from tests.chaos.oracle import Truth
from tests.chaos.reading import Logged
from tests.chaos.tables import Adjustment, Ledger

_SHOWN = 5
_ENDS = {"accepted": "accepted", "duplicate": "duplicates"}


@dataclass
class Verdict:
    """`lost` and `doubled` hours, and every difference in words; right is none."""

    records: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    sessions: int = 0
    lost: int = 0
    doubled: int = 0
    differences: list[str] = field(default_factory=list)

    def find(self, what: str, those: Iterable[object]) -> int:
        """Note how many there are, and the first few; how many."""
        found = sorted(map(repr, those))
        if found:
            self.differences.append(f"{what}: {len(found)}, as {'; '.join(found[:_SHOWN])}")
        return len(found)


def judge(truth: Truth, ledger: Ledger) -> Verdict:
    """All that the ledger says, against the truth."""
    verdict = Verdict(len(truth.ends), Counter(truth.ends.values()), len(truth.sessions))
    _judge_ends(verdict, truth, ledger)
    _judge_entries(verdict, truth, ledger)
    _judge_totals(verdict, truth, ledger)
    halves = Counter(truth.halves)
    verdict.find("halves missing", (halves - ledger.halves).elements())
    verdict.find("halves too many", (ledger.halves - halves).elements())
    return verdict


def find_unlogged(
    verdict: Verdict, acknowledged: Iterable[Acknowledged], log: Sequence[Logged]
) -> None:
    """Every acknowledged record is in the log, where the broker said."""
    stands = {Acknowledged(it.partition, it.offset, zlib.crc32(it.value or b"")) for it in log}
    verdict.lost += verdict.find("acknowledged, not in the log", set(acknowledged) - stands)


def _judge_ends(verdict: Verdict, truth: Truth, ledger: Ledger) -> None:
    """How each record ended: by count, and for those refused one by one."""
    refused = {place: it for place, it in truth.ends.items() if it not in _ENDS}
    verdict.find("rejections that differ", refused.items() ^ ledger.rejections.items())
    for shard, head in sorted(ledger.heads.items()):
        ends = Counter(
            _ENDS.get(end, "rejected") for place, end in truth.ends.items() if place[0] == shard
        )
        wanted = {"next_offset": ends.total(), **{it: ends[it] for it in _COUNTED}}
        verdict.find(f"shard {shard}: counts that differ", wanted.items() - head.items())
        seqs = ledger.seqs.get(shard, [])
        if seqs != list(range(head["next_seq"])):
            verdict.find(f"shard {shard}: seqs with gaps", [len(seqs), head["next_seq"]])


_COUNTED = ("accepted", "duplicates", "rejected", "skipped")


def _judge_entries(verdict: Verdict, truth: Truth, ledger: Ledger) -> None:
    sessions = Counter(truth.sessions)
    adjustments: Counter[Adjustment] = Counter(
        (
            it.volunteer, it.source, it.id,
            it.says("team"), it.says("activity"), it.says("day"), it.says("seconds"),
        )
        for it in truth.adjustments
    )  # fmt: skip
    for what, wanted, found in (
        ("sessions", sessions, ledger.sessions),
        ("adjustments", adjustments, ledger.adjustments),
    ):
        verdict.lost += verdict.find(f"{what} lost", (wanted - found).elements())
        verdict.doubled += verdict.find(f"{what} doubled", (found - wanted).elements())
        verdict.find(f"{what} taken back too often", (-found).elements())


def _judge_totals(verdict: Verdict, truth: Truth, ledger: Ledger) -> None:
    wanted = truth.totals()
    verdict.find("entries that add up otherwise", wanted.items() ^ ledger.entry_totals.items())
    verdict.find("counters that say otherwise", wanted.items() ^ ledger.counters.items())
