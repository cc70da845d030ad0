"""Slices as pictures with the outlines of masks, and many of them on one sheet."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

Ink = tuple[int, int, int]
BACKGROUND, INK = (16, 18, 22), (226, 230, 235)


def outlined(
    grey: NDArray[np.uint8], outlines: Sequence[tuple[NDArray[np.bool_], Ink]], size: tuple[int, int]
) -> Image.Image:
    """A grey slice (uint8 yx) as RGB of `size` (width, height), with the outlines of masks of its shape, in order."""
    large = np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BILINEAR))
    colour = np.repeat(large[..., None], 3, axis=2)
    for mask, ink in outlines:
        inside = np.asarray(Image.fromarray(mask.astype(np.uint8)).resize(size, Image.Resampling.NEAREST)) > 0
        colour[inside & ~ndimage.binary_erosion(inside)] = ink
    return Image.fromarray(colour)


def on_one_sheet(tiles: Sequence[Image.Image], columns: int, gap_px: int) -> Image.Image:
    """Tiles of one size in rows of `columns`, as RGB; at least one tile."""
    rows = -(-len(tiles) // columns)
    width, height = tiles[0].width + gap_px, tiles[0].height + gap_px
    sheet = Image.new("RGB", (columns * width + gap_px, rows * height + gap_px), BACKGROUND)
    for place, tile in enumerate(tiles):
        sheet.paste(tile, (gap_px + place % columns * width, gap_px + place // columns * height))
    return sheet
