"""A new volunteer, enrolled on the spot: name, phone and document sealed, a team, a badge."""

from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.responses import Response

from dashboards.board.keeping import allowed, deed_of, drafted, refuse_flaws, refuse_wrong
from dashboards.board.refusing import Refused, bad_request
from dashboards.board.visiting import Fields, Visiting
from dashboards.board.words import Words
from ledger.roster import drafting, store
from ledger.roster.enrolling import Named, Namesakes, SaysWho, with_private
from ledger.roster.records import Person

router = APIRouter()
_PRIVATE = ("name", "phone", "document_type", "document")


@router.get("/roster/enrol", name="enrol_page")
def enrol_page(visit: Visiting) -> Response:
    """The form."""
    scope = visit.scope
    teams = sorted(visit.directory.teams if scope.everything else scope.teams)
    units = [code for code in sorted(visit.directory.units) if scope.covers_unit(code)]
    return visit.page("enrol.html", teams=teams, units=units)


@router.post("/roster/enrol", name="enrol")
def enrol(visit: Visiting, form: Fields) -> Response:
    """One person, into a team of the scope."""
    board = visit.board
    given = {"teams": form.get("team", ""), "unit": form.get("unit", "")}
    if form.get("consent"):
        given["consent"] = board.today()
    if not given["teams"]:
        raise bad_request(Words("请选队伍。", "Choose a team."))
    deed = deed_of(visit, form.get("why", ""))
    zone = ZoneInfo(board.policy.timezone)
    with store.changing(board.engine) as connection:
        before = store.load(connection)
        changes = drafted(drafting.adding(before, Person.KIND, given, board.today(), zone))
        named = with_private(
            connection,
            visit.vault,
            changes,
            {name: form.get(name, "") for name in _PRIVATE},
            deed,
            bool(form.get("other_person")),
        )
        made = _named(named)
        refuse_flaws(before, made.changes)
        for one in made.changes:
            if not (isinstance(one.after, Person) and one.before is None):
                allowed(visit.scope)(before, one)  # who is new is of the team that they join
        store.apply(connection, before, made.changes, deed, made.sealed)
    volunteer = next(one.key[0] for one in made.changes if one.kind == Person.KIND)
    said = Words(f"已登记 {volunteer}，可以印证了。", f"{volunteer} is on the roster.")
    return visit.go(f"/roster/people/{volunteer}", said)


def _named(found: object) -> Named:
    match found:
        case Named():
            return found
        case Namesakes(others):
            told = "、".join(others)
            raise Refused(
                409,
                "same-person",
                Words(
                    f"与 {told} 的证件、或手机和姓名相同：确为另一人请勾选“是另一个人”。",
                    f"{told} has the same document, or phone and name: tick “another person”.",
                ),
            )
        case SaysWho():
            raise bad_request(
                Words(
                    "原因里有姓名、手机或证件号：请改写。", "The reason says who it is: reword it."
                )
            )
        case _:
            refuse_wrong(list(found) if isinstance(found, list | tuple) else [])
            raise AssertionError("nothing was wrong, and there is no data")
