"""Which voxels a region tool changes, by numpy and scipy alone: no code of the viewer or the site.

Each rule is the one that docs/reference/tools.md states. Voxel arrays have axes zyx, slices of a plane axes vu.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Shape = NDArray[np.bool_]
EVERY = np.ones((3, 3, 3), bool)
# Two computations of the same distance differ by less.
ROUNDING_MM = 1e-6


def slice_of(array_zyx: NDArray[Any], plane: str, at: int) -> NDArray[Any]:
    """A slice of a plane, as a view of the array with axes vu."""
    return np.moveaxis(array_zyx, ("axial", "coronal", "sagittal").index(plane), 0)[at]


def patch(belongs: Shape, at: Sequence[int]) -> Shape:
    """What hangs together with a place by shared faces (in a slice: edges); nothing where the place does not belong."""
    pieces, _ = ndimage.label(belongs)
    found: Shape = (pieces == pieces[tuple(at)]) & belongs
    return found if belongs[tuple(at)] else np.zeros_like(belongs)


def hole(labels_vu: NDArray[np.uint8], value: int, at_vu: Sequence[int]) -> Shape:
    """The hole around a place that pixels of a label enclose; nothing where it is open to the slice's border."""
    around = patch(labels_vu != value, at_vu)
    edge = np.ones_like(around)
    edge[1:-1, 1:-1] = False
    return np.zeros_like(around) if (around & edge).any() else around


def within(seeds: Shape, radius_mm: float, spacing_zyx_mm: Sequence[float]) -> Shape:
    """Voxels within a radius of the nearest seed."""
    near: Shape = ndimage.distance_transform_edt(~seeds, sampling=spacing_zyx_mm) <= radius_mm + ROUNDING_MM
    return near


def mean_around(hu: NDArray[np.int16], seeds: Shape) -> int:
    """Mean over the seeds of the mean of the 3 x 3 x 3 voxels around each, to whole HU (halves upwards)."""
    means = [hu[tuple(slice(max(0, n - 1), n + 2) for n in seed)].mean() for seed in np.argwhere(seeds)]
    return int(np.floor(np.mean(means) + 0.5))


def grown(hu: NDArray[np.int16], seeds: Shape, tolerance_hu: int, ground: Shape) -> Shape:
    """What hangs together with a seed by shared faces, within the tolerance of the mean and on the ground given."""
    belongs = ground & (np.abs(hu.astype(int) - mean_around(hu, seeds)) <= tolerance_hu)
    numbers, _ = ndimage.label(belongs)
    found: Shape = np.isin(numbers, np.unique(numbers[seeds & belongs])) & belongs
    return found


def between(drawn: Mapping[int, Shape], spacing_vu_mm: Sequence[float]) -> dict[int, Shape]:
    """Slices between drawn ones: pixels where the blend of the neighbours' signed distances is not above 0."""
    found = {}
    order = sorted(drawn)
    for below, above in pairwise(order):
        first, second = (_signed_distance(drawn[n], spacing_vu_mm) for n in (below, above))
        for n in range(below + 1, above):
            part = (n - below) / (above - below)
            found[n] = (1 - part) * first + part * second <= ROUNDING_MM
    return found


def _signed_distance(shape: Shape, spacing_mm: Sequence[float]) -> NDArray[np.float64]:
    """To the nearest pixel inside, minus to the nearest outside (mm)."""
    outside = ndimage.distance_transform_edt(~shape, sampling=spacing_mm)
    return np.asarray(outside - ndimage.distance_transform_edt(shape, sampling=spacing_mm))


def ball(radius_mm: float, spacing_mm: Sequence[float]) -> Shape:
    """Offsets whose centres lie within a radius, as a footprint of as many axes as spacings."""
    reach = [int(radius_mm / mm + ROUNDING_MM) for mm in spacing_mm]
    offsets = np.meshgrid(*(np.arange(-n, n + 1) * mm for n, mm in zip(reach, spacing_mm, strict=True)), indexing="ij")
    found: Shape = np.sqrt(sum(axis**2 for axis in offsets)) <= radius_mm + ROUNDING_MM
    return found


def smoothed(shape: Shape, kind: str, radius_mm: float, spacing_mm: Sequence[float]) -> Shape:
    """Median, Open or Close with a ball, or Fill holes slice by slice; beyond the scan nothing is taken away."""
    footprint = ball(radius_mm, spacing_mm)
    if kind == "Median":
        inside = ndimage.correlate(shape.astype(np.int32), footprint.astype(np.int32), mode="constant")
        return np.asarray(2 * inside > footprint.sum())
    if kind == "Open":
        return _dilated(_eroded(shape, footprint), footprint)
    if kind == "Close":
        return _eroded(_dilated(shape, footprint), footprint)
    slices = [shape] if shape.ndim == 2 else list(shape)
    filled = np.stack([ndimage.binary_fill_holes(one) for one in slices])
    return np.asarray(filled.reshape(shape.shape))


def _eroded(shape: Shape, footprint: Shape) -> Shape:
    return np.asarray(ndimage.binary_erosion(shape, footprint, border_value=1))


def _dilated(shape: Shape, footprint: Shape) -> Shape:
    return np.asarray(ndimage.binary_dilation(shape, footprint))


def pieces(shape: Shape) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Pieces that touch by a corner at least, numbered from 1, and the voxels of each; number 0 is what is no piece."""
    numbers, count = ndimage.label(shape, EVERY)
    return numbers, np.bincount(numbers.ravel(), minlength=count + 1)


def piece_at(shape: Shape, at_zyx: Sequence[int]) -> Shape:
    """The piece that holds a voxel."""
    numbers, _ = pieces(shape)
    found: Shape = (numbers == numbers[tuple(at_zyx)]) & shape
    return found


def inmost(shape: Shape) -> tuple[int, ...]:
    """The place of a shape that lies farthest from what is outside it, in voxels."""
    depth = ndimage.distance_transform_cdt(np.pad(shape, 1))[(slice(1, -1),) * shape.ndim]
    return tuple(int(n) for n in np.unravel_index(np.argmax(depth), shape.shape))
