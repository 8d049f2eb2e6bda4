"""Leaders are told of new exceptions once, by mail and webhook; names are never in what is sent."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dashboards.board.directory import DirectoryCache
from dashboards.board.notices import Channels, Notifier
from ledger.accounts import store as accounts
from tests.board_world import (
    ACCOUNTS,
    HOUR,
    NAMES,
    POLICY,
    WANG,
    ZHAO,
    District,
    came,
    district_at,
    now,
)


class Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as a message takes; messages are kept on the server."""

    def handle(self) -> None:
        self._say("220 here")
        while line := self.rfile.readline().decode().strip():
            verb = line.upper()[:4]
            if verb == "DATA":
                self._say("354 go on")
                kept = b"".join(iter(self.rfile.readline, b".\r\n")).decode()
                self.server.messages.append(kept)  # type: ignore[attr-defined]
            self._say("221 bye" if verb == "QUIT" else "250 ok")
            if verb == "QUIT":
                return

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class Hook(BaseHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Says nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        server: Any = self.server
        server.messages.append(json.loads(body))
        self.send_response(500 if server.fails else 204)
        self.end_headers()


@contextmanager
def serving(server: Any) -> Iterator[Any]:
    server.messages, server.fails = [], False
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def district(tmp_path: Path) -> Iterator[District]:
    with district_at(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path) as found:
        for name, address in (("leader", "leader@example.org"), ("other", "other@example.org")):
            known = ACCOUNTS[name].model_copy(update={"email": address})
            accounts.change(found.engine, known, "test", now())
        found.settle(came(WANG, now() - 30 * HOUR, "w1"))
        yield found


def notifier(district: District, **channels: Any) -> Notifier:
    given = {"mail_server": None, "sender": None, "webhook": None, **channels}
    made = Channels(address="https://board.example", **given)
    return Notifier(district.engine, POLICY, DirectoryCache(), made, now)


def test_a_leader_is_told_once_by_mail_of_their_own_and_nobody_is_named(
    district: District,
) -> None:
    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail)) as server:
        port = server.server_address[1]
        one = notifier(district, mail_server=f"127.0.0.1:{port}", sender="board@example.org")
        assert one.tell() == 1
        assert one.tell() == 0
        district.settle(came(ZHAO, now() - 30 * HOUR, "z1", "clinic", "station-2"))
        assert one.tell() == 1
        first, second = server.messages
    assert "To: leader@example.org" in first
    assert "To: other@example.org" in second
    assert "https://board.example/exceptions" in first
    for name in (*NAMES.values(), *NAMES):
        assert name not in first + second


def test_a_webhook_that_fails_is_told_again_keeps_no_mail_back_and_is_not_logged(
    district: District, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        serving(ThreadingHTTPServer(("127.0.0.1", 0), Hook)) as server,
        serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail)) as mail,
    ):
        one = notifier(
            district,
            webhook=f"http://127.0.0.1:{server.server_address[1]}/hook-secret",
            mail_server=f"127.0.0.1:{mail.server_address[1]}",
            sender="board@example.org",
        )
        server.fails = True
        assert one.tell() == 1
        assert len(mail.messages) == 1
        assert one.untold == 1
        assert "(http): HTTP 500" in caplog.text
        assert "secret" not in caplog.text
        server.fails = False
        assert one.tell() == 1
        assert one.untold == 0
        assert one.tell() == 0
        assert server.messages[0] == server.messages[1]
    assert server.messages[0]["exceptions"] == 1
    assert server.messages[0]["teams"] == {"choir": 1}
