"""Small charts over time, as points and paths for an SVG that the server draws."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Point:
    """One value: where it lies in the box, and what it is called."""

    x: float
    y: float
    words: str


@dataclass(frozen=True)
class Trend:
    """Values over time in a box of `width` x `height`; `top` is the value at its upper edge, 0 at the lower."""

    points: list[Point]
    path: str
    top: float
    width: int
    height: int


def trend_of(
    days: Sequence[date | None],
    values: Sequence[float | None],
    words: Sequence[str],
    *,
    width: int = 280,
    height: int = 96,
) -> Trend:
    """The points of a chart: by date where every value has one, else evenly; a gap where a value is missing."""
    top = round_up(max((value for value in values if value is not None), default=0.0))
    points, path, pen_down = [], [], False
    for x, value, word in zip(_places(days, width), values, words, strict=True):
        if value is None:
            pen_down = False
            continue
        y = height * (1 - value / top)
        points.append(Point(round(x, 1), round(y, 1), word))
        path.append(f"{'L' if pen_down else 'M'}{x:.1f} {y:.1f}")
        pen_down = True
    return Trend(points, "".join(path), top, width, height)


def round_up(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten at or above a value; 1 for nothing."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in (1, 2, 5) if step * power >= value * (1 - 1e-9)), 10 * power)


def _places(days: Sequence[date | None], width: int) -> list[float]:
    known = [day for day in days if day is not None]
    if known and len(known) == len(days) and max(known) > min(known):
        first, whole = min(known), (max(known) - min(known)).days
        return [width * (day - first).days / whole for day in known]
    if len(days) == 1:
        return [width / 2]
    return [width * n / (len(days) - 1) for n in range(len(days))]
