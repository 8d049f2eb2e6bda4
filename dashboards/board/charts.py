"""Charts as shapes: figures in, rectangles out, which a template draws as SVG.

Pure. Lengths are in the chart's own units; no colour, no text but what it was given. Invariant:
what a chart shows stands in a table too, for those who can't see it.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import squarify

BARS = (720, 160)
TREEMAP = (720, 360)
_GAP = 0.15
_CELL = (26, 22)
_SMALLEST_LABEL = (56, 30)


class Bar(NamedTuple):
    """A bar of figure `value`, standing on the ground line or hanging below it."""

    x: float
    y: float
    width: float
    height: float
    label: str
    value: int


class Tile(NamedTuple):
    """A unit's share of the whole, `has_room` for its name; `code` None where it has none."""

    x: float
    y: float
    width: float
    height: float
    code: str | None
    label: str
    value: int
    has_room: bool


class Hour(NamedTuple):
    """One hour of the week (weekday 0 is Monday), `share` of the busiest, 0 to 1."""

    x: int
    y: int
    weekday: int
    hour: int
    value: int
    share: float


def bars(figures: Sequence[tuple[str, int]]) -> list[Bar]:
    """A bar for each label, the largest as high as the chart."""
    if not figures:
        return []
    width, height = BARS
    step = width / len(figures)
    most = max(1, *(value for _, value in figures))
    found = []
    for place, (label, value) in enumerate(figures):
        high = round(max(value, 0) / most * (height - 4), 2)
        x = round(place * step + step * _GAP / 2, 2)
        found.append(
            Bar(x, round(height - high, 2), round(step * (1 - _GAP), 2), high, label, value)
        )
    return found


def treemap(figures: Sequence[tuple[str | None, str, int]]) -> list[Tile]:
    """Tiles of (code, label, value), the largest first; what isn't above zero has none."""
    shown = sorted((one for one in figures if one[2] > 0), key=lambda one: -one[2])
    if not shown:
        return []
    sizes = squarify.normalize_sizes([value for _, _, value in shown], *TREEMAP)
    tiles = squarify.squarify(sizes, 0, 0, *TREEMAP)
    return [_tile(tile, *one) for tile, one in zip(tiles, shown, strict=True)]


def week(sessions: Mapping[tuple[int, int], int]) -> list[Hour]:
    """A cell for each hour of the week."""
    most = max(1, *sessions.values()) if sessions else 1
    return [
        Hour(
            hour * _CELL[0],
            weekday * _CELL[1],
            weekday,
            hour,
            (value := max(0, sessions.get((weekday, hour), 0))),
            round(value / most, 3),
        )
        for weekday in range(7)
        for hour in range(24)
    ]


def _tile(tile: Mapping[str, float], code: str | None, label: str, value: int) -> Tile:
    x, y, width, height = (round(tile[name], 2) for name in ("x", "y", "dx", "dy"))
    has_room = width >= _SMALLEST_LABEL[0] and height >= _SMALLEST_LABEL[1]
    return Tile(x, y, width, height, code, label, value, has_room)
