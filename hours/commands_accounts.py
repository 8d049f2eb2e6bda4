"""`hours accounts`: who may sign in to the board, as what, and for which teams or units.

Thin: `ledger.accounts` does it. Passwords come from the terminal without echo, or from a file.
"""

import json
import time
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine

from hours.settings import Settings, secret_lines
from ledger import queries, schema
from ledger.accounts import signing_in, store, volunteers
from ledger.accounts.values import ROLES, Account, AccountRefusal
from ledger.engine import open_engine
from ledger.policy import iso_utc
from ledger.roster import store as roster_store
from ledger.roster.records import Person, Team, Unit

_FILE = click.Path(dir_okay=False, path_type=Path)
_OF_FILE = click.option(
    "--password-file", metavar="FILE", type=_FILE, help="Take the password from its first line."
)
_WHAT = (
    click.option("--role", type=click.Choice(ROLES), required=True),
    click.option("--team", "teams", multiple=True, metavar="CODE", help="A leader's team."),
    click.option("--unit", "units", multiple=True, metavar="CODE", help="An officer's unit."),
    click.option("--email", metavar="ADDRESS", help="Where to tell of new exceptions."),
    click.option("--subject", metavar="NAME", help="What the identity provider calls them."),
)


@click.group()
def accounts() -> None:
    """看板的账号。 Who may sign in to the board.

    The first account is made here too: `hours accounts add ADMIN --role operator`.
    """


def _what(command: Any) -> Any:
    for option in reversed(_WHAT):
        command = option(command)
    return command


@accounts.command()
@click.argument("name")
@_what
@_OF_FILE
@click.option("--no-password", is_flag=True, help="Signs in by the identity provider alone.")
@click.pass_obj
def add(
    settings: Settings, /, name: str, password_file: Path | None, no_password: bool, **what: Any
) -> None:
    """新建账号。 Make an account."""
    engine = _engine(settings)
    new = store.checked({"name": name, **what})
    _refuse_unknown(engine, what["teams"], what["units"])
    password = None if no_password else _password(password_file)
    store.add(engine, new, _by(), _now(), password)
    click.echo(f"已建账号 {name}（{new.role}）。 Made the account {name} ({new.role}).")


@accounts.command()
@click.argument("name")
@_what
@click.pass_obj
def change(settings: Settings, /, name: str, **what: Any) -> None:
    """更改账号的角色、队伍或单位。 Change an account; it is signed out everywhere."""
    engine = _engine(settings)
    new = store.checked({"name": name, **what})
    _refuse_unknown(engine, what["teams"], what["units"])
    store.change(engine, new, _by(), _now())
    click.echo(f"已更改 {name}，并在各处退出。 Changed {name}, signed out everywhere.")


@accounts.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """账号一览。 All accounts."""
    with queries.reading(_engine(settings)) as connection:
        found = store.all_accounts(connection)
    if not found and not as_json:
        click.echo("还没有账号：hours accounts add。 No accounts yet: hours accounts add.")
    for one in found:
        click.echo(json.dumps(_as_json(one), ensure_ascii=False) if as_json else _line(one))


@accounts.command()
@click.argument("name")
@_OF_FILE
@click.pass_obj
def password(settings: Settings, name: str, password_file: Path | None) -> None:
    """重设密码。 Set another password; it is signed out everywhere, and open to be tried again."""
    engine = _engine(settings)
    store.set_password(engine, name, _password(password_file), _by(), _now())
    click.echo(f"已重设 {name} 的密码。 Another password is set for {name}.")


@accounts.command()
@click.argument("name")
@click.pass_obj
def disable(settings: Settings, name: str) -> None:
    """停用账号。 Let an account sign in no more."""
    store.disable(_engine(settings), name, _by(), _now())
    click.echo(f"已停用 {name}。 {name} may sign in no more.")


@accounts.command()
@click.argument("name")
@click.pass_obj
def enable(settings: Settings, name: str) -> None:
    """恢复账号。 Let an account sign in again."""
    store.enable(_engine(settings), name, _by(), _now())
    click.echo(f"已恢复 {name}。 {name} may sign in again.")


@accounts.command()
@click.argument("name")
@click.pass_obj
def sign_out(settings: Settings, name: str) -> None:
    """在各处退出。 End all sessions of an account."""
    ended = signing_in.sign_out_everywhere(_engine(settings), name, _by(), _now())
    click.echo(f"已结束 {name} 的 {ended} 个登录。 Ended {ended} sessions of {name}.")


@accounts.command()
@click.argument("volunteer")
@click.pass_obj
def code(settings: Settings, volunteer: str) -> None:
    """志愿者的一次性码。 A code that lets a volunteer see their own page, once, within a day."""
    engine = _engine(settings)
    with queries.reading(engine) as connection:
        if roster_store.load(connection, (Person,)).get(Person, volunteer) is None:
            raise AccountRefusal(
                f"名册里没有志愿者 {volunteer}。 The roster has no volunteer {volunteer}."
            )
    click.echo(volunteers.make_code(engine, volunteer, _by(), _now()))


@accounts.command()
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.pass_obj
def deeds(settings: Settings, limit: int) -> None:
    """账号的历史。 What was done to accounts, and who signed in or could not; the latest first."""
    with queries.reading(_engine(settings)) as connection:
        for one in store.deeds(connection, limit):
            click.echo(f"{iso_utc(one.at)}  {one.what:<15} {one.about}  {one.by}  {one.address}")


def _engine(settings: Settings) -> Engine:
    engine = open_engine(settings.url)
    schema.check(engine)
    return engine


def _password(file: Path | None) -> str:
    if file is not None:
        return secret_lines("--password-file", file)[0]
    return str(click.prompt("密码 Password", hide_input=True, confirmation_prompt="再输一次 Again"))


def _refuse_unknown(engine: Engine, teams: tuple[str, ...], units: tuple[str, ...]) -> None:
    with queries.reading(engine) as connection:
        roster = roster_store.load(connection, (Unit, Team))
    for given, known, zh, en in (
        (teams, roster.teams, "队伍", "team"),
        (units, roster.units, "单位", "unit"),
    ):
        for one in given:
            if one not in known:
                raise AccountRefusal(
                    f"名册里没有{zh} {one}：用 hours roster list {en} 查看。 "
                    f"The roster has no {en} {one}: see hours roster list {en}."
                )


def _by() -> str:
    return "hours accounts"


def _now() -> int:
    return time.time_ns() // 1_000


def _line(one: Account) -> str:
    off = "  停用 disabled" if one.disabled_at is not None else ""
    return f"{one.name:<20} {one.role:<9} {' '.join((*one.teams, *one.units))}{off}"


def _as_json(one: Account) -> dict[str, Any]:
    return {
        "name": one.name,
        "role": one.role,
        "teams": list(one.teams),
        "units": list(one.units),
        "email": one.email,
        "subject": one.subject,
        "made_at": iso_utc(one.made_at),
        "made_by": one.made_by,
        "disabled": one.disabled_at is not None,
    }
