"""What a certificate states: hours that count, from a proven record alone. Pure.

A session counts from its latest credit on, until it is reversed; adjustments count on their day.
Rounding and a day's cap are the issuer's reporting policy: they are stated beside the ledger's own
seconds, and never touch them. Whoever verifies computes the statement again and compares its bytes.
"""

from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import from_json

from ledger.entries import canonical
from ledger.evidence.records import ProvenRecord
from ledger.policy import Policy, known_zone, microseconds_of

_HOUR = 3_600
_STEPS = {"none": 1, "half-hour": _HOUR // 2, "hour": _HOUR}
_Count = Annotated[int, Field(ge=0, lt=1 << 53)]
_Signed = Annotated[int, Field(gt=-(1 << 53), lt=1 << 53)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class ReportingPolicy(_Part):
    """How seconds become the hours that are certified: each day capped, then rounded down."""

    day_cap_hours: Annotated[int, Field(ge=0, le=24)] = 0
    rounding: Literal["none", "half-hour", "hour"] = "none"

    def reported(self, seconds: int) -> int:
        """The seconds of one day that are certified; no cap where it is 0."""
        capped = min(seconds, self.day_cap_hours * _HOUR) if self.day_cap_hours else seconds
        return max(0, capped) // _STEPS[self.rounding] * _STEPS[self.rounding]


class Served(_Part):
    """What was served in one team and activity."""

    activity: str
    seconds: _Signed
    sessions: _Count
    team: str


class Statement(_Part):
    """What is certified of a volunteer; `identity` binds the name on paper without saying it."""

    adjustments: _Count
    certified_seconds: _Count
    first_day: str
    identity: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    last_day: str
    ledger: str
    ledger_seconds: _Signed
    moment: str
    number: Annotated[str, Field(min_length=1, max_length=64)]
    policy: ReportingPolicy
    served: list[Served]
    sessions: _Count
    taken_back: _Count
    timezone: Annotated[str, AfterValidator(known_zone)]
    v: Literal[1] = 1
    volunteer: str

    @property
    def body(self) -> bytes:
        """The bytes whose hash stands in the district's log."""
        return canonical(self.model_dump())

    @property
    def hash(self) -> str:
        """SHA-256 of them, in hexadecimal."""
        return sha256(self.body).hexdigest()


class Identity(_Part):
    """Whom the paper names; `salt` keeps the hash from being guessed from a list of names."""

    document: str
    document_type: str
    name: str
    salt: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]

    @property
    def hash(self) -> str:
        """What stands in the statement."""
        return sha256(canonical(self.model_dump())).hexdigest()


class Counted(NamedTuple):
    """One thing that counts: a session or an adjustment."""

    day: str
    team: str
    activity: str
    seconds: int
    is_session: bool


class Standing(NamedTuple):
    """What stands of a volunteer's entries, as JSON values, in order."""

    credits: list[dict[str, Any]]
    adjustments: list[dict[str, Any]]
    taken_back: int
    """How many sessions were credited and no longer count."""


def standing(bodies: Iterable[bytes]) -> Standing:
    """What counts: a session's latest credit unless it was reversed, and every adjustment."""
    sessions: dict[tuple[str, str], dict[str, Any]] = {}
    adjustments, taken_back = list[dict[str, Any]](), 0
    for body in bodies:
        entry = from_json(body)
        if entry["type"] == "adjustment":
            adjustments.append(entry)
            continue
        # A session's name may come again, days later: it is told by its name and its beginning.
        session = entry["session"], entry["opened_at"]
        if entry["type"] == "credit":
            sessions[session] = entry
        elif sessions.pop(session, None) is not None:
            taken_back += 1
    return Standing(list(sessions.values()), adjustments, taken_back)


def counted(stands: Standing, policy: Policy) -> list[Counted]:
    """Sessions by the civil day they began on, adjustments by the day they name."""
    return [
        *(_credited(entry, policy) for entry in stands.credits),
        *map(_adjusted, stands.adjustments),
    ]


def statement_of(
    proven: ProvenRecord,
    number: str,
    identity: Identity,
    policy: Policy,
    reporting: ReportingPolicy,
) -> Statement:
    """The statement that a whole record gives. ValueError where the record isn't whole."""
    if not proven.is_whole:
        raise ValueError("a certificate needs a whole record: something may have been left out")
    stands = standing(proven.bodies)
    counts = counted(stands, policy)
    by_day: dict[str, int] = defaultdict(int)
    by_place: dict[tuple[str, str], list[Counted]] = defaultdict(list)
    for one in counts:
        by_day[one.day] += one.seconds
        by_place[one.team, one.activity].append(one)
    days = sorted(by_day)
    return Statement(
        adjustments=len(stands.adjustments),
        certified_seconds=sum(map(reporting.reported, by_day.values())),
        first_day=days[0] if days else "",
        identity=identity.hash,
        last_day=days[-1] if days else "",
        ledger=proven.moment.ledger,
        ledger_seconds=sum(by_day.values()),
        moment=proven.moment.at,
        number=number,
        policy=reporting,
        served=[
            Served(
                activity=activity,
                seconds=sum(one.seconds for one in theirs),
                sessions=sum(one.is_session for one in theirs),
                team=team,
            )
            for (team, activity), theirs in sorted(by_place.items())
        ],
        sessions=len(stands.credits),
        taken_back=stands.taken_back,
        timezone=policy.timezone,
        volunteer=proven.volunteer,
    )


def _credited(entry: dict[str, Any], policy: Policy) -> Counted:
    day = policy.civil_day(microseconds_of(entry["opened_at"]))
    return Counted(day, entry["team"], entry.get("activity", ""), entry["seconds"], True)


def _adjusted(entry: dict[str, Any]) -> Counted:
    return Counted(entry["day"], entry["team"], entry.get("activity", ""), entry["seconds"], False)
