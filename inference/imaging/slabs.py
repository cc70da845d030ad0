"""Slabs: the volume's voxels in pieces of ten slices, small and quick to decode in a browser.

Payload: with v the slab's int16 voxels, flat zyx, d[0] = v[0] and d[i] = v[i] - v[i-1] modulo 2^16; zigzag to
uint16, (d << 1) ^ (d >> 15); then all low bytes followed by all high bytes. The file is one zstd
frame (level 3).
"""

from collections.abc import Iterator

import numpy as np
import zstandard
from numpy.typing import NDArray

from inference.imaging.masks import MaskError, decompress_exactly

SLICES_PER_SLAB = 10
ZSTD_LEVEL = 3


class SlabError(ValueError):
    """Slab bytes that cannot be what they claim."""


def slab_ranges(slice_count: int) -> Iterator[tuple[int, int]]:
    """(z_start, z_count) of each slab of a volume, z ascending."""
    for z_start in range(0, slice_count, SLICES_PER_SLAB):
        yield z_start, min(SLICES_PER_SLAB, slice_count - z_start)


def encode_slab(voxels_zyx: NDArray[np.int16]) -> bytes:
    """The slab file of some slices (int16, zyx)."""
    if voxels_zyx.dtype != np.int16 or voxels_zyx.size == 0:
        raise SlabError("A slab holds int16 voxels.")
    flat = np.ascontiguousarray(voxels_zyx).reshape(-1)
    step = np.empty_like(flat)
    step[0] = flat[0]
    np.subtract(flat[1:], flat[:-1], out=step[1:])
    # In place: a slab's megabytes are fetched from the system anew for each array.
    sign = step >> 15
    np.left_shift(step, 1, out=step)
    np.bitwise_xor(step, sign, out=step)
    zigzag = step.astype("<i2", copy=False)
    planes = np.ascontiguousarray(zigzag.view(np.uint8).reshape(-1, 2).T)
    return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(planes.data)


def decode_slab(frame: bytes, shape_zyx: tuple[int, int, int]) -> NDArray[np.int16]:
    """The int16 voxels of a slab file; raises SlabError unless it holds exactly this shape."""
    count = int(np.prod(shape_zyx))
    try:
        raw = decompress_exactly(frame, 2 * count)
    except MaskError as error:
        raise SlabError("The slab does not hold the voxels it should.") from error
    planes = np.frombuffer(raw, dtype=np.uint8).reshape(2, count)
    zigzag = planes[0].astype(np.uint16) | (planes[1].astype(np.uint16) << 8)
    step = (zigzag >> 1) ^ (np.uint16(0) - (zigzag & 1))
    return np.cumsum(step, dtype=np.uint16).view(np.int16).reshape(shape_zyx)
