"""A gateway for looking at the page: real, on a port, with a roster of its own, without Kafka."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from producers.badges import Badge, sign_badge
from producers.kiosk.app import create_app
from producers.kiosk.gateway import Gateway
from tests.gateway_inside import LEDGER, gateway_inside, served

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PLACE = "station-03"
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋"
    "唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
)
CHARACTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
HOUR = 3_600_000_000

WANG, LI, ZHAO, SUN = "V7K2M9QXTA1", "V3N8R5WZBC2", "V9T4C6HKDM5", "V2B8F3JPNR7"
"""In one team; in two; in one that has something on today; paused."""


@dataclass
class ScreensWorld:
    """Where the page is, and what to show to it."""

    address: str
    gateway: Gateway
    folder: Path

    def code(self, kiosk: str = "kiosk-01") -> str:
        """A one-time code."""
        return self.gateway.kiosks.new_code(kiosk, self.gateway.clock.now().best_at)

    def events(self) -> list[dict[str, Any]]:
        """What the gateway keeps, in order."""
        return [json.loads(row.event) for row in self.gateway.rows.waiting(10_000)]


def badge_of(volunteer: str, generation: int = 1, key: Ed25519PrivateKey = KEY) -> str:
    """The text of somebody's badge."""
    return sign_badge(Badge(volunteer, "B000123", generation), LEDGER, key)


@contextmanager
def screens_world(folder: Path) -> Iterator[ScreensWorld]:
    """A gateway of one station with two teams and 200 people."""
    with gateway_inside(folder / "gateway.db", [KEY.public_key()]) as gateway:
        now = gateway.clock.now().best_at
        gateway.roster.take([_record(key, value, now) for key, value in _roster(now)], 1)
        gateway.kiosks.create("kiosk-01", "kiosk", PLACE, [], "test", now)
        with served(create_app(gateway)) as port:
            yield ScreensWorld(f"http://127.0.0.1:{port}", gateway, folder)


def people() -> list[tuple[str, str]]:
    """Volunteers and masked names, the same each time."""
    draw = random.Random(20_261_125)
    named = [(WANG, "王*"), (LI, "李**"), (ZHAO, "赵*"), (SUN, "孙*")]
    weights = [1 / (1 + place) ** 0.7 for place in range(len(SURNAMES))]
    invented = [
        (
            "V" + "".join(draw.choices(CHARACTERS, k=10)),
            draw.choices(SURNAMES, weights)[0] + "*" * draw.choice((1, 2, 2)),
        )
        for _ in range(200)
    ]
    return named + invented


def _roster(now: int) -> Iterator[tuple[str, dict[str, Any]]]:
    names = {"choir": ("合唱队", "Choir"), "reading": ("读书会", "Reading circle")}
    others = {"tea": ("茶艺队", "Tea"), "clinic": ("义诊队", "Free clinic")}
    yield (
        f"unit/{PLACE}",
        {"rows": [{"name_zh": "张芝山新时代文明实践站", "name_en": "Zhangzhishan"}]},
    )
    for code, (zh, en) in (names | others).items():
        unit = PLACE if code in names else "elsewhere"
        yield f"team/{code}", {"rows": [{"name_zh": zh, "name_en": en, "unit": unit}]}
    activity = {"code": "A1", "title": "老年读书角：秋天的诗", "teams": ["reading"], "unit": PLACE}
    yield (
        "activity/A1",
        {**activity, "planned_start": now - now % HOUR, "planned_end": now + HOUR // 60},
    )
    teams = {LI: ["choir", "reading"], ZHAO: ["reading"]}
    for volunteer, called in people():
        yield (
            f"volunteer/{volunteer}",
            {
                "volunteer": volunteer,
                "called": called,
                "teams": [{"team": team} for team in teams.get(volunteer, ["choir"])],
                "badge": {"generation": 1},
                "status": "paused" if volunteer == SUN else "active",
            },
        )


def _record(key: str, value: dict[str, Any], now: int) -> Any:
    content = json.dumps({"revision": 1, **value}).encode()
    return SimpleNamespace(key=key.encode(), value=content, timestamp=now // 1_000 - 86_400_000)
