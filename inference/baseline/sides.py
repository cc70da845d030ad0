"""Left and right in a mask of the lungs that does not tell them apart."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from inference.baseline.coarse import Coarse
from inference.baseline.lungs import split_sides

# Fine enough to part two lungs, coarse enough for a whole chest in a second or two.
COARSE_MM = 2.5
MOST_BLOCKS = 2**22


def split_lung(
    lung_zyx: NDArray[np.bool_], affine_lps: NDArray[np.floating], spacing_zyx_mm: tuple[float, float, float]
) -> NDArray[np.uint8]:
    """1 where a voxel of the lung is left and 2 where it is right, 0 elsewhere; every voxel of the lung gets a side.

    `lung_zyx` (bool, zyx) on the grid of `affine_lps`; left is the patient's left (LPS +x). The two largest pieces are
    the two lungs, also where they touch; smaller pieces follow the nearer one. One piece alone is on the side of the
    image that it lies on.
    """
    if not lung_zyx.any():
        return np.zeros(lung_zyx.shape, dtype=np.uint8)
    factors = _factors(lung_zyx.shape, spacing_zyx_mm)
    coarse = _blocks(lung_zyx, factors)
    spacing = tuple(mm * factor for mm, factor in zip(spacing_zyx_mm, factors, strict=True))
    grid = Coarse(np.zeros((0, 0, 0), np.float32), (spacing[0], spacing[1], spacing[2]), factors)
    sides = split_sides(coarse, grid, affine_lps)
    if (coarse & (sides == 0)).any():
        nearest = ndimage.distance_transform_edt(
            sides == 0, sampling=spacing, return_distances=False, return_indices=True
        )
        sides = sides[tuple(nearest)]
    native = lung_zyx.astype(np.uint8)
    for z in range(lung_zyx.shape[0]):
        plane = sides[z // factors[0]].repeat(factors[1], axis=0).repeat(factors[2], axis=1)
        native[z] *= plane[: lung_zyx.shape[1], : lung_zyx.shape[2]]
    return native


def nearest_side(
    voxels_zyx: NDArray[np.bool_], lungs_zyx: NDArray[np.uint8], spacing_zyx_mm: tuple[float, float, float]
) -> NDArray[np.uint8]:
    """For each of the voxels (bool, zyx) the value of the nearest voxel of `lungs_zyx` (uint8, zyx; 0 is no lung), by
    distance in mm; 0 elsewhere, and everywhere where there is no lung.

    A voxel of lung has its own value. Nearest is looked for among the voxels at the lungs' surface.
    """
    near = np.where(voxels_zyx, lungs_zyx, np.uint8(0)).astype(np.uint8)
    outside = voxels_zyx & (lungs_zyx == 0)
    lung = lungs_zyx != 0
    if not outside.any() or not lung.any():
        return near
    surface = lung & ~ndimage.binary_erosion(lung)
    places = np.argwhere(surface)
    tree = cKDTree(places * np.asarray(spacing_zyx_mm))
    _, index = tree.query(np.argwhere(outside) * np.asarray(spacing_zyx_mm))
    near[outside] = lungs_zyx[surface][index]
    return near


def _factors(shape_zyx: tuple[int, ...], spacing_zyx_mm: tuple[float, float, float]) -> tuple[int, int, int]:
    fz, fy, fx = (max(1, min(round(COARSE_MM / mm), n)) for mm, n in zip(spacing_zyx_mm, shape_zyx, strict=True))
    while np.prod([-(-n // f) for n, f in zip(shape_zyx, (fz, fy, fx), strict=True)]) > MOST_BLOCKS:
        fy, fx = fy + 1, fx + 1
    return fz, fy, fx


def _blocks(lung_zyx: NDArray[np.bool_], factors: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Blocks of which any voxel is lung."""
    fz, fy, fx = factors
    nz, ny, nx = (-(-n // f) for n, f in zip(lung_zyx.shape, factors, strict=True))
    blocks = np.zeros((nz, ny, nx), dtype=bool)
    pad = [(0, ny * fy - lung_zyx.shape[1]), (0, nx * fx - lung_zyx.shape[2])]
    for z in range(lung_zyx.shape[0]):
        plane = np.pad(lung_zyx[z], pad)
        blocks[z // fz] |= plane.reshape(ny, fy, nx, fx).any(axis=(1, 3))
    return blocks
