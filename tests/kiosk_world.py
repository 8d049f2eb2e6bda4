"""A small district with a gateway: a roster, badges, kiosks; the gateway a process of its own."""

import secrets
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger import queries
from ledger.policy import Policy
from ledger.queries import Filters
from ledger.roster import store
from ledger.roster.records import Membership, Person, Team, Unit
from ledger.roster.roster import Change, Roster
from ledger.roster.store import Deed
from ledger.roster.vault import PrivateData, Vault, new_key
from producers.badge_keys import new_private_key, private_key_in, public_text
from producers.badges import Badge, sign_badge
from producers.kiosk.roster_cache import RosterCache
from tests.gateways import Gateway
from tests.running import Hours, eventually, product_at

LEDGER = "tongzhou.hours.example"
PLACE = "station-03-07"
CHOIR = ("V7K2M9QXTA1", "V3N8R5WZBC2", "V9P4T6YHDE3")
"""Members of the choir, which is at home at the place; the first has a replaced badge."""
VISITOR = "VB6D8F0G2H4"
"""Of another team, from elsewhere."""
LEFT = "VC1E3G5J7K9"
"""Who has left."""
MEMBERS = tuple(f"VMEMBER{number:04}" for number in range(60))
"""More of the choir, all of one name: for each test two of its own."""
NAMES = {
    CHOIR[0]: "王小明",
    CHOIR[1]: "李芳",
    CHOIR[2]: "欧阳建国",
    VISITOR: "赵强",
    LEFT: "钱伟",
    **dict.fromkeys(MEMBERS, "孙梅"),
}


@dataclass
class KioskWorld:
    """The product with a roster on its topic, and a gateway that has read it.

    Tests may share one: counts are since `begin`, and each takes members of its own.
    """

    hours: Hours
    gateway: Gateway
    badge_key: Ed25519PrivateKey
    before: Counter[str] = field(default_factory=Counter)
    _members: Iterator[str] = field(default_factory=lambda: iter(MEMBERS))

    def begin(self) -> None:
        """Count from here."""
        if not self.gateway.runs:
            self.gateway.start()
        self.before = self._ends()

    def two(self) -> tuple[str, str]:
        """Members of the choir that no other test has."""
        return next(self._members), next(self._members)

    def badge(self, volunteer: str, generation: int = 1) -> str:
        """The text of a volunteer's badge."""
        return sign_badge(Badge(volunteer, f"B{volunteer[1:]}", generation), LEDGER, self.badge_key)

    def wait_until_settled(self, records: int) -> None:
        self.hours.wait_until_settled(sum(self.before.values()) + records)

    def ends(self) -> Counter[str]:
        """How the records of the log ended, those that did."""
        return self._ends() - self.before

    def present(self) -> dict[str, str]:
        """Who is there, and for which team."""
        with queries.reading(self.hours.engine) as connection:
            now = time.time_ns() // 1_000
            found = queries.present(connection, Filters(), Policy(), now)
        return {one.volunteer: one.team for one in found}

    def credits(self, volunteer: str) -> list[dict[str, Any]]:
        rows = self.hours.rows("entries", "--volunteer", volunteer)
        return [row for row in rows if row["type"] == "credit"]

    def _ends(self) -> Counter[str]:
        ends: Counter[str] = Counter()
        for head in (one.head for one in self.hours.statuses()):
            ends.update(accepted=head.accepted, duplicate=head.duplicates, rejected=head.rejected)
        return +ends


def enrolled_district(hours: Hours) -> Ed25519PrivateKey:
    """Init, a roster with its names sealed, and the key that signs badges. It runs nothing."""
    home = Path(hours.environment["HOURS_HOME"])
    key, pem = new_key(), new_private_key()
    (home / "roster.key").write_text(key)
    badge_key = private_key_in(pem.encode())
    (home / "badge-public.pem").write_text(public_text(badge_key.public_key()))
    hours.environment["HOURS_ROSTER_KEY_FILE"] = str(home / "roster.key")
    hours.environment["HOURS_BADGE_PUBLIC_KEY_FILE"] = str(home / "badge-public.pem")
    hours.ok("init")
    vault = Vault([key])
    sealed = {(id, 1): vault.seal(id, PrivateData(name=name)) for id, name in NAMES.items()}
    changes = [Change(None, one) for one in _records()]
    with store.changing(hours.engine) as connection:
        store.apply(connection, Roster.of(()), changes, Deed("keeper", "建名册", 1), sealed)
    return badge_key


@contextmanager
def world_at(home: Path, kafka: str) -> Iterator[KioskWorld]:
    """All of it in a folder of its own, on SQLite, with a log of its own on that Kafka."""
    url, prefix = f"sqlite:///{home / 'ledger.db'}", f"t{secrets.token_hex(6)}"
    hours = product_at(home, kafka, url, prefix)
    try:
        with kiosk_world(hours) as world:
            yield world
    finally:
        hours.end()


@contextmanager
def kiosk_world(hours: Hours) -> Iterator[KioskWorld]:
    """The whole of it, running: one worker, one gateway that knows the roster."""
    badge_key = enrolled_district(hours)
    hours.start_worker()
    gateway = Gateway(hours)
    gateway.start()
    world = KioskWorld(hours, gateway, badge_key)
    try:
        eventually(lambda: knows_the_roster(hours), "a gateway that knows the roster")
        yield world
    finally:
        gateway.kill()


def knows_the_roster(hours: Hours) -> bool:
    """Whether the gateway's file has the last of the roster's things."""
    file = Path(hours.environment["HOURS_HOME"]) / "kiosk" / "gateway.db"
    with closing(RosterCache(file)) as cache:
        return {f"volunteer/{one}" for one in NAMES} <= cache.view.told.keys()


def _records() -> list[Any]:
    person = {"badge_generation": 1, "private_version": 1}
    people = [
        Person(volunteer=one, badge_serial=f"B{one[1:]}", **person)
        for one in (*CHOIR, *MEMBERS, VISITOR)
    ]
    people[0] = people[0].model_copy(update={"badge_generation": 2})
    left = Person(volunteer=LEFT, status="left", badge_serial="B0", **person)
    return [
        Unit(code="centre", kind="centre", name_zh="实践中心", name_en="Centre"),
        Unit(
            code=PLACE, kind="station", name_zh="运河村站", name_en="Canal village", parent="centre"
        ),
        Team(code="choir", kind="professional", name_zh="合唱队", name_en="Choir", unit=PLACE),
        Team(code="clinic", kind="professional", name_zh="义诊队", name_en="Clinic"),
        *people,
        left,
        *(
            Membership(volunteer=one, team="choir", since="2026-01-01")
            for one in (*CHOIR, *MEMBERS)
        ),
        Membership(volunteer=VISITOR, team="clinic", since="2026-01-01"),
    ]
