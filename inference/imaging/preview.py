"""Previews: a whole scan small enough to be sent at once, by means over blocks of voxels."""

import numpy as np

from inference.imaging.slabs import encode_slab
from inference.imaging.volume import Volume

LARGEST_BYTES = 1_500_000
# Voxels of a preview before its bytes are known: noisy lung takes about a byte each.
AIMED_VOXELS = 1_300_000
COARSER = 1.15


def preview_of(volume: Volume, block_zyx: tuple[int, int, int]) -> Volume:
    """The rounded means over blocks of `block_zyx` voxels, on a grid of their own; edge blocks take what is left.

    A preview's voxel lies at its block's centre; one of a narrower block at the edge lies up to half a block too far.
    """
    bz, by, bx = block_zyx
    starts = [np.arange(0, n, block) for n, block in zip(volume.shape_zyx, block_zyx, strict=True)]
    widths = [np.diff(np.append(at, n)) for at, n in zip(starts, volume.shape_zyx, strict=True)]
    means = np.empty([len(at) for at in starts], dtype=np.int16)
    for place, z in enumerate(starts[0]):  # few slices at a time: the sums stay in the processor's cache
        rows = np.add.reduceat(volume.hu[z : z + bz].sum(axis=0, dtype=np.int32), starts[1], axis=0)
        counts = widths[0][place] * np.multiply.outer(widths[1], widths[2])
        means[place] = np.rint(np.add.reduceat(rows, starts[2], axis=1) / counts)
    step = np.diag([bx, by, bz, 1.0])
    step[:3, 3] = [(bx - 1) / 2, (by - 1) / 2, (bz - 1) / 2]
    return Volume(means, volume.affine_lps @ step, volume.has_hu, volume.has_spacing)


def encoded_preview(volume: Volume, largest_bytes: int = LARGEST_BYTES) -> tuple[bytes, Volume]:
    """A preview as one slab file of at most `largest_bytes`, its voxels as even-sided as whole blocks allow."""
    edge_mm = float((np.prod(volume.shape_zyx) * np.prod(volume.spacing_zyx_mm) / AIMED_VOXELS) ** (1 / 3))
    known: tuple[int, int, int] | None = None
    while True:
        bz, by, bx = (max(1, round(edge_mm / spacing)) for spacing in volume.spacing_zyx_mm)
        if (bz, by, bx) != known:
            known = (bz, by, bx)
            preview = preview_of(volume, known)
            content = encode_slab(preview.hu)
            if len(content) <= largest_bytes or preview.hu.size == 1:
                return content, preview
        edge_mm *= COARSER
