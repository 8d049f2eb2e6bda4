"""From figures to points and ranks.

Pure, in exact fractions; points are rounded once, to hundredths, half to even. Invariant: a score
is between 0 and 100, a better figure never lowers it, and equal scores share a rank.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import NamedTuple

from ledger.assessment.scheme import (
    BY_TIME,
    LESS_IS_BETTER,
    Indicator,
    Kind,
    Measure,
    Scheme,
)

Figures = Mapping[Indicator, Fraction | None]
"""None: it can't be told of this one, and counts for nothing."""

_YEAR_DAYS = 365
_HUNDREDTH = Decimal("0.01")


class Point(NamedTuple):
    """What one indicator earns: figure against target, `points` of `weight`; exact."""

    indicator: Indicator
    figure: Fraction | None
    target: Fraction | None
    weight: Fraction
    points: Fraction | None


class Score(NamedTuple):
    """A unit's or team's place: `hundredths` of a point, 0 to 10,000."""

    code: str
    rank: int
    hundredths: int
    points: Sequence[Point]


def ranking(figures: Mapping[str, Figures], kind: Kind, scheme: Scheme, days: int) -> list[Score]:
    """All of a kind over so many days, the best first; of equal ones by code."""
    scored = []
    for code, found in figures.items():
        points = [point(found.get(one.indicator), one, kind, days) for one in scheme.measures]
        scored.append((code, _hundredths(points), points))
    scored.sort(key=lambda one: (-one[1], one[0]))
    totals = [total for _, total, _ in scored]
    return [Score(code, totals.index(total) + 1, total, parts) for code, total, parts in scored]


def point(figure: Fraction | None, measure: Measure, kind: Kind, days: int) -> Point:
    """What a figure earns by a measure."""
    name, weight = measure.indicator, Fraction(measure.weight)
    given = measure.targets.get(kind)
    if given is None or figure is None:
        return Point(name, figure, None, Fraction(0), None)
    target = Fraction(given)
    if name in BY_TIME:
        target = target * days / _YEAR_DAYS
    return Point(name, figure, target, weight, weight * _share(figure, target, name))


def _share(figure: Fraction, target: Fraction, name: Indicator) -> Fraction:
    if name in LESS_IS_BETTER:
        return Fraction(1) if figure <= target else Fraction(target, 1) / figure
    if target == 0:
        return Fraction(1)
    return max(Fraction(0), min(Fraction(1), figure / target))


def _hundredths(points: Sequence[Point]) -> int:
    weight = sum((one.weight for one in points), Fraction(0))
    if not weight:
        return 0
    earned = sum((one.points for one in points if one.points is not None), Fraction(0))
    exact = earned * 100 / weight
    rounded = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(
        _HUNDREDTH, ROUND_HALF_EVEN
    )
    return int(rounded * 100)
