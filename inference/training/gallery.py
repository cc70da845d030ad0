"""What a network makes of known patterns: each drawn into a synthetic chest, so that its picture may be passed on.

Pictures of public sets may not stand beside weights everywhere; these may, and their truth is known. They show how the
network errs, not how often: synthetic chests are simpler than real ones.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from inference.imaging.rendering import LUNG, windowed
from inference.phantoms.patterns import PATTERNS, illustrate
from inference.predict import Predictor
from inference.segmenting.quality import LESION_COLOUR, LUNG_COLOUR
from inference.training.sheets import BACKGROUND, INK, outlined

COLUMNS, TILE_PX, TEXT_PX, GAP_PX = 3, 360, 46, 6
# What readers would draw as lesion; the others are what they leave out, or mark apart.
LESIONS = ("ground-glass", "consolidation")
DRAWN_COLOUR = (204, 121, 167)

Found = dict[str, Any]


def gallery(predictor: Predictor) -> tuple[Image.Image, list[Found]]:
    """A picture of every pattern with what was found, and the figures.

    Purple outlines the pattern, orange what was found as lesion, blue what was found as lung. For each pattern:
    `pattern`, `is_lesion`, `percent_found` (of the pattern's area, taken for lesion) and `elsewhere_percent` (of the
    lung outside of it).
    """
    figures, tiles = [], []
    for pattern in PATTERNS:
        shown = illustrate(pattern)
        looked = predictor.card.look.of_hu(shown.hu, shown.lung)
        truth = predictor.card.look.of_mask(shown.lung)
        lung, lesion = (mask[0] for mask in predictor.masks_of(looked[None], truth[None]))
        region = predictor.card.look.of_mask(shown.region)
        inside = region | truth
        found = {
            "pattern": pattern,
            "is_lesion": pattern in LESIONS,
            "percent_found": _percent(lesion & region, region),
            "elsewhere_percent": _percent(lesion & inside & ~region, inside & ~region),
        }
        figures.append(found)
        grey = predictor.card.look
        size = (grey.size, grey.size)
        picture = np.asarray(Image.fromarray(windowed(shown.hu, LUNG)).resize(size, Image.Resampling.BILINEAR))
        layers = ((lung, LUNG_COLOUR), (region, DRAWN_COLOUR), (lesion, LESION_COLOUR))
        tiles.append(_captioned(outlined(picture, layers, TILE_PX), found))
    return _sheet(tiles), figures


def _percent(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float | None:
    return round(100 * float(part.sum()) / float(whole.sum()), 1) if whole.any() else None


def _captioned(picture: Image.Image, found: Found) -> Image.Image:
    tile = Image.new("RGB", (TILE_PX, TILE_PX + TEXT_PX), BACKGROUND)
    tile.paste(picture, (0, 0))
    words = "found" if found["is_lesion"] else "taken for lesion"
    lines = (
        f"{found['pattern'].replace('-', ' ')}{'' if found['is_lesion'] else ' (no lesion)'}",
        f"{found['percent_found']:.0f} % {words}; {found['elsewhere_percent']:.1f} % of the other lung",
    )
    draw, font = ImageDraw.Draw(tile), ImageFont.load_default(14)
    for row, line in enumerate(lines):
        draw.text((4, TILE_PX + 3 + 20 * row), line, INK, font)
    return tile


def _sheet(tiles: list[Image.Image]) -> Image.Image:
    rows = math.ceil(len(tiles) / COLUMNS)
    width, height = TILE_PX + GAP_PX, TILE_PX + TEXT_PX + GAP_PX
    sheet = Image.new("RGB", (COLUMNS * width + GAP_PX, rows * height + GAP_PX), BACKGROUND)
    for place, tile in enumerate(tiles):
        sheet.paste(tile, (GAP_PX + place % COLUMNS * width, GAP_PX + place // COLUMNS * height))
    return sheet
