"""The seed district as spreadsheets: complete, consistent, and of nobody real."""

import csv
import io
from collections import Counter
from datetime import date
from importlib.resources import files
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from stdnum.cn import ric
from stdnum.exceptions import InvalidComponent

from ledger.roster.records import KINDS
from producers.district_rows import activity_rows, person_rows, rows_of
from producers.district_seed import seed_district, surge_district
from producers.district_tables import HEADERS, Row, seed_tables, write_csv
from producers.invented_people import InventedPerson, people_of
from producers.simulation import activities, plan_from

DISTRICT = seed_district(7)
SURGE = surge_district(7)
TABLES = seed_tables()
PLAN = plan_from("2026-03-02", days=2, seed=7, volunteers=300)
FILES = ("units", "have-items", "six-haves", "platforms", "teams", "projects")


@pytest.fixture(scope="module")
def people() -> list[InventedPerson]:
    return list(people_of(7, DISTRICT))


@pytest.fixture(scope="module")
def surging_people() -> list[InventedPerson]:
    return list(people_of(7, SURGE))


@pytest.mark.parametrize("name", FILES)
def test_each_file_that_ships_is_a_sheet_with_chinese_headers_and_no_gaps(name: str) -> None:
    text = (files("producers") / "seed_district" / f"{name}.csv").read_text(encoding="utf-8")
    header, *rows = csv.reader(io.StringIO(text))
    assert any(header == [h for h in known.values() if h in header] for known in HEADERS.values())
    assert all(not name.isascii() for name in header)
    assert rows
    assert {len(row) for row in rows} == {len(header)}


def test_each_kind_ships_as_many_rows_as_the_district_has() -> None:
    counts = {kind: len(rows) for kind, rows in TABLES.items()}
    assert counts == {
        "unit": 1 + 14 + 231 + 400 + 8,
        "have_item": 6,
        "have": 8 * 6,
        "platform": 5,
        "team": 1 + 23 + 14 + 84,
        "project": 10,
    }


def test_codes_are_unique_and_each_thing_has_a_name_in_both_languages() -> None:
    for kind in ("unit", "have_item", "platform", "team", "project"):
        for field in ("code", "name_zh", "name_en"):
            values = [row[field] for row in TABLES[kind]]
            assert len(set(values)) == len(values)
        assert all(row["code"].isascii() and row["name_en"].isascii() for row in TABLES[kind])


def test_every_code_that_is_named_is_there() -> None:
    codes = {kind: {row["code"] for row in rows} for kind, rows in TABLES.items() if kind != "have"}
    for row in TABLES["unit"]:
        assert row.get("parent", "centre") in codes["unit"]
    for row in TABLES["team"]:
        assert row.get("parent", "corps") in codes["team"]
        assert row["unit"] in codes["unit"]
        assert set(row["platforms"].split("、")) <= codes["platform"]
    for row in TABLES["project"]:
        assert row["unit"] in codes["unit"]


def test_units_stand_above_one_another_as_they_must_and_posts_anywhere() -> None:
    kinds = {row["code"]: row["kind"] for row in TABLES["unit"]}
    above = {"所": "中心", "站": "所", "点": "站"}
    for row in TABLES["unit"]:
        if row["kind"] in above:
            assert kinds[row["parent"]] == above[row["kind"]]
    posts = {kinds[row["parent"]] for row in TABLES["unit"] if row["kind"] == "驿站"}
    assert posts == {"中心", "所", "站", "点"}


def test_each_station_has_a_point_and_each_parent_comes_before_what_lies_under_it() -> None:
    points = Counter(row["parent"] for row in TABLES["unit"] if row["kind"] == "点")
    assert len(points) == 231
    seen: set[str] = set()
    for row in TABLES["unit"]:
        assert row.get("parent") is None or row["parent"] in seen
        seen.add(row["code"])


def test_each_post_has_a_state_for_each_of_the_six_haves() -> None:
    posts = {row["code"] for row in TABLES["unit"] if row["kind"] == "驿站"}
    items = {row["code"]: row["name_zh"] for row in TABLES["have_item"]}
    assert list(items.values()) == ["有场所", "有队伍", "有活动", "有项目", "有制度", "有标识"]
    states = {(row["post"], row["item"]): row["state"] for row in TABLES["have"]}
    assert set(states) == {(post, item) for post in posts for item in items}
    assert set(states.values()) == {"有", "建设中", "无"}


def test_people_are_the_simulated_volunteers_at_their_homes_in_their_teams(
    people: list[InventedPerson],
) -> None:
    for one, volunteer in zip(people, DISTRICT.volunteers, strict=True):
        assert (one.volunteer, one.unit) == (volunteer.id, volunteer.home)
        assert one.teams == tuple(team.code for team in volunteer.teams)


def test_the_same_seed_invents_the_same_people_and_another_others(
    people: list[InventedPerson],
) -> None:
    assert list(people_of(7, seed_district(7, volunteers=50))) == people[:50]
    others = {one.name for one in people_of(8, seed_district(8, volunteers=50))}
    assert others != {one.name for one in people[:50]}


def test_nobody_shares_a_phone_or_a_number_not_even_with_the_surge(
    people: list[InventedPerson], surging_people: list[InventedPerson]
) -> None:
    everybody = people + surging_people
    for values in (
        {one.volunteer for one in everybody},
        {one.phone for one in everybody},
        {one.document for one in everybody},
    ):
        assert len(values) == 2 * 17_800


def test_resident_numbers_are_right_but_for_a_place_that_does_not_exist(
    people: list[InventedPerson], surging_people: list[InventedPerson]
) -> None:
    for one in people[:2_000] + surging_people[:2_000]:
        assert ric.calc_check_digit(one.document) == one.document[-1]
        with pytest.raises(InvalidComponent):
            ric.get_birth_place(one.document)
    assert any(one.document[-1] == "X" for one in people)


def test_everybody_is_of_age_and_agreed_when_they_joined(people: list[InventedPerson]) -> None:
    for one in people:
        born = ric.get_birth_date(one.document)
        assert date(1948, 1, 1) <= born <= date(2008, 1, 1)
        consent, joined = date.fromisoformat(one.consent), date.fromisoformat(one.joined)
        assert consent <= joined < date(2026, 1, 1)
        assert born.replace(year=born.year + 18, day=min(born.day, 28)) <= consent


def test_phones_are_of_a_range_that_no_operator_has(people: list[InventedPerson]) -> None:
    assert all(len(one.phone) == 11 and one.phone.isdecimal() for one in people)
    assert {one.phone[:3] for one in people} == {"154"}


def test_names_are_chinese_of_two_to_four_characters_some_of_them_rare(
    people: list[InventedPerson],
) -> None:
    assert {len(one.name) for one in people} <= {2, 3, 4}
    assert all(letter >= "\u4e00" for one in people for letter in one.name)
    assert any(letter > "\uffff" for one in people for letter in one.name)
    assert any(one.name.startswith("欧阳") for one in people)


def test_the_rows_of_a_district_name_only_what_they_have(people: list[InventedPerson]) -> None:
    rows = rows_of(DISTRICT, people, activity_rows(activities(PLAN)))
    assert set(rows) == set(KINDS) - {"membership", "signup"}
    _hold_together(rows)
    led = [row for row in rows["team"] if "leaders" in row]
    assert len(led) == 23 + 14 + 84


def test_the_rows_of_a_surge_have_100_organisations_more(
    surging_people: list[InventedPerson],
) -> None:
    rows = rows_of(SURGE, surging_people)
    organisations = [row for row in rows["team"] if row["kind"] == "其他"]
    assert len(organisations) == 100
    assert all(row["leaders"] for row in organisations)
    assert len(rows["person"]) == 17_800
    _hold_together(rows)


def test_rows_have_known_fields_and_no_blanks(people: list[InventedPerson]) -> None:
    rows = rows_of(DISTRICT, people[:100], activity_rows(activities(PLAN)))
    for kind, of_kind in rows.items():
        for row in of_kind:
            assert row.keys() <= HEADERS[kind].keys()
            assert all(text and text == text.strip() for text in row.values())


@pytest.mark.parametrize("kind", ["unit", "team", "project", "platform", "have_item", "have"])
def test_the_fields_of_a_row_are_the_rosters(kind: str) -> None:
    assert HEADERS[kind].keys() == KINDS[kind].model_fields.keys()


def test_an_activity_says_when_it_was_planned_and_held_in_the_time_zone_given() -> None:
    one = next(activities(PLAN))
    (row,) = activity_rows([one])
    (abroad,) = activity_rows([one], timezone=ZoneInfo("UTC"))
    assert row["planned_start"].startswith("2026-03-02 ")
    assert len(row["planned_start"]) == len("2026-03-02 09:00")
    hours = int(row["planned_start"][11:13]) - int(abroad["planned_start"][11:13])
    assert hours % 24 == 8
    assert row["status"] == "已举办"
    assert row["held_start"] < row["held_end"]
    assert int(row["served"]) == one.served


def test_an_activity_to_come_is_planned_and_one_under_way_has_served_nobody_yet() -> None:
    one = next(activities(PLAN))
    (planned,) = activity_rows([one], until=one.held_start - 1)
    (begun,) = activity_rows([one], until=one.held_end - 1)
    assert planned["status"] == "计划"
    assert not planned.keys() & {"held_start", "held_end", "served"}
    assert begun["status"] == "已举办"
    assert "held_start" in begun
    assert not begun.keys() & {"held_end", "served"}


def test_what_is_written_as_csv_reads_back_under_its_headers(people: list[InventedPerson]) -> None:
    rows = list(person_rows(islice(people, 20)))
    out = io.StringIO(newline="")
    assert write_csv("person", rows, out) == 20
    read = list(csv.DictReader(io.StringIO(out.getvalue())))
    headers = HEADERS["person"]
    assert list(read[0]) == list(headers.values())
    assert [{f: one[h] for f, h in headers.items() if one[h]} for one in read] == rows


def _hold_together(rows: dict[str, list[Row]]) -> None:
    """Every code that people, teams and activities name has a row."""
    codes = {
        kind: {row["code"] for row in rows[kind]}
        for kind in ("unit", "team", "platform", "project")
    }
    volunteers = {row["volunteer"] for row in rows["person"]}
    for row in rows["team"]:
        assert set(row.get("leaders", "").split()) <= volunteers
        assert row["unit"] in codes["unit"]
    for row in rows["person"]:
        assert row["unit"] in codes["unit"]
        assert set(row["teams"].split("、")) <= codes["team"]
    for row in rows.get("activity", []):
        assert row["unit"] in codes["unit"]
        assert set(row["teams"].split("、")) <= codes["team"]
        assert {row["platform"]} <= codes["platform"]
        assert {row.get("project", "project-01")} <= codes["project"]
