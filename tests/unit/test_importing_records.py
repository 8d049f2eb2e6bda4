"""Rows of places, teams, projects and activities: what they want, and when it holds."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.roster.importing_tables import TABLES
from ledger.roster.records import KINDS, Activity, Team, Unit
from tests.roster_world import (
    CENTRE,
    CHOIR,
    OFFICE,
    READERS,
    WANG,
    GivenRow,
    World,
    changed,
    person,
)

STATION = {"code": "s-1", "kind": "站", "name_zh": "花园村站", "parent": "office"}
RENAMED = ("unit", {**STATION, "name_zh": "草庙村站", "valid_from": "2026-07-01"})
PLAYED = {"code": "a-1", "title": "演出", "unit": "centre", "teams": "choir", "status": "已举办"}


@pytest.fixture
def world() -> World:
    return World().after(CENTRE, OFFICE, CHOIR, ("unit", STATION))


def test_every_kind_has_a_table_whose_example_imports() -> None:
    assert TABLES.keys() == KINDS.keys()
    rows = [(kind, cells) for kind, table in TABLES.items() for cells in table.examples]
    after = World().after(*rows)
    assert all(after.roster.records[kind] for kind in KINDS)
    assert after.plan(*rows).changes == []


def test_words_of_choices_may_be_chinese_english_or_in_capitals() -> None:
    for word in ("中心", "centre", "Centre"):
        unit = (
            World()
            .after(("unit", {**CENTRE[1], "kind": word}))
            .roster.get(Unit, "centre", "0001-01-01")
        )
        assert unit is not None
        assert unit.kind == "centre"


def test_a_blank_cell_leaves_what_there_is(world: World) -> None:
    after = world.after(("unit", {"code": "s-1", "kind": "站", "name_zh": "花园村站"}))
    assert after == world


def test_a_later_period_ends_the_open_one_on_its_first_day(world: World) -> None:
    assert changed(world.plan(RENAMED)) == {
        ("unit", "s-1", "0001-01-01"): "changed",
        ("unit", "s-1", "2026-07-01"): "added",
    }
    old, new = world.after(RENAMED).roster.units["s-1"]
    assert (old.valid_until, new.valid_until) == ("2026-07-01", None)


def test_periods_in_one_file_are_as_those_imported_one_after_the_other(world: World) -> None:
    at_once = World().after(CENTRE, OFFICE, CHOIR, RENAMED, ("unit", STATION))
    assert at_once == world.after(RENAMED)
    assert at_once.after(RENAMED, ("unit", STATION)) == at_once


def test_the_old_file_imported_again_brings_no_old_name_back(world: World) -> None:
    renamed = world.after(RENAMED)
    assert renamed.after(("unit", STATION)) == renamed


def test_a_row_that_names_no_period_means_the_one_that_there_is(world: World) -> None:
    moved = ("unit", {**STATION, "parent": "centre"})
    assert changed(world.plan(moved)) == {("unit", "s-1", "0001-01-01"): "changed"}
    assert world.after(RENAMED).reasons(moved) == [(0, "valid_from", "which-period")]


def test_periods_that_overlap_are_refused_once(world: World) -> None:
    rows = (
        ("unit", {**STATION, "code": "s-2", "valid_until": "2026-03-01"}),
        ("unit", {**STATION, "code": "s-2", "valid_from": "2026-02-01"}),
    )
    assert [reason for _, _, reason in world.reasons(*rows)] == ["overlap"]


@pytest.mark.parametrize("named", ["office", "金沙所"])
def test_a_unit_is_named_by_its_code_or_its_name(world: World, named: str) -> None:
    row = ("unit", {**STATION, "code": "s-2", "parent": named})
    assert world.after(row).roster.units["s-2"][0].parent == "office"


def test_a_name_that_two_have_is_taken_for_neither(world: World) -> None:
    twin = ("unit", {**OFFICE[1], "code": "office-2"})
    [refused] = world.plan(twin, ("unit", {**STATION, "code": "s-2", "parent": "金沙所"})).refused
    assert (refused.field, refused.reason) == ("parent", "ambiguous-name")
    assert "office、office-2" in refused.what


def test_a_name_that_is_no_longer_in_use_names_nothing(world: World) -> None:
    renamed = world.after(("unit", {**OFFICE[1], "name_zh": "金新所", "valid_from": "2026-07-01"}))
    below = {**STATION, "code": "s-2"}
    assert renamed.reasons(("unit", {**below, "parent": "金新所"})) == []
    assert renamed.reasons(("unit", {**below, "parent": "金沙所"})) == [
        (0, "parent", "unknown-code")
    ]


def test_a_row_that_says_what_a_later_period_says_is_about_that_one(world: World) -> None:
    renamed = world.after(RENAMED)
    assert renamed.after(("unit", {**STATION, "name_zh": "草庙村站"})) == renamed


def test_a_time_that_clocks_left_out_is_refused(world: World) -> None:
    summer = replace(world, zone=ZoneInfo("Europe/Berlin"))
    row = ("activity", {**PLAYED, "held_start": "2026-03-29 02:30"})
    assert summer.reasons(row) == [(0, "held_start", "no-such-time")]
    assert world.reasons(row) == []


def test_an_unknown_code_is_refused_with_those_that_are_near(world: World) -> None:
    [refused] = world.plan(("unit", {**STATION, "code": "s-2", "parent": "ofice"})).refused
    assert (refused.value, refused.reason) == ("ofice", "unknown-code")
    assert "office 金沙所" in refused.what


def test_what_a_refused_row_would_have_added_is_not_refused_again(world: World) -> None:
    broken = ("unit", {"code": "o-2", "kind": "衙门", "name_zh": "石港所"})
    below = ("unit", {**STATION, "code": "s-2", "parent": "o-2"})
    assert world.reasons(broken, below) == [(0, "kind", "not-a-choice")]
    assert world.plan(below, unsound=(broken,)).refused == []


def test_two_rows_about_one_thing_must_say_the_same(world: World) -> None:
    row = ("team", {"code": "t-1", "kind": "其他", "name_zh": "骑手队"})
    assert world.plan(row, row).repeated == {"team": 1}
    other = ("team", {**row[1], "name_zh": "快递员队"})
    [refused] = world.plan(row, other).refused
    assert (refused.row, refused.field, refused.reason, refused.also) == (1, "code", "twice", (0,))


def test_lists_are_separated_as_people_do(world: World) -> None:
    platforms = tuple(("platform", {"code": f"p{n}", "name_zh": f"平台{n}"}) for n in range(5))
    row = ("team", {**CHOIR[1], "platforms": "p0、p1，p2;p3\n平台4、p0"})
    team = world.after(*platforms, row).roster.get(Team, "choir", "0001-01-01")
    assert team is not None
    assert team.platforms == ("p0", "p1", "p2", "p3", "p4")


def test_times_are_the_ledgers_own(world: World) -> None:
    row = (
        "activity",
        {**PLAYED, "held_start": "2026-07-01 09:00", "held_end": "2026-07-01 09:00:30"},
    )
    activity = world.after(row).roster.get(Activity, "a-1")
    assert activity is not None
    assert (activity.held_start, activity.held_end) == (
        1_782_867_600_000_000,
        1_782_867_630_000_000,
    )


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        (("unit", {**STATION, "code": "s,2"}), "code", "separator-in-code"),
        (("unit", {**STATION, "code": "s\n2"}), "code", "several-lines"),
        (("unit", {**STATION, "code": "s" * 129}), "code", "too-long"),
        (("unit", {"code": "s-2", "name_zh": "花园村站"}), "kind", "missing"),
        (("unit", {**STATION, "valid_from": "2026-02-30"}), "valid_from", "not-a-day"),
        (("unit", {**STATION, "valid_from": "20260201"}), "valid_from", "not-a-day"),
        (
            ("unit", {**STATION, "valid_from": "2026-02-01", "valid_until": "2026-02-01"}),
            "valid_until",
            "ends-before-it-begins",
        ),
        (("unit", {**STATION, "code": "s-2", "parent": "s-2"}), "parent", "cycle"),
        (("unit", {**STATION, "code": "s-2", "parent": "s-1"}), "parent", "wrong-level"),
        (("activity", PLAYED), "held_start", "held-but-when"),
        (("activity", {**PLAYED, "held_start": "9:00"}), "held_start", "not-a-time"),
        (
            ("activity", {**PLAYED, "status": "计划", "planned_end": "2026-07-01 09:00"}),
            "planned_end",
            "end-without-start",
        ),
        (("activity", {**PLAYED, "status": "计划", "served": "约30"}), "served", "not-a-count"),
        (
            ("activity", {**PLAYED, "status": "计划", "served": "99999999"}),
            "served",
            "count-too-large",
        ),
        (("activity", {**PLAYED, "status": "计划", "teams": "、"}), "teams", "missing"),
    ],
)
def test_each_fault_is_named(world: World, row: GivenRow, field: str, reason: str) -> None:
    assert world.reasons(row) == [(0, field, reason)]


NAMES = st.sampled_from(["王小明", "李芳", "欧阳娜"])
PHONES = st.sampled_from(["15400000001", "15400000002", ""])
NUMBERS = st.sampled_from(["770000199003070012", "770000198508120025", ""])
VOLUNTEERS = st.sampled_from(["", "V1", "V2"])
PEOPLE = st.tuples(
    VOLUNTEERS,
    NAMES,
    PHONES,
    NUMBERS,
    st.sampled_from(["", "choir", "readers", "choir、readers"]),
    st.sampled_from(["", "2026-01-05", "2026-07-01", "2026-08-01"]),
    st.sampled_from(["", "", "是"]),
)
STATIONS = st.tuples(
    st.sampled_from(["s-1", "s-2"]),
    st.sampled_from(["花园村站", "草庙村站"]),
    st.sampled_from(["", "2026-01-01", "2026-07-01"]),
    st.sampled_from(["", "2026-06-01", "2027-01-01"]),
)


def _rows(people: list[tuple[str, ...]], stations: list[tuple[str, ...]]) -> list[GivenRow]:
    fields = ("volunteer", "name", "phone", "document", "teams", "joined", "other_person")
    periods = ("code", "name_zh", "valid_from", "valid_until")
    return [
        *(("person", _filled(fields, one)) for one in people),
        *(("unit", {"kind": "站", **_filled(periods, one)}) for one in stations),
    ]


def _filled(fields: tuple[str, ...], texts: tuple[str, ...]) -> dict[str, str]:
    return {name: text for name, text in zip(fields, texts, strict=True) if text}


FILES = st.builds(_rows, st.lists(PEOPLE, max_size=4), st.lists(STATIONS, max_size=3))


@given(st.lists(FILES, min_size=1, max_size=3))
def test_importing_again_what_was_just_imported_changes_nothing(
    files: list[list[GivenRow]],
) -> None:
    world = World().after(CENTRE, OFFICE, CHOIR, READERS)
    for rows in files:
        if not world.plan(*rows).refused:
            world = world.after(*rows)
            again = world.plan(*rows)
            assert (again.changes, again.refused, dict(again.private)) == ([], [], {})


@given(st.lists(FILES, min_size=1, max_size=3))
def test_no_two_people_ever_have_one_document(files: list[list[GivenRow]]) -> None:
    world = World().after(CENTRE, OFFICE, CHOIR, READERS, person(**WANG))
    for rows in files:
        if not world.plan(*rows).refused:
            world = world.after(*rows)
    numbers = [one.document for one in world.private.values() if one.document]
    assert len(numbers) == len(set(numbers))
