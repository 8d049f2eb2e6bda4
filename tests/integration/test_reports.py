"""Reports on both databases, held against the same figures added up entry by entry."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update

from ledger import as_of, queries, tables
from ledger.policy import SECOND
from ledger.refusals import Altered
from ledger.roster import reports
from ledger.roster.records import Activity, Person, Team, Unit
from ledger.roster.reports import Report, ReportRow, report, reports_apart
from ledger.roster.reports_audit import check_groupings
from ledger.roster.reports_grouping import Plan
from ledger.roster.reports_half_year import first_day, half_year
from ledger.roster.reports_question import Question, WrongQuestion, groupings
from ledger.roster.reports_statement import Page
from ledger.roster.reports_unknown import UnknownCode, unknown_codes
from ledger.store import Store
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
from tests.reported_ledger import append, fill, reported_ledger

AT = 1_769_572_800 * SECOND
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
    with reported_ledger(ledger_url) as store:
        yield store


def asked_of(ledger: Store, asked: Asked, page: Page | None = None) -> Report:
    by = [f"{name}:{level}" if level else name for name, level in asked.by]
    question = Question(
        groupings(by), asked.first, asked.last, asked.today, as_of=asked.as_of, **asked.only
    )
    with queries.reading(ledger.engine) as connection:
        return report(connection, question, POLICY, page or Page("time"))


def figures(row: ReportRow) -> Figures:
    return row[1:]


def found_in(answered: Report) -> dict[tuple[str, ...], Figures]:
    """By codes; what has none by what it means."""

    def code(label: Any) -> str:
        unknown = "未登记" in label.name
        return label.code or (UNKNOWN if unknown else NONE)

    return {tuple(code(label) for label in row.groups): figures(row) for row in answered.rows}


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


def test_what_the_ledger_held_at_a_time_stays_what_it_was_however_times_step_back(
    ledger: Store,
) -> None:
    """An entry a minute, and many recorded up to an hour ahead, which later ones step back from."""
    rng = random.Random(11)
    ahead = [rng.choice([0, 0, rng.randrange(3_600)]) for _ in range(200)]
    times = [AT + (60 * n + more) * SECOND for n, more in enumerate(ahead)]
    rows = [
        Row(0, n + 1, "credit", "V1", "t", "u", "", DAYS[0], 1, 1, at) for n, at in enumerate(times)
    ]
    asked = [AT + 600 * n * SECOND for n in range(-1, 8)]
    for stop in (100, 200):
        append(ledger, rows[stop - 100 : stop])
        with queries.reading(ledger.engine) as connection:
            for at in asked:
                later = [row.seq for row in rows[:stop] if row.recorded_at > at]
                assert as_of.stands(connection, at, POLICY)[0] == later[0], at
    with queries.reading(ledger.engine) as connection:
        assert as_of.stands(connection, max(times), POLICY) == {0: 201, 1: 1}


def test_pages_follow_each_other_and_make_up_the_whole(ledger: Store) -> None:
    world = random_world(2)
    fill(ledger, world)
    asked = Asked(by("team", "day"))
    for sort in ("time", "hours"):
        everything = asked_of(ledger, asked, Page(sort))
        pages = [asked_of(ledger, asked, Page(sort, skip, 7)) for skip in range(0, 70, 7)]
        assert [row for page in pages for row in page.rows] == list(everything.rows)
        assert {page.row_count for page in pages} == {len(everything.rows)}
        assert {page.whole for page in pages} == {everything.whole}
        if sort == "time":
            days = [row.groups[1].code for row in everything.rows]
            assert days == sorted(days)
        else:
            seconds = [row.seconds for row in everything.rows]
            assert seconds == sorted(seconds, reverse=True)


def test_reports_apart_are_what_each_is_alone(ledger: Store) -> None:
    fill(ledger, random_world(3))
    names = ("unit:station", "team:kind", "platform", "month")
    with queries.reading(ledger.engine) as connection:
        apart = reports_apart(connection, Question(groupings(names), today=TODAY), POLICY)
    assert apart == [asked_of(ledger, Asked(by(name))) for name in names]


def test_a_code_that_was_merged_is_refused_under_the_tree_as_it_is(ledger: Store) -> None:
    old = Unit(code="old", kind="office", name_zh="旧所", valid_until=DAYS[2], successor="new")
    new = Unit(code="new", kind="office", name_zh="新所")
    row = Row(0, 1, "credit", "V1", "t", "old", "", DAYS[0], 1, 60, 0)
    fill(ledger, World([old, new], [row]))
    with pytest.raises(WrongQuestion, match="new"):
        asked_of(ledger, Asked(by("unit"), only={"unit": "old"}))
    then = asked_of(ledger, Asked(by("unit"), None, only={"unit": "old"}))
    assert found_in(then) == {("old",): (60, 1, 1, 0, 0)}
    now = asked_of(ledger, Asked(by("unit"), only={"unit": "new"}))
    assert found_in(now) == {("new",): (60, 1, 1, 0, 0)}


def test_an_activity_of_two_teams_counts_for_each_and_once_in_all(ledger: Store) -> None:
    world = World(
        [
            Unit(code="u", kind="office", name_zh="所"),
            *(Team(code=code, kind="other", name_zh=code) for code in ("t1", "t2")),
            Activity(
                code="a", title="课", unit="u", teams=("t1", "t2"), held_start=AT, served=30,
                status="held",
            ),
        ],
        [],
    )  # fmt: skip
    fill(ledger, world)
    each = asked_of(ledger, Asked(by("team")))
    assert found_in(each) == {("t1",): (0, 0, 0, 1, 30), ("t2",): (0, 0, 0, 1, 30)}
    assert figures(each.whole) == (0, 0, 0, 1, 30)
    kinds = asked_of(ledger, Asked(by("team:kind")))
    assert found_in(kinds) == {("other",): (0, 0, 0, 1, 30)}


def test_half_a_year_has_its_tables_and_what_there_was_at_its_end(ledger: Store) -> None:
    world = random_world(5)
    fill(ledger, world)
    with queries.reading(ledger.engine) as connection:
        found = half_year(connection, DAYS[8], TODAY, POLICY)
    assert (found.first, found.last) == ("2025-08-06", DAYS[8])
    for name, level in (("platform", ""), ("unit", "office"), ("month", "")):
        groups, whole = added_up(world, Asked(((name, level),), TODAY, found.first, found.last))
        assert found_in(found.tables[name]) == groups
        assert figures(found.tables[name].whole) == whole
    standing = [one for one in world.records if isinstance(one, Team) and one.holds_on(DAYS[8])]
    assert sum(found.teams.values()) == len(standing)


@pytest.mark.parametrize(
    ("ending", "first"),
    [
        ("2026-06-30", "2026-01-01"),
        ("2026-12-31", "2026-07-01"),
        ("2026-08-30", "2026-02-28"),
        ("2026-02-28", "2025-09-01"),
    ],
)
def test_half_a_year_is_six_months(ending: str, first: str) -> None:
    assert first_day(ending) == first


def test_the_roster_s_unknown_codes_are_listed_with_what_is_under_them(ledger: Store) -> None:
    fill(
        ledger,
        World(
            [Team(code="t", kind="other", name_zh="队"), Person(volunteer="V1")],
            [
                Row(0, 1, "credit", "V1", "t", "u?", "", DAYS[0], 1, 60, 0),
                Row(0, 2, "credit", "V2", "t", "u?", "a?", DAYS[3], 1, 600, 0),
                Row(0, 3, "credit", "V1", "t?", "u?", "", DAYS[3], 1, 5, 0),
                Row(0, 4, "reversal", "V1", "t?", "u?", "", DAYS[3], -1, -5, 0),
                Row(1, 1, "adjustment", "V3", "t2?", "", "", DAYS[5], 0, 900, 0),
            ],
        ),
    )
    with ledger.engine.execution_options(writes=True).begin() as connection:
        tap = (0, "V1", "/k", "1", AT, "in", "t", "u2?", "", "open")
        connection.execute(insert(tables.halves).values(tap))
    with queries.reading(ledger.engine) as connection:
        found = unknown_codes(connection, POLICY)
    assert found == [
        UnknownCode("unit", "u?", 2, 660, 0, DAYS[0], DAYS[3]),
        UnknownCode("unit", "u2?", 0, 0, 1, "2026-01-28", "2026-01-28"),
        UnknownCode("team", "t2?", 0, 900, 0, DAYS[5], DAYS[5]),
        UnknownCode("activity", "a?", 1, 600, 0, DAYS[3], DAYS[3]),
        UnknownCode("person", "V3", 0, 900, 0, DAYS[5], DAYS[5]),
        UnknownCode("person", "V2", 1, 600, 0, DAYS[3], DAYS[3]),
    ]


def doubled(plan: Plan) -> Plan:
    """The plan with each place in two rows."""
    codes = [
        replace(one, rows=[*one.rows, *one.rows]) if one.column == "place" else one
        for one in plan.codes
    ]
    return replace(plan, codes=codes)


def groupings_found(engine: Engine) -> list[str]:
    with queries.reading(engine) as connection:
        return [one.where for one in check_groupings(connection, POLICY)]


def test_the_audit_finds_groupings_that_do_not_add_up(
    ledger: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = random_world(1)
    fill(ledger, world)
    assert groupings_found(ledger.engine) == []
    with monkeypatch.context() as patched:  # places that count twice
        plan = reports.plan
        patched.setattr(reports, "plan", lambda *given: doubled(plan(*given)))
        assert groupings_found(ledger.engine) == [
            "report by unit, tree now",
            "report by unit, tree then",
        ]
    with ledger.engine.begin() as connection:
        first = connection.execute(select(tables.day_totals)).first()
        counter = [c == getattr(first, c.name) for c in tables.day_totals.primary_key]
        seconds = tables.day_totals.c.seconds
        connection.execute(update(tables.day_totals).where(*counter).values(seconds=seconds + 1))
    assert len(groupings_found(ledger.engine)) == 9


def test_an_entry_of_impossible_seconds_is_shown_or_refused_and_then_found(ledger: Store) -> None:
    world = random_world(1)
    fill(ledger, replace(world, rows=[world.rows[0]._replace(seconds=1 << 40), *world.rows[1:]]))
    if ledger.engine.dialect.name == "sqlite":
        assert asked_of(ledger, Asked(by("unit"))).whole.seconds >= 1 << 40
        return
    with pytest.raises(Altered, match="run hours audit"):
        asked_of(ledger, Asked(by("unit")))
    assert groupings_found(ledger.engine) == ["reports"]
