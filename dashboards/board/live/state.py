"""What the board knows of the ledger at one moment, and what part of it one scope sees.

Values alone. Invariant: everything in a state was read in one snapshot of the ledger, whose heads
it names.
"""

from collections.abc import Mapping, Sequence
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
    here: Sequence[Here]
    came: Sequence[Came]
    waiting: Sequence[Waiting]


class Seen(NamedTuple):
    """What one scope sees of a state."""

    sums: Mapping[str, Sum]
    here: Sequence[Here]
    came: Sequence[Came]
    exceptions: int


def seen(state: State, scope: Scope) -> Seen:
    """The state's part that a scope covers."""
    keys = [DISTRICT] if scope.everything else [*scope.tops]
    return Seen(
        total(state.sums, keys),
        [one for one in state.here if scope.covers(one.team, one.place)],
        [one for one in state.came if scope.covers(one.team, one.place)],
        sum(one.exceptions for one in state.waiting if scope.covers_tap(*one[:3])),
    )


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
