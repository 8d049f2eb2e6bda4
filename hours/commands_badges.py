"""Badges to print: chosen from the roster, named by the vault, signed, drawn.

Thin. Printing shows people's names, so that each time is kept among the disclosures; what is
written may be read by whoever wrote it and by nobody else.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
from sqlalchemy import Engine

from dashboards.badge_cards import cards_of
from dashboards.badge_sheets import Missing, Printed, TeamCards, write_badge_sheets
from hours import showing
from hours.badge_keys import badge_key
from hours.new_files import write_secret
from hours.roster_options import by_and_why, deed, roster_engine, today
from hours.settings import Settings, WrongUse
from ledger import queries
from ledger.roster import store
from ledger.roster.badging import Choice, Chosen, choose, district_name
from ledger.roster.disclosing import disclose
from ledger.roster.records import Membership, Person, Team, Unit
from ledger.roster.roster import Roster
from ledger.roster.store import Deed
from ledger.roster.vault import PrivateData
from producers.badge_keys import new_private_key, public_text

_KINDS = (Unit, Team, Person, Membership)
_SHOWN = 20


@click.command()
@click.argument("file", metavar="FILE.pdf", required=False, type=click.Path(dir_okay=False))
@click.option("--team", metavar="CODE", help="Members of it, and of all beneath it.")
@click.option("--unit", metavar="CODE", help="Those whose unit it is, or one beneath it.")
@click.option("--volunteer", "volunteers", metavar="ID", multiple=True, help="Just these.")
@click.option("--all", "everybody", is_flag=True, help="Everybody.")
@by_and_why(required=False)
@click.option("--public-key", is_flag=True, help="Print the public key, for kiosks; no FILE.")
@click.option(
    "--new-key",
    metavar="FILE.pem",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a new signing key; no FILE.",
)
@click.pass_obj
def badges(
    settings: Settings,
    file: str | None,
    team: str | None,
    unit: str | None,
    volunteers: tuple[str, ...],
    everybody: bool,
    by: str | None,
    why: str | None,
    public_key: bool,
    new_key: Path | None,
) -> None:
    """印志愿者证。 Badges to print: sheets of QR codes and names, by team, as PDF.

    A badge says a pseudonym, signed; no name stands in its code. docs/badges.md has the format.
    """
    if new_key is not None:
        _make_key(new_key)
        return
    key = badge_key(settings)
    if public_key:
        click.echo(public_text(key.public_key()), nl=False)
        return
    if file is None or not (team or unit or volunteers or everybody):
        raise WrongUse(
            "请写明文件名和印谁的证：--team、--unit、--volunteer 或 --all。 Name the file, and "
            "whose badges to print: --team, --unit, --volunteer or --all."
        )
    done = deed(by, why or "印志愿者证 printing badges")
    with roster_engine(settings) as engine:
        roster, chosen = _choose(engine, Choice(team, unit, volunteers), today(settings))
        who = _names(engine, settings, chosen, done)
    heading = district_name(roster, today(settings)) or settings.ledger_name
    cards = cards_of(chosen, who, settings.ledger_name, key)
    _tell(_write(Path(file), heading, cards, len(who)), chosen, file)


def _make_key(file: Path) -> None:
    write_secret(file, new_private_key())
    click.echo(f"export HOURS_BADGE_KEY_FILE={file.absolute()}")
    showing.say(
        "请设置上面一行，并把密钥另存一份：换了密钥，签到机要换公钥（hours badges --public-key）。 "
        "Set the line above, and keep a copy of the key: kiosks check badges by its public half "
        "(hours badges --public-key)."
    )


def _choose(engine: Engine, choice: Choice, day: str) -> tuple[Roster, Chosen]:
    with queries.reading(engine) as connection:
        roster = store.load(connection, _KINDS)
    unknown = [
        code
        for code, known in ((choice.team, roster.teams), (choice.unit, roster.units))
        if code is not None and code not in known
    ] + [one for one in choice.volunteers if one not in roster.people]
    if unknown:
        raise WrongUse(
            f"名册里没有 {'、'.join(unknown)}：用 hours roster search 查找。 "
            f"The roster has no {', '.join(unknown)}: look with hours roster search."
        )
    return roster, choose(roster, choice, day)


def _names(
    engine: Engine, settings: Settings, chosen: Chosen, done: Deed
) -> Mapping[str, PrivateData]:
    people = [one.volunteer for team in chosen.teams for one in team.people]
    vault = settings.vault()
    if not people:
        return {}
    with store.changing(engine) as connection:
        return disclose(connection, vault, people, done)


def _write(file: Path, heading: str, cards: Iterator[TeamCards], count: int) -> Printed:
    """To a file beside it first, so that one cut short is never taken for whole."""
    beside = file.with_name(f"{file.name}.new")
    try:
        with (
            os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out,
            showing.counting("制证 drawing") as moved,
        ):
            printed = write_badge_sheets(out, heading, cards, lambda done: moved(done, count))
        beside.replace(file)
    except OSError as error:
        raise WrongUse(
            f"无法写入 {file}：请检查文件夹和权限。 {file} can't be written ({error.strerror})."
        ) from error
    finally:
        beside.unlink(missing_ok=True)
    return printed


def _tell(printed: Printed, chosen: Chosen, file: str) -> None:
    click.echo(
        f"{printed.badges} 张志愿者证，{printed.pages} 页，在 {file}（只有你能读）。 "
        f"{printed.badges} badges on {printed.pages} pages in {file}, which only you may read."
    )
    _say_those(
        "没有姓名或证号，没有印 Without a name or a badge, not printed", list(chosen.without)
    )
    _say_those("字体缺字，印作〓 The font lacks", list(map(_missing, printed.missing)))


def _missing(one: Missing) -> str:
    return f"{one.which}: {one.characters}"


def _say_those(what: str, those: list[str]) -> None:
    if those:
        more = f" … ({len(those)})" if len(those) > _SHOWN else ""
        showing.say(f"{what}: {'、'.join(those[:_SHOWN])}{more}")
