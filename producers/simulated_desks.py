"""What a simulated district's desks enter: supplied check-outs, voids and adjustments.

It draws nothing. Invariant: each says who entered it and why, and an adjustment is approved by
another than the one who made it.
"""

from producers.events import (
    Adjusted,
    AdjustedData,
    CheckedOut,
    CheckedOutData,
    Event,
    TapVoided,
    TapVoidedData,
)
from producers.simulated_activities import civil_day
from producers.simulated_days import Attendance


def supplied_check_out(attendance: Attendance, id_: str) -> CheckedOut:
    """The check-out that the volunteer forgot, at the time they left."""
    data = CheckedOutData(
        place=attendance.activity.place.code,
        supplied_by=_leader(attendance),
        reason="忘记签退，按活动记录补录",
    )
    return CheckedOut(
        id=id_,
        source=_desk(attendance),
        subject=attendance.volunteer,
        time=attendance.left,
        data=data,
    )


def void(attendance: Attendance, tap: Event, voided_at: int, id_: str) -> TapVoided:
    """Takes back a tap that the volunteer made for a wrong team."""
    data = TapVoidedData(
        tap_source=tap.source, tap_id=tap.id, by=_leader(attendance), reason="签到时选错队伍"
    )
    return TapVoided(
        id=id_, source=_desk(attendance), subject=tap.subject, time=voided_at, data=data
    )


def adjustment(attendance: Attendance, seconds: int, adjusted_at: int, id_: str) -> Adjusted:
    """Seconds more or less on the day of the attendance, approved by the place's office, if any."""
    activity = attendance.activity
    data = AdjustedData(
        team=attendance.team.code,
        activity=activity.code,
        day=civil_day(attendance.arrived),
        seconds=seconds,
        by=_leader(attendance),
        approved_by=activity.place.office or activity.place.code,
        reason="户外服务未经终端，按活动记录更正",
    )
    return Adjusted(
        id=id_,
        source=_desk(attendance),
        subject=attendance.volunteer,
        time=adjusted_at,
        data=data,
    )


def _leader(attendance: Attendance) -> str:
    return f"leader-{attendance.team.code}"


def _desk(attendance: Attendance) -> str:
    return f"/desks/{_leader(attendance)}"
