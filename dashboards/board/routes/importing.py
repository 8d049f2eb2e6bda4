"""Spreadsheets into the roster: a dry run first, then the same file applied; badges out of it."""

import io
import re
import secrets
import shutil
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Annotated, get_args
from zoneinfo import ZoneInfo

from fastapi import APIRouter, File, Form, UploadFile
from starlette.responses import Response

from dashboards.badge_cards import cards_of
from dashboards.badge_sheets import write_badge_sheets
from dashboards.board.keeping import deed_of
from dashboards.board.refusing import Refused, bad_request, no_such_thing, not_yours
from dashboards.board.routes.roster import known_person
from dashboards.board.visiting import Visit, Visiting
from dashboards.board.words import Words
from dashboards.import_deeds import Action, Outcome, Shown, deeds_of
from dashboards.import_files import place, read_files
from dashboards.importing import Importer
from ledger.roster import store
from ledger.roster.badging import Choice, choose, district_name
from ledger.roster.disclosing import disclose
from ledger.roster.importing_tables import TABLES
from ledger.roster.records import EVER, Membership, Person, Team, Unit

router = APIRouter()
_MOST_BYTES = 20 << 20
_SHOWN = 200
_ACTIONS: tuple[Action, ...] = get_args(Action)
_KEPT_SECONDS = 3_600
_NAME = re.compile(r"^[0-9a-f]{32}$")


@router.get("/roster/import", name="import_page")
def import_page(visit: Visiting) -> Response:
    """The form."""
    _tidy(_folder(visit))
    return visit.page("import.html", outcome=None, kept="", named="")


@router.post("/roster/import", name="import_file")
def import_file(visit: Visiting, file: Annotated[UploadFile, File()]) -> Response:
    """A dry run: what it would change, and everything that is refused; the file is kept."""
    named = Path(file.filename or "").name
    form = Path(named).suffix.lower()
    if form not in (".xlsx", ".csv"):
        raise bad_request(Words("请上传 XLSX 或 CSV 文件。", "Upload an XLSX or CSV file."))
    content = file.file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise Refused(413, "too-large", Words("文件超过 20 MB。", "The file is over 20 MB."))
    _tidy(_folder(visit))
    kept = secrets.token_hex(16)
    folder = _folder(visit) / kept
    folder.mkdir(mode=0o700)
    # Under its own name: what a CSV file holds may be told by that alone.
    path = folder / f"{Path(named).stem[:60]}{form}"
    path.write_bytes(content)
    outcome = _importer(visit).planned(read_files([path], lambda _: None))
    deeds = list(deeds_of(outcome))
    return visit.page(
        "import.html",
        outcome=outcome,
        deeds=deeds,
        counts=_counts(outcome, deeds),
        actions=_ACTIONS,
        kept=kept,
        named=named,
        place=place,
        shown=_SHOWN,
        ever=EVER,
    )


@router.post("/roster/import/apply", name="import_apply")
def import_apply(
    visit: Visiting, kept: Annotated[str, Form()], why: Annotated[str, Form(min_length=1)]
) -> Response:
    """The file of the dry run, done."""
    folder = _folder(visit) / kept
    found = sorted(folder.iterdir()) if _NAME.match(kept) and folder.is_dir() else []
    if not found:
        raise no_such_thing(Words("这个文件：请重新上传", "such file: upload it again"))
    files = read_files(found, lambda _: None)
    deed = deed_of(visit, why)._replace(source=files.source)
    outcome = _importer(visit).applied(files, deed)
    if outcome.faults:
        raise bad_request(
            Words(
                "名册已变，现在有被拒绝的行：请重新上传看看。",
                "The roster changed: upload it again.",
            )
        )
    shutil.rmtree(folder, ignore_errors=True)
    if outcome.change_set is None:
        return visit.go(
            "/roster",
            Words("没有变化：名册已经是这样。", "Nothing to change: the roster says so already."),
        )
    said = Words(
        f"已导入，第 {outcome.change_set} 号更改。", f"Imported as change set {outcome.change_set}."
    )
    return visit.go("/roster", said)


@router.post("/roster/badges", name="print_badges")
def print_badges(
    visit: Visiting,
    why: Annotated[str, Form(min_length=1, max_length=500)],
    team: Annotated[str, Form()] = "",
    volunteer: Annotated[str, Form()] = "",
) -> Response:
    """Badges as PDF; names are looked at, which is kept."""
    board, key = visit.board, visit.board.badge_key
    vault = visit.vault
    if key is None:
        raise Refused(
            409,
            "no-key",
            Words("看板没有签发志愿者证的密钥。", "The board has no key to sign badges with."),
        )
    choice = Choice(team or None, None, (volunteer,) if volunteer else ())
    if not (team or volunteer):
        raise bad_request(Words("请选队伍或志愿者。", "Choose a team or a volunteer."))
    if team and not visit.scope.covers_team(team):
        raise not_yours()
    if volunteer:
        known_person(visit, volunteer)
    deed = deed_of(visit, why)
    with store.changing(board.engine) as connection:
        roster = store.load(connection, (Unit, Team, Person, Membership))
        chosen = choose(roster, choice, board.today())
        people = [one.volunteer for part in chosen.teams for one in part.people]
        if not people:
            raise _nobody_to_print()
        who = disclose(connection, vault, people, deed)
    out = io.BytesIO()
    heading = district_name(roster, board.today()) or board.ledger_name
    write_badge_sheets(out, heading, cards_of(chosen, who, board.ledger_name, key))
    headers = {
        "content-disposition": 'attachment; filename="badges.pdf"',
        "cache-control": "no-store",
    }
    return Response(out.getvalue(), 200, headers, "application/pdf")


def _counts(outcome: Outcome, deeds: list[Shown]) -> dict[str, tuple[int, ...]]:
    """Of each kind that the file is about: rows, repeated ones, and how many of each action."""
    done = Counter((deed.change.kind, deed.action) for deed in deeds)
    rows, repeated = outcome.imported.rows, outcome.imported.repeated
    found = {
        kind: (rows.get(kind, 0), repeated.get(kind, 0), *(done[kind, one] for one in _ACTIONS))
        for kind in TABLES
    }
    return {kind: row for kind, row in found.items() if any(row)}


def _nobody_to_print() -> Refused:
    return Refused(
        409,
        "nobody-to-print",
        Words(
            "没有可印的证：所选的人不在服务中，或没有证号，或名册里没有姓名。",
            "No badge to print: whom you chose isn't active, or has no badge or no name.",
        ),
    )


def _tidy(folder: Path) -> None:
    """Files hold people's names: what nobody applied is removed when somebody comes again."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for old in folder.iterdir():
        with suppress(FileNotFoundError):  # somebody else came at the same time
            if time.time() - old.stat().st_mtime > _KEPT_SECONDS:
                shutil.rmtree(old, ignore_errors=True)


def _importer(visit: Visit) -> Importer:
    board = visit.board
    zone = ZoneInfo(board.policy.timezone)
    return Importer(board.engine, lambda: visit.vault, zone, board.today())


def _folder(visit: Visit) -> Path:
    return visit.board.folder / "imports"
