"""Polygons filled at voxel centres by the even-odd rule, their outline included.

A voxel is inside when a line from its centre crosses the outlines an odd number of times, all polygons of a slice taken
together, so that a contour within a contour is a hole, and so is a keyhole. A centre that lies on an outline belongs to
the region: programs that draw contours through the outermost voxels of a mask get that mask back. scikit-image's point
test gives the same answer (a test compares them) at the cost of area times corners; this costs the outline's length.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# A centre this near to an outline (in voxels) lies on it: coordinates are decimals of a few digits.
ON_OUTLINE = 0.01
# An edge may cross every row: memory holds the crossings of this many.
EDGES_AT_ONCE = 8192

Points = NDArray[np.float64]


def filled(polygons: Sequence[Points], shape_yx: tuple[int, int]) -> NDArray[np.bool_]:
    """The voxels (yx) of closed polygons, each (n, 2) of x and y in voxels, centres at whole numbers."""
    ny, nx = shape_yx
    edges = np.concatenate([np.hstack((points, np.roll(points, -1, axis=0))) for points in polygons])
    crossings = np.zeros((ny, nx + 1), dtype=np.int64)
    outline = np.zeros(shape_yx, dtype=bool)
    for start in range(0, len(edges), EDGES_AT_ONCE):
        x0, y0, x1, y1 = edges[start : start + EDGES_AT_ONCE].T
        edge, row = _rows_between(np.ceil(np.minimum(y0, y1)), np.ceil(np.maximum(y0, y1)), ny)
        at = x0[edge] + (row - y0[edge]) * (x1[edge] - x0[edge]) / (y1[edge] - y0[edge])
        np.add.at(crossings, (row, np.clip(np.floor(at) + 1, 0, nx).astype(np.int64)), 1)
        _touch(outline, x0, y0, x1, y1)
        _touch(outline.T, y0, x0, y1, x1)
    return (np.cumsum(crossings[:, :nx], axis=1) & 1).astype(bool) | outline


def _rows_between(first: Points, end: Points, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each edge's whole rows from `first` up to, but not with, `end`: the edges' indices and the rows."""
    low, high = np.clip(first, 0, count).astype(np.int64), np.clip(end, 0, count).astype(np.int64)
    counts = np.maximum(high - low, 0)
    edge = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
    return edge, low[edge] + within


def _touch(outline: NDArray[np.bool_], x0: Points, y0: Points, x1: Points, y1: Points) -> None:
    """Set the voxels whose centres lie on an edge where it passes their row."""
    low, high = np.minimum(y0, y1), np.maximum(y0, y1)
    edge, row = _rows_between(np.ceil(low - ON_OUTLINE), np.floor(high + ON_OUTLINE) + 1, outline.shape[0])
    height = y1[edge] - y0[edge]
    level = height == 0
    part = np.clip((row - y0[edge]) / np.where(level, 1.0, height), 0.0, 1.0)
    at = x0[edge] + part * (x1[edge] - x0[edge])
    column = np.rint(at)
    on = ~level & (np.abs(at - column) <= ON_OUTLINE) & (column >= 0) & (column < outline.shape[1])
    outline[row[on], column[on].astype(np.int64)] = True
