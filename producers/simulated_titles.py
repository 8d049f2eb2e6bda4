"""What simulated activities are called, and of which category they are.

Plain data, for the five default platforms; those of another platform are just called service.
"""

from collections.abc import Sequence
from typing import NamedTuple

from producers.simulated_chance import Chance


class Undertaking(NamedTuple):
    """`platform` is a code; `category` is the roster's word for it."""

    platform: str | None
    title: str
    category: str


_TITLES = {
    "theory": (
        *(("理论微宣讲", "talk"), ("政策面对面", "talk"), ("板凳课堂", "talk")),
        *(("红色故事会", "talk"), ("移风易俗宣传", "visit"), ("法治宣传", "talk")),
    ),
    "education": (
        *(("课后作业辅导", "class"), ("家庭教育讲座", "class"), ("暑期安全课", "class")),
        *(("老年智能手机课", "class"), ("青少年研学", "class"), ("志愿者岗前培训", "training")),
    ),
    "culture": (
        *(("文艺汇演", "performance"), ("戏曲进村", "performance"), ("读书分享会", "class")),
        *(("非遗手作", "class"), ("书画送福", "service"), ("露天电影", "performance")),
    ),
    "science": (
        *(("科普实验课", "class"), ("农技下田", "visit"), ("反诈知识宣传", "talk")),
        *(("垃圾分类指导", "service"), ("河道巡护", "service"), ("防灾减灾演练", "training")),
    ),
    "health": (
        *(("义诊", "service"), ("健步走", "other"), ("急救培训", "training")),
        *(("心理疏导", "visit"), ("敬老助餐", "service"), ("广场舞教学", "class")),
    ),
}
_ANY = (("志愿服务", "service"), ("走访慰问", "visit"), ("文明劝导", "service"))


def undertaking(platforms: Sequence[str], chance: Chance) -> Undertaking:
    """Something to undertake for one of some platforms, given by code; for none, some service."""
    platform = platforms[chance.below(len(platforms))] if platforms else None
    titles = _TITLES.get(platform or "", _ANY)
    return Undertaking(platform, *titles[chance.below(len(titles))])
