"""The figures an assessment goes by, on both databases, of a district small enough to count."""

from collections.abc import Iterator
from fractions import Fraction

import pytest
from sqlalchemy import insert

from ledger import queries, tables
from ledger.assessment.indicators import NOBODY, Measured, measure
from ledger.assessment.scheme import Indicator, Kind
from ledger.queries import day_bounds
from ledger.roster.records import Have, HaveItem, Membership, Person, Record, Team, Unit
from ledger.store import Store
from tests.reported import DAYS, POLICY, TODAY, Row, World, random_world
from tests.reported_ledger import fill, reported_ledger

NOW = day_bounds(TODAY, POLICY.timezone)[1]
DISTRICT: list[Record] = [
    Unit(code="c", kind="centre", name_zh="中心"),
    *(Unit(code=f"o{n}", kind="office", name_zh=f"所{n}", parent="c") for n in (1, 2)),
    *(Unit(code=f"s{n}", kind="station", name_zh=f"站{n}", parent=f"o{n}") for n in (1, 2)),
    Unit(code="p1", kind="post", name_zh="驿站", parent="s1"),
    *(Team(code=f"t{n}", kind="other", name_zh=f"队{n}") for n in (1, 2)),
    Person(volunteer="V1", unit="s1"),
    Person(volunteer="V2", unit="s1"),
    Person(volunteer="V3", unit="o1"),
    Person(volunteer="V4", unit="s1", status="left"),
    *(Membership(volunteer=f"V{n}", team="t1", since=DAYS[0]) for n in (1, 2)),
    Membership(volunteer="V3", team="t1", since=DAYS[0], until=DAYS[2]),
    *(HaveItem(code=f"h{n}", name_zh=f"有{n}", position=n) for n in (1, 2, 3)),
    Have(post="p1", item="h1", state="have", day=DAYS[0], checked_by="V1"),
    Have(post="p1", item="h2", state="building", day=DAYS[0], checked_by="V1"),
]


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Store]:
    with reported_ledger(ledger_url) as store:
        yield store


def measured(ledger: Store, first: str = DAYS[2], last: str = DAYS[8]) -> Measured:
    with queries.reading(ledger.engine) as connection:
        return measure(connection, first, last, POLICY, TODAY, NOW)


def of(found: Measured, name: Indicator) -> dict[tuple[Kind, str], Fraction]:
    """A figure by kind and code, noughts and blanks left out."""
    return {
        (kind, code): value
        for kind, each in found.figures.items()
        for code, figures in each.items()
        if (value := figures[name])
    }


def served(seq: int, who: str, team: str, place: str, day: int, seconds: int = 3_600) -> Row:
    return Row(0, seq, "credit", who, team, place, "", DAYS[day], 1, seconds, 0)


def test_a_volunteer_is_new_once_where_the_first_credit_was_and_for_whom(ledger: Store) -> None:
    rows = [
        served(1, "V1", "t1", "s1", 2),
        served(2, "V1", "t2", "s2", 3),  # again: not new
        served(3, "V2", "t2", "s2", 1),  # before the period began
        served(4, "V2", "t2", "s2", 4),
        served(5, "V3", "t2", "s1", 5),  # twice on the first day: for the first team, at its place
        served(6, "V3", "t1", "s2", 5),
        served(7, "V4", "t2", "", 6),  # at no place
        served(8, "V5", "t1", "s1", 9),  # after it ended
    ]
    back = rows[0]._replace(seq=9, type="reversal", sessions=-1, seconds=-3_600)
    fill(ledger, World(DISTRICT, [*rows, back]))
    assert of(measured(ledger), "new-volunteers") == {
        ("office", "o1"): 1, ("office", "o2"): 1, ("office", NOBODY): 1,
        ("station", "s1"): 1, ("station", "s2"): 1, ("station", NOBODY): 1,
        ("team", "t1"): 2, ("team", "t2"): 1,
    }  # fmt: skip


def test_who_was_active_is_a_share_of_who_is_at_home_there(ledger: Store) -> None:
    rows = [served(1, "V1", "t2", "s2", 3), served(2, "V3", "t2", "s2", 9)]
    fill(ledger, World(DISTRICT, rows))
    # At s1 are V1 and V2; at the office itself V3; who left counts nowhere, nor does who left t1.
    assert of(measured(ledger), "active-share") == {
        ("office", "o1"): Fraction(100, 3),
        ("station", "s1"): 50,
        ("team", "t1"): 50,
    }
    found = measured(ledger, last=DAYS[9])
    assert of(found, "active-share")["office", "o1"] == Fraction(200, 3)


def test_a_post_s_items_count_for_all_it_stands_beneath(ledger: Store) -> None:
    fill(ledger, World(DISTRICT, []))
    third = Fraction(100, 3)
    found = of(measured(ledger), "posts-haves")
    assert found == {("office", "o1"): third, ("station", "s1"): third}


def test_open_exceptions_are_those_of_the_period_that_time_has_made_some(ledger: Store) -> None:
    fill(ledger, World(DISTRICT, []))
    start, stop = (day_bounds(DAYS[at], POLICY.timezone)[end] for at, end in ((2, 0), (9, 1)))
    taps = [
        ("V1", "1", start, "no-check-out", "t1", "s1"),
        ("V2", "2", start - 1, "no-check-out", "t1", "s1"),  # the day before
        ("V3", "3", start + 1, "open", "t2", "s2"),  # open for longer than a session can be
        ("V4", "4", stop - 1, "open", "t2", "s2"),  # present
        ("V5", "5", stop, "no-check-in", "t2", "s2"),  # the day after
    ]
    with ledger.engine.execution_options(writes=True).begin() as connection:
        for who, name, at, status, team, place in taps:
            half = (0, who, "/k", name, at, "in", team, place, "", status)
            connection.execute(insert(tables.halves).values(half))
    assert of(measured(ledger, last=DAYS[9]), "exceptions-open") == {
        ("office", "o1"): 1, ("office", "o2"): 1,
        ("station", "s1"): 1, ("station", "s2"): 1,
        ("team", "t1"): 1, ("team", "t2"): 1,
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_hours_of_each_kind_add_up_to_what_was_served(ledger: Store, seed: int) -> None:
    world = random_world(seed)
    fill(ledger, world)
    found = measured(ledger)
    whole = sum(row.seconds for row in world.rows if DAYS[2] <= row.day <= DAYS[8])
    assert found.seconds == whole
    for kind, each in found.figures.items():
        hours = sum((figures["hours"] or Fraction(0)) for figures in each.values())
        assert hours * 3_600 == whole, kind
