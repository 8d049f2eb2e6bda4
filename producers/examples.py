"""One canonical event of each type: for the contract's documents, and for tests to start from."""

from typing import Any

from producers.events import (
    Adjusted,
    AdjustedData,
    CheckedIn,
    CheckedInData,
    CheckedOut,
    CheckedOutData,
    Event,
    TapVoided,
    TapVoidedData,
)
from producers.times import microseconds_of

_HERE: dict[str, Any] = {
    "source": "/kiosks/station-03",
    "subject": "V7K2M9QXTA1",
    "time": microseconds_of("2026-03-05T01:30:00Z"),
}
_AT_A_DESK: dict[str, Any] = _HERE | {"source": "/desks/leader-12"}
EXAMPLES: tuple[Event, ...] = (
    CheckedIn(id="tap-1", data=CheckedInData(team="合唱队", place="station-03"), **_HERE),
    CheckedOut(
        id="tap-2",
        data=CheckedOutData(supplied_by="leader-12", reason="忘记签退"),
        **_AT_A_DESK,
    ),
    TapVoided(
        id="void-1",
        data=TapVoidedData(
            tap_source="/kiosks/station-03", tap_id="tap-1", by="leader-12", reason="误刷"
        ),
        **_AT_A_DESK,
    ),
    Adjusted(
        id="adjustment-1",
        data=AdjustedData(
            team="合唱队",
            day="2026-02-05",
            seconds=5_400,
            by="leader-12",
            approved_by="leader-07",
            reason="签到机停电",
        ),
        **_AT_A_DESK,
    ),
)
