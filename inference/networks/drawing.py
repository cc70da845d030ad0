"""From a network's probabilities to masks: whole lungs that keep what is dense in them, lesion within."""

from dataclasses import dataclass

import cc3d
import fill_voids
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

SMALLEST_SHARE = 0.1
# How much of the float16 probabilities is held in 32 bits at a time.
ROWS_AT_ONCE = 16


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
    for start in range(0, probabilities.shape[2], ROWS_AT_ONCE):
        strip = probabilities[:, :, start : start + ROWS_AT_ONCE]
        if strip.any():
            strip[...] = gaussian_filter1d(strip.astype(np.float32), sigma_slices, axis=0, mode="nearest")


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
