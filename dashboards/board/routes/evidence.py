"""Trees as any static web server would serve them (C2SP tlog-tiles), and the page that verifies.

Hashes, checkpoints and the district's own log are the public's. Entries of shards say which
pseudonym was where and when: they are for those who may see everybody's. Full tiles never change.
"""

from fastapi import APIRouter
from starlette.responses import Response

from dashboards.board.headers import VERIFIER
from dashboards.board.refusing import no_such_thing
from dashboards.board.verifier import verifier_page
from dashboards.board.visiting import Visit, Visiting
from dashboards.board.words import Words
from ledger import queries
from ledger.evidence import reading
from ledger.evidence.checkpoints import DISTRICT, shard_of
from ledger.evidence.refusals import EvidenceRefusal
from ledger.evidence.tiles import WIDTH, Tile, bundle, tile_at

router = APIRouter()
_FOR_GOOD = "public, max-age=31536000, immutable"
_BYTES = "application/octet-stream"


@router.get("/log/{tree}/checkpoint", name="log_checkpoint")
def log_checkpoint(visit: Visiting, tree: str) -> Response:
    """A tree's latest signed checkpoint."""
    with queries.reading(visit.board.engine) as connection:
        found = reading.latest_checkpoint(connection, tree)
    if found is None:
        raise _nothing()
    headers = {"cache-control": "no-cache"}
    return Response(found.note, 200, headers, "text/plain; charset=utf-8")


@router.get("/log/district/tile/entries/{rest:path}", name="log_moments")
def log_moments(visit: Visiting, rest: str) -> Response:
    """Entries of the district's log: moments, and certificates' fates."""
    return _entries(visit, DISTRICT, rest, _FOR_GOOD)


@router.get("/log/{tree}/tile/entries/{rest:path}", name="log_entries")
def log_entries(visit: Visiting, tree: str, rest: str) -> Response:
    """Entries of a shard, for auditors."""
    return _entries(visit, tree, rest, "private, no-store")


@router.get("/log/{tree}/tile/{level}/{rest:path}", name="log_tile")
def log_tile(visit: Visiting, tree: str, level: str, rest: str) -> Response:
    """A tile of hashes."""
    tile = _tile(tree, f"tile/{level}/{rest}")
    with queries.reading(visit.board.engine) as connection:
        _refuse_unsigned(reading.latest_checkpoint(connection, tree), tile)
        try:
            content = reading.stored_tile(connection, tree, tile)
        except EvidenceRefusal as refusal:
            raise _nothing() from refusal
    return Response(content, 200, {"cache-control": _FOR_GOOD}, _BYTES)


@router.get(VERIFIER, name="verifier")
def verifier(visit: Visiting, download: bool = False) -> Response:
    """The page that checks proofs in a browser, with no network; it can be kept as a file."""
    headers = {"cache-control": "no-cache"}
    if download:
        headers["content-disposition"] = 'attachment; filename="verify.html"'
    return Response(verifier_page(), 200, headers, "text/html; charset=utf-8")


def _entries(visit: Visit, tree: str, rest: str, kept: str) -> Response:
    tile = _tile(tree, f"tile/entries/{rest}")
    start = tile.number * WIDTH
    with queries.reading(visit.board.engine) as connection:
        _refuse_unsigned(reading.latest_checkpoint(connection, tree), tile)
        parts = reading.bodies(connection, tree, start, start + tile.width)
        content = bundle(body for part in parts for body in part)
    return Response(content, 200, {"cache-control": kept}, _BYTES)


def _tile(tree: str, path: str) -> Tile:
    tile = tile_at(path)
    if tile is None or (tree != DISTRICT and shard_of(tree) is None):
        raise _nothing()
    return tile


def _refuse_unsigned(latest: reading.StoredCheckpoint | None, tile: Tile) -> None:
    """What nobody signed is no part of the log yet."""
    last = (tile.number * WIDTH + tile.width) * WIDTH ** (tile.level or 0)
    if latest is None or last > latest.size:
        raise _nothing()


def _nothing() -> Exception:
    return no_such_thing(Words("日志的这一部分", "such part of the log"))
