"""The board's pure parts: figures kept entry by entry, words, periods, charts, stars, scope."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.board import charts, words
from dashboards.board.choices import DEED_WORDS
from dashboards.board.directory import Directory
from dashboards.board.live.figures import DISTRICT, PERIODS, Figures, Served, Sum, total
from dashboards.board.live.state import Here, State, seen
from dashboards.board.paths import local
from dashboards.board.periods import Period, period
from dashboards.board.scope import EVERYTHING, Scope, scope_of
from dashboards.board.stars import stars_of
from dashboards.board.words import Words, both, first_days, hours
from ledger import accounts
from ledger.roster.records import Team, Unit
from ledger.roster.roster import Roster

TODAY = "2026-11-25"
PARENTS = {"point": "station", "station": "office", "office": "centre", "other": "centre"}
TEAMS = {"choir": "corps"}


def line(code: str, parents: dict[str, str]) -> list[str]:
    return [*line(parents[code], parents), code] if code in parents else [code]


served = st.builds(
    Served,
    st.sampled_from(["choir", "corps", "clinic", ""]),
    st.sampled_from(["point", "station", "office", "other", "unknown", ""]),
    st.dates(date(2025, 12, 20), date(2026, 12, 5)).map(date.isoformat),
    st.integers(-1, 1),
    st.integers(-50_000, 50_000),
)


@given(st.lists(served, max_size=30))
def test_figures_kept_entry_by_entry_are_what_adding_up_gives(entries: list[Served]) -> None:
    figures = Figures(TODAY, lambda code: line(code, PARENTS), lambda code: line(code, TEAMS))
    for one in entries:
        figures.add(one)
    sums = figures.snapshot()
    for key in (DISTRICT, ("unit", "centre"), ("unit", "station"), ("team", "corps")):
        for name in PERIODS:
            mine = [one for one in entries if _counts(one, name) and _is_of(one, key)]
            expected = Sum(sum(o.seconds for o in mine), sum(o.sessions for o in mine))
            assert sums.get(key, {}).get(name, Sum()) == expected


def _counts(one: Served, name: str) -> bool:
    return first_days(TODAY)[name] <= one.day <= TODAY


def _is_of(one: Served, key: tuple[str, str]) -> bool:
    kind, code = key
    if kind == "district":
        return True
    if kind == "unit":
        return bool(one.place) and code in line(one.place, PARENTS)
    return bool(one.team) and code in line(one.team, TEAMS)


def test_a_snapshot_is_left_alone_by_what_comes_later() -> None:
    figures = Figures(TODAY, lambda code: [code], lambda code: [code])
    figures.add(Served("choir", "station", TODAY, 1, 60))
    before = figures.snapshot()
    figures.add(Served("choir", "station", TODAY, 1, 60))
    assert before[DISTRICT]["day"] == Sum(60, 1)
    assert total(figures.snapshot(), [DISTRICT])["day"] == Sum(120, 2)


def test_hours_go_on_past_a_day_and_below_nothing() -> None:
    assert [hours(s) for s in (0, 59, 60, 3_660, 4_446_300, -3_660)] == [
        *("0:00", "0:00", "0:01", "1:01", "1,235:05", "−1:01"),
    ]


def test_a_line_in_two_languages_is_taken_apart_and_others_are_left_whole() -> None:
    assert both("没有。 There is none.") == Words("没有。", "There is none.")
    assert both("没有 V1。 No V1: see it. Again.") == Words("没有 V1。", "No V1: see it. Again.")
    assert both("只有中文。") == Words("只有中文。", "只有中文。")
    assert both("English alone.").en == "English alone."


def test_whatever_is_noted_of_accounts_has_words() -> None:
    noted = re.compile(r'Deed\(at, [^"]*(?:"", )?"([a-z-]+)"')
    source = "".join(path.read_text() for path in Path(accounts.__file__).parent.glob("*.py"))
    assert set(noted.findall(source)) == set(DEED_WORDS)


@given(st.dates(date(2001, 1, 1), date(2099, 12, 31)), st.integers(0, 500))
def test_the_period_before_is_as_long_and_ends_the_day_before(last: date, days: int) -> None:
    first = last - timedelta(days=days)
    one = period("", first.isoformat(), last.isoformat(), TODAY)
    before = one.before()
    assert before.days == one.days == days + 1
    assert date.fromisoformat(before.last) + timedelta(days=1) == first


def test_a_week_begins_on_monday_and_days_given_the_wrong_way_round_are_turned() -> None:
    assert period("week", None, None, TODAY) == Period("week", "2026-11-23", TODAY)
    assert period("", "2026-02-01", "2026-01-01", TODAY)[1:] == ("2026-01-01", "2026-02-01")
    assert period("nonsense", None, None, TODAY).name == "month"


@given(st.lists(st.integers(-5, 10**7), max_size=40))
def test_tiles_are_as_large_as_what_they_show_and_stay_within(
    values: list[int],
) -> None:
    tiles = charts.treemap([(str(n), str(n), value) for n, value in enumerate(values)])
    width, height = charts.TREEMAP
    shown = [value for value in values if value > 0]
    assert sorted(one.value for one in tiles) == sorted(shown)
    for one in tiles:
        share = one.width * one.height / (width * height)
        assert share == pytest.approx(one.value / sum(shown), abs=0.01)
        assert -0.1 <= one.x <= one.x + one.width <= width + 0.1
        assert -0.1 <= one.y <= one.y + one.height <= height + 0.1


@given(st.lists(st.tuples(st.text(max_size=3), st.integers(-9, 10**6)), max_size=40))
def test_bars_stand_within_the_chart_in_proportion(figures: list[tuple[str, int]]) -> None:
    bars = charts.bars(figures)
    assert [one.value for one in bars] == [value for _, value in figures]
    assert all(0 <= one.y <= charts.BARS[1] and one.height >= 0 for one in bars)


def test_the_busiest_hour_of_the_week_is_the_darkest() -> None:
    cells = charts.week({(0, 8): 10, (6, 23): 5})
    assert len(cells) == 7 * 24
    assert {(c.weekday, c.hour): c.share for c in cells if c.share} == {(0, 8): 1.0, (6, 23): 0.5}
    assert all(cell.share == 0 for cell in charts.week({}))


def test_stars_come_at_their_hour_and_say_what_is_missing() -> None:
    almost = stars_of(100 * 3_600 - 1)
    assert (almost.lit, almost.missing_seconds, almost.drawn()) == (0, 1, "☆☆☆☆☆")
    assert stars_of(100 * 3_600).lit == 1
    assert (stars_of(9_999 * 3_600).lit, stars_of(9_999 * 3_600).missing_seconds) == (5, None)
    assert stars_of(20 * 3_600, (10, 20, 30)).drawn() == "★★☆"


@pytest.mark.parametrize(
    ("asked", "gone"),
    [
        *(("/exceptions?team=a", "/exceptions?team=a"), ("/", "/")),
        *(("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil.example", "/")),
        *(("evil", "/"), ("/a\nb", "/"), ("", "/")),
    ],
)
def test_nobody_is_sent_to_another_site(asked: str, gone: str) -> None:
    assert local(asked) == gone


def known() -> Directory:
    units = [
        Unit(code="centre", kind="centre", name_zh="中心"),
        Unit(code="office", kind="office", name_zh="所", parent="centre"),
        Unit(code="station", kind="station", name_zh="站", parent="office"),
    ]
    teams = [
        Team(code="corps", kind="corps", name_zh="总队"),
        Team(code="choir", kind="professional", name_zh="合唱队", parent="corps", unit="station"),
    ]
    return Directory(Roster.of([*units, *teams]), 1, TODAY)


def test_a_leader_covers_teams_with_those_beneath_and_adds_nothing_up_twice() -> None:
    scope = scope_of("leader", ("corps", "choir"), (), known())
    assert scope.tops == (("team", "corps"),)
    assert scope.covers("choir", "station")
    assert not scope.covers("clinic", "station")
    assert not scope.covers_unit("station")


def test_an_officer_covers_units_with_all_beneath_and_the_teams_at_home_there() -> None:
    scope = scope_of("officer", (), ("office",), known())
    assert scope.covers_unit("station")
    assert scope.covers_team("choir")
    assert not scope.covers_unit("centre")
    assert scope.covers("unknown", "station")


def test_a_tap_that_names_no_team_is_its_volunteer_s_team_s() -> None:
    scope = scope_of("leader", ("choir",), (), known())._replace(members=frozenset({"V1"}))
    assert scope.covers_tap("", "elsewhere", "V1")
    assert not scope.covers_tap("", "elsewhere", "V2")
    assert not scope.covers_tap("clinic", "elsewhere", "V1")


@pytest.mark.parametrize("role", ["centre", "auditor", "operator"])
def test_others_cover_everything(role: str) -> None:
    assert scope_of(role, (), (), known()) == EVERYTHING


def test_names_are_said_in_the_language_asked_for_or_by_their_code() -> None:
    assert known().unit_name("office", "en") == "所"
    assert known().team_name("nobody", "zh") == "nobody"
    assert words.length(59, "zh") == "59 秒"
    assert words.length(3_700, "en") == "1 h 1 min"


present = st.builds(
    Here,
    st.integers(0, 999).map(lambda number: f"V{number}"),
    st.just("王*"),
    st.sampled_from(["choir", "clinic"]),
    st.sampled_from(["station", "office", "elsewhere"]),
    st.integers(0, 50),
)
scopes = st.builds(
    Scope,
    st.booleans(),
    st.frozensets(st.sampled_from(["choir", "clinic"])),
    st.frozensets(st.sampled_from(["station", "office"])),
)


@given(st.lists(present, max_size=30), scopes, st.integers(0, 10))
def test_a_scope_sees_those_present_that_it_covers_the_longest_here_first(
    everybody: list[Here], scope: Scope, most: int
) -> None:
    everybody.sort(key=lambda one: (one.since, one.volunteer))
    groups: dict[tuple[str, str], list[Here]] = {}
    for one in everybody:
        groups.setdefault((one.team, one.place), []).append(one)
    state = State(1, 0, TODAY, known(), {}, {}, {}, groups, [], [])
    found = seen(state, scope, most)
    expected = [one for one in everybody if scope.covers(one.team, one.place)]
    assert found.present == len(expected)
    first = [(one.since, one.volunteer) for one in expected[:most]]
    assert [(one.since, one.volunteer) for one in found.here] == first
