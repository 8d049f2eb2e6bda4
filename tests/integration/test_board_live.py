"""The board on real Kafka with a real worker: corrections to the end, figures that are the ledger's
at every moment, and what people see while things break.
"""

import html
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from dashboards.board.correcting import CorrectionPublisher, event_of, publish
from hours.services import EmbeddedKafka, EmbeddedPostgres
from ledger import queries
from ledger.corrections import store as corrections
from ledger.corrections.values import Proposal
from ledger.policy import SECOND
from ledger.queries import Filters
from producers.kafka_access import KafkaAccess
from producers.kiosk.publisher import opened
from producers.times import rfc_3339_of
from tests.board_world import HOUR, LI, WANG, LiveWorld, live_world, now
from tests.running import eventually, lines, publishing
from tests.taps import Load

HELD = "忘记签退"


@pytest.fixture
def world(kafka: str, ledger_url: str, tmp_path: Path) -> Iterator[LiveWorld]:
    with live_world(tmp_path, kafka, ledger_url) as made:
        yield made


def tapped(world: LiveWorld, *taps: tuple[str, str, int, str]) -> None:
    """Taps of the choir at its station: kind, volunteer, instant, id."""
    events = [
        {
            "specversion": "1.0",
            "type": f"hours.checked-{kind}.v1",
            "source": "/kiosks/station-1",
            "id": id,
            "subject": volunteer,
            "time": rfc_3339_of(at),
            "data": {"team": "choir", "place": "station-1"} if kind == "in" else {},
        }
        for kind, volunteer, at, id in taps
    ]
    before = world.hours.settled()
    world.hours.ok("publish", "-", input=lines(events))
    world.hours.wait_until_settled(before + len(events))


def forgotten(client: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/api/v1/exceptions").json()["items"]
    return found


def year(client: httpx.Client) -> int:
    return int(client.get("/api/v1/live").json()["sums"]["year"]["seconds"])


def state_of(client: httpx.Client, number: int) -> str:
    listed = client.get("/api/v1/corrections").json()["items"]
    return str(next(one["state"] for one in listed if one["number"] == number))


def proposed(client: httpx.Client, **fields: Any) -> int:
    given = {"kind": "check-out", "volunteer": WANG, "team": "choir", "place": "station-1"}
    answer = client.post("/api/v1/corrections", json={**given, "reason": HELD, **fields})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["number"])


def test_a_forgotten_check_out_is_listed_supplied_approved_settled_and_undone_again(
    world: LiveWorld,
) -> None:
    opened_at = now() - 30 * HOUR
    tapped(world, ("in", WANG, opened_at, "w1"))
    leader, officer = world.board.client("leader"), world.board.client("officer")
    (half,) = eventually(lambda: forgotten(leader), "the exception")
    assert (half["volunteer"], half["reason"]) == (WANG, "no-check-out")

    tap = {"tap_source": half["source"], "tap_id": half["id"]}
    number = proposed(leader, occurred_at=opened_at + 2 * HOUR, **tap)
    assert state_of(leader, number) == "proposed"
    assert year(leader) == 0
    decided = officer.post(f"/api/v1/corrections/{number}", json={"approve": True, "why": "属实"})
    assert decided.status_code == 200, decided.text
    eventually(lambda: state_of(leader, number) == "settled", "the ledger's word")
    eventually(lambda: year(leader) == 7_200, "two hours more")
    assert eventually(lambda: forgotten(leader) == [], "no exception")

    page = officer.post(f"/corrections/{number}/undo", data={"reason": "弄错了人"}).text
    back = json.loads(_hidden(page, "proposal"))
    assert (back["kind"], back["undoes"]) == ("void", number)
    officer.post("/corrections", data={"proposal": json.dumps(back)})
    leader.post(f"/api/v1/corrections/{number + 1}", json={"approve": True})
    eventually(lambda: state_of(leader, number + 1) == "settled", "the undoing")
    eventually(lambda: year(leader) == 0, "nothing credited")
    assert [one["id"] for one in eventually(lambda: forgotten(leader), "it again")] == ["w1"]

    history = leader.get(f"/corrections/{number}").text
    for step in ("等人批准", "已批准", "已发送", "已入账", "属实", "被撤销于"):
        assert step in history
    (entry,) = [one for one in world.hours.rows("entries") if one["type"] == "credit"]
    assert entry["closed_by"]["source"] == "/desks/leader"
    assert "Equal" in world.hours.ok("audit")


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found, page
    return html.unescape(found[1])


def test_bulk_check_outs_are_settled_together(world: LiveWorld) -> None:
    opened_at = now() // SECOND * SECOND - 30 * HOUR
    tapped(world, ("in", WANG, opened_at, "w1"), ("in", LI, opened_at + HOUR, "l1"))
    leader, officer = world.board.client("leader"), world.board.client("officer")
    eventually(lambda: len(forgotten(leader)) == 2, "two exceptions")
    taps = [f"{one['volunteer']} {one['source']} {one['id']}" for one in forgotten(leader)]
    at = rfc_3339_of(opened_at + 3 * HOUR)
    page = leader.post(
        "/corrections/bulk/preview", data={"tap": taps, "at": at, "reason": HELD}
    ).text
    found = [html.unescape(one) for one in re.findall(r'name="proposal" value="([^"]+)"', page)]
    assert len(found) == 2
    leader.post("/corrections", data={"proposal": found})
    officer.post("/corrections/decide", data={"number": ["1", "2"], "approve": "true"})
    eventually(lambda: year(leader) == (3 + 2) * 3_600, "both settled")


def test_an_adjustment_says_who_approved_it(world: LiveWorld) -> None:
    leader, officer = world.board.client("leader"), world.board.client("officer")
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86_400))
    number = proposed(leader, kind="adjustment", place=None, day=day, seconds=1_800)
    officer.post(f"/api/v1/corrections/{number}", json={"approve": True})
    eventually(lambda: state_of(leader, number) == "settled", "the adjustment")
    (entry,) = [one for one in world.hours.rows("entries") if one["type"] == "adjustment"]
    assert (entry["by"], entry["approved_by"], entry["seconds"]) == ("leader", "officer", 1_800)


def test_a_crash_between_kafka_s_word_and_the_mark_sends_it_again_and_credits_it_once(
    world: LiveWorld,
) -> None:
    opened_at = now() - 30 * HOUR
    tapped(world, ("in", WANG, opened_at, "w1"))
    world.board.kill()
    engine, access = world.district.engine, KafkaAccess(world.hours.environment["HOURS_KAFKA"])
    asked = Proposal(
        kind="check-out",
        volunteer=WANG,
        tap_source="/kiosks/station-1",
        tap_id="w1",
        occurred_at=opened_at + 2 * HOUR,
        reason=HELD,
    )
    (number,) = corrections.propose(engine, [asked], "leader", now())
    (approved,) = corrections.decide(engine, [number], "officer", now(), True, "", event_of)
    with opened(access) as producer:  # acknowledged, and then the crash: nothing is marked
        message = str(approved.event).encode()
        producer.send(world.hours.taps_topic, message, WANG.encode()).get(30)
    world.board.start()
    leader = world.board.client("leader")
    eventually(lambda: state_of(leader, number) == "settled", "the second time")
    assert sum(row["duplicates"] for row in world.hours.rows("status")) == 1
    assert sum(row["seconds"] for row in world.hours.rows("totals")) == 7_200
    with queries.reading(engine) as connection:
        steps = [one.state for one in corrections.steps(connection, number)]
    assert steps == ["proposed", "approved", "sent", "settled"]


def test_two_boards_that_send_the_same_mark_it_once(world: LiveWorld) -> None:
    world.board.kill()
    engine, access = world.district.engine, KafkaAccess(world.hours.environment["HOURS_KAFKA"])
    day = time.strftime("%Y-%m-%d")
    asked = Proposal(
        kind="adjustment", volunteer=WANG, team="choir", day=day, seconds=60, reason="x"
    )
    (number,) = corrections.propose(engine, [asked], "leader", now())
    (approved,) = corrections.decide(engine, [number], "officer", now(), True, "", event_of)
    topic = world.hours.taps_topic
    with opened(access) as producer:
        publish(producer, access, topic, engine, approved, now())
        publish(producer, access, topic, engine, approved, now())
    thread = CorrectionPublisher(engine, access, topic, now)
    thread.start()
    try:
        eventually(lambda: _state(world, number) == "settled", "the ledger's word")
    finally:
        thread.stop()
        thread.join(10)
    assert sum(row["seconds"] for row in world.hours.rows("totals")) == 60


def _state(world: LiveWorld, number: int) -> str:
    with queries.reading(world.district.engine) as connection:
        found = corrections.correction(connection, number)
    assert found is not None
    return found.state


class Watching(threading.Thread):
    """Somebody with the page open, who goes on by themselves when it breaks off."""

    def __init__(self, world: LiveWorld) -> None:
        super().__init__(daemon=True)
        self._world = world
        self._over = threading.Event()
        self.seen: list[dict[str, Any]] = []
        self.failures = 0

    def run(self) -> None:
        while not self._over.is_set():
            with suppress(httpx.HTTPError, AssertionError, KeyError, ValueError):
                client = self._world.board.client("centre")
                while not self._over.is_set():
                    answer = client.get("/api/v1/live", timeout=5)
                    if answer.status_code == 200:
                        self.seen.append(answer.json())
                    else:
                        self.failures += 1
                    time.sleep(0.1)
            self._over.wait(0.2)

    def finish(self) -> None:
        self._over.set()
        self.join(20)


def ledger_at(world: LiveWorld, offsets: dict[str, int]) -> int:
    """The year's seconds by the ledger's entries up to these offsets of the log."""
    total = 0
    with queries.reading(world.district.engine) as connection:
        for body in queries.entries(connection, Filters()):
            entry = json.loads(body)
            where = entry.get("log")
            if where and where["offset"] < offsets[str(where["partition"])]:
                sign = -1 if entry["type"] == "reversal" else 1
                total += sign * entry["seconds"]
    return total


def test_figures_are_the_ledger_s_at_every_moment_though_board_database_and_kafka_go(
    jars: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kafka = EmbeddedKafka(tmp_path_factory.mktemp("own-kafka"), jars)
    server = EmbeddedPostgres(tmp_path_factory.mktemp("own-postgres"))
    kafka.start()
    server.start()
    try:
        with live_world(tmp_path, kafka.address, server.address) as world:
            watching = Watching(world)
            watching.start()
            load = Load(7)
            with publishing(world.hours, load):
                _settles_more(world)
                world.board.kill()
                world.board.start()
                _settles_more(world)
                server.kill()
                server.start()
                _settles_more(world)
                kafka.kill()
                kafka.start()
                _settles_more(world)
            total = sum(load.totals.values())
            centre = world.board.client("centre")
            eventually(lambda: year(centre) == total, "the whole load on the board")
            watching.finish()
            assert len(watching.seen) >= 20
            for one in watching.seen[:: max(1, len(watching.seen) // 12)]:
                assert one["sums"]["year"]["seconds"] == ledger_at(world, one["offsets"])
            assert "Equal" in world.hours.ok("audit")
    finally:
        server.stop()
        kafka.stop()


def _settles_more(world: LiveWorld) -> None:
    before = world.hours.settled()
    eventually(lambda: world.hours.settled() > before + 200, "more settled")


def test_pages_say_how_old_figures_are_while_nobody_settles(world: LiveWorld) -> None:
    centre = world.board.client("centre")
    world.hours.kill_workers()
    event = {
        "specversion": "1.0",
        "type": "hours.checked-in.v1",
        "source": "/kiosks/station-1",
        "id": "w1",
        "subject": WANG,
        "time": rfc_3339_of(now()),
        "data": {"team": "choir", "place": "station-1"},
    }
    world.hours.ok("publish", "-", input=lines([event]))

    def behind() -> Any:
        with centre.stream("GET", "/live", timeout=20) as stream:
            for line in stream.iter_lines():
                if line.startswith("data: {"):
                    return json.loads(line.removeprefix("data: "))["behind_ms"]
        return None

    assert eventually(lambda: (behind() or 0) > 2_000, "figures that say they are behind")
    world.hours.start_worker()
    eventually(lambda: behind() is None, "figures that say they are of now")
