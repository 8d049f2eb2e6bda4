"""The simulated district has the real one's shape, and the same seed draws it again."""

from collections import Counter

from producers.district import District, district_of, kiosk_of

DISTRICT = district_of(7, volunteers=2_000)


def test_a_district_has_its_offices_stations_points_and_teams() -> None:
    assert len(DISTRICT.offices) == 14
    assert len(DISTRICT.stations) == 231
    assert len(DISTRICT.points) > 400
    assert (len(DISTRICT.corps), len(DISTRICT.detachments), len(DISTRICT.education)) == (23, 14, 84)


def test_a_district_has_17_800_volunteers_unless_told_otherwise() -> None:
    assert len(district_of(7).volunteers) == 17_800
    assert district_of(7, volunteers=0).volunteers == ()


def test_the_same_seed_draws_the_same_district_and_another_another() -> None:
    assert district_of(7, volunteers=2_000) == DISTRICT
    assert district_of(8, volunteers=2_000).volunteers != DISTRICT.volunteers
    assert district_of(8, volunteers=0).stations != DISTRICT.stations


def test_ids_are_printable_ascii_and_unique() -> None:
    ids = [*_codes(DISTRICT), *(one.id for one in DISTRICT.volunteers)]
    assert len(set(ids)) == len(ids)
    assert all(one.isascii() and one.isprintable() and " " not in one for one in ids)
    assert kiosk_of("station-03-17") == "/kiosks/station-03-17"


def test_a_volunteer_is_a_pseudonym_at_a_station_in_one_or_two_teams_nearby() -> None:
    offices = {place.code: place.office for place in DISTRICT.stations}
    for one in DISTRICT.volunteers:
        assert one.id[0] == "V"
        assert set(one.id[1:]) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        assert len(one.id) == 11
        assert len(set(one.teams)) == len(one.teams) in (1, 2)
        assert {team.office for team in one.teams} <= {None, offices[one.home]}


def test_each_team_has_members() -> None:
    members = Counter(team.code for one in district_of(7).volunteers for team in one.teams)
    assert set(members) == {team.code for team in DISTRICT.teams}


def test_each_name_is_chinese_and_shown_once() -> None:
    names = [DISTRICT.name_of(place.code) for place in (*DISTRICT.offices, *DISTRICT.kiosk_places)]
    names += [DISTRICT.name_of(team.code) for team in DISTRICT.teams]
    assert len(set(names)) == len(names)
    assert all("\u4e00" <= name[0] <= "\u9fff" for name in names)


def test_an_unknown_code_is_its_own_name() -> None:
    assert DISTRICT.name_of("corps-99") == "corps-99"
    assert DISTRICT.name_of("nowhere") == "nowhere"


def _codes(district: District) -> list[str]:
    places = (*district.offices, *district.kiosk_places)
    return [place.code for place in places] + [team.code for team in district.teams]
