"""The classical baseline from a scan to both layers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.baseline.coarse import Coarse, coarsen, refine
from inference.baseline.lesions import find_lesions
from inference.baseline.lungs import LUNG_BELOW_HU, find_lungs
from inference.imaging.volume import Volume

NAME = "classical-baseline"
VERSION = "1"
LESION = 1

Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Both layers on the volume's grid (uint8 zyx): anatomy 1 left, 2 right lung; findings 1 lesion.

    `uncertainty` (inference.measures.uncertainty) is of what works with probabilities, and found a lung.
    """

    anatomy: NDArray[np.uint8]
    findings: NDArray[np.uint8]
    uncertainty: float | None = None


def segment(volume: Volume, progress: Progress | None = None) -> Segmentation:
    """Segment lungs and lesion without training; the same volume gives the same masks, bit for bit.

    Lungs are air inside the body, closed so that small dense lung belongs to them; lesion is denser than the
    scan's own aerated lung, inside the lungs, without vessels. `progress` gets a fraction and what is being done.
    A scan without HU, or without lung, gives empty layers.
    """
    tell = progress or (lambda fraction, text: None)
    empty = Segmentation(np.zeros(volume.shape_zyx, np.uint8), np.zeros(volume.shape_zyx, np.uint8))
    if not volume.has_hu:
        return empty
    tell(0.02, "Looking for the lungs")
    coarse = coarsen(volume)
    lungs = find_lungs(coarse, volume.affine_lps)
    if not lungs.any():
        tell(1.0, "No lung found")
        return empty
    tell(0.4, "Drawing the lungs")
    anatomy = _native_anatomy(volume, coarse, lungs, tell)
    tell(0.6, "Looking for lesions")
    findings = find_lesions(volume, anatomy, LESION)
    tell(1.0, "Done")
    return Segmentation(anatomy, findings)


def _native_anatomy(volume: Volume, coarse: Coarse, lungs: NDArray[np.uint8], tell: Progress) -> NDArray[np.uint8]:
    """Coarse lungs on the native grid: the edge follows the native HU, the inside stays whole."""
    anatomy = np.zeros(volume.shape_zyx, dtype=np.uint8)
    masks = [(side, lungs == side) for side in (1, 2)]
    slices = volume.shape_zyx[0]
    for z in range(slices):
        best = np.zeros(volume.shape_zyx[1:], dtype=np.float32)
        for side, mask in masks:
            inside = refine(mask, coarse, volume.shape_zyx, z)
            lung = (inside > 0.5) | ((inside > 0.05) & (volume.hu[z] < LUNG_BELOW_HU) & (volume.hu[z] > -1000))
            anatomy[z][lung & (inside > best)] = side
            np.maximum(best, inside, out=best)
        if z % 20 == 0:
            tell(0.4 + 0.2 * z / slices, "Drawing the lungs")
    return anatomy
