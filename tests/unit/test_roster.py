"""The roster as a value: what fits together, what is to be done, what is told of it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ledger.roster.checks import Flaw, flaws
from ledger.roster.distribution import anew, everything, messages
from ledger.roster.planning import plan
from ledger.roster.records import (
    KINDS,
    Activity,
    Have,
    HaveItem,
    Membership,
    Person,
    Platform,
    Project,
    Record,
    Signup,
    Team,
    Unit,
)
from ledger.roster.roster import Change, Roster
from ledger.roster.vault import PrivateData, called, identities, masked

CENTRE = Unit(code="centre", kind="centre", name_zh="实践中心")
OFFICE = Unit(code="office", kind="office", name_zh="实践所", parent="centre")
POST = Unit(code="post", kind="post", name_zh="红色物业", parent="office")
ITEM = HaveItem(code="rules", name_zh="有制度")
CULTURE = Platform(code="culture", name_zh="文化服务")
CORPS = Team(code="corps", kind="corps", name_zh="总队", unit="centre")
CHOIR = Team(code="choir", kind="professional", name_zh="合唱队", parent="corps")
PROJECT = Project(code="warm", kind="flagship", name_zh="暖心向阳", unit="centre")
PERSON = Person(volunteer="V1", unit="office", badge_serial="B1", badge_generation=1)
MEMBER = Membership(volunteer="V1", team="choir", since="2026-01-01")
SINGING = Activity(
    code="a-1", title="合唱", platform="culture", project="warm", unit="office", teams=("choir",)
)
SIGNUP = Signup(activity="a-1", volunteer="V1")
HAVE = Have(post="post", item="rules", state="have", day="2026-05-01", checked_by="V1")
ALL: tuple[Record, ...] = (
    *(CENTRE, OFFICE, POST, ITEM, CULTURE, CORPS, CHOIR, PROJECT, PERSON, MEMBER, SINGING),
    *(SIGNUP, HAVE),
)
ROSTER = Roster.of(ALL)


def found(*changed: Record, without: Record | None = None) -> list[tuple[str, str, str]]:
    """Field, value and reason of each flaw, once these records are there and one is not."""
    others = [one for one in ALL if one != without]
    checked = others if without else changed
    kept = Roster.of([*others, *changed])
    return [(flaw.field, flaw.value, flaw.reason) for flaw in flaws(kept, checked)]


def of(record: Record, **fields: object) -> Record:
    return record.model_copy(update=fields)


# What fits together


def test_a_roster_that_fits_together_has_no_flaw() -> None:
    assert list(flaws(ROSTER, ALL)) == []


@pytest.mark.parametrize(
    ("record", "field"),
    [
        *((OFFICE, "parent"), (OFFICE, "successor"), (CHOIR, "parent"), (CHOIR, "unit")),
        *((CHOIR, "successor"), (PROJECT, "unit"), (PERSON, "unit"), (MEMBER, "team")),
        *((MEMBER, "volunteer"), (SIGNUP, "activity"), (SIGNUP, "volunteer"), (HAVE, "post")),
        *((HAVE, "item"), (SINGING, "unit"), (SINGING, "platform"), (SINGING, "project")),
    ],
)
def test_a_code_that_nothing_has_is_a_flaw_wherever_it_stands(record: Record, field: str) -> None:
    assert (field, "nobody", "unknown-code") in found(of(record, **{field: "nobody"}))


@pytest.mark.parametrize(
    ("record", "field"), [(CHOIR, "platforms"), (CHOIR, "leaders"), (SINGING, "teams")]
)
def test_each_unknown_code_of_a_list_is_a_flaw(record: Record, field: str) -> None:
    unknown = found(of(record, **{field: ("n-1", "n-2")}))
    assert unknown == [(field, "n-1", "unknown-code"), (field, "n-2", "unknown-code")]


@pytest.mark.parametrize("removed", [OFFICE, CULTURE, CHOIR, PROJECT, PERSON, ITEM, SINGING])
def test_what_others_name_can_not_be_removed(removed: Record) -> None:
    assert any(reason == "unknown-code" for _, _, reason in found(without=removed))


def test_two_rows_of_a_code_may_follow_each_other_and_not_overlap() -> None:
    ended = of(OFFICE, valid_until="2026-07-01")
    renamed = of(OFFICE, valid_from="2026-07-01", name_zh="新实践所")
    assert found(ended, renamed) == []
    early = of(OFFICE, valid_from="2026-06-30")
    assert found(ended, early) == [
        ("valid_from", "0001-01-01", "overlap"),
        ("valid_from", "2026-06-30", "overlap"),
    ]


def test_a_volunteer_may_return_to_a_team_and_not_be_in_it_twice() -> None:
    left = of(MEMBER, until="2026-03-01")
    assert found(left, of(MEMBER, since="2026-03-01")) == []
    assert ("since", "2026-02-01", "overlap") in found(left, of(MEMBER, since="2026-02-01"))


def test_no_unit_or_team_is_above_itself() -> None:
    assert ("parent", "post", "cycle") in found(of(CENTRE, parent="post"))
    assert ("parent", "choir", "cycle") in found(of(CORPS, parent="choir"))


def test_nothing_is_merged_into_itself_not_even_by_way_of_another() -> None:
    ended = {"valid_until": "2026-07-01"}
    first = of(OFFICE, successor="peer", **ended)
    peer = Unit(code="peer", kind="office", name_zh="另一所", successor="office", **ended)
    assert found(first, peer) == [("successor", "peer", "cycle"), ("successor", "office", "cycle")]
    assert found(first, of(peer, successor=None)) == []
    assert found(of(CHOIR, successor="choir", **ended)) == [("successor", "choir", "cycle")]


def test_a_unit_stands_below_its_parent_and_a_post_anywhere() -> None:
    peer = Unit(code="other", kind="office", name_zh="另一所", parent="office")
    assert found(peer) == [("parent", "office", "wrong-level")]
    for parent in ("centre", "office"):
        assert found(of(POST, parent=parent)) == []


def test_only_a_post_has_the_checklist() -> None:
    assert found(of(HAVE, post="office")) == [("post", "office", "not-a-post")]


def test_a_flaw_says_what_to_do_in_both_languages() -> None:
    (flaw,) = flaws(Roster.of([*ALL, of(OFFICE, parent="nobody")]), [of(OFFICE, parent="nobody")])
    assert isinstance(flaw, Flaw)
    assert "先添加它" in flaw.what
    assert "add it first" in flaw.what


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (Unit, {"code": "a", "kind": "office", "name_zh": " 前后有空格 "}),
        (Unit, {"code": "a", "kind": "village", "name_zh": "村"}),
        (
            Unit,
            {
                **{"code": "a", "kind": "office", "name_zh": "所"},
                **{"valid_from": "2026-02-01", "valid_until": "2026-02-01"},
            },
        ),
        (Membership, {"volunteer": "V1", "team": "a", "since": "2026-02-30"}),
        (
            Membership,
            {"volunteer": "V1", "team": "a", "since": "2026-03-01", "until": "2026-02-01"},
        ),
        (Activity, {"code": "a", "title": "无时间", "unit": "u", "teams": (), "status": "held"}),
        (Activity, {"code": "a", "title": "倒", "unit": "u", "teams": (), "planned_end": 1}),
    ],
)
def test_a_record_that_makes_no_sense_by_itself_does_not_exist(
    model: type[Record], fields: dict[str, object]
) -> None:
    with pytest.raises(ValidationError):
        model(**fields)


# What is to be done


@given(st.sets(st.sampled_from(range(len(ALL)))), st.sets(st.sampled_from(range(len(ALL)))))
def test_a_plan_applied_leaves_nothing_to_plan_and_undone_leaves_what_was(
    there: set[int], wanted: set[int]
) -> None:
    before = Roster.of(ALL[n] for n in there)
    changes = [Change(before.records[ALL[n].KIND].get(ALL[n].key), ALL[n]) for n in wanted]
    after = before.after(changes)
    assert plan(after, [ALL[n] for n in wanted]).changes in ([], ())
    assert after.after(one.undone() for one in reversed(changes)) == before


def test_of_records_wanted_under_one_key_the_last_is_planned() -> None:
    first, last = of(CHOIR, name_zh="甲"), of(CHOIR, name_zh="乙")
    assert plan(ROSTER, [first, last]).changes == [Change(CHOIR, last)]


def test_a_plan_with_a_flaw_changes_nothing() -> None:
    planned = plan(ROSTER, [of(OFFICE, parent="nobody"), of(CHOIR, name_zh="新名")])
    assert planned.changes == ()
    assert [flaw.value for flaw in planned.flaws] == ["nobody"]


def test_a_unit_that_sinks_below_those_beneath_it_is_a_flaw_of_theirs() -> None:
    station = Unit(code="station", kind="station", name_zh="站", parent="office")
    roster = Roster.of([*ALL, station])
    (flaw,) = plan(roster, [of(OFFICE, kind="point")]).flaws
    assert (flaw.record, flaw.reason) == (station, "wrong-level")


def test_a_plan_that_removes_what_is_named_elsewhere_has_flaws() -> None:
    assert [flaw.record for flaw in plan(ROSTER, (), [PROJECT]).flaws] == [SINGING]


def test_changes_come_in_an_order_in_which_kinds_build_on_each_other() -> None:
    changes = plan(Roster.of(()), reversed(ALL)).changes
    places = [list(KINDS).index(change.kind) for change in changes]
    assert places == sorted(places)
    assert len(places) == len(ALL)


# What is told of it


def told(changes: list[Change], roster: Roster = ROSTER) -> dict[str, dict[str, object] | None]:
    return {
        key: value if value is None else json.loads(value)
        for key, value in messages(roster, changes, 7)
    }


def test_each_thing_is_told_whole_once_whatever_changed_of_it() -> None:
    leaving = of(MEMBER, until="2026-06-01")
    changes = [Change(MEMBER, leaving), Change(None, PERSON)]
    assert told(changes, ROSTER.after(changes)) == {
        "volunteer/V1": {
            "revision": 7,
            "volunteer": "V1",
            "called": None,
            "status": "active",
            "badge": {"serial": "B1", "generation": 1},
            "teams": [{"team": "choir", "since": "2026-01-01", "until": "2026-06-01"}],
        }
    }


def test_what_is_gone_or_erased_is_told_as_a_tombstone() -> None:
    erased = of(PERSON, status="erased")
    assert told([Change(PERSON, erased)], ROSTER.after([Change(PERSON, erased)])) == {
        "volunteer/V1": None
    }
    assert told([Change(SIGNUP, None)], ROSTER.after([Change(SIGNUP, None)])) == {
        "signups/a-1": None
    }


def test_everything_there_is_to_tell_is_what_all_changes_would_tell() -> None:
    changes = [Change(None, record) for record in ALL]
    assert sorted(everything(ROSTER, 7)) == sorted(messages(ROSTER, changes, 7))


def test_a_topic_is_told_anew_what_is_so_and_to_forget_what_is_not_or_is_of_later_than_now() -> (
    None
):
    on_topic = {"team/choir": 6, "team/gone": 6, "unit/office": 7, "unit/centre": 9}
    said = anew(ROSTER, 7, on_topic)
    assert said[:3] == [("team/gone", None), ("unit/office", None), ("unit/centre", None)]
    assert said[3:] == list(everything(ROSTER, 7))


# Who somebody is


WANG = PrivateData(
    name="王小明", phone="13800005678", document_type="resident", document="32068319900101123X"
)


def test_masked_keeps_what_tells_people_apart_and_no_more() -> None:
    assert masked(WANG) == {
        "name": "王**",
        "phone": "138****5678",
        "document_type": "resident",
        "document": "3206**********123X",
    }
    assert called("李") == "李*"


def test_what_is_short_is_covered_but_for_its_first_character() -> None:
    assert masked(PrivateData(name="李四", phone="5125", document="G12"))["phone"] == "5***"


def test_nobody_is_shown_by_the_way_a_value_prints() -> None:
    for secret in (WANG.name, WANG.phone, WANG.document):
        assert str(secret) not in repr(WANG)
        assert str(secret) not in str(WANG)


def test_somebody_is_told_by_the_document_or_by_phone_and_name() -> None:
    lower = PrivateData(name="王明", document_type="resident", document="32068319900101123x")
    family = PrivateData(name="王大明", phone="13800005678")
    again = PrivateData(name="王小明", phone="13800005678")
    assert identities(WANG) & identities(lower)
    assert identities(WANG) & identities(again)
    assert not identities(WANG) & identities(family)
