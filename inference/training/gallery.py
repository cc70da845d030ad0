"""What a network makes of known patterns: each drawn into a synthetic chest, so that its picture may be passed on.

Pictures of public sets may not stand beside weights everywhere; these may, and their truth is known. They show how the
network errs, not how often: synthetic chests are simpler than real ones.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from inference.imaging.rendering import LUNG, windowed
from inference.imaging.tiles import BACKGROUND, INK, on_one_sheet, outlined
from inference.phantoms.patterns import PATTERNS, illustrate
from inference.predict import Predictor
from inference.segmenting.quality import LESION_COLOUR, LUNG_COLOUR

COLUMNS, TILE_PX, TEXT_PX, GAP_PX = 3, 360, 46, 6
# What readers would draw as lesion; the others are what they leave out, or mark apart.
LESIONS = ("ground-glass", "consolidation")
PATTERN_COLOUR = (204, 121, 167)

Found = dict[str, Any]


def gallery(predictor: Predictor) -> tuple[Image.Image, list[Found]]:
    """A picture of every pattern with what was found, and the figures.

    Purple outlines the pattern, orange what was found as lesion, blue what was found as lung. For each pattern:
    `pattern`, `is_lesion`, `percent_found` (of the pattern's area, taken for lesion) and `elsewhere_percent` (of the
    lung outside of it).
    """
    look = predictor.card.look
    figures, tiles = [], []
    for pattern in PATTERNS:
        shown = illustrate(pattern)
        truth, region = look.of_mask(shown.lung), look.of_mask(shown.region)
        seen = look.of_hu(shown.hu, shown.lung)
        lung, lesion = (mask[0] for mask in predictor.masks_of(seen[None], truth[None]))
        inside = region | truth
        found = {
            "pattern": pattern,
            "is_lesion": pattern in LESIONS,
            "percent_found": _percent(lesion & region, region),
            "elsewhere_percent": _percent(lesion & inside & ~region, inside & ~region),
        }
        figures.append(found)
        small = Image.fromarray(windowed(shown.hu, LUNG)).resize((look.size, look.size), Image.Resampling.BILINEAR)
        layers = ((lung, LUNG_COLOUR), (region, PATTERN_COLOUR), (lesion, LESION_COLOUR))
        tiles.append(_captioned(outlined(np.asarray(small), layers, (TILE_PX, TILE_PX)), found))
    return on_one_sheet(tiles, COLUMNS, GAP_PX), figures


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
