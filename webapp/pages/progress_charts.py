"""The charts of a campaign's progress, as points and paths for an SVG that the server draws."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from webapp.pages.charts import round_up

PACE_DAYS = 14
MOST_POINTS = 500
LONGEST_PROJECTION_DAYS = 3650


@dataclass(frozen=True)
class BurnDown:
    """Cases still to be done over days, in a box of `width` x `height`; `ahead` goes on at the pace of late.

    `pace` is in cases a day over the last PACE_DAYS days; `ends_on` is when nothing is left at that pace.
    """

    path: str
    ahead: str
    first: date
    last: date
    top: int
    left: int
    pace: float
    ends_on: date | None
    width: int
    height: int


def burn_down(total: int, done_on: Sequence[tuple[date, int]], today: date, began: date, width: int = 640) -> BurnDown:
    """The chart of `total` cases, of which so many were done on each day; it begins on the day `began`."""
    height = 150
    done_on = sorted((day, count) for day, count in done_on if day <= today)
    left = total - sum(count for _, count in done_on)
    first = min([began, *(day for day, _ in done_on[:1])])
    days = max((today - first).days, 1)
    late = sum(count for day, count in done_on if day > today - timedelta(days=PACE_DAYS))
    pace = late / min(PACE_DAYS, days)
    needed = math.ceil(left / pace) if pace and left else 0
    ends_on = today + timedelta(days=needed) if left and 0 < needed <= LONGEST_PROJECTION_DAYS else None
    # What lies ahead takes at most as much room as what was.
    shown = min(needed, days) if ends_on else 0
    across, top = days + shown, max(total, 1)

    def at(day: float, value: float) -> str:
        return f"{width * day / across:.1f} {height * (1 - value / top):.1f}"

    remaining, path = total, [f"M{at(0, total)}"]
    for day, count in done_on:
        offset = (day - first).days
        path.append(f"L{at(offset, remaining)}")
        remaining -= count
        path.append(f"L{at(offset, remaining)}")
    path.append(f"L{at(days, remaining)}")
    ahead = f"M{at(days, left)}L{at(across, left - pace * shown)}" if shown else ""
    return BurnDown(
        "".join(path), ahead, first, today + timedelta(days=shown), total, left, pace, ends_on, width, height
    )


@dataclass(frozen=True)
class BlandAltman:
    """Differences of two readings' extents over their means (Bland and Altman 1986), in a box; all in points of extent.

    `limits` are the bias less and plus 1.96 standard deviations. `drawn` of `count` points are shown.
    """

    points: list[tuple[float, float]]
    bias: float
    sd: float
    limits: tuple[float, float]
    lines: list[tuple[float, str]]
    mean_top: float
    reach: float
    count: int
    drawn: int
    width: int = 400
    height: int = 220


def bland_altman(pairs: Sequence[tuple[float, float]]) -> BlandAltman | None:
    """The plot of pairs of extents (first, second), second minus first; None under three pairs."""
    if len(pairs) < 3:
        return None
    differences = [second - first for first, second in pairs]
    means = [(first + second) / 2 for first, second in pairs]
    bias, sd = statistics.fmean(differences), statistics.stdev(differences)
    limits = (bias - 1.96 * sd, bias + 1.96 * sd)
    mean_top = round_up(max(means))
    reach = round_up(max(*map(abs, differences), *map(abs, limits), 0.1))
    width, height = BlandAltman.width, BlandAltman.height

    def y(difference: float) -> float:
        return round(height / 2 * (1 - difference / reach), 1)

    step = max(1, math.ceil(len(pairs) / MOST_POINTS))
    points = [(round(width * means[n] / mean_top, 1), y(differences[n])) for n in range(0, len(pairs), step)]
    lines = [(y(limits[1]), "limit"), (y(bias), "bias"), (y(limits[0]), "limit")]
    return BlandAltman(points, bias, sd, limits, lines, mean_top, reach, len(pairs), len(points))
