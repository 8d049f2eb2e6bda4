"""The plain values that settling takes: a tap, a void, an adjustment, a refusal, and their record.

Nothing here knows Kafka, JSON or a database. Times are integers: microseconds since the Unix
epoch, UTC. `streams` makes these values from the events on the log.
"""

from functools import lru_cache
from sys import intern
from typing import Literal, NamedTuple

Kind = Literal["in", "out"]


class TapData(NamedTuple):
    """What a tap says beside who, when and under which identity.

    `place` may be None only on a check-out; `team` and `activity` are None on every check-out,
    because a session's team, place and activity are its check-in's.
    """

    kind: Kind
    team: str | None = None
    place: str | None = None
    activity: str | None = None
    supplied_by: str | None = None
    reason: str | None = None


class Tap(NamedTuple):
    """A check-in or a check-out of one volunteer.

    A window holds millions: what many taps say alike is one `data`, shared between them.
    """

    volunteer: str
    source: str
    id: str
    occurred_at: int
    data: TapData

    @classmethod
    def of(
        cls,
        volunteer: str,
        kind: Kind,
        occurred_at: int,
        source: str,
        id: str,
        team: str | None = None,
        place: str | None = None,
        activity: str | None = None,
        supplied_by: str | None = None,
        reason: str | None = None,
    ) -> "Tap":
        """A tap with its data given one by one; what can be shared is."""
        data = shared_data(kind, team, place, activity, supplied_by, reason)
        return cls.saying(data, volunteer, occurred_at, source, id)

    @classmethod
    def saying(cls, data: TapData, volunteer: str, occurred_at: int, source: str, id: str) -> "Tap":
        """A tap whose data is shared already."""
        return cls(intern(volunteer), intern(source), id, occurred_at, data)

    @property
    def kind(self) -> Kind:
        return self.data.kind

    @property
    def team(self) -> str | None:
        return self.data.team

    @property
    def place(self) -> str | None:
        return self.data.place

    @property
    def activity(self) -> str | None:
        return self.data.activity


@lru_cache(maxsize=1 << 14)
def shared_data(kind: Kind, *data: str | None) -> TapData:
    """The one `TapData` of these words."""
    return TapData(kind, *data)


class Void(NamedTuple):
    """Takes one earlier tap of the same volunteer out of the set."""

    volunteer: str
    occurred_at: int
    source: str
    id: str
    tap_source: str
    tap_id: str
    by: str
    reason: str


class Adjustment(NamedTuple):
    """Seconds added to (or, negative, taken from) one civil day of a volunteer in a team."""

    volunteer: str
    occurred_at: int
    source: str
    id: str
    team: str
    activity: str | None
    day: str
    seconds: int
    by: str
    approved_by: str
    reason: str


class Refusal(NamedTuple):
    """Why a record is rejected: an enumerated reason, and a sentence that says what to do."""

    reason: str
    detail: str


Fact = Tap | Void | Adjustment


class Record(NamedTuple):
    """One record of the log, read: where it stood, when the broker took it, what it says."""

    offset: int
    recorded_at: int
    content: Fact | Refusal
