"""`hours roster`: the group, and its commands that only look.

Each takes what is asked from the command line, asks the roster, and shows the answer. Invariant:
nothing here changes a record; what is revealed of people is kept as a disclosure first.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Engine

from hours import (
    commands_outbox,
    commands_report,
    commands_roster_edit,
    commands_roster_private,
    roster_names,
    roster_showing,
    showing,
)
from hours.roster_names import MASKED, Reveal
from hours.roster_options import (
    Command,
    KindType,
    as_json_option,
    by_and_why,
    day_option,
    deed,
    kind_argument,
    page_of,
    paged,
    roster_engine,
    status_value,
    today,
    zone_of,
)
from hours.settings import Settings, WrongUse
from ledger import queries
from ledger.roster import disclosing, store
from ledger.roster.drafting import records_of
from ledger.roster.editing import local_time, texts
from ledger.roster.finding import SHORTEST_PHONE_TAIL, Found, Sought, people, things
from ledger.roster.history import history as read_history
from ledger.roster.listing import Wanted, selected
from ledger.roster.overview import overview
from ledger.roster.records import Person
from ledger.roster.vault import PrivateData, masked
from ledger.roster.words import headed
from producers.volunteer_numbers import number_of


def _revealing(command: Command) -> Command:
    command = by_and_why(required=False)(command)
    return click.option(
        "--reveal", is_flag=True, help="Names, phones and documents unmasked; --why is kept."
    )(command)


@click.command("list")
@kind_argument
@click.option("--unit", metavar="CODE", help="Of this unit and everything beneath it.")
@click.option("--team", metavar="CODE", help="Of this team and everything beneath it.")
@click.option("--status", help="Of this status (of an item of the six haves: its state).")
@day_option("--on", help="What is valid, or takes place, on this day.")
@paged
@as_json_option
@click.pass_obj
def list_(
    settings: Settings,
    kind: str,
    unit: str | None,
    team: str | None,
    status: str | None,
    on: str | None,
    limit: int,
    page: int,
    as_json: bool,
) -> None:
    """名册清单。 The records of a KIND: unit, have-item, have, platform, team, project, activity,
    person, membership or signup.
    """
    zone = zone_of(settings)
    with roster_engine(settings) as engine:
        with queries.reading(engine) as connection:
            roster = store.load(connection)
        wanted = Wanted(unit, team, status_value(kind, status), on)
        found = selected(roster, kind, wanted, today(settings), _day_in(zone))
        rows = [texts(record, zone) for record in page_of(found, limit, page)]
        if kind == Person.KIND:
            rows = [{"number": number_of(row["volunteer"]), **row} for row in rows]
            _add_names(engine, settings, rows)
    if as_json:
        showing.print_json(rows)
    else:
        roster_showing.print_records(kind, rows, names=kind == Person.KIND)
    roster_showing.tell_page(len(found), limit, page)


@click.command()
@kind_argument
@click.argument("codes", nargs=-1, required=True, metavar="CODE…")
@day_option("--on", help="The tree and the members as of this day (default: today).")
@_revealing
@as_json_option
@click.pass_obj
def show(
    settings: Settings,
    kind: str,
    codes: tuple[str, ...],
    on: str | None,
    reveal: bool,
    by: str | None,
    why: str | None,
    as_json: bool,
) -> None:
    """名册里一项的全部。 All about one thing: periods, what is above and beneath it, and more.

    CODE is a code or volunteer id; POST ITEM for a have, ACTIVITY VOLUNTEER for a signup,
    VOLUNTEER TEAM for a membership. `show person … --reveal --why …` gives volunteers what is
    kept of them.
    """
    revealing = Reveal(deed(by, why) if reveal else None)
    with roster_engine(settings) as engine:
        with queries.reading(engine) as connection:
            roster = store.load(connection)
        records = records_of(roster, kind, codes)
        found = overview(roster, records, on or today(settings), zone_of(settings))
        if kind == Person.KIND:
            who = roster_names.shown(engine, settings, [codes[0]], revealing)
            known = [who[codes[0]]] if codes[0] in who else []
            found = {"kind": kind, "number": number_of(codes[0]), "who": known, **found}
    if as_json:
        showing.print_json([found])
    else:
        roster_showing.print_overview(found)


@click.command()
@click.argument("text")
@_revealing
@paged
@as_json_option
@click.pass_obj
def search(
    settings: Settings,
    text: str,
    reveal: bool,
    by: str | None,
    why: str | None,
    limit: int,
    page: int,
    as_json: bool,
) -> None:
    """查找。 People by part of a name, pinyin (wangxiaoming, wxm), the last four or more digits
    of a phone, volunteer id or badge; units, teams, projects and activities by name, pinyin, code.
    """
    if not text.strip():
        raise WrongUse("要查找什么？ What is to be looked for?")
    revealing = Reveal(deed(by, why) if reveal else None)
    with roster_engine(settings) as engine:
        found, who = _search(engine, settings, Sought.of(text))
        rows = [_found_json(one, who) for one in page_of(found, limit, page)]
        if reveal:
            _add_names(engine, settings, rows, revealing)
    if as_json:
        showing.print_json(rows)
    else:
        fields = ("kind", "code", "name", "phone", "by")
        showing.print_table(
            [headed(field) for field in fields],
            [[row.get(field) or "" for field in fields] for row in rows],
            "没有找到；手机号码要末尾至少 "
            f"{SHORTEST_PHONE_TAIL} 位。 Nothing found; a phone by its last "
            f"{SHORTEST_PHONE_TAIL} digits or more.",
        )
    roster_showing.tell_page(len(found), limit, page)


@click.command()
@click.argument("kind", required=False, type=KindType())
@click.argument("codes", nargs=-1, metavar="[CODE…]")
@paged
@as_json_option
@click.pass_obj
def history(
    settings: Settings,
    kind: str | None,
    codes: tuple[str, ...],
    limit: int,
    page: int,
    as_json: bool,
) -> None:
    """变更历史。 Who changed what, when and why, from what to what; the latest first."""
    zone = zone_of(settings)
    with roster_engine(settings) as engine, queries.reading(engine) as connection:
        rows, count = read_history(connection, kind, codes, limit, (page - 1) * limit)
    if as_json:
        showing.print_json(roster_showing.history_json(one, zone) for one in rows)
    else:
        roster_showing.print_history(rows, zone)
    roster_showing.tell_page(count, limit, page)


@click.command()
@paged
@as_json_option
@click.pass_obj
def disclosures(settings: Settings, limit: int, page: int, as_json: bool) -> None:
    """谁看过谁的姓名。 Who saw whose name, phone or document unmasked, when and why."""
    zone = zone_of(settings)
    with roster_engine(settings) as engine, queries.reading(engine) as connection:
        found, count = disclosing.disclosures(connection, limit, (page - 1) * limit)
    rows = [{**one._asdict(), "at": local_time(one.at, zone)} for one in found]
    if as_json:
        showing.print_json(rows)
    else:
        showing.print_table(
            ("编号 number", "时间 when", "谁 by", "原因 why", "志愿者 volunteers"),
            [(*list(row.values())[:4], "、".join(row["volunteers"])) for row in rows],
            "没有人看过。 Nobody has seen any.",
        )
    roster_showing.tell_page(count, limit, page)


@click.group()
def roster() -> None:
    """名册。 The roster: units, teams, people, activities and projects.

    Changes take --by (default: your login name) and --why, are kept for ever, and can be undone.
    """


# Commands of the roster that stand in modules of their own are gathered here.
for command in (
    *(list_, show, search, history, disclosures),
    *commands_roster_edit.COMMANDS,
    *commands_roster_private.COMMANDS,
    commands_outbox.publish_again,
    commands_report.unknown,
):
    roster.add_command(command)


_Who = Mapping[str, PrivateData]


def _search(engine: Engine, settings: Settings, sought: Sought) -> tuple[list[Found], _Who]:
    with queries.reading(engine) as connection:
        who = roster_names.everybody(connection, settings)
        found = [*people(store.badges(connection), sought, who)]
        found += things(store.named(connection), sought)
    return sorted(found, key=lambda one: _place(one, sought.text, who)), who


def _place(one: Found, text: str, who: _Who) -> tuple[bool, str, str]:
    """What is called exactly so comes first."""
    name = one.name or (who[one.code].name if one.code in who else "")
    return text not in (one.code.casefold(), name.casefold()), one.kind, one.code


def _found_json(one: Found, who: _Who) -> dict[str, Any]:
    person = masked(who[one.code]) if one.kind == Person.KIND and one.code in who else {}
    return {"kind": one.kind, "code": one.code, "name": one.name, **person, "by": one.by}


def _add_names(
    engine: Engine, settings: Settings, rows: list[dict[str, Any]], reveal: Reveal = MASKED
) -> None:
    """Who the volunteers among the rows are, as it may be shown."""
    people = [row for row in rows if row.get("kind", Person.KIND) == Person.KIND]
    who = roster_names.shown(engine, settings, {_volunteer(row) for row in people}, reveal)
    for row in people:
        row.update(who.get(_volunteer(row), {"name": None}))


def _volunteer(row: Mapping[str, Any]) -> str:
    return str(row.get("volunteer") or row["code"])


def _day_in(zone: ZoneInfo) -> Callable[[int], str]:
    return lambda at: datetime.fromtimestamp(at // 1_000_000, zone).date().isoformat()
