"""Where a code stands among units or teams: its row on a day, and the line of rows above it.

Pure. A code may have several rows, one for each period, and be merged into a successor. A day
outside all its periods is answered by the nearest row: hours that a kiosk went on sending after a
merger belong somewhere. Invariant: every known code stands somewhere on every day, and
`spans` are days without a gap or an overlap.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Generic, NamedTuple, TypeVar

from ledger.roster.records import EVER, UNIT_LEVELS, Team, Unit, UnitKind

Row = TypeVar("Row", Unit, Team)

EVER_AFTER = "9999-99-99"
"""A day after all days."""


class Span(NamedTuple, Generic[Row]):
    """From `start` until the day before `stop`, the line of a code is this one, lowest first."""

    start: str
    stop: str
    line: tuple[Row, ...]


class Tree(Generic[Row]):
    """Rows of units, or of teams, by code, each code's oldest first."""

    def __init__(self, rows: Mapping[str, Sequence[Row]]) -> None:
        self._rows: Mapping[str, Sequence[Row]] = rows

    def spans(self, code: str, today: str | None) -> list[Span[Row]]:
        """The lines of a code over all days: one, as of `today`, or as they were on each day."""
        if today is not None:
            return [Span(EVER, EVER_AFTER, self.line(code, today))]
        turns = [EVER, *sorted(self._turning_days(code) - {EVER}), EVER_AFTER]
        return [Span(start, stop, self.line(code, start)) for start, stop in pairwise(turns)]

    def line(self, code: str, day: str) -> tuple[Row, ...]:
        """A code's row on a day, then its parent's, up to the top; empty for an unknown code."""
        found: dict[str, Row] = {}
        row = self.standing(code, day)
        while row is not None and row.code not in found:
            found[row.code] = row
            row = self.standing(row.parent, day)
        return tuple(found.values())

    def standing(self, code: str | None, day: str) -> Row | None:
        """The row that counts for a code on a day: its own, or that of what it was merged into."""
        passed: set[str] = set()
        row = self._nearest(code, day)
        while row is not None and row.successor in self._rows and _is_over(row, day):
            passed.add(row.code)
            if row.successor in passed:
                return row
            row = self._nearest(row.successor, day)
        return row

    def _nearest(self, code: str | None, day: str) -> Row | None:
        rows = self._rows.get(code or "", ())
        holding = (row for row in rows if row.holds_on(day))
        ended = (row for row in reversed(rows) if _is_over(row, day))
        return next(holding, None) or next(ended, None) or next(iter(rows), None)

    def _turning_days(self, code: str) -> set[str]:
        """The days on which a row begins or ends that could matter to the code's line."""
        codes = set(self._reachable(code))
        rows = [row for one in codes for row in self._rows.get(one, ())]
        return {day for row in rows for day in (row.valid_from, row.valid_until) if day is not None}

    def _reachable(self, code: str) -> Iterator[str]:
        seen, waiting = set(), [code]
        while waiting:
            one = waiting.pop()
            if one in seen:
                continue
            seen.add(one)
            yield one
            for row in self._rows.get(one, ()):
                waiting += [other for other in (row.parent, row.successor) if other is not None]


def unit_at(line: Sequence[Unit], level: UnitKind) -> Unit:
    """The unit of a line that a level rolls up to.

    It is the lowest that stands no lower than the level: what is served at an office itself stays
    the office's when stations are asked for. A line that ends below the level gives its top.
    """
    wanted = UNIT_LEVELS.index(level)
    return next((unit for unit in line if UNIT_LEVELS.index(unit.kind) <= wanted), line[-1])


def corps_of(line: Sequence[Team]) -> Team:
    """The corps a team belongs to; without one, the team at the top."""
    return next((team for team in line if team.kind == "corps"), line[-1])


def _is_over(row: Unit | Team, day: str) -> bool:
    return row.valid_until is not None and row.valid_until <= day
