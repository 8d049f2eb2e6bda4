"""The commands of `hours roster` that change records: add, change, end, undo, replace-badge.

Each drafts changes (`ledger.roster.drafting`), has them checked, and makes them as one change set.
Invariant: what is wrong is told in a line each and nothing is done; private values never come as
arguments.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

import click
from sqlalchemy import Connection

from hours import roster_private_input, roster_showing, showing
from hours.roster_options import (
    Command,
    by_and_why,
    codes_and_fields,
    day_option,
    deed,
    kind_argument,
    roster_engine,
    today,
    zone_of,
)
from hours.settings import Settings, WrongUse
from ledger.roster import drafting, history, store
from ledger.roster.editing import Wrong, wrong_of
from ledger.roster.enrolling import Named, Namesakes, SaysWho, with_private
from ledger.roster.planning import checked
from ledger.roster.records import Have, Person
from ledger.roster.roster import Change, Roster
from ledger.roster.store import Deed
from ledger.roster.undoing import undoing
from ledger.roster.vault import Sealed, Vault

NewPrivate = Mapping[tuple[str, int], Sealed]
Drafted = tuple[Sequence[Change], NewPrivate]

_private = (
    click.option("--private", "ask", is_flag=True, help="Ask for name, phone and document."),
    click.option(
        "--private-from",
        "file",
        type=click.File("r", encoding="utf-8"),
        metavar="FILE",
        help="Name, phone, document_type and document as one JSON object; - is standard input.",
    ),
    click.option("--other-person", is_flag=True, help="It is another person of the same name."),
)


def _with_private(command: Command) -> Command:
    for option in _private:
        command = option(command)
    return command


_dry_run = click.option("--dry-run", is_flag=True, help="Show what would be done, do nothing.")


@click.command()
@kind_argument
@click.argument("words", nargs=-1, metavar="FIELD=VALUE…")
@_with_private
@click.option("--over-capacity", is_flag=True, help="Sign up though the activity is full.")
@by_and_why()
@_dry_run
@click.pass_obj
def add(
    settings: Settings,
    kind: str,
    words: tuple[str, ...],
    ask: bool,
    file: TextIO | None,
    other_person: bool,
    over_capacity: bool,
    by: str | None,
    why: str,
    dry_run: bool,
) -> None:
    """新增。 Add one thing: `add unit code=… kind=点 name_zh=… parent=…`.

    A person's name, phone and document are asked for, or read from --private-from; teams=… joined=…
    makes memberships. Lists are separated by 、 or commas, times are YYYY-MM-DD HH:MM.
    """
    codes, given = codes_and_fields(words)
    if codes:
        raise WrongUse(f"{codes[0]} 不是 字段=值。 {codes[0]} is no FIELD=VALUE.")
    done = deed(by, why)
    private = _private_given(kind, ask or (kind == Person.KIND and file is None), file)

    def draft(connection: Connection, before: Roster) -> Drafted:
        drafted = drafting.adding(before, kind, given, today(settings), zone_of(settings))
        changes = _or_refuse(drafted)
        if not over_capacity:
            _refuse(drafting.beyond_capacity(before, changes))
        if private is None:
            return changes, {}
        return _with_who(connection, settings.vault(), changes, private, done, other_person)

    _make(settings, done, draft, dry_run)


@click.command()
@kind_argument
@click.argument("words", nargs=-1, required=True, metavar="CODE… FIELD=VALUE…")
@day_option("--from", "begins", help="End the row on this day, and begin a new one (a renaming).")
@_with_private
@by_and_why()
@_dry_run
@click.pass_obj
def change(
    settings: Settings,
    kind: str,
    words: tuple[str, ...],
    begins: str | None,
    ask: bool,
    file: TextIO | None,
    other_person: bool,
    by: str | None,
    why: str,
    dry_run: bool,
) -> None:
    """修改。 Change fields of one thing; an empty VALUE clears a field.

    `change unit CODE name_zh=… --from DAY` renames from a day on, and keeps the old name for the
    time before. `change have POST ITEM state=有 day=…` notes how a post stands.
    """
    codes, given = codes_and_fields(words)
    done = deed(by, why)
    zone, day = zone_of(settings), today(settings)
    private = _private_given(kind, ask, file)

    def draft(connection: Connection, before: Roster) -> Drafted:
        if kind == Have.KIND and len(codes) == len(Have.KEY):
            post, item = codes
            drafted = drafting.looking(before, post, item, given, done.by, zone)
        else:
            drafted = drafting.changing(before, kind, codes, given, zone, day, begins)
        changes = _or_refuse(drafted)
        if private is None:
            return changes, {}
        person = changes or [_as_it_is(before, codes)]
        return _with_who(connection, settings.vault(), person, private, done, other_person)

    _make(settings, done, draft, dry_run)


@click.command()
@kind_argument
@click.argument("codes", nargs=-1, required=True, metavar="CODE…")
@day_option("--on", help="The first day on which it no longer holds.")
@click.option("--successor", metavar="CODE", help="What a unit or team is merged into.")
@by_and_why()
@_dry_run
@click.pass_obj
def end(
    settings: Settings,
    kind: str,
    codes: tuple[str, ...],
    on: str | None,
    successor: str | None,
    by: str | None,
    why: str,
    dry_run: bool,
) -> None:
    """结束。 End a unit, team, project or membership on a day; its past stays.

    A person leaves, and all teams. A signup, have, have-item or platform is removed, without --on.
    """

    def draft(_connection: Connection, before: Roster) -> Drafted:
        return _or_refuse(drafting.ending(before, kind, codes, on, successor)), {}

    _make(settings, deed(by, why), draft, dry_run)


@click.command()
@click.argument("number", type=click.IntRange(1))
@by_and_why()
@_dry_run
@click.pass_obj
def undo(settings: Settings, number: int, by: str | None, why: str, dry_run: bool) -> None:
    """撤销。 Take a change set back, by another one; `hours roster history` has the numbers.

    Refused where something it touched was changed since, or somebody was erased since.
    """

    def draft(connection: Connection, before: Roster) -> Drafted:
        made = store.changes_of(connection, number)
        return undoing(before, number, made, history.later(connection, number)), {}

    _make(settings, deed(by, why, undoes=number), draft, dry_run)


@click.command("replace-badge")
@click.argument("volunteer")
@by_and_why()
@_dry_run
@click.pass_obj
def replace_badge(
    settings: Settings, volunteer: str, by: str | None, why: str, dry_run: bool
) -> None:
    """换证件牌。 Give a volunteer a new badge; the old one stops working."""

    def draft(_connection: Connection, before: Roster) -> Drafted:
        return drafting.replacing_badge(before, volunteer), {}

    _make(settings, deed(by, why), draft, dry_run)


COMMANDS = (add, change, end, undo, replace_badge)


def _private_given(kind: str, ask: bool, file: TextIO | None) -> roster_private_input.Given | None:
    if not ask and file is None:
        return None
    if kind != Person.KIND:
        raise WrongUse(
            "--private 和 --private-from 只用于志愿者。 "
            "--private and --private-from are for people."
        )
    return roster_private_input.asked() if file is None else roster_private_input.read(file)


def _with_who(
    connection: Connection,
    vault: Vault,
    changes: Sequence[Change],
    given: roster_private_input.Given,
    done: Deed,
    other_person: bool,
) -> Drafted:
    """The changes, with the person's private data as a new version."""
    found = with_private(connection, vault, changes, given, done, other_person)
    match found:
        case Named():
            return found
        case SaysWho():
            raise WrongUse(
                "--why 或 --by 里有姓名、电话或证件号码：历史会永远保留它，请改写。 "
                "--why or --by holds the name, phone or document, and history keeps it for ever: "
                "say it otherwise."
            )
        case Namesakes(others):
            raise WrongUse(
                f"与 {'、'.join(others)} 的证件号码、或手机号码和姓名相同："
                "确为另一人用 --other-person。 "
                f"{', '.join(others)} has the same document, or the same phone and name: "
                "if it is another person, say --other-person."
            )
        case _:
            _refuse(found)
            raise AssertionError("nothing was wrong, and there is no data")


def _as_it_is(roster: Roster, codes: Sequence[str]) -> Change:
    (person,) = drafting.records_of(roster, Person.KIND, codes)
    return Change(person, person)


def _or_refuse(draft: drafting.Draft) -> list[Change]:
    _refuse([one for one in draft if isinstance(one, Wrong)])
    return [one for one in draft if isinstance(one, Change)]


def _refuse(wrong: Sequence[Wrong]) -> None:
    if wrong:
        roster_showing.tell_wrong(wrong)
        raise click.exceptions.Exit(2)


def _make(
    settings: Settings,
    done: Deed,
    draft: Callable[[Connection, Roster], Drafted],
    dry_run: bool,
) -> None:
    """Draft changes of the roster as it is, have them checked, make them, and then tell."""
    number = None
    with roster_engine(settings) as engine, store.changing(engine) as connection:
        before = store.load(connection)
        changes, sealed = draft(connection, before)
        _refuse([wrong_of(flaw) for flaw in checked(before, changes).flaws])
        if changes and not dry_run:
            number = store.apply(connection, before, changes, done, sealed)
    roster_showing.print_changes(changes, zone_of(settings))
    if number is not None:
        roster_showing.print_numbers(changes)
        tell_made(number)
    elif changes:
        showing.say("试运行，什么都没有改。 A dry run: nothing was changed.")
    else:
        showing.say("没有要改的。 There is nothing to change.")


def tell_made(number: int) -> None:
    """The change set's number, and that it is on its way."""
    showing.say(
        f"已记为变更 {number}；worker 会把它发布到 Kafka。 "
        f"Kept as change set {number}; a worker publishes it to Kafka."
    )
