"""Signing in by an identity provider: a small one of the test's own, that can be made to lie."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2 as httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from dashboards.board.identity import IdentityProvider
from ledger.accounts import store as accounts
from tests.board_world import (
    ACCOUNTS,
    ORIGIN,
    InProcess,
    board_in_process,
    district_at,
    now,
)

SUBJECT = "people/li-si"
KEY, FORGED = (RSAKey.generate_key(2_048, {"kid": "one"}) for _ in range(2))


class Provider(ThreadingHTTPServer):
    """An OpenID Connect provider; `lies` changes the claims, `key` signs them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.lies: dict[str, Any] = {}
        self.key = KEY
        self.codes: dict[str, dict[str, str]] = {}

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answers(BaseHTTPRequestHandler):
    server: Provider

    def log_message(self, *_: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: value[0] for name, value in parse_qs(parts.query).items()}
        issuer = self.server.issuer
        if parts.path == "/.well-known/openid-configuration":
            paths = {"authorization_endpoint": "/authorize", "token_endpoint": "/token"}
            described = {name: issuer + path for name, path in paths.items()}
            self._json({"issuer": issuer, "jwks_uri": f"{issuer}/keys", **described})
        elif parts.path == "/keys":
            self._json(KeySet([KEY]).as_dict(private=False))
        else:
            assert asked["code_challenge_method"] == "S256"
            code = f"code-{len(self.server.codes)}"
            self.server.codes[code] = asked
            back = urlencode({"code": code, "state": asked["state"]})
            self.send_response(302)
            self.send_header("location", f"{asked['redirect_uri']}?{back}")
            self.end_headers()

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        form = {n: v[0] for n, v in parse_qs(self.rfile.read(length).decode()).items()}
        asked = self.server.codes.pop(form["code"])
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        assert challenge == asked["code_challenge"]
        assert self.headers["authorization"].startswith("Basic ")
        claims = {
            "iss": self.server.issuer,
            "aud": asked["client_id"],
            "sub": SUBJECT,
            "nonce": asked["nonce"],
            "exp": int(time.time()) + 60,
            **self.server.lies,
        }
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.server.key)
        self._json({"access_token": "x", "token_type": "Bearer", "id_token": token})

    def _json(self, value: Any) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def board(provider: Provider, tmp_path: Path) -> Iterator[InProcess]:
    with district_at(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path) as district:
        known = ACCOUNTS["officer"].model_copy(update={"subject": SUBJECT})
        accounts.change(district.engine, known, "test", now())
        given = IdentityProvider(provider.issuer, "hours", "secret")
        with board_in_process(district, provider=given) as made:
            yield made


def came_back(client: Any) -> Any:
    """What the board answers once the provider has sent the browser back."""
    off = client.get("/sign-in/provider")
    assert off.status_code == 303, off.text
    back = httpx.get(off.headers["location"]).headers["location"]
    assert back.startswith(f"{ORIGIN}/sign-in/back?")
    return client.get(back.removeprefix(ORIGIN))


def test_who_the_provider_vouches_for_is_signed_in_as_the_account_of_that_subject(
    board: InProcess,
) -> None:
    client = board.client()
    assert "用统一身份登录" in client.get("/sign-in").text
    assert came_back(client).status_code == 200
    assert "officer · 所站负责人" in client.get("/").text


@pytest.mark.parametrize(
    "lies",
    [
        {"aud": "somebody-else"},
        {"iss": "https://evil.example"},
        {"nonce": "of another try"},
        {"exp": 1_000_000_000},
        {"sub": None},
    ],
    ids=lambda lies: next(iter(lies)),
)
def test_a_token_that_was_not_made_for_us_now_signs_nobody_in(
    lies: dict[str, Any], board: InProcess, provider: Provider
) -> None:
    provider.lies = lies
    client = board.client()
    assert came_back(client).status_code == 403
    assert client.get("/").status_code == 303


def test_a_token_that_another_key_signed_signs_nobody_in(
    board: InProcess, provider: Provider
) -> None:
    provider.key = FORGED
    client = board.client()
    assert came_back(client).status_code == 403
    assert client.get("/").status_code == 303


def test_an_unknown_or_disabled_account_and_a_way_not_begun_here_are_refused_with_words(
    board: InProcess, provider: Provider
) -> None:
    provider.lies = {"sub": "people/nobody"}
    unknown = came_back(board.client())
    assert unknown.status_code == 403
    assert "没有账号对应 people/nobody" in unknown.text
    provider.lies = {}
    accounts.disable(board.district.engine, "officer", "test", now())
    assert came_back(board.client()).status_code == 403
    stranger = board.client()
    assert stranger.get("/sign-in/back?code=a&state=b").status_code == 403
    begun = board.client()
    begun.get("/sign-in/provider")
    assert begun.get("/sign-in/back?code=a&state=of-another").status_code == 403
    assert begun.get("/sign-in/back?error=access_denied&state=x").status_code == 403


def test_a_provider_that_is_away_leaves_the_password(board: InProcess, provider: Provider) -> None:
    provider.shutdown()
    provider.server_close()
    client = board.client()
    away = client.get("/sign-in/provider")
    assert away.status_code == 503
    assert "请用密码登录" in away.text
    assert board.client("centre").get("/").status_code == 200
