"""Reports on both databases, held against the same figures added up entry by entry."""

import random
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update

from ledger import queries, tables
from ledger.bulk import insert_rows
from ledger.policy import SECOND
from ledger.roster import store as roster_store
from ledger.roster.records import Activity, Person, Platform, Team, Unit
from ledger.roster.reports import Report, ReportRow, report, reports_apart
from ledger.roster.reports_audit import check_groupings
from ledger.roster.reports_half_year import first_day, half_year
from ledger.roster.reports_question import Question, WrongQuestion, groupings
from ledger.roster.reports_statement import Page
from ledger.roster.reports_unknown import UnknownCode, unknown_codes
from ledger.roster.roster import Change
from ledger.roster.store import Deed
from ledger.store import Store, open_store
from tests.reported import (
    DAYS,
    NONE,
    POLICY,
    TODAY,
    UNKNOWN,
    Asked,
    Figures,
    Row,
    World,
    added_up,
    random_world,
)

DEED = Deed("test", "test", 1)
ALONE = (
    *(f"unit:{level}" for level in ("centre", "office", "station", "point", "post")),
    *("team", "team:kind", "team:corps", "platform", "project", "activity", "volunteer"),
    *("day", "week", "month"),
)
TOGETHER = (
    (),
    ("unit:office", "month"),
    ("platform", "team", "day"),
    ("volunteer", "unit:station", "week"),
    ("activity", "project", "platform", "unit:post", "team:corps"),
)
ONLY: tuple[dict[str, str], ...] = (
    {"unit": "u1"},
    {"unit": "u0", "team": "t0"},
    {"team": "t1"},
    {"platform": "p1"},
    {"project": "j0", "unit": "u2"},
    {"activity": "a3"},
    {"activity": "a?"},
    {"volunteer": "V1"},
    {"volunteer": "V5", "platform": "p0"},
)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Store]:
    store = open_store(ledger_url, "reported.example", POLICY)
    store.init()
    yield store
    store.engine.dispose()


def fill(ledger: Store, world: World) -> None:
    with roster_store.changing(ledger.engine) as connection:
        before = roster_store.load(connection)
        changes = [Change(None, record) for record in world.records]
        roster_store.apply(connection, before, changes, DEED)
    append(ledger, world.rows)


def append(ledger: Store, rows: list[Row]) -> None:
    """Entries and their counters, as an append leaves them."""
    counters: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
    with ledger.engine.execution_options(writes=True).begin() as connection:
        insert_rows(connection, tables.entries, [row.stored() for row in rows])
        for row in rows:
            counter = counters[(row.shard, row.team, row.day, row.place, row.activity)]
            counter[0] += row.sessions
            counter[1] += row.seconds
            seqs = update(tables.shards).where(tables.shards.c.shard == row.shard)
            connection.execute(seqs.values(next_seq=row.seq + 1))
        insert_rows(connection, tables.day_totals, [(*k, *v) for k, v in counters.items()])


def asked_of(ledger: Store, asked: Asked, page: Page | None = None) -> Report:
    by = [f"{name}:{level}" if level else name for name, level in asked.by]
    question = Question(
        groupings(by), asked.first, asked.last, asked.today, as_of=asked.as_of, **asked.only
    )
    with queries.reading(ledger.engine) as connection:
        return report(connection, question, POLICY, page or Page("time"))


def figures(row: ReportRow) -> Figures:
    return row[1:]


def found_in(report: Report) -> dict[tuple[str, ...], Figures]:
    """By codes; what has none by what it means."""

    def code(label: Any) -> str:
        unknown = "未登记" in label.name
        return label.code or (UNKNOWN if unknown else NONE)

    return {tuple(code(label) for label in row.groups): figures(row) for row in report.rows}


def by(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple((one.dimension, one.level) for one in groupings(names))


@pytest.mark.parametrize("seed", range(3))
def test_a_report_says_what_adding_up_entry_by_entry_gives(ledger: Store, seed: int) -> None:
    world = random_world(seed)
    fill(ledger, world)
    latest = world.rows[-1].recorded_at
    questions = [Asked(by(name), today) for name in ALONE for today in (TODAY, None)]
    questions += [Asked(by(*names), today) for names in TOGETHER for today in (TODAY, None)]
    questions += [Asked(by("platform"), None, only=only) for only in ONLY]
    questions += [Asked(by("team", "day"), None, DAYS[3], DAYS[7], only) for only in ONLY]
    questions += [Asked(by("unit", "volunteer"), None, as_of=latest - n * 10**11) for n in range(3)]
    for asked in questions:
        groups, whole = added_up(world, asked)
        groups = groups if asked.by else {}
        answered = asked_of(ledger, asked)
        assert found_in(answered) == groups, (seed, asked)
        assert figures(answered.whole) == whole, (seed, asked)
        assert answered.row_count == len(groups), (seed, asked)
