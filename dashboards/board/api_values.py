"""What the API says and takes, as JSON: its stable part, read by other people's programs.

Times are RFC 3339, UTC; days are civil days of the ledger; hours are whole seconds.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")


class Refusal(BaseModel):
    """Why it was not done: a stable word, and what to tell people."""

    reason: str
    what: str


class _Value(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Page(_Value, Generic[Item]):
    """Some of a list; `next` is where the rest begins, null where there is none."""

    items: Sequence[Item]
    next: str | None


class Me(_Value):
    name: str
    role: str
    teams: Sequence[str]
    units: Sequence[str]


class PeriodSum(_Value):
    seconds: int
    sessions: int


class Live(_Value):
    """Figures as of `offsets`: each shard's next offset in the log of taps."""

    read_at: str
    today: str
    offsets: dict[str, int]
    sums: dict[str, PeriodSum]
    present: int
    exceptions: int


class PresentPerson(_Value):
    volunteer: str
    team: str
    place: str
    since: str


class ExceptionItem(_Value):
    volunteer: str
    source: str
    id: str
    kind: str
    occurred_at: str
    team: str | None
    place: str | None
    reason: str


class Entry(_Value):
    shard: int
    seq: int
    type: str
    volunteer: str
    team: str
    place: str
    activity: str
    day: str
    seconds: int
    opened_at: str | None
    closed_at: str | None
    reason: str | None


class ReportLine(_Value):
    code: str | None
    name: str
    seconds: int
    sessions: int
    volunteers: int
    activities: int | None
    served: int | None


class ReportAnswer(_Value):
    first: str
    last: str
    by: str
    seconds: int
    sessions: int
    volunteers: int
    rows: Sequence[ReportLine]


class Unit(_Value):
    code: str
    kind: str
    name_zh: str
    name_en: str | None
    parent: str | None


class Team(Unit):
    unit: str | None


class ActivityItem(_Value):
    code: str
    title: str
    unit: str
    start: str
    end: str | None
    status: str
    served: int | None


class CorrectionItem(_Value):
    number: int
    kind: str
    volunteer: str
    team: str
    place: str
    occurred_at: str | None
    day: str
    seconds: int
    reason: str
    state: str
    proposed_by: str
    proposed_at: str
    decided_by: str | None
    outcome: str | None


class Decision(BaseModel):
    """What somebody decided; `why` may be empty."""

    model_config = ConfigDict(extra="forbid")

    approve: bool
    why: Annotated[str, Field(max_length=500)] = ""


class Made(_Value):
    number: int


class AssessmentItem(_Value):
    number: int
    first: str
    last: str
    published_at: str
    published_by: str


class AssessmentWhole(AssessmentItem):
    """With all figures and scores as they were frozen, and each shard's size and root."""

    heads: dict[str, Any]
    body: dict[str, Any]
    later_entries: int
    later_seconds: int
