"""The chaos harness itself: a seed says everything, and a ledger that is wrong is found wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from zlib import crc32

import pytest
from kafka.partitioner import murmur2
from sqlalchemy import Engine, text

from ledger.policy import Policy
from ledger.shard import Shard
from ledger.store import Store, open_store
from streams.decoding import decode
from tests.chaos.kiosks import Kiosks, Sent
from tests.chaos.load import Acknowledged
from tests.chaos.oracle import PARTITIONS, Truth, truth_of
from tests.chaos.plan import KINDS, kinds_for, plan
from tests.chaos.reading import Logged
from tests.chaos.tables import read_ledger
from tests.chaos.verdict import Verdict, find_unlogged, judge

BEGUN = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def log() -> list[Logged]:
    """What a seed's kiosks send, a second apart, in four partitions."""
    kiosks = Kiosks(5, BEGUN, volunteers=40)
    sent = [one for visit in islice(kiosks.visits(), 600) for one in visit]
    for number in range(120):
        for burst in (kiosks.malformed, kiosks.ahead, kiosks.behind):
            sent[number * 7 : number * 7] = burst()
    return logged(sent)


@pytest.fixture
def ledger(log: list[Logged], tmp_path: Path) -> Iterator[Engine]:
    """The product's ledger of that log."""
    store = open_store(f"sqlite:///{tmp_path / 'ledger.db'}", "test", Policy())
    store.init()
    for shard in range(PARTITIONS):
        append(store, shard, [record for record in log if record.partition == shard])
    yield store.engine
    store.engine.dispose()


@pytest.fixture(scope="module")
def truth(log: list[Logged]) -> Truth:
    return truth_of(log)


def test_a_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert plan(1, 500, 3, "postgresql") == plan(1, 500, 3, "postgresql")
    assert plan(1, 500, 3, "postgresql") != plan(2, 500, 3, "postgresql")


@pytest.mark.parametrize("database", ["postgresql", "sqlite"])
def test_a_plan_holds_each_kind_that_its_world_allows_and_as_many_faults_as_asked(
    database: str,
) -> None:
    workers = 3 if database == "postgresql" else 1
    rounds = plan(3, 40, workers, database)
    faults = [fault for each in rounds for fault in each.faults]
    assert [fault.number for fault in faults] == list(range(1, 41))
    assert {fault.kind for fault in faults} == set(kinds_for(workers, database))
    assert any(len(each.faults) > 1 for each in rounds)
    for each in rounds:
        lanes = [fault.kind.lane for fault in each.faults]
        assert len(lanes) == len(set(lanes))


def test_every_kind_is_for_some_world() -> None:
    assert {*kinds_for(3, "postgresql"), *kinds_for(1, "sqlite")} == set(KINDS)


def test_a_seed_gives_the_same_events() -> None:
    first, again = (islice(Kiosks(9, BEGUN).visits(), 300) for _ in range(2))
    assert list(first) == list(again)


def test_the_load_ends_in_every_way_that_the_oracle_knows(truth: Truth) -> None:
    assert {
        *("accepted", "duplicate", "too-late", "from-the-future", "conflicting-identity"),
        *("unknown-tap", "empty-value", "too-large", "not-utf-8", "not-json"),
        *("not-a-cloudevent", "unknown-type", "invalid-field", "wrong-partition"),
    } == set(truth.ends.values())
    assert {half.status for half in truth.halves} >= {"no-check-in", "no-check-out"}
    assert truth.sessions
    assert truth.adjustments


def test_the_product_and_the_oracle_agree_on_a_log_with_everything_in_it(
    truth: Truth, ledger: Engine
) -> None:
    verdict = judged(truth, ledger)
    assert verdict.differences == []
    assert (verdict.lost, verdict.doubled) == (0, 0)
    assert verdict.records == sum(verdict.ends.values()) > 1_000


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("DELETE FROM entries WHERE (shard, seq) = (1, 3)", "sessions lost"),
        ("DELETE FROM entries WHERE (shard, seq) = (1, 3)", "seqs with gaps"),
        (
            "DELETE FROM entries WHERE rowid = (SELECT MAX(rowid) FROM entries "
            "WHERE type = 'adjustment')",
            "adjustments lost",
        ),
        (
            "INSERT INTO entries SELECT shard, seq + 100000, type, volunteer, session, team, "
            "place, activity, day, sessions, seconds, body, leaf FROM entries "
            "WHERE (shard, seq) = (1, 3)",
            "sessions doubled",
        ),
        (
            "INSERT INTO entries SELECT shard, seq + 100000, type, volunteer, session, team, "
            "place, activity, day, sessions, seconds, body, leaf FROM entries "
            "WHERE type = 'adjustment' LIMIT 1",
            "adjustments doubled",
        ),
        (
            "UPDATE day_totals SET seconds = seconds + 1 WHERE rowid = 1",
            "counters that say otherwise",
        ),
        (
            "UPDATE day_totals SET sessions = sessions - 1 WHERE rowid = 1",
            "counters that say otherwise",
        ),
        ("DELETE FROM halves WHERE rowid = 1", "halves missing"),
        ("UPDATE halves SET status = 'no-check-in' WHERE kind = 'in'", "halves too many"),
        ("DELETE FROM rejections WHERE rowid = 1", "rejections that differ"),
        (
            "UPDATE rejections SET reason = 'not-json' WHERE reason = 'too-late'",
            "rejections that differ",
        ),
        ("UPDATE shards SET accepted = accepted - 1 WHERE shard = 2", "shard 2: counts"),
        ("UPDATE shards SET next_offset = next_offset + 1 WHERE shard = 0", "shard 0: counts"),
    ],
)
def test_a_ledger_that_is_wrong_in_one_row_is_found_wrong(
    truth: Truth, ledger: Engine, harm: str, said: str
) -> None:
    with ledger.begin() as connection:
        for (trigger,) in connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ).all():
            connection.execute(text(f"DROP TRIGGER {trigger}"))
        assert connection.execute(text(harm)).rowcount > 0
    verdict = judged(truth, ledger)
    assert any(said in difference for difference in verdict.differences), verdict.differences
    assert verdict.lost == said.endswith("lost") or "seqs" in said
    assert verdict.doubled == said.endswith("doubled")


def test_a_batch_replayed_behind_the_ledgers_back_is_found(truth: Truth, ledger: Engine) -> None:
    with ledger.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO entries SELECT shard, seq + 100000, type, volunteer, session, team, "
                "place, activity, day, sessions, seconds, body, leaf FROM entries WHERE shard = 3"
            )
        )
    verdict = judged(truth, ledger)
    assert verdict.doubled > 10
    assert verdict.lost == 0
    assert any("entries that add up otherwise" in it for it in verdict.differences)


def test_an_acknowledged_record_that_is_not_in_the_log_is_lost(log: list[Logged]) -> None:
    there = [Acknowledged(it.partition, it.offset, crc32(it.value or b"")) for it in log]
    verdict = Verdict()
    find_unlogged(verdict, there, log)
    assert verdict.differences == []
    find_unlogged(verdict, [*there, there[0]._replace(checksum=1)], log)
    assert verdict.lost == 1


def logged(sent: list[Sent]) -> list[Logged]:
    """Where Kafka would put them, one record a second."""
    ends = dict.fromkeys(range(PARTITIONS), 0)
    log = []
    for number, (key, value, headers, given) in enumerate(sent):
        partition = (murmur2(key) & 0x7FFFFFFF) % PARTITIONS if given is None else given
        recorded_at = int(BEGUN.timestamp() + number) * 1_000_000
        log.append(Logged(partition, ends[partition], recorded_at, value, headers))
        ends[partition] += 1
    return log


def append(store: Store, shard: int, records: list[Logged]) -> None:
    """Settle the records with nothing in memory, as one batch."""
    claim = store.claim(shard)
    consumed = [
        SimpleNamespace(
            offset=it.offset, timestamp=it.recorded_at // 1_000, value=it.value, headers=it.headers
        )
        for it in records
    ]
    changes = Shard(shard, store.policy, claim.head).fold(
        [decode(record, shard, PARTITIONS) for record in consumed]
    )
    store.append(shard, claim.epoch, changes)


def judged(truth: Truth, ledger: Engine) -> Verdict:
    return judge(truth, read_ledger(ledger, truth.watermark))
