"""The seed district as it ships, and volunteers invented for it from a seed.

Its people have no names here: those are invented in `invented_people`. Invariant: the same seed
and number of volunteers always give the same district; the places and teams are the same for all.
"""

from base64 import b32encode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

from producers.district import District, Team, Volunteer, district_of
from producers.district_tables import BETWEEN_CODES, TEAM_KINDS, UNIT_KINDS, seed_tables
from producers.simulated_chance import Chance
from producers.volunteer_numbers import ALPHABET

VOLUNTEER_COUNT = 17_800
_AS_NUMBERS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", ALPHABET)

_WHOSE = ("江海", "紫琅", "忠义", "通吕", "南山湖", "运盐河", "新通扬", "滨江", "同心", "晨光")
_WHO = ("商会", "骑手", "快递员", "医护", "教师", "职工", "校友", "车友", "书友", "农友")


def seed_district(seed: int, volunteers: int = VOLUNTEER_COUNT) -> District:
    """The seed district with so many volunteers, 0 too: some 10 microseconds each.

    Half serve in their township's detachment first, a quarter each in an education team nearby and
    in a professional team. Two in five serve in a second team.
    """
    district = _with_nobody()
    return replace(district, volunteers=tuple(_volunteers(seed, volunteers, district)))


def surge_district(seed: int, volunteers: int = VOLUNTEER_COUNT) -> District:
    """The seed district in a surge: all its volunteers are of 100 other organisations.

    They are none of those `seed_district` invents.
    """
    district = _with_nobody()
    others = tuple(_organisations(district))
    people = tuple(_of_organisations(seed, volunteers, district, others))
    return replace(district, teams=district.teams + others, volunteers=people)


def _with_nobody() -> District:
    tables = seed_tables()
    return district_of(
        (
            (row["code"], UNIT_KINDS[row["kind"]], row["name_zh"], row.get("parent"))
            for row in tables["unit"]
        ),
        (
            (
                row["code"],
                TEAM_KINDS[row["kind"]],
                row["name_zh"],
                row["unit"],
                row["platforms"].split(BETWEEN_CODES),
            )
            for row in tables["team"]
        ),
        platforms={row["code"]: row["name_zh"] for row in tables["platform"]},
        projects=((row["code"], row["name_zh"], row["unit"]) for row in tables["project"]),
    )


def _volunteers(seed: int, count: int, district: District) -> Iterator[Volunteer]:
    chance = Chance(seed, "volunteers")
    stations, professional = district.stations, district.teams_of("professional")
    detachments = {team.office: team for team in district.teams_of("detachment")}
    education: dict[str | None, list[Team]] = {office: [] for office in detachments}
    for team in district.teams_of("education"):
        education[team.office].append(team)
    for index in range(count):
        home = stations[chance.below(len(stations))]
        nearby = education[home.office]
        choices = (
            detachments[home.office],
            nearby[chance.below(len(nearby))],
            professional[chance.below(len(professional))],
        )
        first = max(0, chance.below(4) - 1)
        second = (first + chance.between(1, 2)) % 3
        teams = (choices[first], choices[second]) if chance.happens(400) else (choices[first],)
        yield Volunteer(_pseudonym(f"{seed}/volunteer/{index}"), home.code, teams)


def _organisations(district: District) -> Iterator[Team]:
    """Each at home in an office, one after the other."""
    offices, platforms = district.offices, tuple(district.platforms)
    for number, (whose, who) in enumerate((whose, who) for whose in _WHOSE for who in _WHO):
        yield Team(
            f"other-{number + 1:03}",
            f"{whose}{who}志愿服务队",
            "other",
            offices[number % len(offices)].code,
            (platforms[number % len(platforms)],),
        )


def _of_organisations(
    seed: int, count: int, district: District, others: tuple[Team, ...]
) -> Iterator[Volunteer]:
    """The organisations are of one size, but for one volunteer."""
    chance, stations = Chance(seed, "surge"), district.stations
    for index in range(count):
        home = stations[chance.below(len(stations))].code
        yield Volunteer(_pseudonym(f"{seed}/surge/{index}"), home, (others[index % len(others)],))


def _pseudonym(name: str) -> str:
    """As the roster makes them, so that each has a number to type."""
    text = b32encode(sha256(name.encode()).digest()[:10])[:10].decode()
    return "V" + text.translate(_AS_NUMBERS)
