"""Stars for hours served: how many somebody has, and what is missing for the next.

Pure. The levels are those of the national measures for recognising volunteers, 100 to 1,500 hours,
unless a district sets its own.
"""

from collections.abc import Sequence
from typing import NamedTuple

USUAL_HOURS = (100, 300, 600, 1_000, 1_500)


class Stars(NamedTuple):
    """How many, of how many, and the seconds missing for one more; None: there is none more."""

    lit: int
    most: int
    missing_seconds: int | None

    def drawn(self) -> str:
        """As text."""
        return "★" * self.lit + "☆" * (self.most - self.lit)


def stars_of(seconds: int, levels_hours: Sequence[int] = USUAL_HOURS) -> Stars:
    """The stars of so many seconds; levels rise."""
    levels = [level * 3_600 for level in levels_hours]
    count = sum(seconds >= level for level in levels)
    missing = None if count == len(levels) else levels[count] - seconds
    return Stars(count, len(levels), missing)
