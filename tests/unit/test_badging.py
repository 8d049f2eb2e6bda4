"""Whose badges are printed, and under which team."""

from ledger.roster.badging import NO_TEAM, Choice, choose, district_name
from ledger.roster.records import Membership, Person, Record, Team, Unit
from ledger.roster.roster import Roster

DAY = "2026-06-01"
UNITS: tuple[Record, ...] = (
    Unit(code="centre", kind="centre", name_zh="实践中心"),
    Unit(code="office", kind="office", name_zh="实践所", parent="centre"),
    Unit(code="station", kind="station", name_zh="实践站", parent="office"),
    Unit(code="other", kind="office", name_zh="另一所", parent="centre"),
)
TEAMS: tuple[Record, ...] = (
    Team(code="corps", kind="corps", name_zh="总队"),
    Team(code="choir", kind="professional", name_zh="合唱队", parent="corps"),
    Team(code="school", kind="education", name_zh="学堂"),
)


def person(id: str, unit: str = "station", **more: object) -> Person:
    has = {"badge_serial": f"B{id}", "badge_generation": 1, "private_version": 1, **more}
    return Person(volunteer=id, unit=unit, **has)  # type: ignore[arg-type]


def chosen(people: list[Record], choice: Choice = Choice()) -> dict[str, list[str]]:  # noqa: B008
    found = choose(Roster.of([*UNITS, *TEAMS, *people]), choice, DAY)
    return {team.name: [one.volunteer for one in team.people] for team in found.teams}


def member(id: str, team: str, since: str, until: str | None = None) -> Membership:
    return Membership(volunteer=id, team=team, since=since, until=until)


def test_each_is_printed_once_under_the_team_joined_first() -> None:
    both = [member("V1", "school", "2026-02-01"), member("V1", "choir", "2026-01-01")]
    assert chosen([person("V1"), *both]) == {"合唱队": ["V1"]}


def test_a_team_left_or_not_yet_joined_counts_for_nothing() -> None:
    others = [member("V1", "choir", "2026-01-01", DAY), member("V1", "school", "2026-06-02")]
    assert chosen([person("V1"), *others]) == {NO_TEAM: ["V1"]}


def test_a_team_or_unit_stands_for_all_beneath_it() -> None:
    people = [
        *(person("V1"), person("V2", "other"), person("V3", "office")),
        *(member("V1", "choir", "2026-01-01"), member("V2", "school", "2026-01-01")),
    ]
    assert chosen(people, Choice(team="corps")) == {"合唱队": ["V1"]}
    assert chosen(people, Choice(unit="office")) == {"合唱队": ["V1"], NO_TEAM: ["V3"]}


def test_under_the_team_asked_for_even_where_another_was_joined_first() -> None:
    both = [member("V1", "school", "2026-02-01"), member("V1", "choir", "2026-01-01")]
    assert chosen([person("V1"), *both], Choice(team="school")) == {"学堂": ["V1"]}


def test_who_is_not_active_gets_none_and_who_can_have_none_is_named() -> None:
    people: list[Record] = [
        *(person("V1", status="left"), person("V2", private_version=0)),
        *(person("V3", badge_serial=None), person("V4")),
    ]
    found = choose(Roster.of([*UNITS, *people]), Choice(), DAY)
    assert [one.volunteer for team in found.teams for one in team.people] == ["V4"]
    assert found.without == ["V2", "V3"]


def test_the_district_is_called_as_its_centre_is_on_the_day() -> None:
    assert district_name(Roster.of(UNITS), DAY) == "实践中心"
    assert district_name(Roster.of(()), DAY) is None
