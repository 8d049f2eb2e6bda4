"""Signing in by password, and out."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from dashboards.board.paths import local
from dashboards.board.refusing import too_many_tries
from dashboards.board.visiting import Visit, Visiting
from dashboards.board.words import both
from ledger.accounts import signing_in as accounts
from ledger.accounts import volunteers
from ledger.accounts.values import AccountRefusal

router = APIRouter()


@router.get("/sign-in", name="sign_in_page")
def sign_in_page(visit: Visiting, next: str = "/") -> Response:
    """The form; who has signed in already is taken on."""
    if visit.account is not None:
        return visit.go(local(next))
    return visit.page("sign_in.html", next=local(next), name="", refusal=None)


@router.post("/sign-in", name="sign_in")
def sign_in(
    visit: Visiting,
    name: Annotated[str, Form(max_length=64)],
    password: Annotated[str, Form(max_length=1_000)],
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Sign in; held up by address, and by account."""
    request, board = visit.request, visit.board
    if not board.tries.is_open(address_of(visit)):
        raise too_many_tries()
    browser = request.headers.get("user-agent", "")
    try:
        secret = accounts.sign_in(
            board.engine, name.strip().lower(), password, address_of(visit), browser, board.clock()
        )
    except AccountRefusal as refusal:
        wrong(visit)
        said = both(str(refusal))
        return visit.page("sign_in.html", 403, next=local(next), name=name, refusal=said)
    response = visit.go(local(next))
    board.cookies.set(response, "session", secret)
    return response


@router.post("/sign-out", name="sign_out")
def sign_out(visit: Visiting) -> Response:
    """End this browser's session."""
    board = visit.board
    if visit.session is not None:
        accounts.sign_out(board.engine, visit.session)
    guest = board.cookies.read(visit.request, "volunteer")
    if guest:
        volunteers.end(board.engine, guest)
    response = RedirectResponse("/sign-in", 303)
    board.cookies.clear(response, "session")
    board.cookies.clear(response, "volunteer")
    return response


def wrong(visit: Visit) -> None:
    """Count a wrong password, badge or code: of its address, and for who watches."""
    visit.board.tries.allow(address_of(visit))
    visit.board.metrics.sign_ins_refused.inc()


def address_of(visit: Visit) -> str:
    """Where a request comes from: as the connection says, or the proxy that it came through."""
    forwarded = visit.request.headers.get("x-forwarded-for", "")
    if visit.board.behind_proxy and forwarded:
        return forwarded.rpartition(",")[2].strip()[:64]
    client = visit.request.client
    return client.host if client else ""
