"""A picture of each case that a network was judged on: the slices where it errs most, found beside drawn.

They show the public sets themselves and stay where the run is.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from inference.training.cases import TrainingCase

Mask = NDArray[np.bool_]
TILES, COLUMNS, TILE_PX, GAP_PX = 8, 4, 320, 4
BACKGROUND, INK = (16, 18, 22), (226, 230, 235)
LUNG_COLOUR, DRAWN_COLOUR, FOUND_COLOUR = (110, 110, 110), (86, 180, 233), (230, 159, 0)


def sheet(case: TrainingCase, lung: Mask, lesion: Mask) -> Image.Image:
    """Eight slices of a case, RGB: blue outlines what was drawn, orange what was found, grey the lungs found.

    `lung` and `lesion` (bool zyx) are the network's. The slices are those with most pixels of lesion found and not
    drawn or drawn and not found, no two neighbours, z ascending.
    """
    drawn = case.lesion > 0
    chosen = worst_slices(drawn ^ lesion)
    rows = -(-len(chosen) // COLUMNS)
    side = TILE_PX + GAP_PX
    picture = Image.new("RGB", (COLUMNS * side + GAP_PX, rows * side + GAP_PX), BACKGROUND)
    for place, z in enumerate(chosen):
        layers = ((lung[z], LUNG_COLOUR), (drawn[z], DRAWN_COLOUR), (lesion[z], FOUND_COLOUR))
        tile = outlined(case.images[z], layers, TILE_PX)
        ImageDraw.Draw(tile).text((5, 3), f"slice {z + 1}", INK, stroke_width=2, stroke_fill=BACKGROUND)
        picture.paste(tile, (GAP_PX + place % COLUMNS * side, GAP_PX + place // COLUMNS * side))
    return picture


def worst_slices(wrong: Mask) -> list[int]:
    """Up to eight slices (z, ascending) with most wrong pixels (bool zyx), no two of them neighbours if others do."""
    order = [int(z) for z in np.argsort(-wrong.sum(axis=(1, 2)), kind="stable")]
    chosen: list[int] = []
    for apart in (True, False):
        for z in order:
            near = apart and any(abs(z - other) < 2 for other in chosen)
            if len(chosen) < TILES and z not in chosen and not near:
                chosen.append(z)
    return sorted(chosen)


def outlined(image: NDArray[np.uint8], outlines: Sequence[tuple[Mask, tuple[int, int, int]]], side: int) -> Image.Image:
    """A square grey slice (uint8 yx), drawn `side` x `side` as RGB with the outlines of masks of its shape."""
    size = (side, side)
    colour = np.repeat(np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))[..., None], 3, axis=2)
    for mask, ink in outlines:
        large = np.asarray(Image.fromarray(mask.astype(np.uint8)).resize(size, Image.Resampling.NEAREST)) > 0
        colour[large & ~ndimage.binary_erosion(large)] = ink
    return Image.fromarray(colour)
