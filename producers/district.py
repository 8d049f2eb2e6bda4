"""A district to simulate: its offices, stations, points, teams and volunteers, drawn from a seed.

It is not the roster: its people and places are invented, and nothing settles by it. Invariant:
the same seed and number of volunteers always give the same district, whose ids are printable
ASCII and whose display names are Chinese.
"""

from base64 import b32encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from producers.simulated_chance import Chance

STATION_COUNT = 231
POINT_COUNT = 436
EDUCATION_TEAMS_AN_OFFICE = 6
VOLUNTEER_COUNT = 17_800

OFFICE_NAMES = (
    *("清河街道", "文昌街道", "东湖街道", "望江街道", "石桥镇", "柳园镇", "平安镇"),
    *("青竹镇", "白鹭镇", "双桥镇", "枫林镇", "荷塘镇", "桃源镇", "稻香镇"),
)
CORPS_NAMES = (
    *("理论宣讲", "政策解读", "红色故事", "家庭教育指导", "课后陪伴", "青少年护航"),
    *("老年课堂", "文艺演出", "全民阅读", "非遗传承", "书画惠民", "电影放映"),
    *("科学普及", "农技服务", "数字助老", "网络文明", "医疗义诊", "心理关爱"),
    *("全民健身", "应急救护", "法律援助", "生态环保", "扶弱助困"),
)
_FIRST = "新东西南北永安兴福长大小金玉红龙青云石和"
_SECOND = "河桥庄园坝港湾坪岭塘埠圩"
_ORDINALS = "一二三四五六"


class Place(NamedTuple):
    """An office, a station or a point; `office` is the index of the office it belongs to."""

    code: str
    name: str
    office: int


class Team(NamedTuple):
    """A team; `office` is the index of its township's office, None for the professional ones."""

    code: str
    name: str
    office: int | None


class Volunteer(NamedTuple):
    """A pseudonym, the code of the station nearest home, and one or two teams."""

    id: str
    home: str
    teams: tuple[Team, ...]


@dataclass(frozen=True)
class District:
    offices: tuple[Place, ...]
    stations: tuple[Place, ...]
    points: tuple[Place, ...]
    corps: tuple[Team, ...]
    detachments: tuple[Team, ...]
    education: tuple[Team, ...]
    volunteers: tuple[Volunteer, ...]
    names: Mapping[str, str]

    @property
    def teams(self) -> tuple[Team, ...]:
        return self.corps + self.detachments + self.education

    @property
    def kiosk_places(self) -> tuple[Place, ...]:
        """Where a kiosk stands: each station and each point."""
        return self.stations + self.points

    def name_of(self, code: str) -> str:
        """What people call a team or a place, or its code where the district has no such."""
        return self.names.get(code, code)


def kiosk_of(place: str) -> str:
    """The CloudEvents source of the kiosk at a place."""
    return f"/kiosks/{place}"


def district_of(seed: int, volunteers: int = VOLUNTEER_COUNT) -> District:
    """The district of a seed. It costs some 10 microseconds a volunteer; 0 of them is legal."""
    offices = tuple(
        Place(f"office-{number + 1:02}", f"{name}实践所", number)
        for number, name in enumerate(OFFICE_NAMES)
    )
    stations = tuple(_stations(Chance(seed, "stations")))
    points = tuple(_points(stations, Chance(seed, "points")))
    corps = tuple(
        Team(f"corps-{number:02}", f"{name}专业分队", None)
        for number, name in enumerate(CORPS_NAMES, 1)
    )
    detachments = tuple(
        Team(f"detachment-{number + 1:02}", f"{name}支队", number)
        for number, name in enumerate(OFFICE_NAMES)
    )
    education = tuple(_education_teams())
    things = (*offices, *stations, *points, *corps, *detachments, *education)
    named = ((thing[0], thing[1]) for thing in things)
    people = _volunteers(seed, volunteers, stations, corps, detachments, education)
    return District(
        offices,
        stations,
        points,
        corps,
        detachments,
        education,
        tuple(people),
        dict(named),
    )


def _stations(chance: Chance) -> Iterator[Place]:
    counts = _dealt(STATION_COUNT, len(OFFICE_NAMES), 11, chance)
    villages = [first + second for first in _FIRST for second in _SECOND]
    for office, count in enumerate(counts):
        kind = "社区" if OFFICE_NAMES[office].endswith("街道") else "村"
        for number in range(1, count + 1):
            village = villages.pop(chance.below(len(villages)))
            yield Place(f"station-{office + 1:02}-{number:02}", f"{village}{kind}实践站", office)


def _points(stations: tuple[Place, ...], chance: Chance) -> Iterator[Place]:
    counts = _dealt(POINT_COUNT, len(stations), 1, chance)
    for station, count in zip(stations, counts, strict=True):
        for number in range(1, count + 1):
            code = f"{station.code.replace('station', 'point')}-{number:02}"
            yield Place(code, f"{station.name[:-3]}{number}号实践点", station.office)


def _dealt(total: int, holders: int, least: int, chance: Chance) -> list[int]:
    counts = [least] * holders
    for _ in range(total - least * holders):
        counts[chance.below(holders)] += 1
    return counts


def _education_teams() -> Iterator[Team]:
    for office, name in enumerate(OFFICE_NAMES):
        for turn in range(EDUCATION_TEAMS_AN_OFFICE):
            number = office * EDUCATION_TEAMS_AN_OFFICE + turn + 1
            title = f"{name}第{_ORDINALS[turn]}教育志愿服务队"
            yield Team(f"education-{number:02}", title, office)


def _volunteers(
    seed: int,
    count: int,
    stations: tuple[Place, ...],
    corps: tuple[Team, ...],
    detachments: tuple[Team, ...],
    education: tuple[Team, ...],
) -> Iterator[Volunteer]:
    """Half serve in their township's detachment first, a quarter each in the other two kinds.

    Two in five serve in a second team.
    """
    chance = Chance(seed, "volunteers")
    for index in range(count):
        home = stations[chance.below(len(stations))]
        start = home.office * EDUCATION_TEAMS_AN_OFFICE
        nearby = education[start : start + EDUCATION_TEAMS_AN_OFFICE]
        choices = (
            detachments[home.office],
            nearby[chance.below(len(nearby))],
            corps[chance.below(len(corps))],
        )
        first = max(0, chance.below(4) - 1)
        second = (first + chance.between(1, 2)) % 3
        teams = (choices[first], choices[second]) if chance.happens(400) else (choices[first],)
        yield Volunteer(_pseudonym(seed, index), home.code, teams)


def _pseudonym(seed: int, index: int) -> str:
    return "V" + b32encode(sha256(f"{seed}/volunteer/{index}".encode()).digest()[:10])[:10].decode()
