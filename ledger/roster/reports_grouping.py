"""What each code in an entry counts for: numbers of groups, and what people call them.

Pure values; `reports_plan` makes them of a roster and a question. An entry names a place, a team,
an activity and a day; each is looked up in `Codes`, which the database joins, and the same lookups
group the activities that were held. Invariant: every entry has one group in each dimension: codes
that the roster lacks are in UNKNOWN, what has none in NONE; so groups add up to the whole.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from ledger.roster.records import EVER
from ledger.roster.reports_question import Question
from ledger.roster.reports_tree import EVER_AFTER

NONE, UNKNOWN = 1_000_000_000, 1_000_000_001
"""Groups that come after all others: nothing is said; what is said isn't in the roster."""


class Label(NamedTuple):
    """What people call a group; no code for NONE and UNKNOWN."""

    code: str | None
    name: str


UNKNOWN_LABEL = Label(None, "未登记 unknown")
_NONE = {
    "unit": Label(None, "补录（无地点） no place"),
    "team": Label(None, "无队伍 no team"),
    "platform": Label(None, "未归类 unassigned"),
    "project": Label(None, "无项目 no project"),
    "activity": Label(None, "无活动 no activity"),
}

Numbers = tuple[int | None, ...]


class CodeRow(NamedTuple):
    """From `start` until before `stop`, a code counts for these, in the order of `Codes.gives`."""

    code: str
    start: str
    stop: str
    numbers: Numbers


@dataclass(frozen=True)
class Codes:
    """What the codes in one column of `entries` count for, in the dimensions it `gives`.

    No two rows of a code meet on a day. `only`: an entry whose code isn't here isn't counted.
    """

    column: str
    gives: tuple[str, ...]
    rows: Sequence[CodeRow]
    only: bool = False

    @cached_property
    def in_time(self) -> bool:
        """Whether what a code counts for depends on the day."""
        return any((row.start, row.stop) != (EVER, EVER_AFTER) for row in self.rows)

    def of(self, code: str, day: str) -> Numbers | None:
        """The numbers of a code on a day; None where it isn't here."""
        for row in self._by_code.get(code, ()):
            if row.start <= day < row.stop:
                return row.numbers
        return None

    @cached_property
    def _by_code(self) -> Mapping[str, Sequence[CodeRow]]:
        found: dict[str, list[CodeRow]] = defaultdict(list)
        for row in self.rows:
            found[row.code].append(row)
        return found


class Held(NamedTuple):
    """Activities held in one group of each dimension, and the people served there."""

    groups: tuple[int, ...]
    activities: int
    served: int


@dataclass(frozen=True)
class Plan:
    """All that a report needs to know of the roster.

    `parts` are the groupings to report by, each a few of the question's dimensions; `wanted` are
    the numbers that alone are counted. `held` is by part, `held_in_all` counts each activity once;
    nothing and None where people are asked about.
    """

    question: Question
    parts: Sequence[tuple[str, ...]]
    codes: Sequence[Codes]
    labels: Mapping[str, Sequence[Label]]
    wanted: Mapping[str, int] = field(default_factory=dict)
    held: Sequence[Sequence[Held]] = ()
    held_in_all: Held | None = None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The question's dimensions."""
        return tuple(one.dimension for one in self.question.by)

    @cached_property
    def dimensions(self) -> tuple[str, ...]:
        """Those that have numbers."""
        return tuple(name for name in self.names if name != "volunteer")

    def label(self, dimension: str, number: int) -> Label:
        """What a number stands for."""
        if number == UNKNOWN:
            return UNKNOWN_LABEL
        return _NONE[dimension] if number == NONE else self.labels[dimension][number]

    def groups_of(self, served: Mapping[str, str]) -> tuple[int, ...] | None:
        """The groups of what was served: its place, team, activity and day; None: not counted."""
        found: dict[str, Numbers | None] = {}
        for codes in self.codes:
            numbers = codes.of(served[codes.column], served["day"])
            if numbers is None and codes.only:
                return None
            found[codes.column] = numbers
        if any(self._number(name, found) != number for name, number in self.wanted.items()):
            return None
        return tuple([self._number(name, found) for name in self.dimensions])

    def _number(self, dimension: str, found: Mapping[str, Numbers | None]) -> int:
        """The first that is given: an activity's platform goes before its team's."""
        is_unknown = False
        for column, position in self._giving[dimension]:
            numbers = found[column]
            if numbers is None:
                is_unknown = True
            elif (number := numbers[position]) is not None:
                return number
        return UNKNOWN if is_unknown else NONE

    @cached_property
    def _giving(self) -> Mapping[str, list[tuple[str, int]]]:
        """Which columns give each dimension, and at which position of their numbers."""
        found: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for codes in self.codes:
            for position, name in enumerate(codes.gives):
                found[name].append((codes.column, position))
        return found
