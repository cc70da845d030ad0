"""Grids, and whether a mask from elsewhere lies on one exactly: by flips and swaps of axes alone, never resampled."""

from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.imaging import axes, gate
from inference.imaging.axes import Affine
from inference.imaging.gate import STANDARD, GateTolerances
from inference.imaging.volume import Volume

Box = tuple[slice, slice, slice]
# In voxels: beyond any scan, within exact numbers.
FARTHEST = 1e6


@dataclass(frozen=True, eq=False)
class Grid:
    """A scan's grid without its voxels: shape zyx and the affine (LPS) of voxel centres."""

    shape_zyx: tuple[int, int, int]
    affine_lps: Affine

    @classmethod
    def of(cls, volume: Volume) -> "Grid":
        """The grid of a volume."""
        return cls(volume.shape_zyx, np.array(volume.affine_lps))


@dataclass(frozen=True)
class Turn:
    """How a grid's axes (x, y, z) lie along another's: `order[i]` is the axis of the other that axis i follows."""

    order: tuple[int, int, int]
    signs: tuple[int, int, int]

    def of(self, array_zyx: NDArray[Any]) -> NDArray[Any]:
        """An array turned to the other grid's axes; a view."""
        array_xyz = array_zyx.transpose(2, 1, 0)
        for axis, sign in enumerate(self.signs):
            if sign < 0:
                array_xyz = np.flip(array_xyz, axis)
        back = tuple(self.order.index(axis) for axis in range(3))
        return array_xyz.transpose(back).transpose(2, 1, 0)


def align_mask(
    labels_zyx: NDArray[np.uint8],
    affine_lps: Affine,
    scan: Grid,
    *,
    tolerances: GateTolerances = STANDARD,
) -> NDArray[np.uint8]:
    """A mask turned onto its scan's grid, value by value; C order.

    Raises SeriesRefused, saying what differs, unless every voxel of the mask lies on one of the scan's.
    """
    turn, box = place_box(labels_zyx.shape, affine_lps, scan, tolerances)
    turned = turn.of(labels_zyx)
    if turned.shape != scan.shape_zyx:
        raise gate.refuse("mask_size", mask=_by(turned.shape[::-1]), scan=_by(scan.shape_zyx[::-1]))
    if any(part.start != 0 for part in box):
        raise _misplaced(affine_lps, labels_zyx.shape, scan, turn)
    return np.ascontiguousarray(turned)


def align_picture_mask(labels_zyx: NDArray[np.uint8], scan: Volume) -> NDArray[np.uint8]:
    """A mask of pictures over a scan of pictures; raises SeriesRefused unless the scan is one, of the same size."""
    if scan.has_spacing:
        raise gate.refuse("no_place", name="A mask of pictures", what="only a scan of pictures can have one")
    return align_picture_labels(labels_zyx, scan.shape_zyx)


def align_picture_labels(labels_zyx: NDArray[np.uint8], shape_zyx: tuple[int, int, int]) -> NDArray[np.uint8]:
    """As `align_picture_mask`, over a scan that is known to be of pictures; raises SeriesRefused unless of one size."""
    if labels_zyx.shape != shape_zyx:
        raise gate.refuse("mask_size", mask=_by(labels_zyx.shape[::-1]), scan=_by(shape_zyx[::-1]))
    return labels_zyx


def place_box(
    shape_zyx: tuple[int, ...], affine_lps: Affine, scan: Grid, tolerances: GateTolerances = STANDARD
) -> tuple[Turn, Box]:
    """How a smaller or equal grid lies in a scan's: its turn, and the box (zyx) that it fills, perhaps beyond the scan.

    Raises SeriesRefused unless each of its voxels lies on a voxel of the scan, or where one would be.
    """
    into = np.linalg.inv(scan.affine_lps) @ affine_lps
    turn = _nearest_turn(affine_lps, scan.affine_lps)
    exact = np.zeros((4, 4))
    exact[3, 3] = 1.0
    for axis, (other, sign) in enumerate(zip(turn.order, turn.signs, strict=True)):
        exact[other, axis] = sign
    exact[:3, 3] = np.rint(into[:3, 3])
    corners = _corners(shape_zyx)
    far = not np.isfinite(into).all() or np.abs(into).max() > FARTHEST
    if far or np.abs((into - exact) @ corners).max() > tolerances.grid_fraction:
        raise _misplaced(affine_lps, shape_zyx, scan, turn)
    ends = np.rint(exact[:3] @ corners).astype(int)
    low, high = ends.min(axis=1), ends.max(axis=1) + 1
    z, y, x = (slice(int(low[axis]), int(high[axis])) for axis in (2, 1, 0))
    return turn, (z, y, x)


def _nearest_turn(affine: Affine, other: Affine) -> Turn:
    """The turn that makes axes follow the other's as nearly as they can, each taken once."""
    cosines = (_directions(other).T @ _directions(affine)).T
    order = max(permutations(range(3)), key=lambda o: sum(abs(cosines[axis, o[axis]]) for axis in range(3)))
    signs = [-1 if cosines[axis, order[axis]] < 0 else 1 for axis in range(3)]
    return Turn((order[0], order[1], order[2]), (signs[0], signs[1], signs[2]))


def _misplaced(affine: Affine, shape_zyx: tuple[int, ...], scan: Grid, turn: Turn) -> Exception:
    """Why a grid does not lie on a scan's: spacing, orientation or position, whichever is first at fault."""
    ours, theirs = axes.spacing_zyx_mm(affine)[::-1], axes.spacing_zyx_mm(scan.affine_lps)[::-1]
    turned = [ours[turn.order.index(axis)] for axis in range(3)]
    sizes = [shape_zyx[::-1][turn.order.index(axis)] for axis in range(3)]
    tolerance = STANDARD.grid_fraction
    if any(
        not abs(mine - other) * max(n - 1, 1) <= tolerance * other
        for mine, other, n in zip(turned, theirs, sizes, strict=True)
    ):
        words = {"mask": " x ".join(f"{s:.4g}" for s in turned), "scan": " x ".join(f"{s:.4g}" for s in theirs)}
        return gate.refuse("mask_spacing", **words)
    cosines = [
        sign * float(_directions(affine)[:, axis] @ _directions(scan.affine_lps)[:, turn.order[axis]])
        for axis, sign in enumerate(turn.signs)
    ]
    degrees = float(np.degrees(np.arccos(np.clip(min(cosines), -1, 1))))
    if degrees > 0.05:
        return gate.refuse("mask_orientation", degrees=degrees)
    aside = np.linalg.inv(scan.affine_lps) @ affine @ np.array([0, 0, 0, 1.0])
    first = _first_corner(aside, turn, shape_zyx)
    distance = float(np.linalg.norm(scan.affine_lps[:3, :3] @ np.clip(first, -FARTHEST, FARTHEST)))
    return gate.refuse("mask_position", distance=distance)


def _first_corner(origin: NDArray[np.float64], turn: Turn, shape_zyx: tuple[int, ...]) -> NDArray[np.float64]:
    """Where the mask's corner lies that should be the scan's first voxel, in voxels of the scan."""
    corner = origin[:3].copy()
    for axis, (other, sign) in enumerate(zip(turn.order, turn.signs, strict=True)):
        if sign < 0:
            corner[other] -= shape_zyx[::-1][axis] - 1
    return corner


def _directions(affine: Affine) -> NDArray[np.float64]:
    directions: NDArray[np.float64] = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return directions


def _corners(shape_zyx: tuple[int, ...]) -> NDArray[np.float64]:
    z, y, x = shape_zyx
    ends = product((0, x - 1), (0, y - 1), (0, z - 1))
    return np.array([(*end, 1) for end in ends], dtype=np.float64).T


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in shape)
