"""Periods that people look at: a day, week, month, year or any days; and the one before.

Pure. Days are ISO dates, both ends included.
"""

from datetime import date, timedelta
from typing import NamedTuple

from dashboards.board.words import first_days

_MOST_DAYS = 3_700


class Period(NamedTuple):
    """From `first` to `last`; `name` where it has one."""

    name: str
    first: str
    last: str

    @property
    def days(self) -> int:
        """How many days it has."""
        return (date.fromisoformat(self.last) - date.fromisoformat(self.first)).days + 1

    def before(self) -> "Period":
        """As many days, right before it."""
        first = date.fromisoformat(self.first)
        length = timedelta(days=self.days)
        return Period("", (first - length).isoformat(), (first - timedelta(days=1)).isoformat())


def period(name: str, first: str | None, last: str | None, today: str) -> Period:
    """The period that was asked for: days, or a name (`day`, `week`, `month`, `year`)."""
    if first and last:
        start, stop = sorted((first, last))
        earliest = date.fromisoformat(stop) - timedelta(days=_MOST_DAYS)
        return Period("", max(start, earliest.isoformat()), stop)
    known = name if name in ("day", "week", "month", "year") else "month"
    return Period(known, first_days(today)[known], today)
