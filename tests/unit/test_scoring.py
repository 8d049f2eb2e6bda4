"""Scores: between 0 and 100, never lower for a better figure, equal ones with an equal rank."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ledger.assessment.scheme import (
    BY_TIME,
    INDICATORS,
    LESS_IS_BETTER,
    Indicator,
    Measure,
    Scheme,
    seed_scheme,
)
from ledger.assessment.scoring import point, ranking

figures = st.none() | st.fractions(0, 10**6, max_denominator=3_600)
many = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d", "e"]),
    st.fixed_dictionaries(dict.fromkeys(INDICATORS, figures)),
    min_size=1,
)
schemes = st.builds(
    lambda weights, targets: Scheme(
        measures=tuple(
            Measure(indicator=name, weight=weight, targets={"office": target})
            for name, weight, target in zip(INDICATORS, weights, targets, strict=True)
        )
    ),
    st.lists(st.integers(0, 100).map(Decimal), min_size=7, max_size=7).filter(any),
    st.lists(st.integers(0, 10**6).map(Decimal), min_size=7, max_size=7),
)


@given(many, schemes, st.integers(1, 400))
def test_every_score_is_between_nothing_and_a_hundred_and_ranked_by_it(
    found: dict[str, dict[Indicator, Fraction | None]], scheme: Scheme, days: int
) -> None:
    scores = ranking(found, "office", scheme, days)
    assert sorted(one.code for one in scores) == sorted(found)
    assert all(0 <= one.hundredths <= 10_000 for one in scores)
    for one in scores:
        better = sum(other.hundredths > one.hundredths for other in scores)
        assert one.rank == better + 1
    assert [one.rank for one in scores] == sorted(one.rank for one in scores)


@given(
    st.sampled_from(INDICATORS),
    st.fractions(0, 10**6, max_denominator=60),
    st.fractions(0, 10**6, max_denominator=60),
    st.integers(0, 10**6).map(Decimal),
)
def test_a_better_figure_never_earns_less(
    name: Indicator, one: Fraction, other: Fraction, target: Decimal
) -> None:
    worse, better = sorted((one, other), reverse=name in LESS_IS_BETTER)
    measure = Measure(indicator=name, weight=Decimal(10), targets={"team": target})
    earned = [point(figure, measure, "team", 365).points for figure in (worse, better)]
    assert earned[0] is not None
    assert earned[1] is not None
    assert 0 <= earned[0] <= earned[1] <= 10


def test_the_target_earns_all_half_of_it_half_and_exceptions_the_other_way_round() -> None:
    hours = Measure(indicator="hours", weight=Decimal(30), targets={"team": Decimal(365)})
    assert point(Fraction(10), hours, "team", 10).points == 30
    assert point(Fraction(5), hours, "team", 10).points == 15
    assert point(Fraction(5), hours, "office", 10).points is None
    assert point(None, hours, "team", 10).points is None
    assert {"hours"} <= BY_TIME
    halves = Measure(indicator="exceptions-open", weight=Decimal(5), targets={"team": Decimal(2)})
    assert [point(Fraction(n), halves, "team", 10).points for n in (0, 2, 4)] == [5, 5, 2.5]


def test_what_does_not_count_for_a_kind_leaves_the_others_their_hundred() -> None:
    scheme = seed_scheme()
    best: dict[Indicator, Fraction | None] = dict.fromkeys(INDICATORS, Fraction(10**9))
    best |= {"posts-haves": None, "exceptions-open": Fraction(0)}
    (only,) = ranking({"choir": best}, "team", scheme, 365)
    assert only.hundredths == 10_000


def test_a_scheme_names_each_indicator_once_and_weighs_something() -> None:
    one = Measure(indicator="hours", weight=Decimal(0))
    for measures in ((one, one), (one,)):
        with pytest.raises(ValidationError):
            Scheme(measures=measures)
    assert sum(measure.weight for measure in seed_scheme().measures) == 100
