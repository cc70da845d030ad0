"""Masks of many segments in little memory: packed boxes, unfolded one segment at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

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
    by_slice: dict[int, dict[int, list[Patch]]] = {}
    for number, patches in segments.items():
        for patch in patches:
            for z in range(patch.box[0].start, patch.box[0].stop):
                by_slice.setdefault(z, {}).setdefault(number, []).append(patch)
    shared: dict[tuple[int, int], int] = {}
    for z, here in by_slice.items():
        for one, other in combinations(sorted(here), 2):
            count = _shared_on(z, here[one], here[other])
            if count:
                shared[one, other] = shared.get((one, other), 0) + count
    return shared


def _shared_on(z: int, one: list[Patch], other: list[Patch]) -> int:
    boxes = [patch.box for patch in (*one, *other)]
    y0, x0 = (min(box[axis].start for box in boxes) for axis in (1, 2))
    y1, x1 = (max(box[axis].stop for box in boxes) for axis in (1, 2))
    planes = []
    for patches in (one, other):
        plane = np.zeros((y1 - y0, x1 - x0), dtype=bool)
        for patch in patches:
            zs, ys, xs = patch.box
            plane[ys.start - y0 : ys.stop - y0, xs.start - x0 : xs.stop - x0] |= patch.voxels[z - zs.start]
        planes.append(plane)
    return int(np.count_nonzero(planes[0] & planes[1]))
