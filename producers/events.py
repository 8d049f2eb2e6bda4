"""The event contract: four facts about volunteer hours, each a CloudEvent 1.0.

These are the models of the edge: strict (nothing is coerced), frozen, and deaf to fields they
do not know, because producers move first. They are not what settling works on, and they decide
nothing about a fact's truth: whether it is late, doubled or about an unknown tap is not theirs.
Invariant: an event that exists is well-formed; reading what it prints gives it back.
"""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    TypeAdapter,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from producers.times import EARLIEST, LATEST, RFC_3339, microseconds_of, rfc_3339_of

SPEC_VERSION: Literal["1.0"] = "1.0"

# Written out, not \s and \p{Cc}, so that Rust, Python and ECMAScript read them alike.
_CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_BLANK = r"\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\ufeff"
_INK = rf"[^{_CONTROL}{_BLANK}]"
_LINE = rf"[^{_CONTROL}]"
_PROSE = rf"(?:{_LINE}|\r?\n)"

IDENTIFIER = r"^[!-~]+$"
CODE = rf"^{_INK}(?:{_LINE}*{_INK})?$"
REASON = rf"^{_PROSE}*{_INK}{_PROSE}*$"


class _Instant:
    """RFC 3339 text in JSON, integer microseconds in Python; neither stands for the other."""

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[int], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        text = core_schema.str_schema(pattern=RFC_3339, max_length=64, strict=True)
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_after_validator_function(_instant, text),
            python_schema=core_schema.int_schema(ge=EARLIEST, le=LATEST, strict=True),
            serialization=core_schema.plain_serializer_function_ser_schema(
                rfc_3339_of, when_used="json"
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "format": "date-time", "maxLength": 64, "pattern": RFC_3339}


def _instant(text: str) -> int:
    try:
        return microseconds_of(text)
    except ValueError as error:
        raise PydanticCustomError("instant", "no such time: {why}", {"why": str(error)}) from None


def _civil_day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise PydanticCustomError("day", "no such day: {why}", {"why": str(error)}) from None
    return text


def _not_zero(seconds: int) -> int:
    if seconds == 0:
        raise PydanticCustomError("not_zero", "an adjustment of 0 seconds adjusts nothing")
    return seconds


Instant = Annotated[int, _Instant]
Identifier = Annotated[str, Field(min_length=1, max_length=128, pattern=IDENTIFIER)]
Code = Annotated[str, Field(min_length=1, max_length=128, pattern=CODE)]
Reason = Annotated[str, Field(min_length=1, max_length=1000, pattern=REASON)]
Day = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", json_schema_extra={"format": "date"}),
    AfterValidator(_civil_day),
]
AdjustedSeconds = Annotated[
    int,
    Field(ge=-86_400, le=86_400, json_schema_extra={"not": {"const": 0}}),
    AfterValidator(_not_zero),
]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _DeskData(_Value):
    """A tap supplied at a desk says by whom and why; one made at a kiosk says neither."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"supplied_by": {"type": "string"}}, "required": ["supplied_by"]},
            "then": {"properties": {"reason": {"type": "string"}}, "required": ["reason"]},
            "else": {"properties": {"reason": {"type": "null"}}},
        }
    )

    supplied_by: Code | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _supplied_with_a_reason(self) -> Self:
        if (self.supplied_by is None) != (self.reason is None):
            raise PydanticCustomError("desk", "supplied_by and reason come together or not at all")
        return self


class CheckedInData(_DeskData):
    team: Code
    place: Code
    activity: Code | None = None


class CheckedOutData(_DeskData):
    place: Code | None = None


class TapVoidedData(_Value):
    tap_source: Identifier
    tap_id: Identifier
    by: Code
    reason: Reason


class AdjustedData(_Value):
    """A change of a day's seconds; `approved_by` differs from `by`."""

    team: Code
    activity: Code | None = None
    day: Day
    seconds: AdjustedSeconds
    by: Code
    approved_by: Code
    reason: Reason

    @model_validator(mode="after")
    def _approved_by_another(self) -> Self:
        if self.by == self.approved_by:
            raise PydanticCustomError("approval", "approved_by must differ from by")
        return self


class _CloudEvent(_Value):
    """The attributes every event has. `time` is microseconds since the epoch."""

    specversion: Literal["1.0"] = SPEC_VERSION
    id: Identifier
    source: Identifier
    subject: Identifier
    time: Instant


class _TapEvent(_CloudEvent):
    """What a gateway or a board says beside the fact, as extension attributes, for the auditor.

    Not data, since how it came to be known, and who agreed, is no part of what happened.
    """

    kioskclock: Annotated[
        Instant | None,
        Field(
            description="What the kiosk's own clock read; `time` is that, corrected by what the "
            "clock was measured to be off."
        ),
    ] = None
    identifiedby: Annotated[
        Literal["badge", "number", "list"] | None,
        Field(
            description="How the kiosk knew the volunteer: a signed badge, a number that was "
            "typed, a name picked from a list."
        ),
    ] = None
    approvedby: Annotated[
        Code | None,
        Field(
            description="Who approved it, where somebody supplied it on another's behalf and a "
            "second person had to agree. An adjustment says so in its data."
        ),
    ] = None


class CheckedIn(_TapEvent):
    """A volunteer said "I am here, serving this team"."""

    type: Literal["hours.checked-in.v1"] = "hours.checked-in.v1"
    data: CheckedInData


class CheckedOut(_TapEvent):
    """A volunteer said "I am leaving"."""

    type: Literal["hours.checked-out.v1"] = "hours.checked-out.v1"
    data: CheckedOutData


class TapVoided(_TapEvent):
    """Someone took one earlier tap of this volunteer back."""

    type: Literal["hours.tap-voided.v1"] = "hours.tap-voided.v1"
    data: TapVoidedData


class Adjusted(_CloudEvent):
    """Two people, one of them approving, changed one day's seconds of a volunteer in a team."""

    type: Literal["hours.adjusted.v1"] = "hours.adjusted.v1"
    # An extension attribute, not data, since a row that moved is still the same row.
    importedfrom: Annotated[
        Code | None,
        Field(
            description="Sheet and row it was imported from, as 补录!7. No part of the content "
            "(type, time and data) by which a duplicate is known."
        ),
    ] = None
    data: AdjustedData


EXTENSIONS = frozenset({"approvedby", "identifiedby", "importedfrom", "kioskclock"})
"""Attributes that an event may have beside CloudEvents' own; no part of its content."""

Event = CheckedIn | CheckedOut | TapVoided | Adjusted
EVENT_MODELS: dict[str, type[Event]] = {
    model.model_fields["type"].default: model
    for model in (CheckedIn, CheckedOut, TapVoided, Adjusted)
}
ANY_EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Discriminator("type")])
