"""Gas of stomach and bowel that a mask of the lungs holds by mistake."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.baseline.coarse import Coarse, block_share, box_around, coarsen, open_, refine
from inference.baseline.lungs import FREE_AIR_BELOW_HU, connected
from inference.imaging.volume import Volume

SMALLEST_ML = 5.0
# The walls of stomach and diaphragm stop what spreads from gas through air; a bulla's is too thin to.
AIR_BELOW_HU = -500
SPREAD_STEPS = 4
MOST_SPREAD = 0.15
WALL_MM = 8.0
SMALLEST_LUNG_SHARE = 0.1


def without_gut_gas(volume: Volume, lung: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`lung` (bool zyx) less the gas of stomach and bowel in it, their wall, and what hung to the lungs by them alone.

    Gut gas is as dark as air, lies in the lower half of what the mask holds, and is walled off all round: spreading
    from it through air comes out nowhere. Bullae and emphysema open on lung or reach higher, and stay. `volume` must
    have Hounsfield units and a known spacing; the same mask is given back where there is no such gas.
    """
    coarse = coarsen(volume)
    inside = block_share(lung, coarse)
    if (inside[coarse.hu < FREE_AIR_BELOW_HU]).sum() * coarse.voxel_ml < SMALLEST_ML:
        return lung
    gas = _gut_gas(coarse, inside, upwards=float(volume.affine_lps[2, 2]) >= 0)
    if not gas.any():
        return lung
    gas |= _wall(gas, (inside > 0) & (coarse.hu < AIR_BELOW_HU) & ~gas, coarse)
    left = lung.copy()
    for z in range(len(left)):
        left[z] &= refine(gas, coarse, lung.shape, z) < 0.5
    return _lungs_of(left)


def _lungs_of(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without pieces that hold less than a tenth of the largest."""
    kept = np.zeros_like(mask)
    if mask.any():
        # A mask is a small part of its scan: what follows looks at that alone.
        box = tuple(
            slice(*(np.flatnonzero(mask.any(axis=others))[[0, -1]] + (0, 1))) for others in ((1, 2), (0, 2), (0, 1))
        )
        pieces = connected(mask[box])
        labels = pieces[mask[box]]
        counts = np.bincount(labels)
        kept[box][mask[box]] = (counts >= SMALLEST_LUNG_SHARE * counts.max())[labels]
    return kept


def _gut_gas(coarse: Coarse, inside: NDArray[np.float32], *, upwards: bool) -> NDArray[np.bool_]:
    """Gas in the gut with its blurred edge (bool, coarse zyx); `inside` is the share of each block in the mask."""
    # The air around the patient is dark, too, and never walled off in the lower half alone.
    dark = open_(coarse.hu < FREE_AIR_BELOW_HU, 2.0, coarse.spacing_zyx_mm)
    pieces = connected(dark)
    layers = np.flatnonzero(inside.any(axis=(1, 2)))
    middle = (layers[0] + layers[-1]) / 2
    gas = np.zeros_like(dark)
    for label, box in enumerate(ndimage.find_objects(pieces), start=1):
        wide = tuple(slice(max(s.start - SPREAD_STEPS, 0), s.stop + SPREAD_STEPS) for s in box)
        piece = pieces[wide] == label
        if inside[wide][piece].sum() * coarse.voxel_ml < SMALLEST_ML:
            continue
        if (box[0].stop - 1 > middle) if upwards else (box[0].start < middle):
            continue
        spread = _spread(piece, (coarse.hu[wide] < AIR_BELOW_HU) | piece)
        freely = _spread(piece, np.ones_like(piece))
        first = ndimage.binary_dilation(piece)
        if (spread & ~first).sum() < MOST_SPREAD * (freely & ~first).sum():
            gas[wide] |= spread
    return gas


def _wall(gas: NDArray[np.bool_], aerated: NDArray[np.bool_], coarse: Coarse) -> NDArray[np.bool_]:
    """What holds no air around gas, its blurred edge too, and is nearer to it than to air-holding lung."""
    wall = np.zeros_like(gas)
    # Lung outside of this box is farther away than gas can be.
    box = box_around(gas, 2 * WALL_MM, coarse.spacing_zyx_mm)
    from_gas, from_lung = (
        ndimage.distance_transform_edt(~there[box], sampling=coarse.spacing_zyx_mm) for there in (gas, aerated)
    )
    wall[box] = (from_gas <= WALL_MM) & (from_gas < from_lung) & (coarse.hu[box] >= AIR_BELOW_HU)
    return wall


def _spread(piece: NDArray[np.bool_], through: NDArray[np.bool_]) -> NDArray[np.bool_]:
    spread: NDArray[np.bool_] = ndimage.binary_dilation(piece, iterations=SPREAD_STEPS, mask=through)
    return spread
