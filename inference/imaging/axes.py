"""The one place where axes are converted.

Arrays are indexed zyx in C order; affines map (i=x, j=y, k=z, 1) of voxel centres to millimetres. DICOM
speaks LPS (x to the left, y to the back, z to the head); NIfTI speaks RAS (x to the right, y to the front).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Affine = NDArray[np.float64]
LPS_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def lps_to_ras(affine_lps: NDArray[np.floating]) -> Affine:
    """The same geometry in NIfTI's patient axes (exact: only signs change)."""
    return LPS_RAS @ np.asarray(affine_lps, dtype=np.float64) + 0.0


def ras_to_lps(affine_ras: NDArray[np.floating]) -> Affine:
    """The same geometry in DICOM's patient axes (exact: only signs change)."""
    return LPS_RAS @ np.asarray(affine_ras, dtype=np.float64) + 0.0


def spacing_zyx_mm(affine: NDArray[np.floating]) -> tuple[float, float, float]:
    """Distances in mm between neighbouring voxel centres along z, y and x."""
    x, y, z = (float(np.linalg.norm(affine[:3, axis])) for axis in range(3))
    return z, y, x


def make_affine(
    origin_mm: tuple[float, float, float] | NDArray[np.floating],
    row_direction: NDArray[np.floating],
    column_direction: NDArray[np.floating],
    spacing_zyx_mm: tuple[float, float, float],
) -> Affine:
    """Affine of a grid whose z axis is row x column, as DICOM defines the slice normal (C.7.6.2.1.1)."""
    affine = np.eye(4)
    affine[:3, 0] = np.asarray(row_direction, dtype=np.float64) * spacing_zyx_mm[2]
    affine[:3, 1] = np.asarray(column_direction, dtype=np.float64) * spacing_zyx_mm[1]
    affine[:3, 2] = np.cross(row_direction, column_direction) * spacing_zyx_mm[0]
    affine[:3, 3] = origin_mm
    return affine + 0.0


def to_patient_axes(array_zyx: NDArray[Any], affine_lps: NDArray[np.floating]) -> tuple[NDArray[Any], Affine]:
    """Turn a grid by flips and swaps alone so that x runs left, y back and z to the head, as near as it can.

    No voxel is resampled. Returns the array in C order and the affine of the turned grid. The axis of the
    patient that each grid axis follows most is chosen jointly, so that none is taken twice.
    """
    affine = np.asarray(affine_lps, dtype=np.float64)
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    order = _nearest_patient_axes(directions)
    array_xyz = array_zyx.transpose(2, 1, 0).transpose(order)
    turned = affine.copy()
    turned[:3, :3] = affine[:3, :3][:, list(order)]
    for axis in range(3):
        if turned[axis, axis] < 0:
            array_xyz = np.flip(array_xyz, axis)
            turned[:3, 3] += turned[:3, axis] * (array_xyz.shape[axis] - 1)
            turned[:3, axis] *= -1
    return np.ascontiguousarray(array_xyz.transpose(2, 1, 0)), turned + 0.0


def _nearest_patient_axes(directions: NDArray[np.floating]) -> tuple[int, int, int]:
    """For patient axes x, y, z the grid axis that follows it, maximising the summed alignment."""
    weights = np.abs(directions)
    choices = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    return max(choices, key=lambda order: sum(weights[axis, order[axis]] for axis in range(3)))
