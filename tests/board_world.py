"""A small district with a board: in this process, for its answers, or in one of its own.

Two offices with a station each, a team at each, people with sealed names, activities, accounts for
each role. Facts are settled by the product's own shards, with or without Kafka.
"""

import os
import re
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx2 as httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, make_url, update
from starlette.responses import Response
from starlette.testclient import TestClient

from dashboards.board.app import create_app
from dashboards.board.board import Board
from dashboards.board.running import BoardSettings, parts
from ledger import roles
from ledger.accounts import store as accounts
from ledger.accounts.passwords import hashed
from ledger.accounts.signing_in import begin_session
from ledger.accounts.tables import accounts as account_table
from ledger.accounts.values import NewAccount
from ledger.policy import SECOND, Policy
from ledger.roster import store as roster_store
from ledger.roster.records import (
    Activity,
    Have,
    HaveItem,
    Membership,
    Person,
    Platform,
    Project,
    Team,
    Unit,
)
from ledger.roster.roster import Change, Roster
from ledger.roster.store import Deed
from ledger.roster.vault import PrivateData, Vault, new_key
from ledger.store import Store, open_store
from ledger.taps import Fact, Tap
from producers.badge_keys import new_private_key, private_key_in, public_text
from producers.badges import Badge, sign_badge
from producers.kafka_access import KafkaAccess
from producers.serving import Door
from tests.forked import Forked, start_hours
from tests.running import Hours, environment, eventually
from tests.settler import Settler

LEDGER = "tongzhou.hours.example"
POLICY = Policy()
PASSWORD = "correct horse battery"  # noqa: S105 - of accounts that end with the test
WANG, LI, ZHAO, QIAN = "V7K2M9QXTA1", "V3N8R5WZBC2", "VB6D8F0G2H4", "VC1E3G5J7K9"
"""Two of the choir, at office-1; one of the clinic, at office-2; one who has left."""
HASHED = hashed(PASSWORD)
NAMES = {WANG: "王小明", LI: "李芳", ZHAO: "赵强", QIAN: "钱伟"}
PHONES = {WANG: "13800001234", LI: "13800005678", ZHAO: "13900004321", QIAN: "13900008765"}
ACCOUNTS = {
    "leader": NewAccount(name="leader", role="leader", teams=("choir",)),
    "leader2": NewAccount(name="leader2", role="leader", teams=("choir",)),
    "other": NewAccount(name="other", role="leader", teams=("clinic",)),
    "officer": NewAccount(name="officer", role="officer", units=("office-1",)),
    "centre": NewAccount(name="centre", role="centre"),
    "auditor": NewAccount(name="auditor", role="auditor"),
    "operator": NewAccount(name="operator", role="operator"),
}
ORIGIN = "http://board.test"
READY = re.compile(r"https?://[^ ]+?:([0-9]+) .*Ready")
HOUR = 3_600 * SECOND


def now() -> int:
    return time.time_ns() // 1_000


_YEAR = int(POLICY.civil_day(now())[:4])
LAST_YEAR = f"{_YEAR - 1}-12-24"
NEAR = f"first={_YEAR - 1}-01-01&last={_YEAR + 1}-12-31"
"""A period as an address names it, with all days on which tests serve in it."""


def district(today: str, at: int) -> list[Any]:
    """The records of the district; an activity with one place is planned for tomorrow."""
    tomorrow = at + 24 * HOUR
    person = {"badge_generation": 1, "private_version": 1}
    units = [
        Unit(code="centre", kind="centre", name_zh="实践中心", name_en="Centre"),
        Unit(code="office-1", kind="office", name_zh="金沙所", name_en="Jinsha", parent="centre"),
        Unit(code="office-2", kind="office", name_zh="金新所", name_en="Jinxin", parent="centre"),
        Unit(code="station-1", kind="station", name_zh="运河站", parent="office-1"),
        Unit(code="station-2", kind="station", name_zh="红坪站", parent="office-2"),
        Unit(code="post-1", kind="post", name_zh="暖心驿站", parent="station-1"),
    ]
    people = [
        Person(
            volunteer=WANG,
            unit="station-1",
            badge_serial=f"B{WANG[1:]}",
            consent=today,
            **person,
        ),
        Person(volunteer=LI, unit="station-1", badge_serial=f"B{LI[1:]}", **person),
        Person(volunteer=ZHAO, unit="station-2", badge_serial=f"B{ZHAO[1:]}", **person),
        Person(volunteer=QIAN, status="left", badge_serial=f"B{QIAN[1:]}", **person),
    ]
    return [
        *units,
        HaveItem(code="sign", name_zh="标识", position=1),
        Platform(code="culture", name_zh="文化服务"),
        Team(
            code="choir",
            kind="professional",
            name_zh="合唱队",
            name_en="Choir",
            unit="office-1",
        ),
        Team(
            code="clinic",
            kind="professional",
            name_zh="义诊队",
            name_en="Clinic",
            unit="office-2",
        ),
        Project(code="songs", kind="flagship", name_zh="歌声", unit="office-1"),
        Activity(
            code="concert",
            title="社区音乐会",
            unit="station-1",
            teams=("choir",),
            platform="culture",
            planned_start=tomorrow,
            planned_end=tomorrow + 2 * HOUR,
            capacity=1,
        ),
        Activity(
            code="checkup",
            title="义诊",
            unit="station-2",
            teams=("clinic",),
            held_start=at - 30 * HOUR,
            held_end=at - 28 * HOUR,
            served=12,
            status="held",
        ),
        *people,
        Have(post="post-1", item="sign", state="have", day=today, checked_by="officer"),
        Membership(volunteer=WANG, team="choir", since="2026-01-01"),
        Membership(volunteer=LI, team="choir", since="2026-01-01"),
        Membership(volunteer=ZHAO, team="clinic", since="2026-01-01"),
    ]


@dataclass
class District:
    """The district in a database, and what opens its names."""

    url: str
    home: Path
    store: Store
    key: str
    badge_key: Ed25519PrivateKey
    begun_at: int

    @property
    def engine(self) -> Engine:
        return self.store.engine

    @cached_property
    def settler(self) -> Settler:
        return Settler(self.store)

    @cached_property
    def vault(self) -> Vault:
        return Vault([self.key])

    def badge(self, volunteer: str, generation: int = 1) -> str:
        """The text of a volunteer's badge."""
        badge = Badge(volunteer, f"B{volunteer[1:]}", generation)
        return sign_badge(badge, LEDGER, self.badge_key)

    def settle(self, *facts: Fact, recorded_at: int | None = None) -> None:
        """Let facts be the next records of their shards, and append what they come to."""
        self.settler.settle(facts, recorded_at or now())


@contextmanager
def district_at(url: str, home: Path) -> Iterator[District]:
    """A ledger with the district's roster and accounts."""
    store = open_store(url, LEDGER, POLICY)
    try:
        store.init()
        roles.grant(store.engine)
        at, key = now(), new_key()
        pem = new_private_key()
        found = District(url, home, store, key, private_key_in(pem.encode()), at)
        (home / "roster.key").write_text(key)
        (home / "badge.pem").write_text(pem)
        (home / "badge.pem").chmod(0o600)
        (home / "badge-public.pem").write_text(public_text(found.badge_key.public_key()))
        sealed = {
            (one, 1): found.vault.seal(one, PrivateData(name=name, phone=PHONES[one]))
            for one, name in NAMES.items()
        }
        changes = [Change(None, one) for one in district(POLICY.civil_day(at), at)]
        with roster_store.changing(store.engine) as connection:
            deed = Deed("keeper", "建名册", at)
            roster_store.apply(connection, Roster.of(()), changes, deed, sealed)
        for new in ACCOUNTS.values():
            accounts.add(store.engine, new, "test", at, None)
        with store.engine.begin() as connection:  # one hash for all: they take their time
            connection.execute(update(account_table).values(password=HASHED))
        yield found
    finally:
        store.engine.dispose()


@contextmanager
def as_a_board_may(district: District) -> Iterator[str]:
    """The database's URL for a login that is a member of the board's group and no more."""
    if district.engine.dialect.name != "postgresql":
        yield district.url
        return
    name = f"board_{secrets.token_hex(4)}"
    with district.engine.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}' IN ROLE {roles.BOARD}"
        )
    try:
        url = make_url(district.url).set(username=name, password=PASSWORD)
        yield url.render_as_string(hide_password=False)
    finally:
        with district.engine.begin() as connection:
            connection.exec_driver_sql(f"DROP ROLE {name}")


@dataclass
class InProcess:
    """The board's app in this process; `client(name)` is a browser of that account."""

    district: District
    board: Board
    app: Any

    def client(self, name: str | None = None) -> TestClient:
        """A browser that has signed in, or hasn't."""
        client = TestClient(self.app, base_url=ORIGIN, headers={"origin": ORIGIN})
        client.follow_redirects = False
        if name is not None:  # without a password: to compare one takes its time
            secret = begin_session(self.district.engine, name, "testclient", "", now())
            answer = Response()
            self.board.cookies.set(answer, "session", secret)
            for cookie in SimpleCookie(answer.headers["set-cookie"]).values():
                client.cookies.set(cookie.key, cookie.value)
        return client

    def look(self) -> None:
        """Wait until the board has read the ledger as it is now.

        By its own thread: a look of ours beside it could be followed by an older one of the other.
        """
        asked, watch = now(), self.board.ledger_watch
        eventually(lambda: watch.state is not None and watch.state.read_at >= asked, "a look")


@contextmanager
def board_in_process(district: District, **more: Any) -> Iterator[InProcess]:
    """A board whose Kafka nobody answers for; `more` are settings of its own."""
    settings = BoardSettings(
        door=Door(),
        ledger_url=more.pop("ledger_url", district.url),
        ledger_name=LEDGER,
        policy=POLICY,
        access=KafkaAccess("127.0.0.1:1"),
        taps_topic="hours.taps",
        folder=district.home / "board",
        kiosk_address="http://127.0.0.1:8080",
        address=ORIGIN,
        vault=district.vault,
        badge_keys=(district.badge_key.public_key(),),
        badge_key=district.badge_key,
        **more,
    )
    with ExitStack() as stack:
        board = stack.enter_context(parts(settings))
        yield InProcess(district, board, create_app(board))


@dataclass
class BoardProcess:
    """`hours board` in a process of its own; started anew, it has the same port."""

    hours: Hours
    port: int = 0
    process: Forked | None = None
    _clients: list[httpx.Client] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        log = Path(self.hours.environment["HOURS_HOME"]) / "board.log"
        said = log.stat().st_size if log.exists() else 0
        self.process = start_hours(
            ["board", "--port", str(self.port)],
            self.hours.environment,
            Path(os.devnull),
            log,
            log,
        )
        found = eventually(
            lambda: READY.search(log.read_bytes()[said:].decode(errors="replace")), "a ready board"
        )
        self.port = int(found[1])

    def kill(self) -> None:
        """As a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def end(self) -> None:
        """Nothing of it is left, nor of its browsers."""
        self.kill()
        for client in self._clients:
            client.close()

    def client(self, name: str | None = None) -> httpx.Client:
        """A browser that has signed in, or hasn't."""
        client = httpx.Client(base_url=self.address, headers={"origin": self.address}, timeout=30)
        self._clients.append(client)
        if name is not None:
            answer = client.post("/sign-in", data={"name": name, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
        return client


@dataclass
class LiveWorld:
    """The district with real Kafka, a real worker, and a board in a process of its own."""

    district: District
    hours: Hours
    board: BoardProcess


@contextmanager
def live_world(home: Path, kafka: str, url: str) -> Iterator[LiveWorld]:
    """All of it running."""
    prefix = f"t{secrets.token_hex(6)}"
    with district_at(url, home) as district:
        settings = environment(
            home,
            kafka=kafka,
            ledger_url=url,
            topic_prefix=prefix,
            session_seconds="1.5",
            roster_key_file=str(home / "roster.key"),
            badge_public_key_file=str(home / "badge-public.pem"),
        )
        hours = Hours(settings)
        board = BoardProcess(hours)
        try:
            hours.ok("init")
            hours.start_worker()
            board.start()
            yield LiveWorld(district, hours, board)
        finally:
            board.end()
            hours.end()


def came(volunteer: str, at: int, id: str, team: str = "choir", place: str = "station-1") -> Tap:
    """A check-in at a kiosk of a place."""
    return Tap.of(volunteer, "in", at, f"/kiosks/{place}", id, team=team, place=place)


def left(volunteer: str, at: int, id: str, place: str = "station-1") -> Tap:
    """A check-out."""
    return Tap.of(volunteer, "out", at, f"/kiosks/{place}", id, place=place)


def shown(text: str, figure: str) -> int:
    """The seconds (or count) that a page shows as a figure."""
    seconds = re.search(rf'data-figure="{figure}"[^>]*data-seconds="(-?\d+)"', text)
    if seconds:
        return int(seconds[1])
    count = re.search(rf'data-figure="{figure}"[^>]*>\s*(?:<span class="value">)?([\d,]+)', text)
    assert count, figure
    return int(count[1].replace(",", ""))
