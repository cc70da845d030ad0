"""What a stroke must paint, computed from the pointer's path alone: no code of the viewer or the site is used."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# In-plane axes of the voxel (i, j, k) of each plane, and the axis that it lies across.
IN_PLANE = {"axial": (0, 1, 2), "coronal": (0, 2, 1), "sagittal": (1, 2, 0)}


@dataclass(frozen=True)
class View:
    """Where a plane's pixels lie on the page: client = origin + matrix @ (u, v), u and v in voxels."""

    plane: str
    at: int
    origin: NDArray[np.float64]
    matrix: NDArray[np.float64]

    @classmethod
    def measured(cls, plane: str, at: int, corners: Sequence[Sequence[float]]) -> "View":
        """From the client positions of the voxels (0, 0), (100, 0) and (0, 100) of the plane."""
        zero, along_u, along_v = (np.asarray(corner, np.float64) for corner in corners)
        return cls(plane, at, zero, np.column_stack([along_u - zero, along_v - zero]) / 100)

    def to_client(self, uv: Sequence[float]) -> NDArray[np.float64]:
        """Client position of an in-plane voxel position."""
        return self.origin + self.matrix @ np.asarray(uv, np.float64)

    def to_voxel(self, client: Sequence[float]) -> NDArray[np.float64]:
        """In-plane voxel position of a client position."""
        return np.linalg.solve(self.matrix, np.asarray(client, np.float64) - self.origin)


def distance_mm(
    view: View, path: Sequence[Sequence[float]], shape_zyx: Sequence[int], spacing_zyx_mm: Sequence[float]
) -> NDArray[np.float64]:
    """Distance (mm, in the plane) of every pixel centre of the plane, as [v, u], from a straight client path."""
    axis_u, axis_v, _ = IN_PLANE[view.plane]
    size, spacing = list(shape_zyx)[::-1], list(spacing_zyx_mm)[::-1]
    mm = np.array([spacing[axis_u], spacing[axis_v]])
    v, u = np.mgrid[0 : size[axis_v], 0 : size[axis_u]]
    centres = np.stack([u, v], axis=-1) * mm
    start, end = (view.to_voxel(point) * mm for point in (path[0], path[-1]))
    along = end - start
    length = float(along @ along)
    t = np.clip((centres - start) @ along / length, 0, 1) if length else np.zeros(u.shape)
    return np.linalg.norm(centres - start - t[..., None] * along, axis=-1)


def painted(layer: NDArray[np.uint8], view: View, covered: NDArray[np.bool_], value: int) -> NDArray[np.uint8]:
    """The layer (uint8 zyx) after every covered pixel ([v, u]) of the plane took a value."""
    after = layer.copy()
    plane = {
        "axial": lambda: after[view.at],
        "coronal": lambda: after[:, view.at, :],
        "sagittal": lambda: after[:, :, view.at],
    }[view.plane]()
    plane[covered] = value
    return after
