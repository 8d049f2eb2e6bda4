"""Who asks: an account, a volunteer or the public; and whether the rights let them.

Every route depends on `visit`, through the app itself. Invariant: no handler runs for somebody
whom `rights.RIGHTS` doesn't name for its route.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboards.board.board import Board
from dashboards.board.directory import Directory, members_of
from dashboards.board.refusing import Refused, no_vault, refused_role, sign_in_first
from dashboards.board.rights import PUBLIC, RIGHTS, VOLUNTEER
from dashboards.board.scope import Scope, scope_of
from dashboards.board.words import Language, Words
from ledger import queries
from ledger.accounts.signing_in import is_on, signed, touch
from ledger.accounts.tokens import by_token
from ledger.accounts.values import Account
from ledger.accounts.volunteers import volunteer_of
from ledger.refusals import LedgerRefusal
from ledger.roster.vault import Vault
from producers.kiosk.headers import is_cross_site

_BEARER = "bearer "


@dataclass
class Visit:
    """One request: `account`, or `volunteer` (an id), or neither; `session` is what `sessions`
    lists the account's sign-in by, None where it came by token.
    """

    board: Board
    request: Request
    language: Language
    account: Account | None = None
    session: str | None = None
    volunteer: str | None = None
    said: list[Words] = field(default_factory=list)

    @property
    def who(self) -> str:
        """The role, `volunteer` or `public`."""
        if self.account is not None:
            return self.account.role
        return VOLUNTEER if self.volunteer else PUBLIC

    @property
    def name(self) -> str:
        """By what name what is done here is kept."""
        if self.account is None:
            raise sign_in_first()
        return self.account.name

    @property
    def vault(self) -> Vault:
        """What opens the names of volunteers. Refused where the board has no key."""
        if self.board.vault is None:
            raise no_vault()
        return self.board.vault

    @cached_property
    def directory(self) -> Directory:
        """The district as it is now. NoDatabase."""
        with queries.reading(self.board.engine) as connection:
            return self.board.directory(connection)

    @cached_property
    def scope(self) -> Scope:
        """What of the district the account sees; nothing for who has none."""
        if self.account is None:
            return Scope()
        one, known = self.account, self.directory
        found = scope_of(one.role, one.teams, one.units, known)
        if found.everything:
            return found
        with queries.reading(self.board.engine) as connection:
            return found._replace(members=members_of(connection, found.teams, known.today))

    def knows(self, route: str) -> bool:
        """Whether there is such a route."""
        return route in RIGHTS

    def may(self, route: str) -> bool:
        """Whether a route is open to whoever asks, for showing a way to it."""
        return self.who in RIGHTS[route].who

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """A whole page, in the visit's language; kept by nobody on the way."""
        given = {"visit": self, "path": self.request.url.path, **values}
        text = self.board.pages.text(template, self.language, given)
        response = HTMLResponse(text, status, {"cache-control": "no-store"})
        if self.said:
            self.board.cookies.clear(response, "said")
        return response

    def go(self, path: str, *said: Words) -> Response:
        """To another page, which says this at its top."""
        response = RedirectResponse(path, 303)
        if said:
            self.board.cookies.set(response, "said", "\n".join(f"{w.zh}\t{w.en}" for w in said))
        return response


def visit(request: Request) -> Visit:
    """Who asks for a route, if they may. Refused."""
    board: Board = request.app.state.board
    found = _visitor(board, request)
    request.state.visit = found
    route = request.scope["route"].name
    right = RIGHTS.get(route)
    if right is None:
        raise Refused(500, "no-right", Words(f"权限表里没有 {route}。", f"No right for {route}."))
    if found.who not in right.who:
        raise sign_in_first() if found.who == PUBLIC else refused_role()
    if right.changes and found.session is not None:
        _refuse_other_sites(request)
    return found


Visiting = Annotated[Visit, Depends(visit)]


def scoped(visit: Visiting) -> Scope:
    """What the account sees, for handlers that must not wait for the database themselves."""
    return visit.scope


Scoped = Annotated[Scope, Depends(scoped)]


async def fields_of(request: Request) -> dict[str, str]:
    """All text fields of a form, by name, for forms whose fields follow from data."""
    return {key: one for key, one in (await request.form()).items() if isinstance(one, str)}


Fields = Annotated[dict[str, str], Depends(fields_of)]


def still_signed_in(visit: Visit) -> bool:
    """Whether the sign-in that a long answer began with is still good, or nobody can tell."""
    if visit.session is None:
        return False
    try:
        with queries.reading(visit.board.engine) as connection:
            return is_on(connection, visit.session, visit.board.clock())
    except (LedgerRefusal, SQLAlchemyError):
        return True


def language_of(board: Board, request: Request) -> Language:
    """The language that was chosen; Chinese unless it was English."""
    asked = request.query_params.get("lang") or board.cookies.read(request, "language")
    return "en" if asked == "en" else "zh"


def _visitor(board: Board, request: Request) -> Visit:
    found = Visit(board, request, language_of(board, request))
    found.said = _said(board.cookies.read(request, "said"))
    header = request.headers.get("authorization", "")
    secret = board.cookies.read(request, "session")
    guest = board.cookies.read(request, "volunteer")
    if not (header or secret or guest):
        return found
    now = board.clock()
    with queries.reading(board.engine) as connection:
        if header.lower().startswith(_BEARER):
            found.account = by_token(connection, header[len(_BEARER) :].strip(), now)
        elif secret:
            who = signed(connection, secret, now)
            if who is not None:
                found.account, found.session = who.account, who.session_hash
        elif guest:
            found.volunteer = volunteer_of(connection, guest, now)
    if found.session is not None:
        touch(board.engine, found.session, now)
    return found


def _refuse_other_sites(request: Request) -> None:
    """Beside SameSite: a browser says where a form comes from, and it must be from here."""
    says = {"origin", "sec-fetch-site"} & set(request.headers.keys())
    if not says or is_cross_site(request.scope):
        raise Refused(
            403,
            "cross-site",
            Words("请求不是从本站的页面来的，不接受。", "The request comes from no page of ours."),
        )


def _said(text: str | None) -> list[Words]:
    lines = (line.partition("\t") for line in (text or "").splitlines())
    return [Words(zh, en) for zh, _, en in lines]
