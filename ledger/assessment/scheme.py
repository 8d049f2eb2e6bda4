"""What is assessed, and how much it counts: indicators with weights, targets by kind of unit.

Pure. A target is for a year of 365 days where figures grow with time (`BY_TIME`), and counts in
proportion to the days assessed. Invariant: a scheme that exists names each indicator once.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

Indicator = Literal[
    "hours",
    "activities-held",
    "people-served",
    "active-share",
    "new-volunteers",
    "posts-haves",
    "exceptions-open",
]
Kind = Literal["office", "station", "team"]
INDICATORS: tuple[Indicator, ...] = get_args(Indicator)
KINDS: tuple[Kind, ...] = get_args(Kind)

BY_TIME: frozenset[Indicator] = frozenset(
    {"hours", "activities-held", "people-served", "new-volunteers"}
)
"""Those that are twice as large over twice as many days."""

PER_CENT: frozenset[Indicator] = frozenset({"active-share", "posts-haves"})
LESS_IS_BETTER: frozenset[Indicator] = frozenset({"exceptions-open"})
"""Of these the target is the most that still earns all points."""

Weight = Annotated[Decimal, Field(ge=0, le=1_000, max_digits=7, decimal_places=2)]
Target = Annotated[Decimal, Field(ge=0, le=1_000_000_000, max_digits=12, decimal_places=2)]


class Measure(BaseModel):
    """One indicator: its weight, and its target for each kind; none: it doesn't count for that."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    indicator: Indicator
    weight: Weight
    targets: Mapping[Kind, Target] = Field(default_factory=dict)


class Scheme(BaseModel):
    """All of them, in the order in which they are shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measures: tuple[Measure, ...]

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        names = [one.indicator for one in self.measures]
        if len(set(names)) != len(names):
            raise PydanticCustomError("twice", "an indicator comes twice")
        if not any(one.weight for one in self.measures):
            raise PydanticCustomError("weights", "all weights are 0")
        return self


def seed_scheme() -> Scheme:
    """What a district begins with, until it sets its own."""
    given: dict[Indicator, tuple[int, tuple[int | None, int | None, int | None]]] = {
        "hours": (30, (20_000, 1_000, 1_500)),
        "activities-held": (20, (600, 40, 60)),
        "people-served": (15, (40_000, 2_500, 4_000)),
        "active-share": (15, (60, 60, 70)),
        "new-volunteers": (5, (200, 12, 15)),
        "posts-haves": (10, (90, 90, None)),
        "exceptions-open": (5, (20, 2, 2)),
    }
    return Scheme(
        measures=tuple(
            Measure(
                indicator=name,
                weight=Decimal(weight),
                targets={
                    kind: Decimal(target)
                    for kind, target in zip(KINDS, targets, strict=True)
                    if target is not None
                },
            )
            for name, (weight, targets) in given.items()
        )
    )
