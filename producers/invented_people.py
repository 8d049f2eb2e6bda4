"""Who the volunteers of a simulated district would be: names, phones and numbers, all invented.

Nobody real can be meant. Phones begin with 154, which no operator has (libphonenumber's pattern of
Chinese mobiles leaves it out); resident numbers have a right check digit and a legal birth date,
but begin with 77, where GB/T 2260 has no province. Invariant: the same seed and district give the
same people, and no two of them share a phone or a document number.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from stdnum.cn import ric

from producers.district import District, Volunteer
from producers.simulated_chance import Chance

AS_OF = date(2026, 1, 1)
"""The day on which they are 18 to 78 years old, and after which none of them joined."""

_FIRST_JOINED = date(2019, 1, 1)
_PHONES = "154"
_AREA = "7700"
_BLOCK = 10**7  # phones of one kind of people; the multiplier shares no factor with it
_MULTIPLIER = 7_654_321
_ORDERS = 1000

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏"
    "魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵"
)
_COMPOUND_SURNAMES = ("欧阳", "上官", "司马", "诸葛", "司徒", "夏侯", "皇甫", "尉迟")
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建国文斌志云海燕春梅新宇浩雪琴峰波辉"
    "鹏飞婷慧欣怡佳俊凯晨曦梓涵子轩诗雨思远嘉宁博安然晓东亚南永康德福兴旺长青卫民爱珍凤仙巧莲"
)
_RARE_GIVEN = "喆堃淼骉犇昶翀彧旻垚焱龘𬭎𬍛"


class InventedPerson(NamedTuple):
    """Days are ISO dates; `document` is a resident number; `unit` and `teams` are codes."""

    volunteer: str
    name: str
    phone: str
    document: str
    unit: str | None
    teams: tuple[str, ...]
    joined: str
    consent: str


def people_of(seed: int, district: District) -> Iterator[InventedPerson]:
    """A person for each volunteer of a district, in order: at most ten million.

    The volunteers of other organisations have phones and numbers of their own, so that a district
    and its surge can be put together.
    """
    # The first pseudonym too: a surge of the same seed is of other people.
    chance = Chance(seed, "people", *(one.id for one in district.volunteers[:1]))
    first_phone = chance.below(_BLOCK)
    taken: set[str] = set()
    for index, volunteer in enumerate(district.volunteers):
        block = 5 if _is_of_an_organisation(volunteer) else 0
        joined, document = _dated(f"{_AREA}{block:02}", taken, chance)
        yield InventedPerson(
            volunteer.id,
            _name(chance),
            f"{_PHONES}{block}{(first_phone + index * _MULTIPLIER) % _BLOCK:07}",
            document,
            volunteer.home,
            tuple(team.code for team in volunteer.teams),
            joined.isoformat(),
            (joined - timedelta(chance.below(4))).isoformat(),
        )


def _is_of_an_organisation(volunteer: Volunteer) -> bool:
    return any(team.kind == "other" for team in volunteer.teams)


def _dated(area: str, taken: set[str], chance: Chance) -> tuple[date, str]:
    """When somebody joined, of age by then, and their number, which nobody has yet."""
    while True:
        born = AS_OF.replace(year=AS_OF.year - 78) + timedelta(chance.below(60 * 365))
        number = f"{area}{born:%Y%m%d}{chance.below(_ORDERS):03}"
        if number not in taken:
            break
    taken.add(number)
    of_age = date(born.year + 18, born.month, min(born.day, 28)) + timedelta(4)
    earliest = max(_FIRST_JOINED, min(of_age, AS_OF - timedelta(1)))
    joined = earliest + timedelta(chance.below((AS_OF - earliest).days))
    return joined, number + ric.calc_check_digit(number + "0")


def _name(chance: Chance) -> str:
    """Two or three characters; one in fifty has a compound surname, as many a rare given name."""
    surname = _one_of(_SURNAMES, chance)
    if chance.happens(20):
        surname = _one_of(_COMPOUND_SURNAMES, chance)
    if chance.happens(20):
        return surname + _one_of(_RARE_GIVEN, chance)
    return surname + "".join(_one_of(_GIVEN, chance) for _ in range(chance.between(1, 2)))


def _one_of(choices: str | tuple[str, ...], chance: Chance) -> str:
    return choices[chance.below(len(choices))]
