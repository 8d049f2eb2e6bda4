"""Rows of people: who is meant, who is new, and who might be somebody's double."""

import pytest

from ledger.roster.records import Person
from ledger.roster.roster import Roster
from tests.roster_world import CENTRE, CHOIR, LI, OFFICE, READERS, WANG, World, person

TEAMS = (CENTRE, OFFICE, CHOIR, READERS)


@pytest.fixture
def empty() -> World:
    return World().after(*TEAMS)


@pytest.fixture
def world(empty: World) -> World:
    return empty.after(person(volunteer="V1", **WANG), person(volunteer="V2", **LI))


def only(row: dict[str, str], *names: str) -> dict[str, str]:
    return {name: row[name] for name in names}


def test_somebody_new_gets_an_id_and_a_first_badge(empty: World) -> None:
    imported = empty.plan(person(**WANG))
    record = imported.changes[0].after
    assert isinstance(record, Person)
    assert imported.given == {record.volunteer}
    assert (record.badge_generation, record.private_version) == (1, 1)
    assert record.badge_serial


def test_names_phones_and_documents_are_in_no_record(empty: World) -> None:
    imported = empty.plan(person(**WANG, teams="choir"))
    assert not any(value in repr(imported.changes) for value in WANG.values())
    assert imported.private["N1"].after.name == "王小明"


def test_a_row_with_no_id_means_whoever_has_its_document(world: World) -> None:
    moved = person(**{**WANG, "phone": "15400000009"})
    imported = world.plan(moved)
    assert imported.refused == []
    assert [change.key for change in imported.changes] == [("V1",)]
    assert imported.private["V1"].after.phone == "15400000009"
    assert world.after(moved).roster.people["V1"].private_version == 2


def test_a_row_with_no_id_and_no_document_means_whoever_has_its_phone_and_name(
    world: World,
) -> None:
    after = world.after(person(**only(WANG, "name", "phone"), unit="office"))
    assert after.roster.people["V1"].unit == "office"
    assert len(after.roster.people) == 2


def test_a_row_with_an_id_may_change_name_phone_and_document(world: World) -> None:
    given = {"phone": "15400000009", "document": "770000199003070020"}
    row = person(volunteer="V1", name="王晓明", **given)
    assert world.after(row).who() == {"王晓明": "V1", "李芳": "V2"}


def test_a_blank_cell_leaves_what_there_is(world: World) -> None:
    assert world.after(person(volunteer="V1", name="王小明")) == world


def test_an_id_of_ones_own_is_kept_for_somebody_new(empty: World) -> None:
    imported = empty.plan(person(volunteer="V77", **WANG))
    assert (imported.given, imported.changes[0].key) == (frozenset(), ("V77",))


@pytest.mark.parametrize("same", ["document", "phone"])
def test_the_same_row_with_less_of_it_is_no_second_person(world: World, same: str) -> None:
    assert world.plan(person(**only(WANG, "name", same))).changes == []


def test_a_document_under_another_name_is_refused_and_says_whose_it_is(world: World) -> None:
    [refused] = world.plan(person(name="王大明", document=WANG["document"])).refused
    assert (refused.field, refused.reason) == ("document", "document-of-another")
    assert "V1 王**" in refused.what
    assert WANG["document"] not in str(refused)


def test_the_same_phone_and_name_with_another_document_may_be_a_double(world: World) -> None:
    double = {**WANG, "document": "770000199003070020"}
    [refused] = world.plan(person(**double)).refused
    assert (refused.field, refused.reason) == ("phone", "possible-duplicate")
    assert "V1 王**" in refused.what


def test_with_other_person_a_namesake_is_enrolled_once_however_often_imported(
    world: World,
) -> None:
    other = person(
        **{**WANG, "document": "H12345678", "document_type": "hk-macau"}, other_person="是"
    )
    after = world.after(other)
    assert len(after.roster.people) == 3
    assert after.after(other) == after
    assert after.after(person(**WANG), other) == after


def test_another_person_with_neither_document_nor_id_is_refused(world: World) -> None:
    row = person(**only(WANG, "name", "phone"), other_person="是")
    assert world.reasons(row) == [(0, "other_person", "not-told-apart")]


def test_another_person_by_an_id_of_their_own_is_enrolled(world: World) -> None:
    row = person(volunteer="V3", **only(WANG, "name", "phone"), other_person="yes")
    after = world.after(row)
    assert len(after.roster.people) == 3
    assert after.after(row) == after


def test_a_new_id_with_the_phone_and_name_of_another_is_refused(world: World) -> None:
    row = person(volunteer="V3", **only(WANG, "name", "phone"))
    assert world.reasons(row) == [(0, "phone", "possible-duplicate")]


def test_where_two_have_that_phone_and_name_the_row_must_say_which(world: World) -> None:
    other = {**WANG, "document": "770000199003070020"}
    both = world.after(person(volunteer="V3", **other, other_person="是"))
    [refused] = both.plan(person(**only(WANG, "name", "phone"))).refused
    assert refused.reason == "several-fit"
    assert "V1" in refused.what
    assert "V3" in refused.what


def test_a_row_without_a_document_means_the_only_namesake_who_has_none(world: World) -> None:
    bare = person(**only(LI, "name", "phone"), unit="office")
    other = person(**{**LI, "document": "770000199003070020"}, other_person="是")
    both = World().after(*TEAMS, person(**only(LI, "name", "phone"))).after(other)
    assert both.plan(bare).changes[0].key == (both.who_has(document=None),)


@pytest.mark.parametrize("flagged", [0, 1])
def test_rows_that_could_not_be_told_apart_next_time_are_refused(
    empty: World, flagged: int
) -> None:
    named, bare = dict(WANG), only(WANG, "name", "phone")
    named["other_person"] = "是"
    rows = [person(volunteer="V9", **{**bare, "other_person": "是"}), person(**bare)]
    if flagged:
        rows.reverse()
    assert [reason for _, _, reason in empty.reasons(*rows)] == ["not-told-apart"]
    assert empty.reasons(person(**named), person(**bare)) == []


def test_whoever_has_an_id_may_take_the_phone_of_a_namesake(world: World) -> None:
    namesake = world.after(person(volunteer="V3", name="王小明", document="770000199003070020"))
    row = person(volunteer="V3", **only(WANG, "name", "phone"))
    assert namesake.after(row).private["V3"].phone == WANG["phone"]


def test_namesakes_that_were_told_apart_once_need_not_say_so_again(world: World) -> None:
    other = {**WANG, "document": "770000199003070020"}
    both = world.after(person(**other, other_person="是"))
    assert both.after(person(**other)) == both


def test_two_namesakes_without_documents_must_both_have_ids(empty: World) -> None:
    bare = only(WANG, "name", "phone")
    rows = (person(**bare), person(volunteer="V9", **bare, other_person="是"))
    assert [reason for _, _, reason in empty.reasons(*rows)] == ["not-told-apart"]
    named = (person(volunteer="V8", **bare), rows[1])
    assert empty.after(*named).after(*named) == empty.after(*named)


def test_a_row_without_a_document_is_not_mixed_up_with_a_namesake_who_has_one(
    world: World,
) -> None:
    bare = person(**only(WANG, "name", "phone"))
    other = person(volunteer="V9", **{**WANG, "document": "770000199003070020"}, other_person="是")
    assert [reason for _, _, reason in world.reasons(bare, other)] == ["not-told-apart"]


def test_a_membership_that_will_end_is_open_until_then(world: World) -> None:
    member = {"volunteer": "V1", "team": "choir", "since": "2020-01-01", "until": "2026-12-01"}
    there = world.after(("membership", member))
    assert there.after(person(volunteer="V1", name="王小明", teams="choir")) == there
    ended = there.after(person(volunteer="V1", name="王小明", teams="readers"))
    assert ended.teams_of("V1")["choir"] == ("2020-01-01", "2026-07-01")


@pytest.mark.parametrize("given", [{"phone": WANG["phone"]}, {"phone": LI["phone"]}])
def test_families_share_phones_and_many_share_a_name(world: World, given: dict[str, str]) -> None:
    name = {"15400000001": "王伟", "15400000002": "王小明"}[given["phone"]]
    assert len(world.after(person(name=name, **given)).roster.people) == 3


def test_rows_that_say_the_same_are_one_and_counted(empty: World) -> None:
    imported = empty.plan(
        person(**WANG), person(**WANG), person(**{**WANG, "phone": "154 0000 0001"})
    )
    assert imported.refused == []
    assert imported.repeated == {"person": 2}
    assert len(imported.private) == 1


@pytest.mark.parametrize(
    ("second", "field", "reason"),
    [
        ({**WANG, "teams": "choir"}, "document", "same-document"),
        ({**WANG, "name": "王大明"}, "document", "same-document"),
        (only(WANG, "name", "phone"), "phone", "possible-duplicate"),
        ({**WANG, "volunteer": "V9"}, "document", "same-document"),
    ],
)
def test_doubles_among_rows_are_refused_with_the_place_of_the_first(
    empty: World, second: dict[str, str], field: str, reason: str
) -> None:
    [refused] = empty.plan(person(**WANG), person(**second)).refused
    assert (refused.row, refused.field, refused.reason) == (1, field, reason)
    assert refused.also == (0,)
    assert "row 0" in refused.what


def test_two_rows_about_one_enrolled_person_are_refused(world: World) -> None:
    rows = (person(volunteer="V1", name="王小明"), person(**WANG, unit="office"))
    [refused] = world.plan(*rows).refused
    assert (refused.row, refused.reason, refused.also) == (1, "same-person-twice", (0,))


def test_a_document_of_somebody_else_is_refused_whoever_wants_it(world: World) -> None:
    row = person(volunteer="V1", name="王小明", document=LI["document"])
    [refused] = world.plan(row).refused
    assert (refused.reason, refused.also) == ("same-document", ())
    assert "V2 李*" in refused.what


def test_a_document_may_go_from_one_to_another_in_one_import(world: World) -> None:
    swapped = (
        person(volunteer="V1", name="王小明", document=LI["document"]),
        person(volunteer="V2", name="李芳", document=WANG["document"]),
    )
    after = world.after(*swapped)
    assert after.private["V1"].document == LI["document"]
    assert after.after(*swapped) == after


def test_an_erased_id_is_not_used_again(empty: World) -> None:
    erased = World(Roster.of([Person(volunteer="V1", status="erased")]))
    assert erased.reasons(person(volunteer="V1", **WANG)) == [(0, "volunteer", "erased")]
    assert erased.reasons(person(**WANG)) == []


def test_teams_are_all_the_teams_there_are(world: World) -> None:
    both = world.after(
        person(volunteer="V1", name="王小明", teams="choir、readers", joined="2026-01-05")
    )
    assert both.teams_of("V1") == {"choir": ("2026-01-05", None), "readers": ("2026-01-05", None)}
    one = both.after(person(volunteer="V1", name="王小明", teams="读书队"))
    assert one.teams_of("V1")["choir"] == ("2026-01-05", "2026-07-01")
    assert one.teams_of("V1")["readers"] == ("2026-01-05", None)


def test_no_teams_cell_leaves_memberships_alone(world: World) -> None:
    there = world.after(person(volunteer="V1", name="王小明", teams="choir"))
    assert there.after(person(volunteer="V1", name="王小明")) == there


def test_without_a_day_somebody_joins_today(world: World) -> None:
    after = world.after(person(volunteer="V1", name="王小明", teams="choir"))
    assert after.teams_of("V1") == {"choir": ("2026-07-01", None)}


def test_a_membership_begun_today_and_no_longer_listed_never_held(world: World) -> None:
    after = world.after(person(volunteer="V1", name="王小明", teams="choir"))
    assert after.after(person(volunteer="V1", name="王小明", teams="readers")).teams_of("V1") == {
        "readers": ("2026-07-01", None)
    }


def test_who_left_a_team_and_is_listed_again_comes_back_today(world: World) -> None:
    row = {"volunteer": "V1", "name": "王小明", "joined": "2020-01-01"}
    left = (
        "membership",
        {"volunteer": "V1", "team": "choir", "since": "2020-01-01", "until": "2024-01-01"},
    )
    after = world.after(left).after(person(**row, teams="choir"))
    assert after.teams_of("V1")["choir"] == ("2026-07-01", None)


def test_a_membership_of_its_own_sheet_counts_among_the_teams(world: World) -> None:
    member = ("membership", {"volunteer": "V1", "team": "choir", "since": "2020-01-01"})
    after = world.after(person(volunteer="V1", name="王小明", teams="choir"), member)
    assert after.teams_of("V1") == {"choir": ("2020-01-01", None)}
    row = person(volunteer="V1", name="王小明", teams="readers")
    assert world.reasons(row, member) == [(0, "teams", "teams-contradict")]


def test_the_leader_of_a_team_may_be_enrolled_by_the_same_import(empty: World) -> None:
    led = ("team", {**CHOIR[1], "leaders": "V1"})
    assert empty.reasons(led) == [(0, "leaders", "unknown-code")]
    assert empty.reasons(led, person(volunteer="V1", **WANG)) == []


@pytest.mark.parametrize(
    ("cells", "field", "reason"),
    [
        ({"phone": "15400000001"}, "name", "missing"),
        ({"name": "王小明"}, "", "nobody-named"),
        ({"name": "王小明2", "phone": "15400000001"}, "name", "name-has-digits"),
        ({"name": "王小明、李芳", "phone": "15400000001"}, "name", "not-a-name"),
        ({"name": "王小明", "phone": "1540000000"}, "phone", "not-a-phone"),
        ({"volunteer": "王小明", "name": "王小明"}, "volunteer", "not-a-pseudonym"),
        ({"volunteer": "15400000001", "name": "王小明"}, "volunteer", "not-a-pseudonym"),
        ({**WANG, "document_type": "身份证"}, "document_type", "not-a-choice"),
        ({"name": "王小明", "document": "E12345678"}, "document_type", "document-without-type"),
        (
            {"name": "王小明", "phone": "15400000001", "document_type": "护照"},
            "document_type",
            "type-without-document",
        ),
        ({**WANG, "document_type": "护照"}, "document", "resident-number-under-another-type"),
        ({**WANG, "document": "770000900307001"}, "document", "old-resident-number"),
        ({**WANG, "teams": "choir、singers"}, "teams", "unknown-code"),
    ],
)
def test_each_fault_of_a_row_is_named(
    empty: World, cells: dict[str, str], field: str, reason: str
) -> None:
    assert empty.reasons(person(**cells)) == [(0, field, reason)]


def test_private_values_and_what_might_be_one_are_masked(empty: World) -> None:
    rows = (
        person(name="王小明2", phone="15400000001"),
        person(name="王小明", phone="1540000000"),
        person(volunteer="770000199003070012", name="王小明"),
    )
    assert [one.value for one in empty.plan(*rows).refused] == [
        "王***",
        "154****000",
        "770************012",
    ]
