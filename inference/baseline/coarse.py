"""A coarser copy of a scan for morphology in millimetres, and the way back to the native grid."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.imaging.volume import Volume

AIR_HU = -1000
WATER_HU = 400


@dataclass(frozen=True, eq=False)
class Coarse:
    """Block means of the HU (float32 zyx, padding and metal clipped), voxel sizes, and how many voxels a block has."""

    hu: NDArray[np.float32]
    spacing_zyx_mm: tuple[float, float, float]
    factors_zyx: tuple[int, int, int]

    @property
    def voxel_ml(self) -> float:
        """Volume of one coarse voxel in mL."""
        z, y, x = self.spacing_zyx_mm
        return z * y * x / 1000.0


def coarsen(volume: Volume, target_mm: float = 2.5) -> Coarse:
    """Block means at about `target_mm`; blocks at the upper ends are filled by repeating the last voxel."""
    factors = [
        max(1, min(round(target_mm / mm), n)) for mm, n in zip(volume.spacing_zyx_mm, volume.shape_zyx, strict=True)
    ]
    fz, fy, fx = factors
    nz, ny, nx = (-(-n // f) for n, f in zip(volume.shape_zyx, factors, strict=True))
    hu = np.zeros((nz, ny, nx), dtype=np.float32)
    pad = [(0, ny * fy - volume.shape_zyx[1]), (0, nx * fx - volume.shape_zyx[2])]
    for z in range(volume.shape_zyx[0]):
        plane = np.pad(np.clip(volume.hu[z], AIR_HU, WATER_HU), pad, mode="edge").astype(np.float32)
        hu[z // fz] += plane.reshape(ny, fy, nx, fx).mean(axis=(1, 3))
    counts = np.bincount(np.arange(volume.shape_zyx[0]) // fz, minlength=nz)
    hu /= counts[:, None, None].astype(np.float32)
    spacing = tuple(mm * f for mm, f in zip(volume.spacing_zyx_mm, factors, strict=True))
    return Coarse(hu, (spacing[0], spacing[1], spacing[2]), (fz, fy, fx))


def block_share(mask: NDArray[np.bool_], coarse: Coarse) -> NDArray[np.float32]:
    """How much of each block (float32 zyx, 0 to 1) a native mask fills; beyond its ends there is nothing."""
    (nz, ny, nx), (fz, fy, fx) = coarse.hu.shape, coarse.factors_zyx
    share = np.zeros(coarse.hu.shape, dtype=np.float32)
    pad = [(0, ny * fy - mask.shape[1]), (0, nx * fx - mask.shape[2])]
    for z, plane in enumerate(mask):
        if plane.any():
            share[z // fz] += np.pad(plane, pad).reshape(ny, fy, nx, fx).mean(axis=(1, 3), dtype=np.float32)
    counts = np.bincount(np.arange(len(mask)) // fz, minlength=nz)
    share /= counts[:, None, None].astype(np.float32)
    return share


def dilate(mask: NDArray[np.bool_], radius_mm: float, spacing_zyx_mm: tuple[float, float, float]) -> NDArray[np.bool_]:
    """Voxels whose centres lie within `radius_mm` of the mask."""
    if not mask.any():
        return mask.copy()
    grown = mask.copy()
    box = box_around(mask, radius_mm, spacing_zyx_mm)
    grown[box] = ndimage.distance_transform_edt(~mask[box], sampling=spacing_zyx_mm) <= radius_mm
    return grown


def erode(mask: NDArray[np.bool_], radius_mm: float, spacing_zyx_mm: tuple[float, float, float]) -> NDArray[np.bool_]:
    """Voxels of the mask farther than `radius_mm` from everything outside; the grid's edge does not erode."""
    if not mask.any():
        return mask.copy()
    left = np.zeros_like(mask)
    box = box_around(mask, radius_mm, spacing_zyx_mm)
    inside = mask[box]
    if inside.all():
        return mask.copy()
    left[box] = ndimage.distance_transform_edt(inside, sampling=spacing_zyx_mm) > radius_mm
    return left


def close(mask: NDArray[np.bool_], radius_mm: float, spacing_zyx_mm: tuple[float, float, float]) -> NDArray[np.bool_]:
    """Morphological closing by a ball: fills what a ball of this radius cannot enter."""
    return erode(dilate(mask, radius_mm, spacing_zyx_mm), radius_mm, spacing_zyx_mm) | mask


def open_(mask: NDArray[np.bool_], radius_mm: float, spacing_zyx_mm: tuple[float, float, float]) -> NDArray[np.bool_]:
    """Morphological opening by a ball: removes what a ball of this radius does not fit into."""
    return dilate(erode(mask, radius_mm, spacing_zyx_mm), radius_mm, spacing_zyx_mm) & mask


def refine(mask: NDArray[np.bool_], coarse: Coarse, shape_zyx: tuple[int, int, int], z: int) -> NDArray[np.float32]:
    """One native slice of a coarse mask, interpolated linearly: 1 well inside, 0 well outside, 0.5 at the edge."""
    fz, fy, fx = coarse.factors_zyx
    at = min(max((z + 0.5) / fz - 0.5, 0.0), mask.shape[0] - 1.0)
    low = int(at)
    high, part = min(low + 1, mask.shape[0] - 1), at - low
    plane = mask[low].astype(np.float32) * (1 - part) + mask[high].astype(np.float32) * part
    if not plane.any():
        return np.zeros(shape_zyx[1:], dtype=np.float32)
    rows = _weights(shape_zyx[1], fy, plane.shape[0])
    columns = _weights(shape_zyx[2], fx, plane.shape[1])
    plane = plane[rows[0]] * (1 - rows[1])[:, None] + plane[rows[0] + 1] * rows[1][:, None]
    return plane[:, columns[0]] * (1 - columns[1]) + plane[:, columns[0] + 1] * columns[1]


def _weights(count: int, factor: int, coarse_count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    at = np.clip((np.arange(count) + 0.5) / factor - 0.5, 0, coarse_count - 1)
    low = np.minimum(at.astype(np.int64), max(coarse_count - 2, 0))
    return low, (at - low).astype(np.float32)


def box_around(
    mask: NDArray[np.bool_], margin_mm: float, spacing_zyx_mm: tuple[float, float, float]
) -> tuple[slice, ...]:
    """The mask's bounding box with a margin beyond which a ball of that radius cannot reach."""
    box = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        where = np.flatnonzero(mask.any(axis=others))
        margin = int(np.ceil(margin_mm / spacing_zyx_mm[axis])) + 2
        box.append(slice(max(int(where[0]) - margin, 0), min(int(where[-1]) + margin + 1, mask.shape[axis])))
    return tuple(box)
