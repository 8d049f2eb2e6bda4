"""Signing in by OpenID Connect: the provider says who somebody is, and the account is ours.

authlib speaks the protocol: authorization code with PKCE, state and nonce; joserfc checks the
token's signature. Invariant: nobody is signed in by a token that wasn't made for us, for this try.
"""

import secrets
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from httpx2 import HTTPError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from dashboards.board.refusing import Refused
from dashboards.board.words import Words

_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
_SECONDS = 10


class IdentityProvider(NamedTuple):
    """Whose word is taken: the issuer's address, what we are called there, and our secret."""

    issuer: str
    client_id: str
    client_secret: str


class Try(NamedTuple):
    """One way to the provider and back: where to go, and what must come back with it."""

    address: str
    state: str
    nonce: str
    verifier: str


def begin(provider: IdentityProvider, back: str) -> Try:
    """Where a browser is sent; `back` is our own address that it comes back to. Refused."""
    with _speaking(provider, back) as client:
        nonce, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(48)
        address, state = client.create_authorization_url(
            _described(provider)["authorization_endpoint"],
            nonce=nonce,
            code_verifier=verifier,
        )
        return Try(address, state, nonce, verifier)


def subject_of(provider: IdentityProvider, back: str, came: str, begun: Try) -> str:
    """Who came back, by the provider's own name for them; `came` is the whole address. Refused."""
    if "code" not in parse_qs(urlsplit(came).query):
        raise _refused()  # it says why not, or isn't the provider's answer at all
    with _speaking(provider, back, begun.state) as client:
        try:
            found = _described(provider)
            token = client.fetch_token(
                found["token_endpoint"],
                authorization_response=came,
                code_verifier=begun.verifier,
            )
            keys = KeySet.import_key_set(_told(found["jwks_uri"]))
            claims = jwt.decode(token["id_token"], keys, algorithms=_ALGORITHMS).claims
            _registry(provider, begun).validate(claims)
        except (AuthlibBaseError, HTTPError, JoseError, KeyError, ValueError) as error:
            raise _refused() from error
    return str(claims["sub"])


def _registry(provider: IdentityProvider, begun: Try) -> Any:
    return jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": provider.client_id},
        nonce={"essential": True, "value": begun.nonce},
        exp={"essential": True},
        sub={"essential": True},
    )


def _speaking(provider: IdentityProvider, back: str, state: str | None = None) -> Any:
    return OAuth2Client(
        provider.client_id,
        provider.client_secret,
        scope="openid",
        redirect_uri=back,
        state=state,
        code_challenge_method="S256",
        timeout=_SECONDS,
    )


def _described(provider: IdentityProvider) -> dict[str, Any]:
    """The provider's own description, which must be of the issuer that was set. Refused."""
    address = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        found: dict[str, Any] = _told(address)
    except (HTTPError, ValueError) as error:
        raise Refused(
            503,
            "no-provider",
            Words("身份提供方没有回应：请用密码登录。", "The identity provider is away."),
        ) from error
    if found.get("issuer") != provider.issuer:
        raise _refused()
    return found


def _told(address: str) -> Any:
    """The JSON that the provider tells everybody. HTTPError, ValueError."""
    answer = httpx.get(address, timeout=_SECONDS)
    answer.raise_for_status()
    return answer.json()


def _refused() -> Refused:
    said = Words("身份提供方的答复不能用：请再登录一次。", "Its answer is no good: try again.")
    return Refused(403, "not-vouched-for", said)
