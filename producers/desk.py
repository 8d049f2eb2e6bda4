"""What a clerk enters on somebody's behalf: events in the clerk's own name, each with a reason.

Pure. It sends nothing and asks no roster. Invariant: each says who entered it and why, and its
source is the clerk's desk.
"""

from urllib.parse import quote

from producers.events import (
    Adjusted,
    AdjustedData,
    CheckedIn,
    CheckedInData,
    CheckedOut,
    CheckedOutData,
    TapVoided,
    TapVoidedData,
)

_PLAIN = "!$&'()*+,;=:@-._~"


def desk_of(user: str) -> str:
    """The source of what a user enters; what an identifier can't hold is percent-encoded."""
    return f"/desks/{quote(user, safe=_PLAIN)}"


def check_in(
    id_: str,
    by: str,
    volunteer: str,
    team: str,
    place: str,
    at: int,
    why: str,
    activity: str | None = None,
) -> CheckedIn:
    """Somebody came, at a time in microseconds. ValidationError where a field can't be so."""
    data = CheckedInData(team=team, place=place, activity=activity, supplied_by=by, reason=why)
    return CheckedIn(id=id_, source=desk_of(by), subject=volunteer, time=at, data=data)


def check_out(
    id_: str, by: str, volunteer: str, at: int, why: str, place: str | None = None
) -> CheckedOut:
    """Somebody left. ValidationError."""
    data = CheckedOutData(place=place, supplied_by=by, reason=why)
    return CheckedOut(id=id_, source=desk_of(by), subject=volunteer, time=at, data=data)


def void(id_: str, by: str, volunteer: str, tap: tuple[str, str], at: int, why: str) -> TapVoided:
    """A tap, by source and id, is taken back. ValidationError."""
    source, tap_id = tap
    data = TapVoidedData(tap_source=source, tap_id=tap_id, by=by, reason=why)
    return TapVoided(id=id_, source=desk_of(by), subject=volunteer, time=at, data=data)


def adjustment(
    id_: str,
    by: str,
    volunteer: str,
    team: str,
    day: str,
    seconds: int,
    approved_by: str,
    at: int,
    why: str,
    activity: str | None = None,
) -> Adjusted:
    """A day's seconds become more or fewer, as somebody else approved. ValidationError."""
    data = AdjustedData(
        team=team,
        activity=activity,
        day=day,
        seconds=seconds,
        by=by,
        approved_by=approved_by,
        reason=why,
    )
    return Adjusted(id=id_, source=desk_of(by), subject=volunteer, time=at, data=data)
