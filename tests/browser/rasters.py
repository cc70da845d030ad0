"""Which voxels a tool covers, from the pointer's path alone: plain numpy, no code of the viewer or the site.

Every rule asks all voxel centres of the scan's grid. A path is a list of client positions on the page, and a View says
where the plane's voxels lie there. Masks of voxels are bool arrays with axes zyx.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tests.journeys.painting import IN_PLANE, View

Path = Sequence[tuple[int, int]]
Voxels = NDArray[np.bool_]
# Two computations of the same distance differ by less; what a path covers must not hang on it.
ROUNDING_MM = 1e-6


@dataclass(frozen=True)
class Raster:
    """A scan's grid: its shape and the mm between voxel centres."""

    shape_zyx: tuple[int, int, int]
    spacing_zyx_mm: tuple[float, float, float]

    @property
    def spacing_xyz_mm(self) -> NDArray[np.float64]:
        """As columns, rows, slices."""
        return np.array(self.spacing_zyx_mm[::-1])

    def points(self, view: View, path: Path) -> NDArray[np.float64]:
        """The path in voxels, one (x, y, z) a row."""
        axis_u, axis_v, across = IN_PLANE[view.plane]
        found = np.zeros((len(path), 3))
        for row, client in zip(found, path, strict=True):
            row[axis_u], row[axis_v] = view.to_voxel(client)
            row[across] = view.at
        return found

    def slices(self, view: View, depth_mm: float | None = 0) -> Voxels:
        """The voxels of the shown slice and of those up to `depth_mm` away from it; None: all slices."""
        _, _, across = IN_PLANE[view.plane]
        away = np.abs(np.indices(self.shape_zyx)[2 - across] - view.at) * self.spacing_xyz_mm[across]
        return np.ones(self.shape_zyx, bool) if depth_mm is None else away <= depth_mm + ROUNDING_MM

    def ball(self, view: View, path: Path, radius_mm: float) -> Voxels:
        """Centres within the radius of the path in space."""
        path_mm = self.points(view, path) * self.spacing_xyz_mm
        low = np.floor((path_mm.min(axis=0) - radius_mm) / self.spacing_xyz_mm).astype(int)
        high = np.ceil((path_mm.max(axis=0) + radius_mm) / self.spacing_xyz_mm).astype(int) + 1
        low, high = np.maximum(low, 0), np.minimum(high, self.shape_zyx[::-1])
        box = tuple(slice(a, max(a, b)) for a, b in zip(low[::-1], high[::-1], strict=True))
        indices = np.stack(np.meshgrid(*(np.arange(s.start, s.stop) for s in box), indexing="ij")[::-1], axis=-1)
        centres = indices * self.spacing_xyz_mm
        distance = np.full(centres.shape[:-1], np.inf)
        for start, end in pairwise(path_mm if len(path_mm) > 1 else np.repeat(path_mm, 2, axis=0)):
            along = end - start
            length = float(along @ along)
            t = np.clip((centres - start) @ along / length, 0, 1) if length else np.zeros(centres.shape[:-1])
            distance = np.minimum(distance, np.linalg.norm(centres - start - t[..., None] * along, axis=-1))
        assert not (np.abs(distance - radius_mm) < ROUNDING_MM).any(), (
            "a voxel lies on the very edge: choose another path"
        )
        found = np.zeros(self.shape_zyx, bool)
        found[box] = distance <= radius_mm
        return found

    def disc(self, view: View, path: Path, radius_mm: float) -> Voxels:
        """Centres of the shown slice within the radius of the path."""
        return self.ball(view, path, radius_mm) & self.slices(view)

    def rectangle(self, view: View, path: Path, depth_mm: float | None = 0) -> Voxels:
        """Centres between the first and the last place."""
        u, v, points = self._in_plane(view, path)
        (u0, v0), (u1, v1) = points[0], points[-1]
        inside = (u >= min(u0, u1)) & (u <= max(u0, u1)) & (v >= min(v0, v1)) & (v <= max(v0, v1))
        return inside & self.slices(view, depth_mm)

    def circle(self, view: View, path: Path, depth_mm: float | None = 0) -> Voxels:
        """Centres as near the first place (mm) as the last place is."""
        u, v, points = self._in_plane(view, path)
        axis_u, axis_v, _ = IN_PLANE[view.plane]
        su, sv = self.spacing_xyz_mm[[axis_u, axis_v]]
        (u0, v0), (u1, v1) = points[0], points[-1]
        radius = np.hypot((u1 - u0) * su, (v1 - v0) * sv)
        inside = np.hypot((u - u0) * su, (v - v0) * sv) <= radius
        return inside & self.slices(view, depth_mm)

    def lasso(self, view: View, path: Path, depth_mm: float | None = 0) -> Voxels:
        """Centres inside the closed path by the even-odd rule."""
        u, v, points = self._in_plane(view, path)
        inside = np.zeros(self.shape_zyx, bool)
        for (au, av), (bu, bv) in zip(points, np.roll(points, -1, axis=0), strict=True):
            crosses = (av <= v) != (bv <= v)
            with np.errstate(divide="ignore", invalid="ignore"):
                inside ^= crosses & (u >= au + (v - av) / (bv - av) * (bu - au))
        return inside & self.slices(view, depth_mm)

    def _in_plane(self, view: View, path: Path) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """In-plane indices of every voxel, and the path in them."""
        axis_u, axis_v, _ = IN_PLANE[view.plane]
        indices = np.indices(self.shape_zyx)
        return indices[2 - axis_u], indices[2 - axis_v], self.points(view, path)[:, [axis_u, axis_v]]
