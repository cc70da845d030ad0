"""Masks of many segments in little memory: packed boxes, unfolded one segment at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.imaging.grids import Box


@dataclass(frozen=True, eq=False)
class Patch:
    """A box (zyx) of a scan's grid and the voxels in it that are set, as bits."""

    box: Box
    bits: bytes

    @classmethod
    def of(cls, box: Box, voxels: NDArray[np.bool_]) -> "Patch":
        """A patch of a box's voxels."""
        return cls(box, np.packbits(voxels).tobytes())

    @property
    def voxels(self) -> NDArray[np.bool_]:
        """The voxels of the box."""
        shape = tuple(part.stop - part.start for part in self.box)
        bits = np.unpackbits(np.frombuffer(self.bits, dtype=np.uint8), count=int(np.prod(shape)))
        return bits.reshape(shape).astype(bool)


def clipped(box: Box, voxels: NDArray[np.bool_], shape_zyx: tuple[int, int, int]) -> tuple[Box, NDArray[np.bool_]]:
    """The part of a box that lies in a grid, and its voxels; sides without any voxel are dropped."""
    set_at = np.argwhere(voxels)
    if not len(set_at):
        return (slice(0, 0), slice(0, 0), slice(0, 0)), voxels[:0, :0, :0]
    lows, highs = set_at.min(axis=0), set_at.max(axis=0) + 1
    parts, inner = [], []
    for part, low, high, side in zip(box, lows, highs, shape_zyx, strict=True):
        start, stop = max(part.start + int(low), 0), min(part.start + int(high), side)
        stop = max(start, stop)
        parts.append(slice(start, stop))
        inner.append(slice(start - part.start, stop - part.start))
    return (parts[0], parts[1], parts[2]), voxels[tuple(inner)]


def unfolded(patches: Iterable[Patch], shape_zyx: tuple[int, int, int]) -> NDArray[np.bool_]:
    """The whole mask (zyx) of some patches."""
    mask = np.zeros(shape_zyx, dtype=bool)
    for patch in patches:
        mask[patch.box] |= patch.voxels
    return mask


def overlaps(segments: Mapping[int, list[Patch]]) -> dict[tuple[int, int], int]:
    """How many voxels each pair of segments shares, for those that share any."""
    numbers = sorted(segments)
    shared = np.zeros((len(numbers), len(numbers)), dtype=np.int64)
    by_slice: dict[int, dict[int, list[Patch]]] = {}
    for place, number in enumerate(numbers):
        for patch in segments[number]:
            for z in range(patch.box[0].start, patch.box[0].stop):
                by_slice.setdefault(z, {}).setdefault(place, []).append(patch)
    for z, here in by_slice.items():
        places = list(here)
        counts = _shared_on(z, list(here.values())) if len(places) > 1 else None
        if counts is not None:
            shared[np.ix_(places, places)] += counts
    pairs = np.argwhere(np.triu(shared, 1))
    return {(numbers[one], numbers[other]): int(shared[one, other]) for one, other in pairs}


def _shared_on(z: int, here: list[list[Patch]]) -> NDArray[np.int64] | None:
    """For each pair of segments on a slice, the voxels that they share; None where none do."""
    boxes = [patch.box for patches in here for patch in patches]
    y0, x0 = (min(box[axis].start for box in boxes) for axis in (1, 2))
    y1, x1 = (max(box[axis].stop for box in boxes) for axis in (1, 2))
    count = np.zeros((y1 - y0, x1 - x0), dtype=np.uint16)
    planes = []
    for patches in here:
        plane = np.zeros(count.shape, dtype=bool)
        for patch in patches:
            zs, ys, xs = patch.box
            plane[ys.start - y0 : ys.stop - y0, xs.start - x0 : xs.stop - x0] |= patch.voxels[z - zs.start]
        count += plane
        planes.append(np.packbits(plane))
    crowded = count > 1
    if not crowded.any():
        return None
    rows = [np.unpackbits(plane, count=count.size).reshape(count.shape)[crowded] for plane in planes]
    matrix = np.array(rows, dtype=np.float32)
    return np.rint(matrix @ matrix.T).astype(np.int64)
