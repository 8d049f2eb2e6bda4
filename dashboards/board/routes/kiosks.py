"""Kiosks at a glance, by what reached the ledger."""

from fastapi import APIRouter
from starlette.responses import Response

from dashboards.board.kiosk_health import DAYS, kiosk_health
from dashboards.board.visiting import Visiting
from ledger import queries

router = APIRouter()


@router.get("/kiosks", name="kiosks")
def kiosks_page(visit: Visiting) -> Response:
    """Those of the scope, the longest silent first."""
    board = visit.board
    with queries.reading(board.engine) as connection:
        found = kiosk_health(connection, board.policy, board.clock())
    whole = visit.scope.everything
    mine = [one for one in found if whole or visit.scope.covers_unit(one.place)]
    return visit.page("kiosks.html", found=mine, days=DAYS, operators=board.kiosk_address)
