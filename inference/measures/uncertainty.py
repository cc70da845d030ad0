"""How sure a network is of what it drew: one number for a scan, by which cases are put in order."""

import numpy as np
from numpy.typing import NDArray

# Voxels that stand for 1 mL where nothing is known of their size.
SMOOTHING_PIXELS = 10.0


def smoothing_voxels(voxel_volume_ml: float | None) -> float:
    """How many voxels make up 1 mL; of voxels of unknown size (None), ten."""
    return SMOOTHING_PIXELS if voxel_volume_ml is None else 1.0 / voxel_volume_ml


def dice_uncertainty(probability: NDArray[np.floating], mask: NDArray[np.bool_], smoothing: float) -> float:
    """1 minus the Dice that a mask is expected to have under the network's own probabilities; 0 is sure, near 1 not.

    `probability` p and `mask` m (0 or 1) are of one shape, both 0 outside of what counts; `smoothing` s in voxels keeps
    a scan with a few doubtful voxels, or none, from counting as wholly unsure:

        1 - (2 sum(p m) + s) / (sum(p) + sum(m) + s)

    which is 1 minus the soft Dice between probabilities and mask (Milletari 2016, doi 10.1109/3DV.2016.79, with sums in
    place of sums of squares). Raises ValueError for unlike shapes or a smoothing that is not above 0.
    """
    if probability.shape != mask.shape:
        raise ValueError(f"Probabilities {probability.shape} and mask {mask.shape} lie on different grids.")
    if not smoothing > 0:
        raise ValueError(f"The smoothing must be above 0 voxels, not {smoothing}.")
    # Half-precision sums would stop growing at 2,048.
    both = float(probability[mask].sum(dtype=np.float64))
    each = float(probability.sum(dtype=np.float64)) + float(np.count_nonzero(mask))
    return max(0.0, 1.0 - (2.0 * both + smoothing) / (each + smoothing))
