"""What a kiosk's page and its gateway say to each other, as JSON: checked where it comes in.

It decides nothing about a tap. Invariant: what these models take is well-formed, bounded in size,
and says nothing of who speaks: that is known by the key alone.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from producers.events import Code, Identifier, Instant

MOST_TAPS = 500
"""In one request."""

TapId = Annotated[str, Field(pattern=r"^[0-9A-HJKMNP-TV-Z]{26}$")]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Tap(_Message):
    """What somebody did at the kiosk: in, out, or an earlier tap undone (`void`, `of`).

    `id` is a ULID, made once at the tap. `time` is when it was, by the gateway's clock as far as
    the page could tell, and never changes once it was sent; `clock` is what the kiosk's own clock
    read. `badge` is the text of the code that was scanned.
    """

    id: TapId
    kind: Literal["in", "out", "void"]
    volunteer: Identifier
    team: Code | None = None
    activity: Code | None = None
    of: TapId | None = None
    how: Literal["badge", "number", "list"]
    badge: Annotated[str, Field(max_length=4296)] | None = None
    time: Instant
    clock: Instant

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.kind == "in") != (self.team is not None):
            raise PydanticCustomError("team", "a tap in says for which team, and no other does")
        if self.kind != "in" and self.activity is not None:
            raise PydanticCustomError("activity", "only a tap in says for which activity")
        if (self.kind == "void") != (self.of is not None):
            raise PydanticCustomError("of", "a void says of which tap, and no other does")
        if (self.how == "badge") != (self.badge is not None):
            raise PydanticCustomError("badge", "who was known by a badge comes with its text")
        return self


class Report(_Message):
    """How a page is: what it still holds, and how far its clock is ahead of the gateway's.

    `offset_ms` is None where it was never measured; `persisted` is whether the browser promised not
    to evict what is stored, None where it can't say.
    """

    queued: Annotated[int, Field(ge=0)]
    oldest: Instant | None = None
    refused: Annotated[int, Field(ge=0)] = 0
    offset_ms: Annotated[int, Field(ge=-(2**53), le=2**53)] | None = None
    version: Annotated[str, Field(max_length=40)]
    persisted: bool | None = None


class Taps(_Message):
    """Taps in the order they were made, and how the page is."""

    taps: Annotated[list[Tap], Field(max_length=MOST_TAPS)]
    report: Report


class Enrolment(_Message):
    """The one-time code that an operator gave out."""

    code: Annotated[str, Field(min_length=1, max_length=64)]


class Who(_Message):
    """Whom a kiosk is about to greet: by the badge in their hand, or by a number they typed."""

    badge: Annotated[str, Field(max_length=4296)] | None = None
    volunteer: Identifier | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.badge is None) == (self.volunteer is None):
            raise PydanticCustomError("who", "either a badge or a volunteer")
        return self


class Answer(BaseModel):
    """What became of one tap: kept on disk (`accepted`), or refused, why, and what to do."""

    model_config = ConfigDict(frozen=True)

    id: str
    state: Literal["accepted", "refused"]
    reason: str | None = None
    what: str | None = None
