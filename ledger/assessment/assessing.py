"""An assessment: figures measured, scored and ranked by kind; and the same as JSON, to be frozen.

Invariant: what is shown of a frozen assessment is what stands in its JSON, and nothing that was
worked out anew.
"""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from sqlalchemy import Connection

from ledger.assessment.indicators import NOBODY, Measured, measure
from ledger.assessment.scheme import KINDS, Kind, Scheme
from ledger.assessment.scoring import Score, ranking
from ledger.policy import Policy


class Assessment(NamedTuple):
    """Figures, and the ranking of each kind; what belongs to nobody is measured, not ranked."""

    scheme: Scheme
    measured: Measured
    rankings: Mapping[Kind, list[Score]]


def assess(
    connection: Connection,
    scheme: Scheme,
    first: str,
    last: str,
    policy: Policy,
    today: str,
    now: int,
) -> Assessment:
    """Assess the days from `first` to `last`, within `queries.reading`."""
    found = measure(connection, first, last, policy, today, now)
    days = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    rankings: dict[Kind, list[Score]] = {}
    for kind in KINDS:
        standing = found.standing[kind]
        known = {code: one for code, one in found.figures[kind].items() if code in standing}
        rankings[kind] = ranking(known, kind, scheme, days)
    return Assessment(scheme, found, rankings)


def as_json(one: Assessment) -> dict[str, Any]:
    """All that is shown of it: numbers as decimal text, exact to four places."""
    found = one.measured
    nobody = {
        kind: _text(found.figures[kind].get(NOBODY, {}).get("hours") or Fraction(0))
        for kind in KINDS
    }
    return {
        "first": found.first,
        "last": found.last,
        "seconds": found.seconds,
        "sessions": found.sessions,
        "unassigned_hours": nobody,
        "scheme": one.scheme.model_dump(mode="json"),
        "rankings": {
            kind: [_score(score, found.names) for score in scores]
            for kind, scores in one.rankings.items()
        },
    }


def _score(score: Score, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "code": score.code,
        "name": names.get(score.code, score.code),
        "rank": score.rank,
        "score": f"{score.hundredths // 100}.{score.hundredths % 100:02}",
        "points": [
            {
                "indicator": one.indicator,
                "figure": None if one.figure is None else _text(one.figure),
                "target": None if one.target is None else _text(one.target),
                "weight": _text(one.weight),
                "points": None if one.points is None else _text(one.points),
            }
            for one in score.points
        ],
    }


def _text(number: Fraction) -> str:
    """A decimal with up to four places, rounded half to even."""
    scaled = round(number * 10_000)
    sign, scaled = ("-" if scaled < 0 else ""), abs(scaled)
    whole, rest = divmod(scaled, 10_000)
    return f"{sign}{whole}.{rest:04}".rstrip("0").rstrip(".")
