"""Times as people write them in a form, in the ledger's timezone.

Pure. Invariant: what can't be a time is refused, with how one is written.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from dashboards.board.refusing import bad_request
from dashboards.board.words import Words
from ledger.policy import SECOND


def instant_in(text: str, timezone: str) -> int:
    """Microseconds of `2026-11-24T18:30`, as a browser's field writes it. Refused."""
    try:
        found = datetime.fromisoformat(text.strip().replace(" ", "T"))
        if found.tzinfo is None:
            found = found.replace(tzinfo=ZoneInfo(timezone))
        return int(found.timestamp()) * SECOND + found.microsecond
    except (ValueError, OverflowError) as error:
        raise bad_request(
            Words(
                f"时间 {text!r} 不对：如 2026-11-24T18:30。",
                f"{text!r} is no time like 2026-11-24T18:30.",
            )
        ) from error


def field_of(instant: int, timezone: str) -> str:
    """An instant as a browser's field takes it."""
    return datetime.fromtimestamp(instant // SECOND, ZoneInfo(timezone)).strftime("%Y-%m-%dT%H:%M")


def exact_field_of(instant: int, timezone: str) -> str:
    """The same to the microsecond, for a time that nobody types."""
    local = datetime.fromtimestamp(instant // SECOND, ZoneInfo(timezone))
    exact = local.replace(microsecond=instant % SECOND, tzinfo=None)
    return exact.isoformat(timespec="microseconds")


def day_in(text: str) -> str:
    """An ISO date. Refused."""
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError as error:
        raise bad_request(
            Words(f"日期 {text!r} 不对：如 2026-11-24。", f"{text!r} is no date like 2026-11-24.")
        ) from error
