"""What codes count for: every code on every day, whatever became of units and teams."""

import random
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hours.report_showing import decimal_hours
from ledger.roster.records import Activity, Platform, Team, Unit
from ledger.roster.reports_plan import Occasion, plan
from ledger.roster.reports_question import Question, WrongQuestion, groupings
from ledger.roster.reports_tree import Tree, unit_at
from ledger.roster.roster import Roster
from tests.reported import DAYS, POLICY, TODAY, random_roster, random_rows

ALL = (
    "unit:station", "team:corps", "platform", "project", "activity", "day", "week", "month",
)  # fmt: skip
seeds = st.integers(0, (1 << 32) - 1)


def occasions(roster: Roster) -> list[Occasion]:
    return [
        Occasion(
            *(one.code, one.title, one.platform, one.project, one.unit, one.teams),
            POLICY.civil_day(one.held_start) if one.status == "held" and one.held_start else None,
            one.served or 0,
        )
        for one in roster.all(Activity)
    ]


@settings(max_examples=60)
@given(seeds, st.sampled_from([TODAY, None]))
def test_groups_of_anything_add_up_to_the_whole(seed: int, today: str | None) -> None:
    rng = random.Random(seed)
    roster, rows = Roster.of(random_roster(rng)), random_rows(rng, 60)
    made = plan(roster, occasions(roster), Question(groupings(ALL), today=today), DAYS)
    for place, name in enumerate(made.names):
        sums: dict[str, int] = {}
        for row in rows:
            groups = made.groups_of(row._asdict())
            assert groups is not None
            label = made.label(name, groups[place])
            sums[label.name] = sums.get(label.name, 0) + row.seconds
        assert sum(sums.values()) == sum(row.seconds for row in rows)


@settings(max_examples=60)
@given(seeds)
def test_the_spans_of_a_code_cover_each_day_once_and_say_what_holds_on_it(seed: int) -> None:
    roster = Roster.of(random_roster(random.Random(seed)))
    around = [date.fromisoformat(DAYS[0]) + timedelta(days=n) for n in range(-40, 40)]
    for tree in (Tree(roster.units), Tree(roster.teams)):
        for code in (*roster.units, *roster.teams):
            spans = tree.spans(code, today=None)
            for day in map(date.isoformat, around):
                (here,) = (span for span in spans if span.start <= day < span.stop)
                assert here.line == tree.line(code, day)


@settings(max_examples=60)
@given(seeds)
def test_what_was_held_is_counted_once_in_all_and_in_no_group_twice(seed: int) -> None:
    roster = Roster.of(random_roster(random.Random(seed)))
    held = [one for one in occasions(roster) if one.day is not None]
    made = plan(roster, occasions(roster), Question(groupings(("unit", "day"))), DAYS)
    assert made.held_in_all is not None
    assert made.held_in_all.activities == len(held)
    assert made.held_in_all.served == sum(one.served for one in held)
    for found in (made.held_in_all, *made.held[0]):
        assert found.activities <= len(held)
    # Each is in one unit on one day, whatever its teams are.
    assert sum(found.activities for found in made.held[0]) == len(held)
    assert sum(found.served for found in made.held[0]) == made.held_in_all.served


def unit(code: str, kind: str, parent: str | None = None, **more: str) -> Unit:
    return Unit(code=code, kind=kind, name_zh=code, parent=parent, **more)  # type: ignore[arg-type]


def test_a_post_and_a_place_above_the_level_count_for_where_they_are() -> None:
    roster = Roster.of(
        [
            unit("centre", "centre"),
            unit("office", "office", "centre"),
            unit("station", "station", "office"),
            unit("post", "post", "office"),
        ]
    )
    tree = Tree(roster.units)
    at = {
        (code, level): unit_at(tree.line(code, TODAY), level).code  # type: ignore[arg-type]
        for code in roster.units
        for level in ("office", "station", "post")
    }
    assert at["station", "office"] == at["post", "office"] == "office"
    assert at["post", "station"] == at["office", "station"] == "office"
    assert (at["post", "post"], at["centre", "post"]) == ("post", "centre")
    made = plan(roster, [], Question(groupings(["unit:station"]), today=TODAY), ())
    names = [label.name for label in made.labels["unit"]]
    assert names == ["centre（本级）", "office（本级）", "station"]


def test_a_chain_of_mergers_is_followed_from_the_day_of_each() -> None:
    tree = Tree(
        Roster.of(
            [
                unit("a", "office", valid_until="2026-02-01", successor="b"),
                unit("b", "office", valid_until="2026-03-01", successor="c"),
                unit("c", "office"),
            ]
        ).units
    )
    days = ("2026-01-31", "2026-02-01", "2026-02-28", "2026-03-01")
    assert [tree.line("a", day)[0].code for day in days] == ["a", "b", "b", "c"]


def test_a_team_of_two_platforms_leaves_an_hour_unassigned_until_it_has_one() -> None:
    team = Team(code="t", kind="other", name_zh="t", platforms=("p", "q"), valid_until="2026-02-01")
    later = Team(code="t", kind="other", name_zh="t", platforms=("q",), valid_from="2026-02-01")
    platforms = [Platform(code=code, name_zh=code) for code in ("p", "q")]
    question = Question(groupings(["platform"]), today="2026-05-01")
    made = plan(Roster.of([team, later, *platforms]), [], question, ())

    def said(day: str, activity: str = "") -> str:
        groups = made.groups_of({"place": "u", "team": "t", "activity": activity, "day": day})
        assert groups is not None
        return made.label("platform", groups[0]).name

    assert (said("2026-01-31"), said("2026-02-01")) == ("未归类 unassigned", "q")
    assert said("2026-01-31", activity="a?") == "未登记 unknown"
    assert said("2026-02-01", activity="a?") == "q"


@pytest.mark.parametrize(
    "given_", [["nothing"], ["unit:village"], ["month:1"], ["unit", "unit:post"]]
)
def test_groupings_that_are_not_there_are_refused_by_name(given_: list[str]) -> None:
    with pytest.raises(WrongQuestion, match=given_[0]):
        groupings(given_)


def test_a_decimal_hour_is_rounded_half_up() -> None:
    shown = [str(decimal_hours(seconds)) for seconds in (0, 17, 18, 5_400, -18, -5_400)]
    assert shown == ["0.00", "0.00", "0.01", "1.50", "-0.01", "-1.50"]
