"""A district is a plain value: the one that ships, its surge, or any roster's."""

from collections import Counter

from producers.district import District, district_of, kiosk_of
from producers.district_seed import seed_district, surge_district

DISTRICT = seed_district(7, volunteers=2_000)
SURGE = surge_district(7)


def test_the_seed_district_has_the_real_ones_places() -> None:
    kinds = Counter(place.kind for place in DISTRICT.places)
    assert kinds == {"centre": 1, "office": 14, "station": 231, "point": 400, "post": 8}
    assert len(DISTRICT.kiosk_places) == 231 + 400 + 8


def test_the_seed_district_has_the_real_ones_teams_platforms_and_projects() -> None:
    kinds = Counter(team.kind for team in DISTRICT.teams)
    assert kinds == {"corps": 1, "professional": 23, "detachment": 14, "education": 84}
    assert tuple(DISTRICT.platforms) == ("theory", "education", "culture", "science", "health")
    assert len(DISTRICT.projects) == 10


def test_public_names_are_used() -> None:
    names = set(DISTRICT.names.values())
    offices = ("金沙街道", "金新街道", "石港镇", "川姜镇", "二甲镇")
    villages = ("虹桥社区", "花园村", "草庙村", "通运桥村")
    posts = ("红色物业", "图书馆布谷鸟", "垃圾分类")
    assert names >= {f"{name}实践所" for name in offices}
    assert names >= {f"{name}实践站" for name in villages}
    assert names >= {f"“{name}”驿站" for name in posts}
    assert names >= {"暖心向阳", "梦想改造+", "护江吾先行"}


def test_a_district_has_17_800_volunteers_unless_told_otherwise() -> None:
    assert len(seed_district(7).volunteers) == 17_800
    assert seed_district(7, volunteers=0).volunteers == ()


def test_the_same_seed_invents_the_same_volunteers_and_another_others_at_the_same_places() -> None:
    assert seed_district(7, volunteers=2_000) == DISTRICT
    assert seed_district(7, volunteers=100).volunteers == DISTRICT.volunteers[:100]
    assert seed_district(8, volunteers=2_000).volunteers != DISTRICT.volunteers
    assert seed_district(8, volunteers=0).places == DISTRICT.places


def test_ids_are_printable_ascii_and_unique() -> None:
    ids = [*_codes(SURGE), *(one.id for one in (*SURGE.volunteers, *DISTRICT.volunteers))]
    assert len(set(ids)) == len(ids)
    assert all(one.isascii() and one.isprintable() and " " not in one for one in ids)
    assert kiosk_of("station-03-17") == "/kiosks/station-03-17"


def test_a_volunteer_is_a_pseudonym_at_a_station_in_one_or_two_teams_nearby() -> None:
    offices = {place.code: place.office for place in DISTRICT.stations}
    for one in DISTRICT.volunteers:
        assert one.id[0] == "V"
        assert set(one.id[1:]) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        assert len(one.id) == 11
        assert one.home is not None
        assert len(set(one.teams)) == len(one.teams) in (1, 2)
        assert {team.office for team in one.teams} <= {None, offices[one.home]}


def test_each_team_but_the_corps_over_them_has_members() -> None:
    members = Counter(team.code for one in seed_district(7).volunteers for team in one.teams)
    assert set(members) | {"corps"} == {team.code for team in DISTRICT.teams}


def test_a_surge_is_17_800_volunteers_of_100_other_organisations() -> None:
    assert len(SURGE.volunteers) == 17_800
    assert all(len(one.teams) == 1 for one in SURGE.volunteers)
    organisations = Counter(one.teams[0] for one in SURGE.volunteers)
    assert {team.kind for team in organisations} == {"other"}
    assert len(organisations) == len({team.name for team in organisations}) == 100
    assert set(organisations.values()) == {178}
    assert SURGE.places == DISTRICT.places


def test_each_name_is_chinese_and_shown_once() -> None:
    names = [SURGE.name_of(code) for code in _codes(SURGE)]
    assert len(set(names)) == len(names)
    assert all("\u4e00" <= name.lstrip("“")[0] <= "\u9fff" for name in names)


def test_an_unknown_code_is_its_own_name() -> None:
    assert DISTRICT.name_of("professional-99") == "professional-99"
    assert DISTRICT.name_of("nowhere") == "nowhere"


def test_places_and_teams_belong_to_the_office_above_them() -> None:
    district = district_of(
        units=[
            ("d", "point", "", "c"),
            ("a", "centre", "", None),
            ("b", "office", "", "a"),
            ("c", "station", "", "b"),
            ("e", "post", "", "a"),
            ("f", "post", "", "nowhere"),
        ],
        teams=[("t", "other", "", "d", ["theory"]), ("u", "corps", "", None, [])],
        projects=[("p", "", "c"), ("q", "", "a")],
    )
    offices = {place.code: place.office for place in district.places}
    assert offices == {"a": None, "b": "b", "c": "b", "d": "b", "e": None, "f": None}
    assert [team.office for team in district.teams] == ["b", None]
    assert district.teams[0].platforms == ("theory",)
    assert [project.office for project in district.projects] == ["b", None]


def test_units_that_are_above_themselves_belong_to_no_office() -> None:
    ring = [("a", "station", "", "b"), ("b", "station", "", "a")]
    assert [place.office for place in district_of(ring, []).places] == [None, None]


def test_who_is_in_no_team_that_there_is_never_serves() -> None:
    district = district_of(
        units=[("a", "centre", "", None)],
        teams=[("t", "other", "", None, ())],
        volunteers=[("V1", "a", ["t", "gone", "t"]), ("V2", None, []), ("V3", "a", ["gone"])],
    )
    assert [one.id for one in district.volunteers] == ["V1", "V2", "V3"]
    assert [(one.id, len(one.teams)) for one in district.serving] == [("V1", 1)]


def test_where_no_station_point_or_post_is_each_unit_has_a_kiosk() -> None:
    district = district_of([("a", "centre", "", None), ("b", "office", "", "a")], [])
    assert [place.code for place in district.kiosk_places] == ["a", "b"]


def _codes(district: District) -> list[str]:
    places = [place.code for place in district.places]
    return places + [team.code for team in district.teams]
