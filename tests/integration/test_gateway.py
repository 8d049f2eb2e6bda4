"""The gateway as kiosks meet it over HTTP: real process, real Kafka, real worker and ledger."""

import asyncio
import http.client
import io
import json
import socket
import ssl
import stat
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from hours.services.embedded import free_port
from producers.badges import Badge, sign_badge
from producers.kiosk.connections import MOST_HEADER_BYTES
from producers.kiosk.database import open_database
from producers.kiosk.outbox import RefusedTap
from producers.kiosk.outbox_rows import OutboxRows
from producers.times import rfc_3339_of
from tests.gateways import Gateway, report, tap
from tests.kiosk_world import CHOIR, LEDGER, LEFT, PLACE, VISITOR, KioskWorld, world_at
from tests.running import Hours, eventually

MINUTE = 60_000_000


@pytest.fixture(scope="module")
def world(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KioskWorld]:
    with world_at(tmp_path_factory.mktemp("world"), kafka) as made:
        yield made


@pytest.fixture(scope="module")
def gateway(world: KioskWorld) -> Gateway:
    return world.gateway


@pytest.fixture(scope="module")
def key(gateway: Gateway) -> str:
    """A kiosk's at the place, shared by all tests that don't revoke it."""
    return gateway.enrol(PLACE).key


def ask(
    gateway: Gateway,
    method: str,
    path: str,
    body: Any = None,
    key: str | None = None,
    **headers: str,
) -> tuple[int, Any]:
    """Status and JSON of an answer; `body` is sent as it is if it is bytes."""
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if key:
        sent["authorization"] = f"Bearer {key}"
    with closing(http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)) as line:
        line.request(method, path, content, sent)
        answer = line.getresponse()
        return answer.status, json.loads(answer.read() or b"null")


def code(gateway: Gateway) -> tuple[str, str]:
    """A new kiosk's code name, and its one-time code."""
    (made,) = gateway.hours.rows("kiosks", "add", PLACE)
    return made["kiosk"], made["code"]


def now() -> int:
    return time.time_ns() // 1_000


def a_tap(kind: str = "in", volunteer: str = CHOIR[1], at: int | None = None, **more: Any) -> Any:
    time = rfc_3339_of(at or now())
    return tap(kind, volunteer, time=time, clock=time, **more)


def taps(*made: Any) -> dict[str, Any]:
    return {"taps": list(made), "report": report()}


def the_answer(gateway: Gateway, key: str, made: Any) -> dict[str, Any]:
    status, said = ask(gateway, "POST", "/api/taps", taps(made), key)
    assert status == 200, said
    (answer,) = said["taps"]
    return dict(answer)


def file_of(world: KioskWorld) -> Path:
    return Path(world.hours.environment["HOURS_HOME"]) / "kiosk" / "gateway.db"


def refusal_kept(world: KioskWorld, reason: str) -> RefusedTap:
    """The newest of that reason."""
    with closing(OutboxRows(file_of(world))) as rows:
        return next(one for one in reversed(rows.refusals(50)) if one.reason == reason)


# --- a tap's way ----------------------------------------------------------------------------------


def test_a_tap_reaches_the_ledger_in_the_name_of_the_kiosk_whose_key_came_with_it(
    world: KioskWorld, gateway: Gateway
) -> None:
    name, given = code(gateway)
    _, enrolled = ask(gateway, "POST", "/api/enrol", {"code": given})
    came, went = a_tap("in", VISITOR, now() - 90 * MINUTE), a_tap("out", VISITOR)
    for one in (came, went, came):
        assert the_answer(gateway, enrolled["key"], one)["state"] == "accepted"
    entry = eventually(
        lambda: next(iter(world.hours.rows("entries", "--volunteer", VISITOR)), None), "a credit"
    )
    assert (entry["team"], entry["place"], entry["seconds"]) == ("choir", PLACE, 5_400)
    assert entry["opened_by"] == {"source": f"/kiosks/{name}", "id": came["id"]}


def test_of_a_tap_sent_again_with_other_content_the_first_version_stays(
    world: KioskWorld, gateway: Gateway, key: str
) -> None:
    made = a_tap()
    assert the_answer(gateway, key, made)["state"] == "accepted"
    assert the_answer(gateway, key, {**made, "team": "clinic"})["state"] == "accepted"
    assert the_answer(gateway, key, {**made, "team": "no-such-team"})["state"] == "accepted"
    assert kept_events(world, made["id"]) == ["choir"]


def test_a_tap_that_cant_be_read_is_refused_alone_and_kept(
    world: KioskWorld, gateway: Gateway, key: str
) -> None:
    good, bad = a_tap(), {**a_tap(), "kind": "maybe"}
    status, said = ask(gateway, "POST", "/api/taps", taps(bad, good), key)
    assert status == 200
    assert [one["state"] for one in said["taps"]] == ["refused", "accepted"]
    assert "kind" in said["taps"][0]["what"]
    assert refusal_kept(world, "unreadable").id == bad["id"]


def test_the_place_remembers_what_somebody_last_did(gateway: Gateway, key: str) -> None:
    the_answer(gateway, key, a_tap("in", CHOIR[2]))
    _, who = ask(gateway, "POST", "/api/who", {"volunteer": CHOIR[2]}, key)
    assert who["last"]["kind"] == "in"
    the_answer(gateway, key, a_tap("out", CHOIR[2]))
    _, who = ask(gateway, "POST", "/api/who", {"volunteer": CHOIR[2]}, key)
    assert who["last"]["kind"] == "out"


def test_every_accepted_answer_of_a_gateway_killed_under_load_is_in_the_log_once(
    world: KioskWorld, gateway: Gateway, key: str
) -> None:
    pairs = {
        f"VK{n:09d}": (
            a_tap("in", f"VK{n:09d}", now() - 60 * MINUTE), a_tap("out", f"VK{n:09d}")
        )
        for n in range(150)
    }  # fmt: skip
    accepted, sent = set[str](), [made for pair in pairs.values() for made in pair]

    def send(made: Any) -> None:
        while made["id"] not in accepted:
            with suppress(OSError, http.client.HTTPException):
                status, said = ask(gateway, "POST", "/api/taps", taps(made), key)
                if status == 200 and said["taps"][0]["state"] == "accepted":
                    accepted.add(made["id"])

    with ThreadPoolExecutor(8) as pages:
        sending = [pages.submit(send, made) for made in sent]
        for share in (60, 120, 180):
            eventually(lambda share=share: len(accepted) >= share, f"{share} answers")
            gateway.kill()
            gateway.start()
        for one in sending:
            one.result(90)
    eventually(lambda: nothing_waits(gateway), "an empty outbox")
    assert accepted == {one["id"] for one in sent}
    found = eventually(lambda: credited(world, pairs), "all of them in the ledger")
    assert found == sorted((came["id"], went["id"]) for came, went in pairs.values())


def test_a_gateway_whose_kafka_is_away_takes_taps_and_ends_in_seconds(
    world: KioskWorld, tmp_path: Path
) -> None:
    hours = Hours({**world.hours.environment, "HOURS_HOME": str(tmp_path)})
    hours.environment["HOURS_KAFKA"] = f"127.0.0.1:{free_port()}"
    alone = Gateway(hours)
    alone.start()
    try:
        key = alone.enrol(PLACE).key
        assert the_answer(alone, key, a_tap())["state"] == "accepted"
        assert alone.stop() == 0
    finally:
        alone.kill()
    (said,) = hours.rows("kiosks")
    assert said["gateway"]["waiting"] == 1
    assert "hours kiosk" in said["gateway"]["trouble"]


def test_a_second_gateway_on_the_same_file_is_refused_in_one_line(world: KioskWorld) -> None:
    done = world.hours.run("kiosk", "--port", "0")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "HOURS_HOME" in done.stderr


def test_a_port_that_is_taken_is_one_line(world: KioskWorld, tmp_path: Path) -> None:
    hours = Hours({**world.hours.environment, "HOURS_HOME": str(tmp_path)})
    done = hours.run("kiosk", "--port", str(world.gateway.port))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--port" in done.stderr


def test_an_idle_gateway_that_knows_its_district_takes_less_than_120_megabytes(
    gateway: Gateway,
) -> None:
    assert gateway.process is not None
    status = Path(f"/proc/{gateway.process.pid}/status")
    if not status.exists():
        pytest.skip("there is no /proc to ask")
    (kilobytes,) = (
        int(line.split()[1]) for line in status.read_text().splitlines() if "VmRSS" in line
    )
    assert kilobytes < 120_000


# --- who speaks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/roster"),
        ("POST", "/api/who"),
        ("POST", "/api/taps"),
        ("POST", "/api/report"),
        ("POST", "/api/badge-image"),
        ("GET", "/api/operator/kiosks"),
    ],
)
@pytest.mark.parametrize("key", [None, "", "x" * 43, "密钥", "a\tb"])
def test_who_has_no_key_is_told_nothing(
    gateway: Gateway, method: str, path: str, key: str | None
) -> None:
    headers = {} if key is None else {"Authorization": "Bearer " + key.encode().decode("latin-1")}
    status, said = ask(gateway, method, path, b"{}" if method == "POST" else None, None, **headers)
    assert (status, said["reason"]) == (401, "unknown-key")


@pytest.mark.parametrize("field", ["source", "place", "by", "kiosk"])
def test_a_kiosk_cant_say_that_it_is_another(gateway: Gateway, key: str, field: str) -> None:
    answer = the_answer(gateway, key, {**a_tap(), field: "/kiosks/another"})
    assert (answer["state"], answer["reason"]) == ("refused", "unreadable")
    assert field in answer["what"]


def test_a_kiosk_voids_nothing_but_its_own(world: KioskWorld, gateway: Gateway, key: str) -> None:
    theirs = a_tap("in", "V000000VD01")
    assert the_answer(gateway, gateway.enrol(PLACE).key, theirs)["state"] == "accepted"
    void = {**a_tap("void", "V000000VD01"), "of": theirs["id"]}
    assert the_answer(gateway, key, void)["state"] == "accepted"
    eventually(
        lambda: any("unknown-tap" in one["reason"] for one in world.hours.rows("rejections")),
        "the void of a tap that this kiosk never made, rejected",
    )


def test_a_revoked_kiosk_is_refused_at_once_and_its_taps_are_kept(
    world: KioskWorld, gateway: Gateway
) -> None:
    name, given = code(gateway)
    key = ask(gateway, "POST", "/api/enrol", {"code": given})[1]["key"]
    early, late = a_tap(), a_tap()
    assert the_answer(gateway, key, early)["state"] == "accepted"
    world.hours.ok("kiosks", "revoke", name, "--why", "被偷 stolen")
    for _ in range(2):
        status, said = ask(gateway, "POST", "/api/taps", taps(early, late), key)
        assert (status, said["reason"]) == (403, "revoked")
    assert ask(gateway, "GET", "/api/roster", key=key)[0] == 403
    kept = [
        one["id"]
        for one in world.hours.rows("kiosks", "refusals")
        if one["source"] == f"/kiosks/{name}"
    ]
    assert kept == [late["id"]]


def test_an_old_key_works_until_a_new_code_is_used(world: KioskWorld, gateway: Gateway) -> None:
    name, given = code(gateway)
    old = ask(gateway, "POST", "/api/enrol", {"code": given})[1]["key"]
    (made,) = world.hours.rows("kiosks", "code", name)
    assert ask(gateway, "GET", "/api/roster", key=old)[0] == 200
    new = ask(gateway, "POST", "/api/enrol", {"code": made["code"].lower()})[1]["key"]
    assert ask(gateway, "GET", "/api/roster", key=new)[0] == 200
    assert ask(gateway, "GET", "/api/roster", key=old)[0] == 401


def test_a_code_is_good_once_and_none_outlives_its_kiosk(
    world: KioskWorld, gateway: Gateway
) -> None:
    name, given = code(gateway)
    assert ask(gateway, "POST", "/api/enrol", {"code": given})[0] == 200
    assert ask(gateway, "POST", "/api/enrol", {"code": given})[1]["reason"] == "used-code"
    (made,) = world.hours.rows("kiosks", "code", name)
    world.hours.ok("kiosks", "revoke", name, "--why", "停用")
    assert ask(gateway, "POST", "/api/enrol", {"code": made["code"]})[1]["reason"] == "wrong-code"
    assert world.hours.run("kiosks", "code", name).returncode == 2


def test_kiosks_and_operators_have_keys_of_their_own(
    world: KioskWorld, gateway: Gateway, key: str
) -> None:
    (made,) = world.hours.rows("kiosks", "operator")
    operator = ask(gateway, "POST", "/api/enrol", {"code": made["code"]})[1]
    assert operator["role"] == "operator"
    status, seen = ask(gateway, "GET", "/api/operator/kiosks", key=operator["key"])
    assert status == 200
    assert seen["kiosks"]
    assert ask(gateway, "GET", "/api/operator/kiosks", key=key)[0] == 403
    assert ask(gateway, "POST", "/api/taps", taps(a_tap()), operator["key"])[0] == 403


def test_guessed_codes_are_slowed_down(world: KioskWorld, tmp_path: Path) -> None:
    hours = Hours({**world.hours.environment, "HOURS_HOME": str(tmp_path)})
    fresh = Gateway(hours)
    fresh.start()
    try:
        _, given = code(fresh)
        reasons = [
            ask(fresh, "POST", "/api/enrol", {"code": f"WRONG-{n}"})[1]["reason"] for n in range(12)
        ]
        assert reasons == ["wrong-code"] * 10 + ["too-many-tries"] * 2
        assert ask(fresh, "POST", "/api/enrol", {"code": given})[0] == 429
        assert all("WRONG" not in one["body"] for one in hours.rows("kiosks", "refusals"))
    finally:
        fresh.kill()


# --- badges and names -----------------------------------------------------------------------------


def forged(world: KioskWorld) -> str:
    return sign_badge(Badge(CHOIR[1], "B1", 1), LEDGER, Ed25519PrivateKey.generate())


def altered(world: KioskWorld) -> str:
    return world.badge(CHOIR[1]).replace(CHOIR[1], CHOIR[2])


@pytest.mark.parametrize(
    ("badge", "reason"),
    [
        (forged, "unknown-key"),
        (altered, "bad-signature"),
        (lambda world: world.badge(CHOIR[0], 1), "replaced-badge"),
        (lambda world: world.badge(LEFT), "inactive"),
        (lambda world: "'; DROP TABLE taps; --<script>", "not-a-badge"),
    ],
)
def test_a_badge_that_is_none_is_refused_at_the_greeting_and_at_the_tap(
    world: KioskWorld, gateway: Gateway, key: str, badge: Callable[[KioskWorld], str], reason: str
) -> None:
    text = badge(world)
    status, said = ask(gateway, "POST", "/api/who", {"badge": text}, key)
    assert (status, said["reason"]) == (403, reason)
    volunteer = {"inactive": LEFT, "replaced-badge": CHOIR[0]}.get(reason, CHOIR[1])
    answer = the_answer(gateway, key, a_tap("in", volunteer, how="badge", badge=text))
    assert (answer["state"], answer["reason"]) == ("refused", reason)


def test_anothers_badge_is_refused(world: KioskWorld, gateway: Gateway, key: str) -> None:
    text = world.badge(CHOIR[2])
    answer = the_answer(gateway, key, a_tap("in", CHOIR[1], how="badge", badge=text))
    assert answer["reason"] == "anothers-badge"


def test_a_badge_of_any_team_is_good(world: KioskWorld, gateway: Gateway, key: str) -> None:
    text = world.badge(VISITOR)
    status, who = ask(gateway, "POST", "/api/who", {"badge": text}, key)
    assert (status, who["volunteer"], who["called"]) == (200, VISITOR, "赵*")
    answer = the_answer(gateway, key, a_tap("in", VISITOR, how="badge", badge=text, team="clinic"))
    assert answer["state"] == "accepted"


def test_a_kiosk_is_told_the_masked_names_of_its_own_teams_alone(
    world: KioskWorld, gateway: Gateway, key: str
) -> None:
    status, who = ask(gateway, "POST", "/api/who", {"volunteer": VISITOR}, key)
    assert (status, who["called"], who["known"]) == (200, None, True)
    _, slice_ = ask(gateway, "GET", "/api/roster", key=key)
    listed = {one["volunteer"] for one in slice_["people"]}
    assert listed >= set(CHOIR)
    assert not listed & {VISITOR, LEFT}
    assert "赵" not in json.dumps(slice_, ensure_ascii=False)
    assert "王小明" not in json.dumps(slice_, ensure_ascii=False)
    answer = the_answer(gateway, key, a_tap("in", VISITOR, how="list", team="clinic"))
    assert answer["reason"] == "not-listed"


def test_a_roster_that_is_known_is_not_sent_again(gateway: Gateway, key: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    headers = {"Authorization": f"Bearer {key}"}
    connection.request("GET", "/api/roster", headers=headers)
    first = connection.getresponse()
    first.read()
    connection.request(
        "GET", "/api/roster", headers={**headers, "If-None-Match": first.headers["etag"]}
    )
    again = connection.getresponse()
    assert (again.status, again.read()) == (304, b"")
    connection.close()


def test_a_picture_is_read_where_the_browser_cant(gateway: Gateway, key: str) -> None:
    made = zxingcpp.create_barcode("HOURS1-TEST", zxingcpp.BarcodeFormat.QRCode)
    picture, nothing = io.BytesIO(), io.BytesIO()
    pixels = memoryview(made.to_image(scale=4))
    Image.frombytes("L", pixels.shape[::-1], pixels.tobytes()).save(picture, "PNG")
    Image.new("L", (64, 64), 255).save(nothing, "JPEG")
    assert ask(gateway, "POST", "/api/badge-image", picture.getvalue(), key)[1] == {
        "text": "HOURS1-TEST"
    }
    assert ask(gateway, "POST", "/api/badge-image", nothing.getvalue(), key)[1] == {"text": None}
    assert ask(gateway, "POST", "/api/badge-image", b"GIF89a<script>", key)[1] == {"text": None}


# --- what is hostile ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_what_another_site_makes_a_browser_send_is_refused(
    gateway: Gateway, key: str, headers: dict[str, str]
) -> None:
    status, said = ask(gateway, "POST", "/api/taps", taps(a_tap()), key, **headers)
    assert (status, said["reason"]) == (403, "cross-site")


def test_the_page_itself_is_heard(gateway: Gateway, key: str) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": gateway.address}
    assert ask(gateway, "POST", "/api/taps", taps(a_tap()), key, **headers)[0] == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/api/time"),
        ("GET", "/api/roster"),
        ("GET", "/no-such-thing"),
        ("OPTIONS", "/api/taps"),
        ("GET", "/é"),
        ("GET", "no-path"),
    ],
)
def test_every_answer_says_what_browsers_may_do_with_it(
    gateway: Gateway, method: str, path: str
) -> None:
    headers = raw(gateway, f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert "content-security-policy: default-src 'none'" in headers
    assert "x-content-type-options: nosniff" in headers
    assert "referrer-policy: no-referrer" in headers
    assert "access-control-" not in headers
    assert "server:" not in headers


BODIES = {
    "nothing": b"",
    "garbage": b"\x00\xff\xfe<html>",
    "no UTF-8": b'{"taps":[{"id":"\xff"}]}',
    "deep": b"[" * 20_000,
    "deep in a tap": b'{"taps":[{"id":"x","kind":' + b"[" * 20_000,
    "a list": b"[]",
    "no list of taps": b'{"taps":{},"report":{}}',
    "a tap without an id": b'{"taps":[{"kind":"in"}],"report":{}}',
    "a lone surrogate": b'{"taps":[{"id":"\\ud800"}],"report":null}',
    "a huge number": b'{"taps":' + b"9" * 5_000 + b"}",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("path", ["/api/taps", "/api/who", "/api/report"])
def test_a_body_that_cant_be_read_is_refused_with_its_place_and_kept(
    world: KioskWorld, gateway: Gateway, key: str, path: str, body: bytes
) -> None:
    status, said = ask(gateway, "POST", path, body, key)
    assert (status, said["reason"]) == (422, "unreadable"), said
    kept = refusal_kept(world, "unreadable")
    assert kept.source.startswith("/kiosks/")
    assert kept.body == body[:2_048]


def test_sql_and_html_in_names_are_text(world: KioskWorld, gateway: Gateway, key: str) -> None:
    name = "'); DROP TABLE taps; --<script>alert(1)</script>"
    answer = the_answer(gateway, key, a_tap(team=name))
    assert answer["reason"] == "unknown-team"
    status, said = ask(gateway, "POST", "/api/who", {"volunteer": name.replace(" ", "")}, key)
    assert status in (200, 403), said
    assert the_answer(gateway, key, a_tap())["state"] == "accepted"


@pytest.mark.parametrize("told", [True, False])
def test_a_huge_body_is_refused_and_no_more_of_it_is_read(
    gateway: Gateway, key: str, told: bool
) -> None:
    head = b"POST /api/who HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key.encode()
    length = b"\r\nContent-Length: 9000000\r\n\r\n"
    chunked = b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as line:
        line.sendall(head + (length if told else chunked))
        with suppress(OSError):
            for _ in range(9):
                line.sendall((b"" if told else b"F4240\r\n") + b"x" * 1_000_000 + b"\r\n")
        assert line.recv(1_000).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "path",
    ["/page/../app.py", "/page/%2e%2e/app.py", "/page/..%2f..%2fdatabase.py", "/page/%00", "//"],
)
def test_no_path_leads_out_of_the_page(gateway: Gateway, path: str) -> None:
    assert (
        " 404 " in raw(gateway, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()).split("\r")[0]
    )


def test_the_beginning_of_a_request_is_bounded(gateway: Gateway) -> None:
    endless = b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * MOST_HEADER_BYTES
    assert raw(gateway, endless).startswith("http/1.1 400")
    assert ask(gateway, "GET", "/api/time")[0] == 200


# --- the door -------------------------------------------------------------------------------------


def test_without_tls_nobody_listens_off_this_machine(world: KioskWorld) -> None:
    for options in (["--host", "0.0.0.0"], ["--host", "::"], ["--host", "kiosk.example"]):  # noqa: S104
        done = world.hours.run("kiosk", *options)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "--cert" in done.stderr


def test_the_certificate_of_an_own_authority_serves_its_names_alone(
    world: KioskWorld, tmp_path: Path
) -> None:
    hours = Hours({**world.hours.environment, "HOURS_HOME": str(tmp_path)})
    made = ("kiosks", "certificate", str(tmp_path / "tls"), "--name")
    hours.ok(*made, "127.0.0.1", "--name", "kiosk.lan")
    files = {one.name: stat.S_IMODE(one.stat().st_mode) for one in (tmp_path / "tls").iterdir()}
    assert {name: mode for name, mode in files.items() if name.endswith(".key")} == {
        "gateway.key": 0o600,
        "authority.key": 0o600,
    }
    assert hours.run(*made, "127.0.0.1").returncode == 2  # nothing is overwritten
    (tmp_path / "tls" / "gateway.pem").unlink()
    (tmp_path / "tls" / "gateway.key").unlink()
    assert "other.lan" in hours.run(*made, "other.lan").stderr
    hours.ok(*made, "127.0.0.1")
    assert "strict-transport-security" in headers_by_tls(hours, tmp_path / "tls")


def headers_by_tls(hours: Hours, folder: Path) -> str:
    """What a browser that trusts the authority gets from a gateway with its certificate."""
    files = ("--cert", str(folder / "gateway.pem"), "--key", str(folder / "gateway.key"))
    gateway = Gateway(hours, files)
    gateway.start()
    try:
        trusting = ssl.create_default_context(cafile=str(folder / "authority.pem"))
        line = http.client.HTTPSConnection("127.0.0.1", gateway.port, timeout=30, context=trusting)
        with closing(line):
            line.request("GET", "/api/time")
            return line.getresponse().headers.as_string().lower()
    finally:
        gateway.kill()


def test_two_hundred_kiosks_poll_while_taps_are_taken(gateway: Gateway, key: str) -> None:
    async def polled() -> set[int]:
        async def poll() -> set[int]:
            reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
            found = set[int]()
            for _ in range(3):
                writer.write(
                    b"GET /api/roster HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                    + key.encode()
                    + b"\r\n\r\n"
                )
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = head.partition("content-length: ")[2].partition("\r")[0]
                await reader.readexactly(int(length))
                found.add(int(head.split()[1]))
            writer.close()
            return found

        return set().union(*await asyncio.gather(*(poll() for _ in range(200))))

    assert asyncio.run(polled()) == {200}
    assert the_answer(gateway, key, a_tap())["state"] == "accepted"


def raw(gateway: Gateway, request: bytes) -> str:
    """Status line and headers of the answer to these bytes, in lower case."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as line:
        line.sendall(request)
        found = b""
        while b"\r\n\r\n" not in found:
            more = line.recv(65_536)
            if not more:
                break
            found += more
    return found.partition(b"\r\n\r\n")[0].decode("latin-1").lower()


def nothing_waits(gateway: Gateway) -> bool:
    (said,) = gateway.hours.rows("kiosks")
    return said["gateway"]["waiting"] == 0


def credited(world: KioskWorld, volunteers: Collection[str]) -> list[tuple[str, str]]:
    """The taps of each credit of these volunteers; nothing until there is one for each."""
    found = [
        (one["opened_by"]["id"], one["closed_by"]["id"])
        for one in world.hours.rows("entries")
        if one.get("volunteer") in volunteers and one["type"] == "credit"
    ]
    return sorted(found) if len(found) >= len(volunteers) else []


def kept_events(world: KioskWorld, id_: str) -> list[str]:
    """The teams in the outbox's events of that id."""
    with closing(open_database(file_of(world))) as connection:
        rows = connection.execute("SELECT event FROM taps WHERE id = ?", (id_,)).fetchall()
    return [json.loads(event)["data"]["team"] for (event,) in rows]
