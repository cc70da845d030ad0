"""A volume: voxels that never travel without their geometry."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.imaging import axes


@dataclass(frozen=True, eq=False)
class Volume:
    """A scan's voxels on their native grid.

    `hu` is int16, axes zyx, C order; z ascends along the slice normal (row x column). `affine_lps` (4 x 4)
    maps (x, y, z, 1) indices of voxel centres to LPS millimetres. `has_hu` is False where the numbers are
    not Hounsfield units, so that no weight may be computed. `has_spacing` is False where nothing is known of
    size (pictures), so that mm, mL and g are undefined and the affine only counts voxels. Raises ValueError when the
    parts do not fit.
    """

    hu: NDArray[np.int16]
    affine_lps: NDArray[np.float64]
    has_hu: bool = True
    has_spacing: bool = True

    def __post_init__(self) -> None:
        if self.hu.ndim != 3 or self.hu.dtype != np.int16 or 0 in self.hu.shape:
            raise ValueError("A volume needs a non-empty int16 array with axes zyx.")
        affine = np.array(self.affine_lps, dtype=np.float64) + 0.0
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise ValueError("A volume needs a finite 4 x 4 affine.")
        if abs(float(np.linalg.det(affine[:3, :3]))) < 1e-9:
            raise ValueError("The affine of a volume must be invertible.")
        affine.flags.writeable = False
        object.__setattr__(self, "hu", np.ascontiguousarray(self.hu))
        object.__setattr__(self, "affine_lps", affine)

    @property
    def shape_zyx(self) -> tuple[int, int, int]:
        """Number of voxels along z, y and x."""
        z, y, x = self.hu.shape
        return z, y, x

    @property
    def spacing_zyx_mm(self) -> tuple[float, float, float]:
        """Distances in mm between voxel centres along z, y and x."""
        return axes.spacing_zyx_mm(self.affine_lps)

    @property
    def voxel_volume_ml(self) -> float:
        """Product of the spacings (mm) / 1000, from the real geometry; raises ValueError where there is none."""
        if not self.has_spacing:
            raise ValueError("Nothing is known of the size of this volume's voxels.")
        z, y, x = self.spacing_zyx_mm
        return z * y * x / 1000.0

    def geometry_sha256(self) -> str:
        """Hex SHA-256 over the shape (int64) and the affine (float64, by rows), little endian."""
        return geometry_sha256(self.shape_zyx, self.affine_lps)

    def voxels_sha256(self) -> str:
        """Hex SHA-256 over the int16 voxels, little endian, flat zyx."""
        return hashlib.sha256(np.ascontiguousarray(self.hu, dtype="<i2").data).hexdigest()


def geometry_sha256(shape_zyx: tuple[int, int, int], affine_lps: NDArray[np.floating]) -> str:
    """Hex SHA-256 of a grid: shape zyx as int64, then the affine as float64 by rows, little endian."""
    shape = np.asarray(shape_zyx, dtype="<i8").tobytes()
    affine = np.ascontiguousarray(np.asarray(affine_lps, dtype="<f8") + 0.0).tobytes()
    return hashlib.sha256(shape + affine).hexdigest()
