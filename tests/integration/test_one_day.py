"""One day in the life of the district, from its workbook to a ledger restored from the archive.

Nothing in it is told what the hours should be: they are counted here, from who came when and left
when, and must be the ledger's, the certificate's, and the restored ledger's.
"""

import json
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import httpx2 as httpx
import pypdfium2
import pytest
import zxingcpp
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from producers.badge_keys import private_key_in
from producers.badges import Badge, sign_badge
from producers.kiosk.kiosks import Kiosks
from producers.kiosk.roster_cache import RosterCache
from producers.times import rfc_3339_of
from tests.board_world import LEDGER, PASSWORD, BoardProcess
from tests.gateways import Gateway, Speaker, report, ulid
from tests.running import Hours, environment, eventually

PEOPLE, KIOSKS, OFFLINE, FORGETFUL = 2_000, 50, 10, 12
TAPS_AT_ONCE = 10
HOUR = 3_600


class Visit(NamedTuple):
    """Somebody's day: for which team, at which kiosk, from when to when, in POSIX seconds."""

    volunteer: str
    team: str
    kiosk: int
    came: int
    left: int
    forgot: bool

    @property
    def seconds(self) -> int:
        return self.left - self.came


@dataclass
class Day:
    """The product on one log and one PostgreSQL database, and all that stands around it."""

    hours: Hours
    home: Path
    gateway: Gateway
    board: BoardProcess
    badges: dict[str, str] = field(default_factory=dict)
    chance: random.Random = field(default_factory=lambda: random.Random(20260305))

    def path(self, name: str) -> str:
        return str(self.home / name)

    def set(self, **settings: str) -> None:
        for name, value in settings.items():
            self.hours.environment[f"HOURS_{name.upper()}"] = value

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        return self.hours.rows(*arguments, "--limit", "100000")

    @cached_property
    def people(self) -> dict[str, list[str]]:
        """Teams of each volunteer."""
        found: dict[str, list[str]] = {}
        for row in self.rows("roster", "list", "membership"):
            if row["until"] is None:
                found.setdefault(row["volunteer"], []).append(row["team"])
        return found


@pytest.fixture
def day(kafka: str, postgres_url: str, fresh_name: str, tmp_path: Path) -> Iterator[Day]:
    hours = Hours(
        environment(
            tmp_path,
            kafka=kafka,
            ledger_url=postgres_url,
            topic_prefix=fresh_name,
            session_seconds="1.5",
        )
    )
    made = Day(hours, tmp_path, Gateway(hours), BoardProcess(hours))
    yield made
    made.gateway.kill()
    made.board.end()
    hours.end()


def test_the_hours_of_a_day_are_those_served_and_outlive_the_database(day: Day) -> None:
    enrol(day)
    print_badges(day)
    visits = planned(day)
    kiosks = set_up_kiosks(day)
    with workers_dying(day.hours):
        tap(day, kiosks, visits)
        taps = sum(2 - one.forgot for one in visits)
        # A gateway that was killed may have sent some twice, so records are no measure.
        eventually(lambda: accepted(day.hours) >= taps, f"{taps} accepted taps")
    assert settled(day.hours) == served(visits, with_forgotten=False)

    correct(day, visits)
    assert settled(day.hours) == served(visits, with_forgotten=True)

    certificate, checkpoint = sign_and_certify(day, visits)
    verify_offline(day, certificate, visits)

    day.hours.kill_workers()
    roots = [one.head.root() for one in day.hours.statuses()]
    day.hours.ok("dump", day.path("archive"))
    lose_everything_but(day, "archive")

    restored = restore(day)
    assert [one.head.root() for one in restored.statuses()] == roots
    assert settled(restored) == served(visits, with_forgotten=True)
    audit(restored, day)
    restored.ok("sign", "--once")
    growth = day.path("growth.json")
    restored.ok("prove", "--growth", checkpoint, "--out", growth)
    assert "only grew" in restored.ok("verify", growth)
    restored.end()


def enrol(day: Day) -> None:
    """The district by its workbook."""
    day.hours.ok("roster", "new-key", day.path("roster.key"))
    day.hours.ok("badges", "--new-key", day.path("badge.pem"))
    day.set(roster_key_file=day.path("roster.key"), badge_key_file=day.path("badge.pem"))
    public = day.hours.ok("badges", "--public-key")
    (day.home / "badge-public.pem").write_text(public)
    day.set(badge_public_key_file=day.path("badge-public.pem"))
    day.hours.ok("init")
    day.hours.ok("import", "--district", day.path("day.xlsx"), "--people", str(PEOPLE))
    day.hours.ok("import", day.path("day.xlsx"), "--apply")
    assert len(day.people) == PEOPLE


def print_badges(day: Day) -> None:
    """All of them on paper; a sheet of those that are read from it, the others' as they'd be."""
    day.hours.ok("badges", day.path("badges.pdf"), "--all")
    with closing(pypdfium2.PdfDocument(day.path("badges.pdf"))) as sheets:
        picture = sheets[0].render(scale=4).to_pil()
    printed = {one.text for one in zxingcpp.read_barcodes(picture)}
    key = private_key_in((day.home / "badge.pem").read_bytes())
    for row in day.rows("roster", "list", "person"):
        badge = Badge(row["volunteer"], row["badge_serial"], row["badge_generation"])
        day.badges[row["volunteer"]] = sign_badge(badge, LEDGER, key)
    assert len(printed) > 5
    assert printed <= set(day.badges.values())  # the paper says the same, to the letter


def planned(day: Day) -> list[Visit]:
    """Who came yesterday: each to one kiosk, for one team, for some hours."""
    now = int(time.time())
    people = list(day.people.items())
    return [
        Visit(
            volunteer,
            day.chance.choice(teams),
            number % KIOSKS,
            came := now - 20 * HOUR + day.chance.randrange(3 * HOUR),
            came + day.chance.randrange(60, 4 * HOUR),
            number < FORGETFUL,
        )
        for number, (volunteer, teams) in enumerate(people)
    ]


def set_up_kiosks(day: Day) -> list[Speaker]:
    """A worker publishes the roster, the gateway reads it, fifty browsers are enrolled."""
    day.hours.start_worker()
    day.gateway.start()
    file = day.home / "kiosk" / "gateway.db"
    eventually(lambda: knows_everybody(file, day), "a gateway that knows everybody")
    places = [row["code"] for row in day.rows("roster", "list", "unit") if row["kind"] == "station"]
    speakers = [day.gateway.enrol(places[0])]
    with closing(Kiosks(file)) as kiosks:  # as the command does, which makes one at a time
        now = time.time_ns() // 1_000
        for place in places[1:KIOSKS]:
            kiosks.create(place, "kiosk", place, (), "operator", now)
            speakers.append(day.gateway.enrolled(kiosks.new_code(place, now)))
    return speakers


def knows_everybody(file: Path, day: Day) -> bool:
    with closing(RosterCache(file)) as cache:
        return {f"volunteer/{one}" for one in day.people} <= cache.view.told.keys()


@contextmanager
def workers_dying(hours: Hours) -> Iterator[None]:
    """Three workers, the oldest of which is killed and replaced each time they have come on."""
    while len(hours.workers) < 3:
        hours.start_worker()
    over = threading.Event()

    def killing() -> int:
        killed, settled = 0, hours.settled()
        while not over.wait(0.1):
            if hours.settled() - settled > PEOPLE // 4:
                victim = hours.workers[-3]
                victim.kill()
                victim.wait()
                hours.start_worker()
                killed, settled = killed + 1, hours.settled()
        return killed

    with ThreadPoolExecutor(1) as threads:
        killed = threads.submit(killing)
        try:
            yield
        finally:
            over.set()
        assert killed.result() >= 2


def tap(day: Day, kiosks: list[Speaker], visits: list[Visit]) -> None:
    """Forty kiosks send as people tap, while the gateway loses its power once; ten send at night.

    A page sends again what wasn't answered, and what was, where the answer was lost.
    """
    taps = [taps_at(day, number, visits) for number in range(KIOSKS)]
    with ThreadPoolExecutor(8) as threads:
        online = [
            threads.submit(send, kiosks[number], taps[number]) for number in range(OFFLINE, KIOSKS)
        ]
        eventually(lambda: sum(one.done() for one in online) > KIOSKS // 4, "taps on their way")
        day.gateway.kill()
        day.gateway.start()
        for one in online:
            one.result()
        late = [threads.submit(send, kiosks[one], taps[one]) for one in range(OFFLINE)]
        for one in late:
            one.result()
        assert all(one["state"] == "accepted" for one in kiosks[0].tap(*taps[0][:TAPS_AT_ONCE]))


def taps_at(day: Day, kiosk: int, visits: list[Visit]) -> list[dict[str, Any]]:
    """In the order in which they were made."""
    made = []
    for one in visits:
        if one.kiosk == kiosk:
            made.append((one.came, "in", one))
            made += [] if one.forgot else [(one.left, "out", one)]
    return [
        {
            "id": ulid(),
            "kind": kind,
            "volunteer": one.volunteer,
            **({"team": one.team} if kind == "in" else {}),
            "how": "badge",
            "badge": day.badges[one.volunteer],
            "time": rfc_3339_of(at * 1_000_000),
            "clock": rfc_3339_of(at * 1_000_000),
        }
        for at, kind, one in sorted(made, key=lambda tap: tap[:2])
    ]


def send(kiosk: Speaker, taps: list[dict[str, Any]]) -> None:
    for at in range(0, len(taps), TAPS_AT_ONCE):
        some = taps[at : at + TAPS_AT_ONCE]

        def answered() -> bool:
            try:
                said = kiosk.post("/api/taps", {"taps": some, "report": report()})  # noqa: B023
            except httpx.TransportError:
                return False
            assert said.status_code == 200, said.text
            assert {one["state"] for one in said.json()["taps"]} == {"accepted"}, said.text
            return True

        eventually(answered, "a gateway that answers")


def correct(day: Day, visits: list[Visit]) -> None:
    """Leaders supply what was forgotten, the centre approves, the board sends it to the log."""
    forgotten = [one for one in visits if one.forgot]
    (day.home / "password").write_text(PASSWORD)
    given = ("--password-file", day.path("password"))
    teams = sorted({one.team for one in forgotten})
    for number, team in enumerate(teams):
        day.hours.ok(
            "accounts", "add", f"leader{number}", "--role", "leader", "--team", team, *given
        )
    day.hours.ok("accounts", "add", "centre", "--role", "centre", *given)
    day.board.start()
    centre = day.board.client("centre")
    halves = {row["volunteer"]: row for row in day.hours.rows("exceptions")}
    for number, team in enumerate(teams):
        leader = day.board.client(f"leader{number}")
        for one in (visit for visit in forgotten if visit.team == team):
            half = halves[one.volunteer]
            made = leader.post(
                "/api/v1/corrections",
                json={
                    "kind": "check-out", "volunteer": one.volunteer, "tap_source": half["source"],
                    "tap_id": half["id"], "occurred_at": one.left * 1_000_000, "reason": "忘了签退",
                },
            )  # fmt: skip
            assert made.status_code == 201, made.text
            correction = f"/api/v1/corrections/{made.json()['number']}"
            decision = {"approve": True, "why": "核实"}
            assert leader.post(correction, json=decision).status_code == 409  # it is their own
            assert centre.post(correction, json=decision).status_code == 200
    eventually(lambda: settled(day.hours) == served(visits, with_forgotten=True), "corrected hours")


def sign_and_certify(day: Day, visits: list[Visit]) -> tuple[str, str]:
    """The certificate's file, and that of the checkpoint it was made under."""
    (day.home / "ledger-key").write_text(day.hours.ok("sign", "--new-key", day.path("signing.pem")))
    (day.home / "issuer.toml").write_text(
        'name = "实践中心"\nperson_in_charge = "张主任"\nhandler = "李干事"\ncontact = "0513-0"\n'
    )
    day.set(
        signing_key_file=day.path("signing.pem"),
        public_key_file=day.path("ledger-key"),
        issuer_file=day.path("issuer.toml"),
        signer_folder=day.path("signer"),
    )
    (day.home / "checkpoint").write_text(day.hours.ok("sign", "--once"))
    day.hours.ok(
        "certificate", visits[0].volunteer, "--out", day.path("certificate.pdf"), "--why", "申请"
    )
    return day.path("certificate.pdf"), day.path("checkpoint")


def verify_offline(day: Day, certificate: str, visits: list[Visit]) -> None:
    """By somebody who has the file and the public key, and nothing else of the district's."""
    key = (day.home / "ledger-key").read_text().strip()
    elsewhere = Hours(environment(day.home / "elsewhere"))
    told = elsewhere.ok("verify", certificate, "--key", key, "--json")
    (said,) = [json.loads(line) for line in told.splitlines()]
    hours, rest = divmod(visits[0].seconds, HOUR)
    assert said["holds"]
    assert f"{hours}:{rest // 60:02}:{rest % 60:02}" in said["proven"][0]
    stranger = elsewhere.ok("sign", "--new-key", day.path("stranger.pem")).strip()
    assert elsewhere.run("verify", certificate, "--key", stranger).returncode == 1


def lose_everything_but(day: Day, archive: str) -> None:
    """The ledger's database is dropped while nobody expects it; its log is out of reach too."""
    assert (day.home / archive / "manifest.json").is_file()
    day.gateway.kill()
    day.board.kill()
    day.hours.engine.dispose()
    url = make_url(day.hours.environment["HOURS_LEDGER_URL"])
    server = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {url.database} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {url.database}"))
    server.dispose()
    day.set(topic_prefix=f"{day.hours.environment['HOURS_TOPIC_PREFIX']}new")


def restore(day: Day) -> Hours:
    """An empty Kafka, an empty database, and the archive."""
    restored = Hours(day.hours.environment)
    restored.ok("restore", day.path("archive"))
    restored.ok("init")
    manifest = json.loads((day.home / "archive" / "manifest.json").read_text())
    restored.start_worker()
    restored.wait_until_settled(sum(one["records"] for one in manifest["segments"]))
    return restored


def audit(restored: Hours, day: Day) -> None:
    """By the log, and by the archive with the public key alone."""
    restored.kill_workers()
    assert "Equal" in restored.ok("audit")
    key = (day.home / "ledger-key").read_text().strip()
    assert "Equal" in restored.ok("audit", "--log", day.path("archive"), "--key", key)


def accepted(hours: Hours) -> int:
    return sum(one.head.accepted for one in hours.statuses())


def settled(hours: Hours) -> dict[str, int]:
    """Seconds by team."""
    found: dict[str, int] = {}
    for (team, _), seconds in hours.totals().items():
        found[team] = found.get(team, 0) + seconds
    return found


def served(visits: list[Visit], *, with_forgotten: bool) -> dict[str, int]:
    """The same, from who came when and left when."""
    found: dict[str, int] = {}
    for one in visits:
        if with_forgotten or not one.forgot:
            found[one.team] = found.get(one.team, 0) + one.seconds
    return found
