"""A picture of each case that a network was judged on: the slices where it errs most, found beside drawn.

They show the public sets themselves and stay where the run is.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from inference.imaging.tiles import BACKGROUND, INK, on_one_sheet, outlined
from inference.training.cases import TrainingCase

Mask = NDArray[np.bool_]
TILES, COLUMNS, TILE_PX, GAP_PX = 8, 4, 320, 4
LUNG_COLOUR, DRAWN_COLOUR, FOUND_COLOUR = (110, 110, 110), (86, 180, 233), (230, 159, 0)


def sheet(case: TrainingCase, lung: Mask, lesion: Mask) -> Image.Image:
    """Eight slices of a case, RGB: blue outlines what was drawn, orange what was found, grey the lungs found.

    `lung` and `lesion` (bool zyx) are the network's. The slices are those with most pixels of lesion found and not
    drawn or drawn and not found, no two neighbours, z ascending.
    """
    drawn = case.lesion > 0
    chosen = worst_slices(drawn ^ lesion)
    tiles = []
    for z in chosen:
        layers = ((lung[z], LUNG_COLOUR), (drawn[z], DRAWN_COLOUR), (lesion[z], FOUND_COLOUR))
        tile = outlined(case.images[z], layers, (TILE_PX, TILE_PX))
        ImageDraw.Draw(tile).text((5, 3), f"slice {z + 1}", INK, stroke_width=2, stroke_fill=BACKGROUND)
        tiles.append(tile)
    return on_one_sheet(tiles, COLUMNS, GAP_PX)


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
