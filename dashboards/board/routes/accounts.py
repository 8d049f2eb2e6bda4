"""Accounts: one's own sessions, password and tokens; all of them, for operators."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from dashboards.board.refusing import Refused, bad_request
from dashboards.board.routes.signing_in import address_of
from dashboards.board.visiting import Fields, Visit, Visiting
from dashboards.board.words import Words
from ledger import queries
from ledger.accounts import signing_in, store, tokens
from ledger.accounts.values import ROLES, AccountRefusal, NewAccount
from ledger.roster.editing import codes_in

router = APIRouter()
_DEEDS = 100
Password = Annotated[str, Form(max_length=1_000)]


@router.get("/me", name="me")
def me(visit: Visiting) -> Response:
    """One's own account."""
    return _me(visit, None)


@router.post("/me/password", name="change_password")
def change_password(visit: Visiting, now: Password, new: Password) -> Response:
    """Another password, for who knows the one there is; other sessions end."""
    board, name = visit.board, visit.name
    at, browser = board.clock(), visit.request.headers.get("user-agent", "")
    signing_in.sign_in(board.engine, name, now, address_of(visit), browser, at)
    store.set_password(board.engine, name, new, name, at)
    secret = signing_in.begin_session(board.engine, name, address_of(visit), browser, at)
    response = visit.go("/me", Words("密码已改，其他登录已结束。", "Changed."))
    board.cookies.set(response, "session", secret)
    return response


@router.post("/me/sign-out-everywhere", name="sign_out_everywhere")
def sign_out_everywhere(visit: Visiting) -> Response:
    """End all other sessions."""
    board = visit.board
    ended = signing_in.sign_out_everywhere(
        board.engine, visit.name, visit.name, board.clock(), but=visit.session
    )
    return visit.go("/me", Words(f"已结束 {ended} 个其他登录。", f"{ended} other sessions ended."))


@router.post("/me/tokens", name="add_token")
def add_token(
    visit: Visiting,
    label: Annotated[str, Form(max_length=200)],
    days: Annotated[int, Form()] = 30,
) -> Response:
    """A token for programs; its text is seen this once."""
    _by_browser(visit)
    board = visit.board
    return _me(visit, tokens.make_token(board.engine, visit.name, label, days, board.clock()))


@router.post("/me/tokens/revoke", name="revoke_token")
def revoke_token(visit: Visiting, token: Annotated[str, Form(max_length=64)]) -> Response:
    """End a token."""
    tokens.revoke(visit.board.engine, visit.name, token, visit.board.clock())
    return visit.go("/me", Words("令牌已作废。", "The token is revoked."))


@router.get("/accounts", name="accounts")
def accounts_page(visit: Visiting) -> Response:
    """All accounts, and what was done to them last."""
    with queries.reading(visit.board.engine) as connection:
        found = store.all_accounts(connection)
        deeds = store.deeds(connection, _DEEDS)
    return visit.page("accounts.html", found=found, deeds=deeds, roles=ROLES)


@router.post("/accounts", name="add_account")
def add_account(visit: Visiting, form: Fields) -> Response:
    """Another account."""
    board, new = visit.board, _new(visit, form)
    store.add(board.engine, new, visit.name, board.clock(), form.get("password") or None)
    said = Words(f"已建账号 {new.name}。", f"The account {new.name} is made.")
    return visit.go("/accounts", said)


@router.post("/accounts/{name}", name="change_account")
def change_account(visit: Visiting, name: str, form: Fields) -> Response:
    """Another role, teams or units; it is signed out everywhere."""
    board = visit.board
    store.change(board.engine, _new(visit, {**form, "name": name}), visit.name, board.clock())
    return visit.go("/accounts", Words(f"已更改 {name}。", f"{name} is changed."))


@router.post("/accounts/{name}/password", name="reset_password")
def reset_password(visit: Visiting, name: str, password: Password) -> Response:
    """Another password for somebody who forgot theirs."""
    store.set_password(visit.board.engine, name, password, visit.name, visit.board.clock())
    return visit.go("/accounts", Words(f"已重设 {name} 的密码。", f"{name} has another password."))


@router.post("/accounts/{name}/disable", name="disable_account")
def disable_account(visit: Visiting, name: str) -> Response:
    """The account may sign in no more; nobody shuts themselves out."""
    if name == visit.name:
        raise bad_request(Words("不能停用自己。", "You can't disable yourself."))
    store.disable(visit.board.engine, name, visit.name, visit.board.clock())
    return visit.go("/accounts", Words(f"已停用 {name}。", f"{name} is disabled."))


@router.post("/accounts/{name}/enable", name="enable_account")
def enable_account(visit: Visiting, name: str) -> Response:
    """The account may sign in again."""
    store.enable(visit.board.engine, name, visit.name, visit.board.clock())
    return visit.go("/accounts", Words(f"已恢复 {name}。", f"{name} may sign in again."))


def _me(visit: Visit, token: str | None) -> Response:
    now = visit.board.clock()
    with queries.reading(visit.board.engine) as connection:
        sessions = signing_in.sessions(connection, visit.name, now)
        listed = tokens.tokens(connection, visit.name)
    return visit.page("me.html", sessions=sessions, tokens=listed, token=token, now=now)


def _by_browser(visit: Visit) -> None:
    """A token makes no other, or one that leaks would live for ever."""
    if visit.session is None:
        raise Refused(
            403, "browser-only", Words("请在浏览器里登录后再做。", "Sign in by a browser for this.")
        )


def _new(visit: Visit, form: dict[str, str]) -> NewAccount:
    teams, units = codes_in(form.get("teams", "")), codes_in(form.get("units", ""))
    known = visit.directory
    for one in (*teams, *units):
        if one not in (known.teams if one in teams else known.units):
            raise AccountRefusal(f"名册里没有 {one}。 The roster has no {one}.")
    given = {"name": form.get("name", "").strip(), "role": form.get("role"), "teams": teams}
    more = {"units": units, "email": form.get("email") or None}
    return store.checked({**given, **more, "subject": form.get("subject") or None})
