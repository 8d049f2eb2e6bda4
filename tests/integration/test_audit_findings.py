"""Whatever is changed behind the ledger's back is found, by its place, with both contents.

Each deed is done in a transaction that the audit looks into and that is then rolled back: on both
databases, with what refuses changes of entries out of the way.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Connection, create_engine, delete, insert, select, text, update
from sqlalchemy.engine import make_url

from ledger import queries, tables
from ledger.audit import Finding, check_shards, check_stored
from ledger.merkle import Frontier, leaf_hash
from ledger.policy import SECOND, Policy
from ledger.replay import audit_shard
from ledger.shard import Shard
from ledger.store import Store, open_store
from ledger.taps import Record, Tap
from tests import oracle
from tests.facts import START, SmallPolicy, random_log

NAME = "audited.example"
POLICY = SmallPolicy(shard_count=2, horizon_seconds=3_000, skew_seconds=30, cap_seconds=600)
LOGS = {0: random_log(4, 60), 1: random_log(5, 60)}
ACCEPTED = next(
    offset for offset, end in oracle.run(LOGS[0], POLICY).ends.items() if end == "accepted"
)
DAY = 86_400 * SECOND
ENTRIES, SHARDS = tables.entries, tables.shards
HALVES, REJECTIONS, COUNTERS = tables.halves, tables.rejections, tables.day_totals

Deed = Callable[[Connection], object]
Place = tuple[int, int, str]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stored(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A ledger of two shards, settled in several batches."""
    url = f"sqlite:///{tmp_path_factory.mktemp('audited')}/ledger.db"
    if request.param == "postgresql":
        url = fresh_database(request.getfixturevalue("postgres_server").address)
    store = open_store(url, NAME, POLICY)
    store.init()
    for number, log in LOGS.items():
        settle(store, number, log)
    yield store
    store.engine.dispose()


def fresh_database(server: str) -> str:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE audited"))
    engine.dispose()
    return make_url(server).set(database="audited").render_as_string(hide_password=False)


def settle(store: Store, number: int, log: list[Record], batch: int = 17) -> None:
    claim = store.claim(number)
    shard = Shard(number, store.policy, claim.head)
    for start in range(0, len(log), batch):
        store.append(number, claim.epoch, shard.fold(log[start : start + batch]))


@contextmanager
def tampering(store: Store) -> Iterator[Connection]:
    """A transaction in which entries can be changed, undone at the end."""
    with store.engine.connect().execution_options(writes=True) as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER entries_refuse_update"))
            connection.execute(text("DROP TRIGGER entries_refuse_delete"))
        else:
            connection.execute(text("ALTER TABLE entries DISABLE TRIGGER USER"))
        yield connection
        connection.rollback()


def audited(
    connection: Connection, logs: dict[int, list[Record]] | None = None, batch: int = 23
) -> list[Finding]:
    """All findings, as the audit of a whole ledger asks for them; in other batches than settled."""
    statuses = queries.status(connection)
    found = list(check_shards(connection, statuses, POLICY))
    for status in statuses:
        log = [
            record
            for record in (logs or LOGS).get(status.shard, [])
            if record.offset < status.head.next_offset
        ]
        batches = (log[start : start + batch] for start in range(0, len(log), batch))
        found += audit_shard(connection, status, NAME, POLICY, batches)
    return found


def places(findings: list[Finding]) -> list[Place]:
    return [(one.invariant, one.shard, one.where) for one in findings]


@pytest.mark.parametrize("batch", [1, 23, 1_000])
def test_an_honest_ledger_has_no_findings_however_its_log_is_cut(stored: Store, batch: int) -> None:
    with queries.reading(stored.engine) as connection:
        assert audited(connection, batch=batch) == []


# The deeds


def first(connection: Connection, table: Any, **where: Any) -> Any:
    """The first such row of shard 0, by its key."""
    matching = [table.c[name] == value for name, value in {"shard": 0, **where}.items()]
    return connection.execute(select(table).where(*matching).order_by(*table.primary_key)).first()


def change(connection: Connection, table: Any, row: Any, **values: Any) -> None:
    key = [column == getattr(row, column.name) for column in table.primary_key]
    done = connection.execute(update(table).where(*key).values(**values))
    assert done.rowcount == 1


def remove(connection: Connection, table: Any, row: Any) -> None:
    key = [column == getattr(row, column.name) for column in table.primary_key]
    assert connection.execute(delete(table).where(*key)).rowcount == 1


def add(connection: Connection, table: Any, row: Any, **values: Any) -> None:
    connection.execute(insert(table).values({**row._asdict(), **values}))


def credit(connection: Connection) -> Any:
    return first(connection, ENTRIES, type="credit")


def head(connection: Connection) -> Any:
    return first(connection, SHARDS)


def last_entry(connection: Connection) -> Any:
    return first(connection, ENTRIES, seq=head(connection).next_seq - 1)


def flipped(body: bytes) -> bytes:
    """The same with one bit in its middle turned."""
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


def forge_an_entry_and_its_tree(connection: Connection) -> None:
    row = credit(connection)
    forged = row.body.replace(b'"seconds":', b'"seconds":9')
    change(connection, ENTRIES, row, body=forged, leaf=leaf_hash(forged))
    frontier = Frontier()
    frontier.extend(
        connection.execute(
            select(ENTRIES.c.leaf).where(ENTRIES.c.shard == 0).order_by(ENTRIES.c.seq)
        ).scalars()
    )
    change(connection, SHARDS, head(connection), frontier=frontier.pack())


def forget_a_shard(connection: Connection) -> None:
    for table in (SHARDS, ENTRIES, COUNTERS, HALVES, REJECTIONS):
        connection.execute(delete(table).where(table.c.shard == 1))


class Case(NamedTuple):
    """A deed, and where it must be found; `{seq}`, `{half}` and so on are of the row it changes."""

    deed: Deed
    found: list[Place]


COUNTER, HALF, REJECTION = "counter {counter}", "half {half}", "offset {offset}"
CREDIT, LEAF, LAST = "seq {seq}", "leaf {seq}", "seq {last}"

CASES = {
    "a bit of a body": Case(
        lambda c: change(c, ENTRIES, credit(c), body=flipped(credit(c).body)),
        [(2, 0, LEAF), (2, 0, "frontier"), (5, 0, CREDIT)],
    ),
    "a leaf": Case(
        lambda c: change(c, ENTRIES, credit(c), leaf=flipped(credit(c).leaf)),
        [(2, 0, LEAF), (5, 0, CREDIT)],
    ),
    "a body and its leaf": Case(
        lambda c: change(
            c,
            ENTRIES,
            credit(c),
            body=flipped(credit(c).body),
            leaf=leaf_hash(flipped(credit(c).body)),
        ),
        [(2, 0, "frontier"), (5, 0, CREDIT)],
    ),
    "an entry forged with its whole tree": Case(
        forge_an_entry_and_its_tree, [(5, 0, CREDIT), (5, 0, "frontier")]
    ),
    "an entry's seconds beside its body": Case(
        lambda c: change(c, ENTRIES, credit(c), seconds=credit(c).seconds + 1),
        [(3, 0, COUNTER), (5, 0, CREDIT)],
    ),
    "an entry's volunteer beside its body": Case(
        lambda c: change(c, ENTRIES, credit(c), volunteer="V9"), [(5, 0, CREDIT)]
    ),
    "a reversal turned into a credit": Case(
        lambda c: change(c, ENTRIES, first(c, ENTRIES, type="reversal"), type="credit"),
        [(4, 0, "seq {reversal}"), (5, 0, "seq {reversal}")],
    ),
    "the last entry": Case(
        lambda c: remove(c, ENTRIES, last_entry(c)),
        [(2, 0, "size"), (3, 0, "counter {last_counter}"), (5, 0, LAST)],
    ),
    "an entry in the middle": Case(
        lambda c: remove(c, ENTRIES, first(c, ENTRIES, type="adjustment")),
        [(2, 0, "seq {adjustment}"), (3, 0, "counter {adjusted}"), (5, 0, "seq {adjustment}")],
    ),
    "the genesis": Case(
        lambda c: remove(c, ENTRIES, first(c, ENTRIES)), [(2, 0, "seq 0"), (5, 0, "seq 0")]
    ),
    "an entry too many": Case(
        lambda c: add(c, ENTRIES, first(c, ENTRIES), seq=head(c).next_seq), [(2, 0, "size")]
    ),
    "an entry before the first": Case(
        lambda c: add(c, ENTRIES, first(c, ENTRIES), seq=-1), [(2, 0, "size")]
    ),
    "a counter": Case(
        lambda c: change(c, COUNTERS, first(c, COUNTERS), seconds=first(c, COUNTERS).seconds + 1),
        [(3, 0, "counter {first_counter}")],
    ),
    "a counter's sessions": Case(
        lambda c: change(c, COUNTERS, first(c, COUNTERS), sessions=99),
        [(3, 0, "counter {first_counter}")],
    ),
    "a counter taken away": Case(
        lambda c: remove(c, COUNTERS, first(c, COUNTERS)), [(3, 0, "counter {first_counter}")]
    ),
    "a counter too many": Case(
        lambda c: add(c, COUNTERS, first(c, COUNTERS), team="other", place="p", activity="a"),
        [(3, 0, "counter other p a {day}")],
    ),
    "a counter of nothing": Case(
        lambda c: add(c, COUNTERS, first(c, COUNTERS), team="other", sessions=0, seconds=0),
        [(3, 0, "counter other {first_place}")],
    ),
    "a count": Case(
        lambda c: change(c, SHARDS, head(c), accepted=head(c).accepted + 1),
        [(1, 0, "counts"), (5, 0, "accepted")],
    ),
    "two counts that balance": Case(
        lambda c: change(
            c, SHARDS, head(c), rejected=head(c).rejected + 1, skipped=head(c).skipped - 1
        ),
        [(5, 0, "rejected"), (5, 0, "skipped")],
    ),
    "a half's status": Case(
        lambda c: change(c, HALVES, first(c, HALVES), status="healed"), [(5, 0, HALF)]
    ),
    "a half taken away": Case(lambda c: remove(c, HALVES, first(c, HALVES)), [(5, 0, HALF)]),
    "a half too many": Case(
        lambda c: add(c, HALVES, first(c, HALVES), volunteer="V9", source="s", id="i"),
        [(5, 0, "half V9 s i")],
    ),
    "a rejection's reason": Case(
        lambda c: change(c, REJECTIONS, first(c, REJECTIONS), reason="other"), [(5, 0, REJECTION)]
    ),
    "a rejection's record time": Case(
        lambda c: change(c, REJECTIONS, first(c, REJECTIONS), recorded_at=0), [(5, 0, REJECTION)]
    ),
    "a rejection taken away": Case(
        lambda c: remove(c, REJECTIONS, first(c, REJECTIONS)), [(5, 0, REJECTION)]
    ),
    "a rejection of a record that was accepted": Case(
        lambda c: add(c, REJECTIONS, first(c, REJECTIONS), log_offset=ACCEPTED),
        [(5, 0, f"offset {ACCEPTED}")],
    ),
    "a rejection beyond the log": Case(
        lambda c: add(c, REJECTIONS, first(c, REJECTIONS), log_offset=10_000),
        [(5, 0, "offset 10000")],
    ),
    "a rejection before the log": Case(
        lambda c: add(c, REJECTIONS, first(c, REJECTIONS), log_offset=-1), [(5, 0, "offset -1")]
    ),
    "the next offset": Case(
        lambda c: change(c, SHARDS, head(c), next_offset=head(c).next_offset + 1),
        [(1, 0, "counts"), (5, 0, "next_offset")],
    ),
    "the frontier": Case(
        lambda c: change(c, SHARDS, head(c), frontier=flipped(head(c).frontier)),
        [(2, 0, "frontier"), (5, 0, "frontier")],
    ),
    "the frontier cut short": Case(
        lambda c: change(c, SHARDS, head(c), frontier=head(c).frontier[:-1]),
        [(2, 0, "frontier"), (5, 0, "frontier")],
    ),
    "the watermark": Case(lambda c: change(c, SHARDS, head(c), watermark=0), [(5, 0, "watermark")]),
    "where the window is rebuilt from": Case(
        lambda c: change(c, SHARDS, head(c), replay_from=head(c).replay_from + 1),
        [(5, 0, "replay_from")],
    ),
    "where a shard stands": Case(
        lambda c: remove(c, SHARDS, head(c)),
        [
            (2, 0, "table shards"),
            *((2, 0, f"table {name}") for name in ("entries", "day_totals", "halves")),
            (2, 0, "table rejections"),
        ],
    ),
    "a whole shard": Case(forget_a_shard, [(2, 1, "table shards")]),
    "a shard too many": Case(
        lambda c: add(c, SHARDS, head(c), shard=7, next_seq=0, next_offset=0, frontier=b""),
        [(2, 7, "table shards"), (1, 7, "counts")],
    ),
    "an entry of no shard": Case(
        lambda c: add(c, ENTRIES, credit(c), shard=7), [(2, 7, "table entries")]
    ),
    "a counter of no shard": Case(
        lambda c: add(c, COUNTERS, first(c, COUNTERS), shard=7), [(2, 7, "table day_totals")]
    ),
    "a half of no shard": Case(
        lambda c: add(c, HALVES, first(c, HALVES), shard=-1), [(2, -1, "table halves")]
    ),
    "a rejection of no shard": Case(
        lambda c: add(c, REJECTIONS, first(c, REJECTIONS), shard=2), [(2, 2, "table rejections")]
    ),
}


@pytest.mark.parametrize("deed", CASES)
def test_what_is_changed_is_found_and_named(stored: Store, deed: str) -> None:
    case = CASES[deed]
    with tampering(stored) as connection:
        named = names(connection)
        case.deed(connection)
        findings = audited(connection)
    expected = {(one, shard, where.format(**named)) for one, shard, where in case.found}
    assert expected <= set(places(findings))
    if deed != "a shard too many":  # whose own log isn't there to be replayed
        assert set(places(findings)) == expected
    assert all(one.stored != one.expected for one in findings)


def names(connection: Connection) -> dict[str, object]:
    """What the rows that are changed are called in findings."""

    def counter(row: Any) -> str:
        return f"{row.team} {row.place} {row.activity} {row.day}"

    adjusted, half = first(connection, ENTRIES, type="adjustment"), first(connection, HALVES)
    return {
        "seq": credit(connection).seq,
        "reversal": first(connection, ENTRIES, type="reversal").seq,
        "adjustment": adjusted.seq,
        "last": last_entry(connection).seq,
        "counter": counter(credit(connection)),
        "last_counter": counter(last_entry(connection)),
        "adjusted": counter(adjusted),
        "first_counter": counter(first(connection, COUNTERS)),
        "first_place": counter(first(connection, COUNTERS)).split(" ", 1)[1],
        "day": first(connection, COUNTERS).day,
        "half": f"{half.volunteer} {half.source} {half.id}",
        "offset": first(connection, REJECTIONS).log_offset,
    }


def test_text_in_place_of_bytes_is_found_where_the_database_takes_it(stored: Store) -> None:
    if stored.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL takes bytes alone")
    with tampering(stored) as connection:
        seq = credit(connection).seq
        as_text = "UPDATE entries SET body = CAST(body AS TEXT) WHERE shard = 0 AND seq = :seq"
        connection.execute(text(as_text), {"seq": seq})
        findings = audited(connection)
    assert places(findings) == [(2, 0, f"leaf {seq}"), (2, 0, "frontier"), (5, 0, f"seq {seq}")]


def test_a_log_that_ends_before_the_ledger_is_compared_as_far_as_it_goes(stored: Store) -> None:
    with tampering(stored) as connection:
        status = queries.status(connection)[0]

        def beginning(records: int) -> list[Place]:
            log = [LOGS[0][:records]]
            return places(list(audit_shard(connection, status, NAME, POLICY, log, is_whole=False)))

        assert beginning(0) == beginning(30) == []
        row = credit(connection)
        change(connection, ENTRIES, row, volunteer="V9")
        assert beginning(0) == []
        assert beginning(60) == [(5, 0, f"seq {row.seq}")]


def test_a_finding_shows_both_contents(stored: Store) -> None:
    with tampering(stored) as connection:
        row = credit(connection)
        change(connection, ENTRIES, row, body=flipped(row.body))
        finding = audited(connection)[-1]
    assert finding.stored == flipped(row.body).decode(errors="replace")
    assert finding.expected == row.body.decode()
    assert f"invariant 5, shard 0, seq {row.seq}" in str(finding)
    assert finding.stored in str(finding)
    assert finding.expected in str(finding)


def test_a_session_whose_taps_names_come_again_after_the_window_is_another_session(
    ledger_url: str,
) -> None:
    """A kiosk whose counter began anew is no forgery: credit follows credit, weeks apart."""
    policy = Policy(shard_count=1)
    log = []
    for opened in (START, START + 30 * DAY):
        taps = (
            Tap.of("V1", "in", opened, "/kiosks/1", "1", "合唱队", "站一"),
            Tap.of("V1", "out", opened + 3_600 * SECOND, "/kiosks/1", "2"),
        )
        log += [Record(len(log) + place, tap.occurred_at, tap) for place, tap in enumerate(taps)]
    store = open_store(ledger_url, NAME, policy)
    store.init()
    settle(store, 0, log)
    with queries.reading(store.engine) as connection:
        (status,) = queries.status(connection)
        assert status.head.next_seq == 3
        assert list(check_stored(connection, status)) == []
    store.engine.dispose()
