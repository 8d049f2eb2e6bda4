"""What one kiosk is told of the roster, and what it isn't."""

import json
from typing import Any

import pytest

from producers.kiosk.kiosk import Kiosk
from producers.kiosk.roster_slice import RosterIndex, kiosk_slice
from producers.roster_view import RosterView
from producers.times import microseconds_of

DAY, NOON = "2026-07-01", microseconds_of("2026-07-01T04:00:00Z")
HOUR = 3_600_000_000
AT_POINT = Kiosk("k", "kiosk", "point", (), 0, "operator")


def of_teams(*teams: str) -> Kiosk:
    return AT_POINT._replace(teams=teams)


def team(unit: str | None = None, **more: Any) -> dict[str, Any]:
    return {"rows": [{"name_zh": "队", "unit": unit, **more}]}


def volunteer(*teams: str, **more: Any) -> dict[str, Any]:
    memberships = [{"team": one, "since": "2026-01-01", "until": None} for one in teams]
    return {
        "called": "王*",
        "status": "active",
        "badge": {"generation": 1},
        "teams": memberships,
    } | more


def activity(unit: str, *teams: str, start: int = NOON, **more: Any) -> dict[str, Any]:
    held = {"planned_start": start, "planned_end": start + HOUR}
    return {"title": "排练", "unit": unit, "teams": teams, "status": "planned", **held, **more}


def index(things: dict[str, Any], day: str = DAY) -> RosterIndex:
    view = RosterView()
    for key, value in things.items():
        view.take(key.encode(), json.dumps({"revision": 1, **value}).encode())
    assert view.unreadable == {}
    return RosterIndex(view, day)


DISTRICT = {
    "unit/point": {"rows": [{"name_zh": "红色物业", "name_en": "Red estate"}]},
    "team/choir": team("point"),
    "team/clinic": team("elsewhere"),
    "volunteer/V1": volunteer("choir"),
    "volunteer/V2": volunteer("clinic", badge={"generation": 3}),
    "volunteer/V3": volunteer("clinic", status="left"),
    "volunteer/V4": volunteer("choir", called=None),
    "volunteer/V5": volunteer("choir", status="paused"),
}


def told(things: dict[str, Any] = DISTRICT, kiosk: Kiosk = AT_POINT, at: int = NOON) -> Any:
    return kiosk_slice(index(things), kiosk, at)


def people(*arguments: Any) -> set[str]:
    return {one["volunteer"] for one in told(*arguments)["people"]}


def test_a_kiosk_is_told_masked_names_of_its_own_teams_members_alone() -> None:
    said = told()
    assert said["kiosk"]["teams"] == ["choir"]
    assert said["kiosk"]["place_name"] == {"zh": "红色物业", "en": "Red estate"}
    assert {one["volunteer"]: one["called"] for one in said["people"]} == {"V1": "王*", "V4": None}
    assert json.dumps(said, ensure_ascii=False).count("王") == 1


def test_of_everybody_it_is_told_only_which_badges_are_replaced_and_who_is_not_active() -> None:
    assert (told()["replaced"], told()["inactive"]) == ({"V2": 3}, ["V3", "V5"])


def test_a_kiosk_with_teams_of_its_own_lists_those_and_not_its_places() -> None:
    assert people(DISTRICT, of_teams("clinic")) == {"V2"}
    assert people(DISTRICT, of_teams("nobody")) == set()


@pytest.mark.parametrize(
    ("held", "is_listed"),
    [
        (activity("point", "clinic"), True),
        (activity("elsewhere", "clinic"), False),
        (activity("point", "clinic", status="cancelled"), False),
        (activity("point", "clinic", start=NOON + 23 * HOUR), True),
        (activity("point", "clinic", start=NOON + 25 * HOUR), False),
        (activity("point", "clinic", start=NOON - 12 * HOUR), True),
        (activity("point", "clinic", start=NOON - 14 * HOUR), False),
        (activity("point", "clinic", planned_start=None, planned_end=None), True),
    ],
)
def test_who_has_an_activity_at_the_place_about_now_is_listed(
    held: dict[str, Any], is_listed: bool
) -> None:
    things = {**DISTRICT, "activity/a": held}
    assert people(things) == ({"V1", "V2", "V4"} if is_listed else {"V1", "V4"})


def test_activities_are_those_at_the_place_and_of_its_teams_soonest_first() -> None:
    things = {
        **DISTRICT,
        "activity/late": activity("point", "choir", start=NOON + HOUR),
        "activity/soon": activity("elsewhere", "choir"),
        "activity/others": activity("elsewhere", "clinic"),
    }
    assert [one["code"] for one in told(things)["activities"]] == ["soon", "late"]
    assert told(things)["activities"][0]["start"].startswith("2026-07-01T04:00:00")


@pytest.mark.parametrize(
    ("since", "until", "is_so"),
    [
        (None, None, True),
        (DAY, None, True),
        ("2026-07-02", None, False),
        (None, "2026-07-02", True),
        (None, DAY, False),
    ],
)
def test_teams_and_memberships_hold_from_their_first_day_to_before_their_last(
    since: str | None, until: str | None, is_so: bool
) -> None:
    of_team = {**DISTRICT, "team/choir": team("point", valid_from=since, valid_until=until)}
    assert ("choir" in [one["code"] for one in told(of_team)["teams"]]) == is_so
    assert people(of_team) == ({"V1", "V4"} if is_so else set())
    member = volunteer(teams=[{"team": "choir", "since": since, "until": until}])
    assert ("V1" in people({**DISTRICT, "volunteer/V1": member})) == is_so


def test_whoever_was_merged_is_found_under_the_successor() -> None:
    ended = {"valid_until": DAY, "successor": "singers"}
    things = {
        **DISTRICT,
        "team/choir": team("point", **ended),
        "team/singers": team("point"),
        "unit/old": {"rows": [{"name_zh": "旧点", "valid_until": DAY, "successor": "point"}]},
    }
    assert told(things)["kiosk"]["teams"] == ["singers"]
    assert told(things, of_teams("choir"))["kiosk"]["teams"] == ["singers"]
    assert [one["teams"] for one in told(things)["people"]] == [["singers"], ["singers"]]
    moved = told(things, AT_POINT._replace(place="old"))["kiosk"]
    assert (moved["teams"], moved["place_name"]["zh"]) == (["singers"], "红色物业")


def test_teams_merged_into_each_other_are_none() -> None:
    over = {
        "team/a": team(valid_until=DAY, successor="b"),
        "team/b": team(valid_until=DAY, successor="a"),
    }
    assert told(over, of_teams("a", "b"))["kiosk"]["teams"] == []


def test_who_was_on_the_list_of_an_offline_kiosk_is_still_known_to_have_been() -> None:
    member = volunteer(teams=[{"team": "choir", "since": "2026-01-01", "until": DAY}])
    of_today = index({**DISTRICT, "volunteer/V1": member})
    assert not of_today.may_list(AT_POINT, "V1", NOON)
    assert of_today.may_have_listed(AT_POINT, "V1", NOON - 24 * HOUR)
    assert not of_today.may_have_listed(AT_POINT, "V2", NOON)
    assert not of_today.may_have_listed(AT_POINT, "V9", NOON)


def test_a_place_and_people_that_the_roster_says_little_of_are_told_by_their_codes() -> None:
    said = told({"volunteer/V1": {}, "team/choir": {}, "activity/a": {}}, of_teams("choir"))
    assert said["kiosk"]["place_name"] == {"zh": "point", "en": "point"}
    assert (said["people"], said["activities"], said["teams"]) == ([], [], [])
