"""What the store promises, held by SQLite and by PostgreSQL alike."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger import queries
from ledger.policy import SECOND, Policy
from ledger.queries import Filters
from ledger.refusals import Fenced, NewerSchema, NoDatabase, NotInitialised, OtherGenesis
from ledger.schema import is_outage
from ledger.settling import Half
from ledger.shard import Shard
from ledger.store import Claim, Store, half_row, open_store
from ledger.taps import Adjustment, Record, Refusal, Tap

POLICY = Policy(shard_count=2)
AT = 1_790_000_000 * SECOND
HOUR = 3_600 * SECOND
DAY = "2026-09-21"
ODD = "合唱队\\N\t'\"{},😀"


@pytest.fixture
def store(ledger_url: str) -> Iterator[Store]:
    opened = open_store(ledger_url, "test.example", POLICY)
    opened.init()
    yield opened
    opened.engine.dispose()


def tap(kind: str, id: str, at: int, volunteer: str = "V1", team: str = ODD) -> Tap:
    if kind == "in":
        return Tap(volunteer, "in", at, "/kiosks/1", id, team, "站一")
    return Tap(volunteer, "out", at, "/kiosks/1", id)


LOG = [
    Record(0, AT, tap("in", "a", AT - 2 * HOUR)),
    Record(1, AT, Refusal("not-json", "第 1 个字节")),
    Record(2, AT, tap("out", "b", AT - HOUR)),
    Record(3, AT, tap("in", "c", AT - 1, "V2")),
    Record(4, AT, tap("out", "d", AT - 1, "V3")),
    Record(
        5, AT,
        Adjustment("V1", AT, "/desks/1", "x", ODD, None, DAY, -600, "leader", "office", "多记"),
    ),
]  # fmt: skip


def append(store: Store, shard: Shard, claim: Claim, records: list[Record]) -> None:
    start = shard.head.next_offset
    store.append(shard.number, claim.epoch, start, shard.fold(records))


def settle(store: Store, records: list[Record], batch: int = 2) -> Shard:
    claim = store.claim(0)
    shard = Shard(0, POLICY, claim.head)
    for first in range(0, len(records), batch):
        append(store, shard, claim, records[first : first + batch])
    return shard


def test_a_ledger_is_begun_once_however_often_it_is_asked(store: Store) -> None:
    store.init()
    with queries.reading(store.engine) as connection:
        assert len(list(queries.entries(connection, Filters()))) == 2
        assert [one.head.next_seq for one in queries.status(connection)] == [1, 1]


def test_another_name_or_policy_is_refused_and_each_difference_named(
    store: Store, ledger_url: str
) -> None:
    other = open_store(ledger_url, "other.example", Policy(shard_count=2, timezone="UTC"))
    with pytest.raises(OtherGenesis, match=r"ledger: test.example ≠ other.example.*timezone"):
        other.check()
    with pytest.raises(OtherGenesis):
        other.init()
    other.engine.dispose()


def test_an_empty_database_and_a_newer_one_are_refused(ledger_url: str) -> None:
    store = open_store(ledger_url, "test.example", POLICY)
    with pytest.raises(NotInitialised, match="hours init"):
        store.check()
    store.init()
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE schema_version SET version_num = '9999'"))
    for refused in (store.check, store.init):
        with pytest.raises(NewerSchema, match="9999"):
            refused()
    store.engine.dispose()


def test_a_database_that_does_not_answer_is_one_line_without_its_password() -> None:
    store = open_store("postgresql://hours:secret@127.0.0.1:1/none", "test.example", POLICY)
    with pytest.raises(NoDatabase, match="does not answer") as refusal:
        store.check()
    assert "secret" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_what_was_settled_is_what_is_read(store: Store) -> None:
    shard = settle(store, LOG)
    with queries.reading(store.engine) as connection:
        (first, _) = queries.status(connection)
        assert (first.head, first.epoch) == (shard.head, 1)
        assert queries.totals(connection, Filters()) == [(ODD, DAY, 1, 3_000)]
        assert queries.totals(connection, Filters(volunteer="V1")) == [(ODD, DAY, 1, 3_000)]
        assert queries.totals(connection, Filters(team="none")) == []
        assert queries.shard_totals(connection, 0, [(ODD, DAY)]) == [(ODD, DAY, 1, 3_000)]
        assert len(list(queries.entries(connection, Filters(volunteer="V1")))) == 2
        (rejected,) = queries.rejections(connection, Filters(day=DAY), POLICY)
        assert rejected == (0, 1, AT, "not-json", "第 1 个字节")
        assert not list(queries.rejections(connection, Filters(day="2026-09-20"), POLICY))
    assert store.rejected_offsets(0, 0, 6) == {1}
    assert store.rejected_offsets(0, 2, 6) == frozenset()


def test_an_open_check_in_is_present_until_the_cap_has_passed(store: Store) -> None:
    settle(store, LOG)
    cap = POLICY.cap
    with queries.reading(store.engine) as connection:
        everything = Filters()
        (here,) = queries.present(connection, everything, POLICY, AT - 1 + cap)
        assert (here.volunteer, here.team, here.since) == ("V2", ODD, AT - 1)
        assert not queries.present(connection, everything, POLICY, AT + cap)
        then = queries.exceptions(connection, everything, POLICY, AT - 1 + cap)
        assert [(one.volunteer, one.reason) for one in then] == [("V3", "no-check-in")]
        later = queries.exceptions(connection, Filters(volunteer="V2"), POLICY, AT + cap)
        assert [(one.volunteer, one.reason) for one in later] == [("V2", "no-check-out")]


def test_a_later_claim_fences_the_earlier_one_and_nothing_is_stored(store: Store) -> None:
    early = store.claim(0)
    late = store.claim(0)
    assert late.epoch == early.epoch + 1
    with pytest.raises(Fenced):
        append(store, Shard(0, POLICY, early.head), early, LOG)
    append(store, Shard(0, POLICY, late.head), late, LOG)
    with pytest.raises(Fenced):  # the same batch again: the shard doesn't end there any more
        append(store, Shard(0, POLICY, late.head), late, LOG)
    assert store.claim(0).head.next_offset == 6


def test_an_append_that_fails_half_way_leaves_nothing(store: Store) -> None:
    claim = store.claim(0)
    changes = Shard(0, POLICY, claim.head).fold(LOG)
    changes.rejections *= 2  # the last rows to be written clash
    with pytest.raises(DBAPIError):
        store.append(0, claim.epoch, 0, changes)
    assert store.claim(0).head == claim.head
    with queries.reading(store.engine) as connection:
        assert queries.totals(connection, Filters()) == []


def test_an_append_cut_off_by_the_server_is_an_outage_and_leaves_nothing(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(postgres_url, "test.example", POLICY)
    store.init()
    claim = store.claim(0)
    changes = Shard(0, POLICY, claim.head).fold(LOG)

    def cut_off(shard: int, half: Half) -> Any:
        with store.engine.connect() as other:
            locks = "FROM pg_locks WHERE relation = 'shards'::regclass AND pid <> pg_backend_pid()"
            other.execute(text(f"SELECT pg_terminate_backend(pid) {locks}"))
        return half_row(shard, half)

    with monkeypatch.context() as patched:
        patched.setattr("ledger.store.half_row", cut_off)
        with pytest.raises(DBAPIError) as outage:
            store.append(0, claim.epoch, 0, changes)
    assert is_outage(outage.value)
    store.append(0, claim.epoch, 0, changes)
    assert store.claim(0).head == changes.head
    store.engine.dispose()


@pytest.mark.parametrize(
    "deed", ["UPDATE entries SET seconds = 0", "DELETE FROM entries", "TRUNCATE entries"]
)
def test_the_database_itself_refuses_to_change_an_entry(store: Store, deed: str) -> None:
    if deed.startswith("TRUNCATE") and store.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no TRUNCATE")
    settle(store, LOG)
    with (
        pytest.raises(DBAPIError, match="append-only"),
        store.engine.execution_options(writes=True).begin() as connection,
    ):
        connection.execute(text(deed))


def test_a_reader_sees_one_moment_while_a_writer_goes_on(store: Store) -> None:
    claim = store.claim(0)
    shard = Shard(0, POLICY, claim.head)
    append(store, shard, claim, LOG[:3])
    with queries.reading(store.engine) as connection:
        before = queries.status(connection)
        append(store, shard, claim, LOG[3:])
        assert queries.status(connection) == before
        assert queries.totals(connection, Filters()) == [(ODD, DAY, 1, 3_600)]


def test_claims_at_the_same_moment_get_different_epochs(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        epochs = list(pool.map(lambda _: store.claim(1).epoch, range(24)))
    assert sorted(epochs) == list(range(1, 25))


def test_a_shard_that_the_ledger_does_not_have_cannot_be_claimed(store: Store) -> None:
    with pytest.raises(NotInitialised, match="no shard 7"):
        store.claim(7)
