"""Canonical taps, and a tally of the hours they are worth that knows nothing of our settling."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

ZONE = timedelta(hours=8)


def tap(
    kind: str, volunteer: str, at: datetime, id: str, source: str = "/kiosks/1", **data: str
) -> dict[str, Any]:
    """A check-in (`team`, `place` in data) or a check-out, as the JSON of a CloudEvent."""
    return {
        "specversion": "1.0",
        "type": f"hours.checked-{kind}.v1",
        "source": source,
        "id": id,
        "subject": volunteer,
        "time": at.isoformat(),
        "data": data,
    }


class Load:
    """Seeded sessions in the last days, one after another for each volunteer, and their worth."""

    def __init__(self, seed: int, volunteers: int = 400, now: datetime | None = None) -> None:
        self._random = random.Random(seed)
        self._clock = {
            f"V{number:04}": (now or datetime.now(UTC)) - timedelta(days=10)
            for number in range(volunteers)
        }
        self._taps = 0
        self.totals: Counter[tuple[str, str]] = Counter()

    def session(self) -> list[dict[str, Any]]:
        """One session's two taps; sometimes one of them is sent twice."""
        volunteer = self._random.choice(list(self._clock))
        opened = self._clock[volunteer] + timedelta(seconds=self._random.randint(120, 900))
        seconds = self._random.randint(61, 3_000)
        closed = opened + timedelta(seconds=seconds)
        self._clock[volunteer] = closed
        team = f"team-{self._random.randrange(9)}"
        day = (opened + ZONE).date().isoformat()
        self.totals[(team, day)] += seconds
        sent = [
            tap("in", volunteer, opened, self._id(), team=team, place="place-1"),
            tap("out", volunteer, closed, self._id()),
        ]
        if self._random.random() < 0.1:
            sent.append(self._random.choice(sent))
        self._random.shuffle(sent)
        return sent

    def _id(self) -> str:
        self._taps += 1
        return f"tap-{self._taps}"
