"""What the store promises, held by SQLite and by PostgreSQL alike."""

import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from ledger import queries
from ledger.merkle import leaf_hash
from ledger.migrating import config_on
from ledger.policy import SECOND, Policy
from ledger.queries import Filters
from ledger.refusals import Fenced, NewerSchema, NoDatabase, NotInitialised, OtherGenesis
from ledger.schema import VERSIONS, is_outage
from ledger.settling import Half
from ledger.shard import Shard
from ledger.store import Claim, Store, half_row, open_store
from ledger.tables import entries, halves, shards, window_segments
from ledger.taps import Adjustment, Record, Refusal, Tap, Void
from ledger.window import Accepted
from tests.facts import SMALL, random_log

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
        return Tap.of(volunteer, "in", at, "/kiosks/1", id, team, "站一")
    return Tap.of(volunteer, "out", at, "/kiosks/1", id)


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
    store.append(shard.number, claim.epoch, shard.fold(records))


def settle(store: Store, records: list[Record], batch: int = 2) -> Shard:
    claim = store.claim(0)
    shard = Shard(0, POLICY, claim.head)
    for first in range(0, len(records), batch):
        append(store, shard, claim, records[first : first + batch])
    return shard


def test_a_ledger_is_begun_once_however_often_it_is_asked(store: Store) -> None:
    store.init()
    with queries.reading(store.engine) as connection:
        begun = [json.loads(one) for one in queries.entries(connection, Filters())]
        assert [(one["seq"], one["shard"]) for one in begun] == [(0, 0), (0, 1)]
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


def test_the_versions_that_are_known_are_those_of_the_steps_to_them(store: Store) -> None:
    with store.engine.connect() as connection:
        steps = ScriptDirectory.from_config(config_on(connection)).walk_revisions()
    assert tuple(reversed([one.revision for one in steps])) == VERSIONS


def test_a_database_that_does_not_answer_is_one_line_without_its_password() -> None:
    store = open_store("postgresql://hours:secret@127.0.0.1:1/none", "test.example", POLICY)
    with pytest.raises(NoDatabase, match="does not answer") as refusal:
        store.check()
    assert "secret" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    letter = tmp_path / "letter.db"
    letter.write_text("这不是数据库。" * 100)
    store = open_store(f"sqlite:///{letter}", "test.example", POLICY)
    for refused in (store.check, store.init):
        with pytest.raises(NoDatabase, match="not a database"):
            refused()
    assert letter.read_text() == "这不是数据库。" * 100
    store.engine.dispose()


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
    assert store.rejected_offsets(0, 0, 6) == store.rejected_offsets(0, 1, 2) == {1}
    for shard, start, stop in ((0, 2, 6), (0, 0, 1), (1, 0, 6)):
        assert store.rejected_offsets(shard, start, stop) == frozenset()


def test_text_comes_back_as_it_went_in_whatever_the_way_to_the_database_makes_of_it(
    store: Store,
) -> None:
    r"""COPY has its own tabs, newlines, backslashes, and \N for nothing."""
    odd = [
        "\\N",
        "\\.",
        "a\tb",
        "a\\tb",
        "\r\n",
        "'; DROP TABLE entries; --",
        '"',
        "％𠮷",
        "{NULL}",
        " ",
    ]
    log = [
        record
        for n, text_ in enumerate(odd)
        for record in (
            Record(
                2 * n, AT, Tap.of(f"V{text_}", "in", AT, f"/{text_}", f"{n}", text_, text_, text_)
            ),
            Record(2 * n + 1, AT, Refusal("not-json", text_)),
        )
    ]
    shard = settle(store, log, batch=len(log))
    with queries.reading(store.engine) as connection:
        here = queries.present(connection, Filters(), POLICY, AT)
        assert {(one.volunteer, one.team, one.place) for one in here} == {
            (f"V{text_}", text_, text_) for text_ in odd
        }
        refused = queries.rejections(connection, Filters(), POLICY)
        assert [one.detail for one in refused] == odd
    outs = [
        Record(
            2 * len(odd) + n, AT, Tap.of(f"V{text_}", "out", AT + SECOND, f"/{text_}", f"out {n}")
        )
        for n, text_ in enumerate(odd)
    ]
    append(store, shard, store.claim(0), outs)
    with queries.reading(store.engine) as connection:
        assert not queries.present(connection, Filters(), POLICY, AT)
        found = queries.totals(connection, Filters(day=DAY))
        assert set(found) == {(text_, DAY, 1, 1) for text_ in odd}
        assert set(queries.shard_totals(connection, 0, [(odd[0], DAY)])) == {(odd[0], DAY, 1, 1)}


def test_text_that_a_database_cannot_hold_is_stored_whole_or_not_at_all(store: Store) -> None:
    """A NUL never gets past decoding; PostgreSQL has no room for one."""
    claim = store.claim(0)
    changes = Shard(0, POLICY, claim.head).fold([*LOG[:2], Record(2, AT, Refusal("x", "a\0b"))])
    holds_it = store.engine.dialect.name == "sqlite"
    with nullcontext() if holds_it else pytest.raises(DBAPIError) as refused:
        store.append(0, claim.epoch, changes)
    assert holds_it or not is_outage(refused.value)  # else a worker would try again for ever
    with queries.reading(store.engine) as connection:
        details = [one.detail for one in queries.rejections(connection, Filters(), POLICY)]
        assert details == (["第 1 个字节", "a\0b"] if holds_it else [])
        assert queries.status(connection)[0].head == (changes.head if holds_it else claim.head)


MORNING = 1_789_833_600 * SECOND
"""Midnight in Shanghai as 2026-09-20 begins."""


def served(n: int, team: str, place: str, opened: float, seconds: int) -> list[Record]:
    """The two records at 2n and 2n + 1 of a session, `opened` hours after MORNING."""
    at = MORNING + round(opened * HOUR)
    return [
        Record(2 * n, AT, Tap.of("V1", "in", at, "/kiosks/1", f"in {n}", team, place)),
        Record(2 * n + 1, AT, Tap.of("V1", "out", at + seconds * SECOND, "/kiosks/1", f"out {n}")),
    ]


def test_counters_add_up_over_batches_and_a_team_s_are_the_sums_of_its_grains(
    store: Store,
) -> None:
    log = [
        *served(0, "一队", "站一", 0, 3_600),
        *served(1, "一队", "站二", 2, 7_200),
        *served(2, "二队", "站一", 5, 3_600),
        *served(3, "一队", "站一", 23.9, 1_800),
        *served(4, "一队", "站一", 24.5, 1_800),
        Record(10, AT, Void("V1", AT, "/desks/1", "v", "/kiosks/1", "out 2", "leader", "错了")),
    ]
    settle(store, log, batch=3)
    one, other = ("一队", "2026-09-20", 3, 12_600), ("一队", "2026-09-21", 1, 1_800)
    nought = ("二队", "2026-09-20", 0, 0)
    with queries.reading(store.engine) as connection:
        assert queries.totals(connection, Filters()) == [one, other]
        assert queries.totals(connection, Filters(volunteer="V1")) == [one, other]
        assert queries.totals(connection, Filters(day="2026-09-21")) == [other]
        assert queries.totals(connection, Filters(team="一队", day="2026-09-20")) == [one]
        assert queries.totals(connection, Filters(volunteer="V2")) == []
        assert sorted(queries.shard_totals(connection, 0)) == sorted([one, other, nought])
        keys = [nought[:2], other[:2], ("三队", "2026-09-20")]
        assert sorted(queries.shard_totals(connection, 0, keys)) == sorted([nought, other])
        assert queries.shard_totals(connection, 0, []) == []
        assert queries.shard_totals(connection, 1) == []


def test_a_half_is_replaced_and_healed_by_later_batches(store: Store) -> None:
    def statuses() -> dict[str, str]:
        with queries.reading(store.engine) as connection:
            rows = connection.execute(select(halves.c.id, halves.c.status))
            return {row.id: row.status for row in rows}

    shard, claim = settle(store, [Record(0, AT, tap("in", "a", AT - 3 * HOUR))]), store.claim(0)
    assert statuses() == {"a": "open"}
    append(store, shard, claim, [Record(1, AT, tap("in", "b", AT - HOUR))])
    assert statuses() == {"a": "no-check-out", "b": "open"}
    append(store, shard, claim, [Record(2, AT, tap("out", "c", AT - 2 * HOUR))])
    assert statuses() == {"b": "open"}


def test_a_tap_under_a_name_used_before_the_window_stands_beside_the_earlier_half(
    store: Store,
) -> None:
    """A kiosk that began to count anew must not stop the shard, nor hide what wasn't put right."""
    later = AT + 30 * 24 * HOUR
    log = [Record(n, at, tap("in", "1", at)) for n, at in enumerate((AT, later))]
    settle(store, log, batch=1)
    with queries.reading(store.engine) as connection:
        (gone,) = queries.exceptions(connection, Filters(), POLICY, later)
        (here,) = queries.present(connection, Filters(), POLICY, later)
        assert (gone.occurred_at, here.since) == (AT, later)


def test_the_bytes_that_were_hashed_are_the_bytes_that_are_read(store: Store) -> None:
    claim = store.claim(0)
    changes = Shard(0, POLICY, claim.head).fold(LOG)
    store.append(0, claim.epoch, changes)
    with queries.reading(store.engine) as connection:
        bodies = list(queries.entries(connection, Filters(team=ODD)))
        assert bodies == [entry.body for entry in changes.entries]
        assert [leaf_hash(body) for body in bodies] == [entry.leaf for entry in changes.entries]
        assert list(queries.entries(connection, Filters(day=DAY))) == bodies
        assert list(queries.entries(connection, Filters(day="2026-09-22"))) == []


def test_exceptions_are_listed_oldest_first_and_by_team_volunteer_or_civil_day(
    store: Store,
) -> None:
    settle(
        store,
        [
            Record(0, AT, tap("in", "a", MORNING, "V2", "二队")),
            Record(1, AT, tap("in", "b", MORNING - 1, "V1", "一队")),
            Record(2, AT, tap("out", "c", MORNING + 24 * HOUR, "V3")),
        ],
    )
    with queries.reading(store.engine) as connection:

        def listed(**filters: str) -> list[str]:
            found = queries.exceptions(connection, Filters(**filters), POLICY, AT)
            return [one.id for one in found]

        assert listed() == ["b", "a", "c"]
        assert listed(team="一队") == ["b"]
        assert listed(volunteer="V3") == ["c"]
        days = [listed(day=f"2026-09-{day}") for day in (19, 20, 21, 22)]
        assert days == [["b"], ["a"], ["c"], []]
        assert listed(day="9999-12-31") == listed(day="0001-01-01") == []
        present = queries.present(connection, Filters(volunteer="V1"), POLICY, MORNING)
        assert [one.volunteer for one in present] == ["V1"]


def test_an_unreadable_genesis_is_named_as_another_s(store: Store) -> None:
    with store.engine.execution_options(writes=True).begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER entries_refuse_update"))
        else:
            connection.execute(text("ALTER TABLE entries DISABLE TRIGGER USER"))
        connection.execute(update(entries).where(entries.c.shard == 1).values(body=b"{nonsense"))
    with pytest.raises(OtherGenesis, match=r"ledger: – ≠ test\.example"):
        store.check()


def test_an_open_check_in_is_present_until_the_cap_has_passed(store: Store) -> None:
    settle(store, LOG)
    cap = POLICY.cap
    with queries.reading(store.engine) as connection:
        everything = Filters()
        (here,) = queries.present(connection, everything, POLICY, AT - 1 + cap)
        assert (here.volunteer, here.team, here.since) == ("V2", ODD, AT - 1)
        assert not queries.present(connection, everything, POLICY, AT + cap)
        then = queries.exceptions(connection, everything, POLICY, AT - 1 + cap)
        assert [(one.volunteer, *one[-3:]) for one in then] == [("V3", None, None, "no-check-in")]
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


@pytest.mark.parametrize("most", [40, 700])
@pytest.mark.parametrize("policy", [SMALL, POLICY], ids=["forgetting", "keeping all"])
def test_what_fills_a_window_again_is_what_was_accepted_from_the_oldest_that_matters(
    ledger_url: str, policy: Policy, most: int
) -> None:
    store = open_store(ledger_url, "test.example", replace(policy, shard_count=2))
    store.init()
    chance, log = random.Random(most), random_log(most, 3_000)
    windows = [_Window(store, number, log) for number in range(2)]
    while left := [window for window in windows if window.left]:
        chance.choice(left).settle(chance.randint(1, most))
    for window in windows:
        held, segments = window.held(), window.segments()
        assert 0 < len(held) <= len(window.accepted)
        assert all(end > window.shard.head.replay_from for _, end in segments)
        if policy is POLICY:  # at the end of 1,024 offsets, those in them become one
            blocks = window.shard.head.next_offset // 1_024
            assert len(held) == len(window.accepted)
            assert sum(first < blocks * 1_024 for first, _ in segments) == blocks
        window.lose(segments[-1][0])
        assert store.accepted(window.number, window.shard.head) is None  # the log is read again
    store.engine.dispose()


@dataclass
class _Window:
    """A shard that settles a log, and what it accepted."""

    store: Store
    number: int
    left: list[Record]
    accepted: list[Accepted] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.claim = self.store.claim(self.number)
        self.shard = Shard(self.number, self.store.policy, self.claim.head)

    def settle(self, count: int) -> None:
        changes = self.shard.fold(self.left[:count])
        self.store.append(self.number, self.claim.epoch, changes)
        self.left, self.accepted = self.left[count:], [*self.accepted, *changes.accepted]
        assert self.store.accepted(self.number, self.shard.head) == self.held()

    def held(self) -> list[Accepted]:
        return [one for one in self.accepted if one[0] >= self.shard.head.replay_from]

    def segments(self) -> list[tuple[int, int]]:
        table = window_segments.c
        with self.store.engine.connect() as connection:
            rows = connection.execute(
                select(table.first_offset, table.next_offset)
                .where(table.shard == self.number)
                .order_by(table.first_offset)
            )
            return [tuple(row) for row in rows]

    def lose(self, first: int) -> None:
        table = window_segments
        with self.store.engine.begin() as connection:
            connection.execute(
                delete(table).where(table.c.shard == self.number, table.c.first_offset == first)
            )


def test_an_append_that_fails_half_way_leaves_nothing(store: Store) -> None:
    claim = store.claim(0)
    changes = Shard(0, POLICY, claim.head).fold(LOG)
    changes.rejections *= 2  # the last rows to be written clash
    with pytest.raises(DBAPIError):
        store.append(0, claim.epoch, changes)
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
            store.append(0, claim.epoch, changes)
    assert is_outage(outage.value)
    store.append(0, claim.epoch, changes)
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


def test_a_claim_ends_the_transaction_that_has_held_its_shard_for_long_and_no_other(
    postgres_url: str,
) -> None:
    store = open_store(postgres_url, "test.example", POLICY)
    store.init()
    held = update(shards).values(next_offset=shards.c.next_offset)
    with store.engine.connect() as stopped, store.engine.connect() as at_work:
        stopped.execute(held.where(shards.c.shard == 0))
        at_work.execute(held.where(shards.c.shard == 1))
        assert store.claim(0).epoch == 1
        with pytest.raises(DBAPIError) as ended:
            stopped.commit()
        assert is_outage(ended.value)
        at_work.commit()
    assert store.claim(0).epoch == 2
    store.engine.dispose()


def test_a_claim_that_fails_for_another_reason_says_so(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE shards RENAME TO elsewhere"))
    with pytest.raises(DBAPIError, match="shards"):
        store.claim(0)


def test_a_shard_that_the_ledger_does_not_have_cannot_be_claimed(store: Store) -> None:
    with pytest.raises(NotInitialised, match="no shard 7"):
        store.claim(7)
