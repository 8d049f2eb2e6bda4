"""What somebody types at a desk, and the checks that it gets before it is anything.

Invariant: a time that passes can be settled: it is neither in the future nor beyond the horizon.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from hours.settings import Settings, WrongUse
from producers.durations import seconds_of
from producers.events import Event
from producers.kiosk.roster_cache import RosterCache
from producers.private_numbers import has_private_number
from producers.times import RFC_3339, microseconds_of
from producers.volunteer_numbers import read_number

Command = Callable[..., None]
_LOCAL = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)(:\d\d)?")
_SECOND = 1_000_000
_TYPED_FREELY = ("reason", "by", "supplied_by", "approved_by")


def desk_options(command: Command) -> Command:
    """What every deed at the desk has."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="The event and where it is, as JSON."),
        click.option("--dry-run", is_flag=True, help="Show the event, and do nothing."),
        click.option("--by", help="Who enters it (default: your login name)."),
        click.option("--why", required=True, help="Why it is entered."),
    ):
        command = option(command)
    return command


def at_option(command: Command) -> Command:
    return click.option(
        "--at",
        metavar="TIME",
        help='When, as "2026-07-01 09:30" in the ledger\'s timezone (default: now).',
    )(command)


def volunteer_of(text: str) -> str:
    """An id, or the number with its check character, as it is printed on a badge."""
    return (read_number(text) if "-" in text else None) or text


def time_of(text: str | None, settings: Settings) -> int:
    """A time in microseconds. WrongUse where it can't be read, or not be settled."""
    now = time.time_ns() // 1_000
    if text is None:
        return now
    at = _read(text, settings.timezone)
    if at > now + settings.policy.skew:
        raise WrongUse(f"{text} 还没有到。 {text} is still to come.")
    if at < now - settings.policy.horizon:
        days = settings.policy.horizon_seconds // 86_400
        raise WrongUse(
            f"{text} 已过去 {days} 天以上，不能再补签：请用 hours desk adjust 更正那天的时长。 "
            f"{text} is more than {days} days ago, too late for a tap: correct that day's hours "
            "with hours desk adjust."
        )
    return at


def seconds_given(text: str) -> int:
    """Seconds of `1.5`, `1:30`, `90分钟`, with a minus to take away. WrongUse."""
    seconds = seconds_of(text)
    if seconds is None:
        raise WrongUse(
            f"时长 {text} 读不懂：写 1.5、1:30、1小时30分 或 90分钟，减少时前面加负号。 "
            f"The hours {text} can't be read: write 1.5, 1:30 or 90分钟, with a minus to take "
            "them away."
        )
    return seconds


def refuse_private_numbers(event: Event) -> None:
    """WrongUse where something that the log would keep for ever looks like a private number."""
    said = {name: getattr(event.data, name, None) or "" for name in _TYPED_FREELY}
    for field, value in {"VOLUNTEER": event.subject, **said}.items():
        if has_private_number(value):
            raise WrongUse(
                f"{field} 像是手机号码或证件号码：账本里不能有，请删去。 {field} holds what looks "
                "like a phone or document number, which must not be in the ledger: take it out."
            )


def unknown(settings: Settings, named: Mapping[str, str | None]) -> Iterator[str]:
    """Warnings for codes (by kind: volunteer, team, unit, activity) that the roster doesn't have.

    As far as it is known on this machine; where it isn't, nothing is said.
    """
    with closing(RosterCache(settings.gateway_file)) as cache:
        told = cache.view.told
    for kind, code in named.items():
        if told and code is not None and f"{kind}/{code}" not in told:
            yield (
                f"名册里没有 {kind} {code}，照样记下。 "
                f"The roster has no {kind} {code}; it is entered all the same."
            )


def _read(text: str, timezone: str) -> int:
    try:
        if re.fullmatch(RFC_3339, text):
            return microseconds_of(text)
        parts = _LOCAL.fullmatch(text.strip())
        if parts is None:
            raise ValueError
        local = datetime.fromisoformat(f"{parts[1]}T{parts[2]}{parts[3] or ''}")
        return int(local.replace(tzinfo=ZoneInfo(timezone)).timestamp()) * _SECOND
    except ValueError as error:
        raise WrongUse(
            f"时间 {text} 读不懂：写成 2026-07-01 09:30。 "
            f"The time {text} can't be read: write it as 2026-07-01 09:30."
        ) from error
