"""What a simulated district's desks enter: supplied check-outs, voids and adjustments.

It draws nothing. Invariant: each says who entered it and why, and an adjustment is approved by
another than the one who made it.
"""

from producers.desk import adjustment, check_out, void
from producers.events import Adjusted, CheckedOut, Event, TapVoided
from producers.simulated_activities import civil_day
from producers.simulated_days import Attendance


def supplied_check_out(attendance: Attendance, id_: str) -> CheckedOut:
    """The check-out that the volunteer forgot, at the time they left."""
    why, place = "忘记签退，按活动记录补录", attendance.activity.place.code
    return check_out(id_, _leader(attendance), attendance.volunteer, attendance.left, why, place)


def taken_back(attendance: Attendance, tap: Event, voided_at: int, id_: str) -> TapVoided:
    """Takes back a tap that the volunteer made for a wrong team."""
    named = (tap.source, tap.id)
    return void(id_, _leader(attendance), tap.subject, named, voided_at, "签到时选错队伍")


def corrected(attendance: Attendance, seconds: int, adjusted_at: int, id_: str) -> Adjusted:
    """Seconds more or less on the day of the attendance, approved by the place's office, if any."""
    activity = attendance.activity
    return adjustment(
        id_,
        _leader(attendance),
        attendance.volunteer,
        attendance.team.code,
        civil_day(attendance.arrived),
        seconds,
        activity.place.office or activity.place.code,
        adjusted_at,
        "户外服务未经终端，按活动记录更正",
        activity.code,
    )


def _leader(attendance: Attendance) -> str:
    return f"leader-{attendance.team.code}"
