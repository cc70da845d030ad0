"""Contrast limited adaptive histogram equalisation (Zuiderveld 1994), as OpenCV computes it (`cv2.createCLAHE`).

Public sets of 8-bit CT slices were made with OpenCV's; a network trained on them must see scans through the same.
"""

import numpy as np
from numpy.typing import NDArray

LEVELS = 256


def equalise(plane: NDArray[np.uint8], clip_limit: float, tiles: int) -> NDArray[np.uint8]:
    """An 8-bit slice (yx) equalised over `tiles` x `tiles` tiles, each histogram cut at `clip_limit` times its mean.

    Raises ValueError where the sides are no multiples of `tiles` (OpenCV would mirror the border; here nothing needs
    it).
    """
    height, width = plane.shape
    if plane.dtype != np.uint8 or height % tiles or width % tiles:
        raise ValueError(f"A slice of 8 bits whose sides are multiples of {tiles} is equalised, not {plane.shape}.")
    tables = _tables(plane, clip_limit, tiles).astype(np.float32)
    (above, below, down), (left, right, across) = (_neighbours(n, tiles) for n in (height, width))
    down, across = down[:, None], across[None, :]
    values = plane.astype(np.intp)

    def mapped(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
        return tables[rows[:, None], columns[None, :], values]

    upper = mapped(above, left) * (1 - across) + mapped(above, right) * across
    lower = mapped(below, left) * (1 - across) + mapped(below, right) * across
    return np.rint(upper * (1 - down) + lower * down).astype(np.uint8)


def _tables(plane: NDArray[np.uint8], clip_limit: float, tiles: int) -> NDArray[np.uint8]:
    """For each tile (row, column) the grey that each grey becomes."""
    height, width = plane.shape[0] // tiles, plane.shape[1] // tiles
    pixels = height * width
    cut = plane.reshape(tiles, height, tiles, width).transpose(0, 2, 1, 3).reshape(tiles * tiles, pixels)
    offsets = np.arange(tiles * tiles)[:, None] * LEVELS
    counts = np.bincount((cut + offsets).reshape(-1), minlength=tiles * tiles * LEVELS).reshape(-1, LEVELS)
    limit = max(int(clip_limit * pixels / LEVELS), 1)
    excess = np.maximum(counts - limit, 0).sum(axis=1)
    counts = np.minimum(counts, limit) + (excess // LEVELS)[:, None]
    for row, residual in enumerate(excess % LEVELS):
        if residual:
            counts[row, :: max(LEVELS // int(residual), 1)][: int(residual)] += 1
    tables = np.rint(counts.cumsum(axis=1).astype(np.float32) * np.float32((LEVELS - 1) / pixels))
    return np.minimum(tables, LEVELS - 1).astype(np.uint8).reshape(tiles, tiles, LEVELS)


def _neighbours(length: int, tiles: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """For each pixel the tiles before and after it, and how far it is on the way between their centres."""
    at = np.arange(length, dtype=np.float32) * np.float32(tiles / length) - np.float32(0.5)
    before = np.floor(at).astype(np.intp)
    return np.maximum(before, 0), np.minimum(before + 1, tiles - 1), at - before
