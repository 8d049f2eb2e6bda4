"""The signer as a process: what is watched of it, what it keeps, and that trouble ends nothing."""

import json
import logging
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.evidence.memory import remembering
from ledger.evidence.refusals import NotProven, SigningRefused
from ledger.evidence.sealing import Sealed
from ledger.evidence.signing import SignerMetrics, SignerProcess
from ledger.refusals import NoDatabase
from tests.evidence_world import LEDGER, Evidence, evidence_at


@pytest.fixture
def evidence(sqlite_url: str, tmp_path: Path) -> Iterator[Evidence]:
    with evidence_at(sqlite_url, tmp_path) as made:
        yield made


@pytest.fixture
def process(evidence: Evidence) -> Iterator[SignerProcess]:
    with remembering(evidence.home / "signer", LEDGER) as memory:
        yield SignerProcess(evidence.signer, memory, evidence.home, [], SignerMetrics())


def seen(process: SignerProcess, name: str) -> float | None:
    return process._metrics.registry.get_sample_value(f"hours_signer_{name}")


def kept(evidence: Evidence) -> list[dict[str, Any]]:
    """What was refused, in the order in which it was."""
    folder = evidence.home / "refused"
    files = sorted(folder.iterdir()) if folder.exists() else []
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d{6}-\d{1,6}Z\.json", one.name) for one in files)
    return [json.loads(one.read_text("utf-8")) for one in files]


def stands_at(evidence: Evidence, next_seq: int) -> None:
    evidence.sql(f"UPDATE shards SET next_seq = {next_seq} WHERE shard = 0")


def test_what_is_refused_is_kept_once_for_as_long_as_it_is_the_same(
    evidence: Evidence, process: SignerProcess
) -> None:
    evidence.serve(30)
    assert process.turn().entries == 34
    assert (seen(process, "entries_total"), seen(process, "refusing")) == (34, 0)
    ((right,),) = evidence.rows("SELECT next_seq FROM shards WHERE shard = 0")
    for next_seq, files in ((1, 1), (1, 1), (2, 2), (right, 2), (1, 3)):
        before = seen(process, "last_turn_seconds")
        stands_at(evidence, next_seq)
        if next_seq == right:
            assert process.turn().entries == 0
            assert (seen(process, "last_turn_seconds") or 0) > (before or 0)
        else:
            with pytest.raises(SigningRefused, match="some are gone"):
                process.turn()
            assert seen(process, "last_turn_seconds") == before
        assert seen(process, "refusing") == (next_seq != right)
        assert len(kept(evidence)) == files
    assert seen(process, "refusals_total") == 4
    assert seen(process, "entries_total") == 34
    told = kept(evidence)
    assert [(one["tree"], one["signed"], one["stored"]) for one in told] == [
        ("shard-0", right, stored) for stored in (1, 2, 1)
    ]
    assert all("some are gone" in one["refused"] for one in told)
    (first, *_) = sorted((evidence.home / "refused").iterdir())
    assert "条目丢失了" in first.read_text("utf-8")  # for people to read
    assert first.read_text("utf-8").endswith("}\n")


class Over(threading.Event):
    """Notes how long it is waited for, and waits not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        return self.is_set()


def test_turn_follows_turn_whatever_the_trouble_until_it_is_told_to_stop(
    process: SignerProcess, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    over = Over()
    troubles = [SigningRefused("other", tree="shard-0"), NotProven("unsure"), NoDatabase("away")]
    turns: Iterator[Exception | Sealed] = iter([*troubles, Sealed(0, None), Sealed(7, "note")])

    def turn(_: SignerProcess) -> Sealed:
        found = next(turns)
        if isinstance(found, Exception):
            raise found
        if found.entries:
            over.set()
        return found

    monkeypatch.setattr(SignerProcess, "turn", turn)
    with caplog.at_level(logging.INFO, "ledger.evidence.signing"):
        process.run(60, over)
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [
        ("ERROR", "other"),
        ("ERROR", "unsure"),
        ("ERROR", "away"),
        ("INFO", "已签名 Signed: 7 条新条目 new entries"),
    ]
    assert len(over.waits) == 5
    assert all(wait is not None and 50 < wait <= 60 for wait in over.waits)
    over.clear()
    over.waits.clear()
    turns = iter([Sealed(1, None)])
    process.run(0, over)
    assert over.waits == [0]
