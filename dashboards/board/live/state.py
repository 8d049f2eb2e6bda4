"""What the board knows of the ledger at one moment, and what part of it one scope sees.

Values alone. Invariant: everything in a state was read in one snapshot of the ledger, whose heads
it names.
"""

from collections.abc import Mapping, Sequence
from heapq import merge
from itertools import islice
from typing import NamedTuple

from dashboards.board.directory import Directory
from dashboards.board.live.figures import DISTRICT, Key, Sum, Sums, total
from dashboards.board.scope import Scope


class Here(NamedTuple):
    """Somebody present: `called` is a first character and stars, empty where nobody knows."""

    volunteer: str
    called: str
    team: str
    place: str
    since: int


class Came(NamedTuple):
    """An entry of the last minutes, as a line of news."""

    at: int
    type: str
    called: str
    team: str
    place: str
    seconds: int


class Waiting(NamedTuple):
    """How many exceptions a team has at a place; of a tap that names no team, the volunteer's."""

    team: str
    place: str
    volunteer: str
    exceptions: int


class State(NamedTuple):
    """The ledger as it was read at `read_at` (microseconds); `version` grows with each change.

    `offsets` are each shard's next offset, `seqs` its size.
    """

    version: int
    read_at: int
    today: str
    directory: Directory
    offsets: Mapping[int, int]
    seqs: Mapping[int, int]
    sums: Mapping[Key, Sums]
    here: Mapping[tuple[str, str], Sequence[Here]]
    """By team and place, the longest here first: thousands may be, and few of them one scope's."""
    came: Sequence[Came]
    waiting: Sequence[Waiting]


class Seen(NamedTuple):
    """What one scope sees of a state: how many are here, and the first of them."""

    sums: Mapping[str, Sum]
    present: int
    here: Sequence[Here]
    came: Sequence[Came]
    exceptions: int


def seen(state: State, scope: Scope, most: int) -> Seen:
    """The state's part that a scope covers, with at most so many of those present."""
    keys = [DISTRICT] if scope.everything else [*scope.tops]
    groups = [group for key, group in state.here.items() if scope.covers(*key)]
    return Seen(
        total(state.sums, keys),
        sum(map(len, groups)),
        list(islice(merge(*groups, key=_since), most)),
        [one for one in state.came if scope.covers(one.team, one.place)],
        sum(one.exceptions for one in state.waiting if scope.covers_tap(*one[:3])),
    )


def _since(one: Here) -> tuple[int, str]:
    return (one.since, one.volunteer)


class Freshness(NamedTuple):
    """How far what is shown may be from what was tapped; instants in microseconds.

    `behind_since`: since when the log has held taps that the ledger has not; None: it has none,
    as far as Kafka told at `asked_at` (None: it doesn't answer). `failing_since`: since when the
    database doesn't answer.
    """

    read_at: int
    behind_since: int | None
    asked_at: int | None
    failing_since: int | None
