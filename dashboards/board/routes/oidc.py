"""To the identity provider and back; there only where a provider is set."""

import json

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from dashboards.board.identity import IdentityProvider, Try, begin, subject_of
from dashboards.board.refusing import Refused, no_such_thing
from dashboards.board.routes.signing_in import address_of
from dashboards.board.visiting import Visit, Visiting
from dashboards.board.words import Words
from ledger import queries
from ledger.accounts import signing_in, store

router = APIRouter()


@router.get("/sign-in/provider", name="provider")
def provider(visit: Visiting) -> Response:
    """Off to the identity provider."""
    begun = begin(_provider(visit), _back(visit))
    response = RedirectResponse(begun.address, 303)
    visit.board.cookies.set(response, "oidc", json.dumps(begun[1:]))
    return response


@router.get("/sign-in/back", name="provider_back")
def provider_back(visit: Visiting) -> Response:
    """Back from it: the account that it knows by this name is signed in."""
    board, kept = visit.board, visit.board.cookies.read(visit.request, "oidc")
    if kept is None:
        raise Refused(403, "too-late", Words("登录太久了：请再来。", "It took too long."))
    begun = Try("", *json.loads(kept))
    came = f"{_back(visit)}?{visit.request.url.query}"
    subject = subject_of(_provider(visit), _back(visit), came, begun)
    with queries.reading(board.engine) as connection:
        account = store.by_subject(connection, subject)
    if account is None or account.disabled_at is not None:
        raise Refused(
            403,
            "no-account",
            Words(
                f"没有账号对应 {subject}：请运维员在账号里填上它。",
                f"No account belongs to {subject}: an operator can note it at one.",
            ),
        )
    browser = visit.request.headers.get("user-agent", "")
    secret = signing_in.begin_session(
        board.engine, account.name, address_of(visit), browser, board.clock()
    )
    # A cookie of SameSite=Strict isn't sent along a way that began at another site: one more step.
    response = visit.page("come_in.html")
    board.cookies.set(response, "session", secret)
    board.cookies.clear(response, "oidc")
    return response


def _provider(visit: Visit) -> IdentityProvider:
    found = visit.board.provider
    if found is None:
        raise no_such_thing(Words("身份提供方", "identity provider"))
    return found


def _back(visit: Visit) -> str:
    return f"{visit.board.address}/sign-in/back"
