"""The gateway's door: cross-site requests, guesses, bodies, codes and keys."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from producers.kiosk import connections
from producers.kiosk.answers import BodyRefused, body_of
from producers.kiosk.headers import Guarded, is_cross_site
from producers.kiosk.kiosks import Enrolled, KioskRefusal, Kiosks
from producers.kiosk.limits import Recent, Tries
from producers.serving import Door, DoorRefusal, refuse_an_open_door
from tests.gateway_inside import served

HOUR = 3_600_000_000


@pytest.mark.parametrize(
    ("method", "headers", "is_refused"),
    [
        ("POST", {}, False),
        ("POST", {"sec-fetch-site": "same-origin"}, False),
        ("POST", {"sec-fetch-site": "none"}, False),
        ("POST", {"sec-fetch-site": "same-site"}, True),
        ("POST", {"sec-fetch-site": "cross-site"}, True),
        ("POST", {"sec-fetch-site": "\xff"}, True),
        ("POST", {"origin": "https://kiosk:8443", "host": "kiosk:8443"}, False),
        ("POST", {"origin": "https://kiosk:8443", "host": "kiosk"}, True),
        ("POST", {"origin": "null", "host": "kiosk"}, True),
        ("PUT", {"sec-fetch-site": "cross-site"}, True),
        ("GET", {"sec-fetch-site": "cross-site"}, False),
    ],
)
def test_only_the_page_itself_may_change_anything(
    method: str, headers: dict[str, str], is_refused: bool
) -> None:
    sent = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    assert is_cross_site({"method": method, "headers": sent}) is is_refused


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_browsers_are_told_to_stay_with_tls_by_tls_alone(scheme: str) -> None:
    told = dict[bytes, bytes]()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        told.update(message["headers"])

    scope = {"type": "http", "method": "GET", "scheme": scheme, "headers": []}
    asyncio.run(Guarded(app)(scope, None, send))
    assert (b"strict-transport-security" in told) is (scheme == "https")
    assert told[b"content-security-policy"].startswith(b"default-src 'none'")


def test_who_begins_a_request_and_never_ends_it_is_waited_for_no_longer_than_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.2)
    with (
        served(lambda *_: None) as port,
        socket.create_connection(("127.0.0.1", port), timeout=30) as line,
    ):
        line.sendall(b"GET / HTTP/1.1\r\nHost: k")
        assert line.recv(100) == b""


def test_guesses_are_let_through_ten_a_minute_from_one_address_and_sixty_in_all() -> None:
    seconds = [0.0]
    tries = Tries(clock=lambda: seconds[0])
    assert [tries.allow("a") for _ in range(12)] == [True] * 10 + [False] * 2
    assert tries.allow("b")
    assert sum(tries.allow(f"c{n}") for n in range(100)) == 49
    seconds[0] = 61.0
    assert tries.allow("a")


def test_a_try_that_was_right_does_not_count_against_the_next() -> None:
    tries = Tries(each=2, clock=lambda: 0.0)
    for _ in range(50):
        assert tries.allow("office")
        tries.forgive("office")
    assert [tries.allow("office") for _ in range(3)] == [True, True, False]
    tries.forgive("nobody")


def test_what_was_seen_is_forgotten_the_oldest_first() -> None:
    recent = Recent(most=2)
    for one in "abc":
        recent.add(one)
    assert ["a" in recent, "b" in recent, "c" in recent] == [False, True, True]


def request_of(*chunks: bytes | None) -> Request:
    """A request whose body comes in these pieces; None: and then nothing more, for ever."""
    waiting = list(chunks)

    async def receive() -> dict[str, Any]:
        chunk = waiting.pop(0)
        if chunk is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting)}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


def test_a_body_is_read_no_further_than_it_may_be_long() -> None:
    assert asyncio.run(body_of(request_of(b"ab", b"cd"), 4)) == b"abcd"
    with pytest.raises(BodyRefused) as refused:
        asyncio.run(body_of(request_of(b"abc", b"de", None), 4))
    assert (refused.value.response.status_code, refused.value.read) == (413, b"abcd")


def test_a_body_that_doesnt_come_is_not_waited_for() -> None:
    with pytest.raises(BodyRefused) as refused:
        asyncio.run(body_of(request_of(b"abc", None), 4, seconds=0.01))
    assert (refused.value.response.status_code, refused.value.read) == (408, b"abc")


@pytest.fixture
def kiosks(tmp_path: Path) -> Iterator[Kiosks]:
    with closing(Kiosks(tmp_path / "gateway.db")) as made:
        made.create("k", "kiosk", "point", ("choir",), "operator", 1)
        yield made


def enrolled(kiosks: Kiosks, code: str, now: int = 2) -> Enrolled:
    found = kiosks.enrol(code, now)
    assert isinstance(found, Enrolled)
    return found


def test_a_code_is_typed_as_people_type_it(kiosks: Kiosks) -> None:
    code = kiosks.new_code("k", 1)
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert enrolled(kiosks, typed).kiosk.place == "point"


def test_a_code_enrols_once_and_in_its_time(kiosks: Kiosks) -> None:
    code = kiosks.new_code("k", 1, hours=1)
    assert kiosks.enrol(code, 1 + HOUR + 1) == "expired-code"
    assert enrolled(kiosks, code, HOUR).kiosk.code == "k"
    assert kiosks.enrol(code, HOUR) == "used-code"
    assert kiosks.enrol("0" * 12, 2) == "wrong-code"


def test_a_newer_code_ends_the_one_before_it(kiosks: Kiosks) -> None:
    old, new = kiosks.new_code("k", 1), kiosks.new_code("k", 1)
    assert kiosks.enrol(old, 2) == "wrong-code"
    enrolled(kiosks, new)


def test_no_key_or_code_is_in_the_file(kiosks: Kiosks, tmp_path: Path) -> None:
    code = kiosks.new_code("k", 1)
    key = enrolled(kiosks, code).key
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"operator" in content
    for secret in (key, code, code.replace("-", "")):
        assert secret.encode() not in content


def test_a_revoked_kiosk_stays_known_and_gets_no_new_code(kiosks: Kiosks) -> None:
    key = enrolled(kiosks, kiosks.new_code("k", 1)).key
    kiosks.revoke("k", "operator", "stolen", 5)
    kiosk = kiosks.by_key(key)
    assert kiosk is not None
    assert (kiosk.revoked_at, kiosk.revoked_why) == (5, "stolen")
    with pytest.raises(KioskRefusal):
        kiosks.new_code("k", 6)


@pytest.mark.parametrize("code", ["", "a b", "签到机", "a/b", "../x", "x" * 65, "a\n"])
def test_a_kiosks_code_can_be_part_of_a_source(kiosks: Kiosks, code: str) -> None:
    with pytest.raises(KioskRefusal):
        kiosks.create(code, "kiosk", "point", (), "operator", 1)


@pytest.mark.parametrize(("place", "teams"), [("", ()), ("a\x00", ()), ("p", (" ",))])
def test_a_kiosk_has_a_place_and_teams_that_events_can_name(
    kiosks: Kiosks, place: str, teams: tuple[str, ...]
) -> None:
    with pytest.raises(KioskRefusal):
        kiosks.create("new", "kiosk", place, teams, "operator", 1)


@pytest.mark.parametrize(
    ("host", "behind_proxy", "is_open"),
    [
        ("127.0.0.1", False, False),
        ("::1", False, False),
        ("localhost", False, False),
        ("0.0.0.0", False, True),  # noqa: S104
        ("192.168.1.10", False, True),
        ("127.0.0.1.evil.example", False, True),
        ("0.0.0.0", True, False),  # noqa: S104
    ],
)
def test_tls_is_needed_off_this_machine(host: str, behind_proxy: bool, is_open: bool) -> None:
    door = Door(host=host, behind_proxy=behind_proxy)
    if not is_open:
        refuse_an_open_door(door)
        return
    with pytest.raises(DoorRefusal, match="--cert"):
        refuse_an_open_door(door)
