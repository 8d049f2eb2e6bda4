"""Corrections as values: what is proposed, what became of it, and the fact it would be.

Pure. Invariant: a proposal that exists says all that its kind needs, and nothing else.
"""

from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from ledger.refusals import LedgerRefusal
from ledger.roster.records import Code, Day, Instant
from ledger.taps import Adjustment, Fact, Tap, Void

CorrectionKind = Literal["check-in", "check-out", "void", "adjustment"]
State = Literal["proposed", "approved", "sent", "settled", "refused", "declined", "withdrawn"]
OPEN: tuple[State, ...] = ("proposed", "approved", "sent")
ON_ITS_WAY: tuple[State, ...] = ("approved", "sent")
MOST_SECONDS = 86_400
"""Of one adjustment, either way: the event contract's bound."""


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("reason", "say why")
    return text.strip()


Reason = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_not_blank)]
Seconds = Annotated[int, Field(ge=-MOST_SECONDS, le=MOST_SECONDS)]


class CorrectionRefusal(LedgerRefusal):
    """A correction can't be proposed or decided so; the message says why and what to do."""


class AlreadyOpen(CorrectionRefusal):
    """Another correction of the same is open; `number` and `by` say which and whose."""

    def __init__(self, number: int, by: str) -> None:
        super().__init__(
            f"{by} 已经提出了同样的更正（第 {number} 号），还没有办完：请看那一条。 "
            f"{by} has proposed the same already (number {number}), and it is still open: "
            "look at that one."
        )
        self.number, self.by = number, by


class AlreadyDecided(CorrectionRefusal):
    """Somebody was quicker; `by` says who, `state` what became of it."""

    def __init__(self, number: int, by: str, state: State) -> None:
        chinese = {"declined": "没有批准", "withdrawn": "撤回了"}.get(state, "批准了")
        super().__init__(
            f"{by} 已经先{chinese}第 {number} 号更正：您的操作没有生效。 "
            f"{by} was quicker with number {number} ({state}): what you did has no effect."
        )
        self.number, self.by, self.state = number, by, state


class SamePerson(CorrectionRefusal):
    """Who proposed something may not approve it."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"第 {number} 号更正是您自己提的：要由另一个人批准。 "
            f"You proposed number {number} yourself: somebody else must approve it."
        )


class Proposal(BaseModel):
    """What somebody wants put right. Instants are microseconds since the epoch, UTC.

    `tap_source` and `tap_id` name the half that a supplied tap heals, if any, or the tap that a
    void takes back. `place` of a check-out may be left out. `undoes` is another correction.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: CorrectionKind
    volunteer: Code
    tap_source: Code | None = None
    tap_id: Code | None = None
    team: Code | None = None
    place: Code | None = None
    activity: Code | None = None
    occurred_at: Instant | None = None
    day: Day | None = None
    seconds: Seconds = 0
    reason: Reason
    undoes: int | None = None

    @model_validator(mode="after")
    def _says_what_its_kind_needs(self) -> Self:
        needed = {
            "check-in": ("team", "place", "occurred_at"),
            "check-out": ("occurred_at",),
            "void": ("tap_source", "tap_id"),
            "adjustment": ("team", "day", "seconds"),
        }[self.kind]
        for name in needed:
            if not getattr(self, name):
                raise PydanticCustomError("missing", "{name} is missing", {"name": name})
        if (self.tap_source is None) != (self.tap_id is None):
            raise PydanticCustomError("tap", "a tap is named by its source and its id")
        return self

    @property
    def open_for(self) -> str:
        """What no other open correction may be about."""
        if self.tap_id is not None:
            about: tuple[object, ...] = ("tap", self.tap_source, self.tap_id)
        elif self.kind == "adjustment":
            about = ("day", self.team, self.day)
        else:
            about = (self.kind, self.occurred_at)
        return "\x1f".join(map(str, (self.volunteer, *about)))


class Correction(NamedTuple):
    """A proposal with what became of it; absent codes are empty."""

    number: int
    kind: CorrectionKind
    volunteer: str
    tap_source: str
    tap_id: str
    team: str
    place: str
    activity: str
    occurred_at: int | None
    day: str
    seconds: int
    reason: str
    batch: int | None
    undoes: int | None
    proposed_by: str
    proposed_at: int
    state: State
    decided_by: str | None
    decided_at: int | None
    event: str | None
    log_partition: int | None
    log_offset: int | None
    outcome: str | None


class Step(NamedTuple):
    """Something that happened to a correction: its state from then on, when, by whom, why."""

    correction: int
    position: int
    state: State
    at: int
    by: str
    why: str


def fact_of(proposal: Proposal, source: str, id: str, by: str, approved_by: str, at: int) -> Fact:
    """What settling is given if it is approved at an instant: the event's plain value."""
    if proposal.kind == "void":
        named = (str(proposal.tap_source), str(proposal.tap_id))
        return Void(proposal.volunteer, at, source, id, *named, by, proposal.reason)
    if proposal.kind == "adjustment":
        about = (str(proposal.team), proposal.activity, str(proposal.day), proposal.seconds)
        why = (by, approved_by, proposal.reason)
        return Adjustment(proposal.volunteer, at, source, id, *about, *why)
    is_in = proposal.kind == "check-in"
    return Tap.of(
        proposal.volunteer,
        "in" if is_in else "out",
        int(proposal.occurred_at or 0),
        source,
        id,
        team=proposal.team if is_in else None,
        place=proposal.place,
        activity=proposal.activity if is_in else None,
        supplied_by=by,
        reason=proposal.reason,
    )


def proposal_of(correction: Correction) -> Proposal:
    """What was proposed."""
    return Proposal(
        kind=correction.kind,
        volunteer=correction.volunteer,
        tap_source=correction.tap_source or None,
        tap_id=correction.tap_id or None,
        team=correction.team or None,
        place=correction.place or None,
        activity=correction.activity or None,
        occurred_at=correction.occurred_at,
        day=correction.day or None,
        seconds=correction.seconds,
        reason=correction.reason,
        undoes=correction.undoes,
    )
