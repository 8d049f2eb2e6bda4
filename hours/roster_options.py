"""What the commands of `hours roster` have in common on the command line.

Not what they do. Invariant: a deed has somebody who does it and a reason, each one printable line.
"""

import getpass
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Engine

from hours.opened_ledger import opened_store
from hours.settings import Settings, WrongUse
from ledger.roster.private_values import private_field
from ledger.roster.records import KINDS
from ledger.roster.store import Deed
from ledger.roster.words import KIND_WORDS, value_of

Command = Callable[..., None]
_LONGEST = {"by": 200, "why": 1000}


class KindType(click.ParamType):
    """A kind by its name, with a hyphen too, or by its Chinese word."""

    name = "kind"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        meant = value.strip().casefold().replace("-", "_")
        by_word = {word: kind for kind, word in KIND_WORDS.items()}
        found = by_word.get(meant, meant)
        if found not in KINDS:
            listed = "、".join(f"{word} {kind}" for kind, word in KIND_WORDS.items())
            self.fail(
                f"没有 {value} 这一类：{listed}。 There is no kind {value}: it is one of these."
            )
        return found


def kind_argument(command: Command) -> Command:
    return click.argument("kind", type=KindType())(command)


def day_option(*names: str, help: str) -> Callable[[Command], Command]:
    """An option that is an ISO date."""
    return click.option(*names, metavar="YYYY-MM-DD", callback=_day, help=help)


def paged(command: Command) -> Command:
    """`--limit` and `--page`, from 1."""
    for option in (
        click.option("--page", type=click.IntRange(1), default=1, show_default=True),
        click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True),
    ):
        command = option(command)
    return command


def as_json_option(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")(command)


def by_and_why(required: bool = True) -> Callable[[Command], Command]:
    """Who does it (default: the login name), and why."""

    def with_options(command: Command) -> Command:
        for option in (
            click.option("--why", required=required, callback=_line, help="Why it is done."),
            click.option("--by", callback=_line, help="Who does it (default: your login name)."),
        ):
            command = option(command)
        return command

    return with_options


def deed(by: str | None, why: str | None, undoes: int | None = None) -> Deed:
    """A deed done now. WrongUse where nobody or no reason is named."""
    if why is None:
        raise WrongUse("请用 --why 写明原因。 Say why, with --why.")
    return Deed(by or _login(), why, time.time_ns() // 1_000, undoes=undoes)


def codes_and_fields(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Codes, and `field=value`s behind them. WrongUse for a private value, without repeating it."""
    codes = [word for word in words if "=" not in word]
    given: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            continue
        private = private_field(name)
        if private is not None:
            raise WrongUse(
                f"{name} 是私密信息，不能写在命令行上（进程列表和历史会留下它）："
                "用 --private 按提示输入，或用 --private-from 读 JSON。 "
                f"{private} is private and must not stand on a command line, which process lists "
                "and histories keep: type it when asked (--private), or give JSON "
                "by --private-from."
            )
        if name in given:
            raise WrongUse(f"{name} 写了两次。 {name} is given twice.")
        given[name] = value
    return codes, given


def status_value(kind: str, word: str | None) -> str | None:
    """A status by its value or its Chinese word."""
    if word is None:
        return None
    return value_of(kind, "state" if kind == "have" else "status", word)


@contextmanager
def roster_engine(settings: Settings) -> Iterator[Engine]:
    """The database, checked to be this ledger's."""
    with opened_store(settings) as store:
        yield store.engine


def zone_of(settings: Settings) -> ZoneInfo:
    return ZoneInfo(settings.timezone)


def today(settings: Settings) -> str:
    """Today's ISO date in the ledger's timezone."""
    return datetime.now(zone_of(settings)).date().isoformat()


def page_of(rows: Sequence[Any], limit: int, page: int) -> Sequence[Any]:
    return rows[(page - 1) * limit : page * limit]


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise WrongUse(
            "不知道是谁：请用 --by 写明。 Nobody is logged in: say who, with --by."
        ) from error


def _line(_context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    if text is None:
        return None
    longest = _LONGEST[str(parameter.name)]
    if not text.strip() or not text.isprintable() or len(text) > longest:
        raise click.BadParameter(
            f"应为一行文字，不超过 {longest} 字。 One line of at most {longest} characters."
        )
    return text.strip()


def _day(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise click.BadParameter("日期应为 YYYY-MM-DD。 A day is YYYY-MM-DD.")
    return text
