"""From a network's probabilities to masks: whole lungs that keep what is dense in them, lesion within."""

from dataclasses import dataclass

import cc3d
import fill_voids
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, minimum_filter1d

SMALLEST_SHARE = 0.1
# How much of the float16 probabilities is held in 32 bits at a time.
ROWS_AT_ONCE = 16
REACH_SIGMAS = 4.0


@dataclass(frozen=True, eq=False)
class Drawn:
    """Lung and lesion as probabilities (float16 zyx) on the network's grid, of which lesion nowhere exceeds lung."""

    lung: NDArray[np.float16]
    lesion: NDArray[np.float16]


def smooth_along_z(probabilities: NDArray[np.float16], sigma_slices: float) -> None:
    """Blend probabilities (float16; z, outputs, y, x) with those of the slices above and below, in place.

    A network that sees one slice at a time wavers between neighbours where it is not sure; what is there goes through
    several. Gaussian; beyond the ends the last slice counts.
    """
    if sigma_slices <= 0 or len(probabilities) < 2:
        return
    reach = max(round(REACH_SIGMAS * sigma_slices), 1)
    weights = np.exp(-0.5 * (np.arange(reach + 1) / sigma_slices) ** 2)
    weights = (weights / (weights[0] + 2 * weights[1:].sum())).astype(np.float32)
    count = len(probabilities)
    for start in range(0, probabilities.shape[2], ROWS_AT_ONCE):
        strip = probabilities[:, :, start : start + ROWS_AT_ONCE]
        if strip.any():
            padded = np.pad(strip.astype(np.float32), ((reach, reach), (0, 0), (0, 0), (0, 0)), mode="edge")
            blended = padded[reach : reach + count] * weights[0]
            for away in range(1, reach + 1):
                above, below = padded[reach - away :][:count], padded[reach + away :][:count]
                blended += (above + below) * weights[away]
            strip[...] = blended


def bridge_along_z(lung: NDArray[np.float16], lesion: NDArray[np.float16], threshold: float, gap_slices: int) -> None:
    """Draw dense lung where a network lost it in at most `gap_slices` slices, in place in `lesion` (both: zyx).

    What is neither lung nor lesion, lies between one or the other in the slices above and below, and has lesion that
    near above or below, is lesion: consolidation looks like the chest wall, and a network that sees one slice at a time
    takes it for that in some slices. Lung that holds air stays lung; a vessel in it, without lesion near, stays out.
    """
    reach = gap_slices // 2
    ill = lesion > threshold
    if reach < 1 or not ill.any():
        return
    _, rows, columns = np.nonzero(ill)
    box = slice(None), slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    held = np.maximum(lung[box], lesion[box]).astype(np.float32)
    width = 2 * reach + 1
    closed = maximum_filter1d(held, width, axis=0, mode="constant")
    closed = minimum_filter1d(closed, width, axis=0, mode="constant")
    near = maximum_filter1d(ill[box].view(np.uint8), width, axis=0, mode="constant") > 0
    gaps = (held <= threshold) & (closed > threshold) & near
    lesion[box][gaps] = closed[gaps]


def draw(lung: NDArray[np.float16], lesion: NDArray[np.float16], threshold: float) -> Drawn:
    """Settle what is lung and what is lesion (probabilities, float16 zyx of one shape).

    Lung and the lesion that touches it are pieces; those that hold at least a tenth as much lung as the largest
    are the lungs, filled where they are closed all round. Lesion is dense lung, so it belongs to the lungs; lesion that
    touches none is dropped.
    """
    inside, ill = lung > threshold, lesion > threshold
    pieces = cc3d.connected_components(inside | ill, connectivity=6)
    holds = np.bincount(pieces[inside], minlength=int(pieces.max()) + 1)
    kept = np.zeros_like(inside)
    if holds.any():
        kept = np.isin(pieces, np.flatnonzero(holds >= max(SMALLEST_SHARE * holds.max(), 1)))
    full = fill_voids.fill(kept)
    # Beyond the kept pieces nothing may reach the threshold, also between voxels.
    near = full | ~(inside | ill)
    lesion = np.where(near, lesion, np.float16(0))
    lung = np.where(near, np.maximum(lung, lesion), np.float16(0))
    return Drawn(np.where(full & ~kept, np.float16(1), lung), lesion)
