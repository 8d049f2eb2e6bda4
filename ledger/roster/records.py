"""What the roster knows, one frozen value for each row of its tables.

A kind is a class; `KIND` names it and `KEY` says which fields tell its records apart. Days are ISO
dates, instants microseconds since the epoch, UTC. An end, `valid_until` or `until`, is the first
day on which it no longer holds; None: open. Names, phones and document numbers of people are not
here but in `vault`. Invariant: a record that exists is well-formed by itself; whether the codes
in it mean anything is for `checks`.
"""

from datetime import date
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

EVER = "0001-01-01"
"""The `valid_from` of what was always there."""

_CODE = r"^[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$"
_LATEST = 253_402_300_799_999_999  # the end of year 9999, in microseconds


def _civil_day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise PydanticCustomError("day", "no such day") from error
    return text


Code = Annotated[str, Field(min_length=1, max_length=128, pattern=_CODE)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=_CODE)]
Note = Annotated[str, Field(min_length=1, max_length=1000, pattern=_CODE)]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_civil_day)]
Instant = Annotated[int, Field(ge=0, le=_LATEST)]
Count = Annotated[int, Field(ge=0, le=10_000_000)]
Codes = Annotated[tuple[Code, ...], Field(max_length=1000)]

UnitKind = Literal["centre", "office", "station", "point", "post"]
TeamKind = Literal["corps", "professional", "detachment", "education", "other"]
HaveState = Literal["have", "building", "missing"]
ProjectKind = Literal["flagship", "village", "incubating"]
ProjectStatus = Literal["planned", "running", "ended"]
ActivityStatus = Literal["planned", "held", "cancelled"]
Category = Literal["training", "performance", "visit", "class", "talk", "service", "other"]
PersonStatus = Literal["active", "paused", "left", "erased"]

UNIT_LEVELS: tuple[UnitKind, ...] = ("centre", "office", "station", "point", "post")


class Record(BaseModel):
    """One row of the roster; equal records are the same row."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    KIND: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]

    @property
    def key(self) -> tuple[str, ...]:
        """What tells this record apart from others of its kind."""
        return tuple(str(getattr(self, name)) for name in self.KEY)


AnyRecord = TypeVar("AnyRecord", bound=Record)


class _Valid(Record):
    """True from `valid_from` until `valid_until`; another row of the same code may follow it."""

    valid_from: Day = EVER
    valid_until: Day | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.valid_until is not None and self.valid_until <= self.valid_from:
            raise PydanticCustomError("period", "valid_until must be after valid_from")
        return self

    def holds_on(self, day: str) -> bool:
        """Whether it is true on an ISO date."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


class Unit(_Valid):
    """A centre 中心, office 所, station 站, point 点 or post 驿站, for one period."""

    KIND: ClassVar[str] = "unit"
    KEY: ClassVar[tuple[str, ...]] = ("code", "valid_from")

    code: Code
    kind: UnitKind
    name_zh: Name
    name_en: Name | None = None
    parent: Code | None = None
    successor: Code | None = None
    """Which unit it was merged into at `valid_until`."""


class _Listed(Record):
    """One of a short list, at its place in it."""

    KEY: ClassVar[tuple[str, ...]] = ("code",)

    code: Code
    name_zh: Name
    name_en: Name | None = None
    position: Count = 0


class HaveItem(_Listed):
    """One of the things a standardised post has: an item of the "six haves" 六有."""

    KIND: ClassVar[str] = "have_item"


class Have(Record):
    """Whether a post has one item, as somebody saw it on a day."""

    KIND: ClassVar[str] = "have"
    KEY: ClassVar[tuple[str, ...]] = ("post", "item")

    post: Code
    item: Code
    state: HaveState
    day: Day
    note: Note | None = None
    checked_by: Code


class Platform(_Listed):
    """A service platform."""

    KIND: ClassVar[str] = "platform"


class Team(_Valid):
    """A corps, a team of it, or another organisation, for one period."""

    KIND: ClassVar[str] = "team"
    KEY: ClassVar[tuple[str, ...]] = ("code", "valid_from")

    code: Code
    kind: TeamKind
    name_zh: Name
    name_en: Name | None = None
    parent: Code | None = None
    unit: Code | None = None
    platforms: Codes = ()
    leaders: Codes = ()
    """Volunteer ids."""
    successor: Code | None = None


class Project(_Valid):
    """A named series of activities; each row is its status for one period."""

    KIND: ClassVar[str] = "project"
    KEY: ClassVar[tuple[str, ...]] = ("code", "valid_from")

    code: Code
    kind: ProjectKind
    name_zh: Name
    name_en: Name | None = None
    unit: Code | None = None
    status: ProjectStatus = "running"


class Activity(Record):
    """One occasion of service."""

    KIND: ClassVar[str] = "activity"
    KEY: ClassVar[tuple[str, ...]] = ("code",)

    code: Code
    title: Name
    platform: Code | None = None
    project: Code | None = None
    unit: Code
    teams: Codes
    category: Category = "other"
    planned_start: Instant | None = None
    planned_end: Instant | None = None
    held_start: Instant | None = None
    held_end: Instant | None = None
    served: Count | None = None
    capacity: Count | None = None
    status: ActivityStatus = "planned"

    @model_validator(mode="after")
    def _in_order_of_time(self) -> Self:
        for name in ("planned", "held"):
            start, end = getattr(self, f"{name}_start"), getattr(self, f"{name}_end")
            if end is not None and (start is None or end <= start):
                raise PydanticCustomError("times", f"{name}_end must be after {name}_start")
        if self.status == "held" and self.held_start is None:
            raise PydanticCustomError("times", "an activity that was held says when: held_start")
        return self


class Signup(Record):
    """A volunteer's name on an activity's list."""

    KIND: ClassVar[str] = "signup"
    KEY: ClassVar[tuple[str, ...]] = ("activity", "volunteer")

    activity: Code
    volunteer: Code
    day: Day | None = None


class Person(Record):
    """A volunteer by pseudonym. Who that is stands in the vault, under `private_version`; 0: not.

    The badge that works is the one of `badge_serial` and `badge_generation`.
    """

    KIND: ClassVar[str] = "person"
    KEY: ClassVar[tuple[str, ...]] = ("volunteer",)

    volunteer: Code
    status: PersonStatus = "active"
    consent: Day | None = None
    unit: Code | None = None
    badge_serial: Code | None = None
    badge_generation: Count = 0
    private_version: Count = 0

    @model_validator(mode="after")
    def _leaves_nothing_where_erased(self) -> Self:
        nothing = (None, None, None, 0, 0)
        left = (self.consent, self.unit, self.badge_serial)
        if self.status == "erased" and (
            (*left, self.badge_generation, self.private_version) != nothing
        ):
            raise PydanticCustomError("erased", "of somebody who was erased nothing else is kept")
        return self


class Membership(Record):
    """A volunteer in a team, for one period."""

    KIND: ClassVar[str] = "membership"
    KEY: ClassVar[tuple[str, ...]] = ("volunteer", "team", "since")

    volunteer: Code
    team: Code
    since: Day
    until: Day | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.until is not None and self.until <= self.since:
            raise PydanticCustomError("period", "until must be after since")
        return self

    def holds_on(self, day: str) -> bool:
        """Whether it is true on an ISO date."""
        return self.since <= day and (self.until is None or day < self.until)


LISTS = frozenset({"platforms", "leaders", "teams"})
"""The fields that are lists of codes."""

KINDS: dict[str, type[Record]] = {
    model.KIND: model
    for model in (
        *(Unit, HaveItem, Have, Platform, Team, Project, Activity, Person, Membership, Signup),
    )
}
"""In an order in which each kind names only those before it."""


def as_json(record: Record) -> dict[str, Any]:
    """Every field, as JSON has it."""
    return record.model_dump(mode="json")
