"""The demonstration's guideline: its text, and pictures drawn from synthetic chests, each with its label's outline."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from inference.phantoms.patterns import PATTERNS, illustrate
from webapp.masks.models import LabelSet

TEXT = Path(__file__).with_name("guideline.md")
LOW_HU, WIDTH_HU = -1350, 1500  # the lung window: level -600, width 1500
MARGIN_PX, SCALE, LINE_PX = 8, 2, 2
# The label under which each pattern is painted, by name; the first two are lesion.
LABELS = {"ground-glass": "COVID-19", "consolidation": "COVID-19"}


def guideline_text() -> str:
    """The text, which names its pictures."""
    return TEXT.read_text()


def guideline_pictures(label_set: LabelSet) -> dict[str, bytes]:
    """File name -> PNG: half a chest in the lung window, the finding outlined in its label's colour."""
    colours = {label["name"]: label["colour"] for label in label_set.labels}
    return {
        f"{pattern}.png": _picture(pattern, colours[LABELS.get(pattern, pattern.replace("-", " ").capitalize())])
        for pattern in PATTERNS
    }


def _picture(pattern: str, colour: str) -> bytes:
    shown = illustrate(pattern)
    half = shown.lung.copy()
    half[:, : half.shape[1] // 2] = False
    rows, columns = np.flatnonzero(half.any(axis=1)), np.flatnonzero(half.any(axis=0))
    box = (
        slice(rows[0] - MARGIN_PX, rows[-1] + MARGIN_PX),
        slice(columns[0] - 3 * MARGIN_PX, columns[-1] + 3 * MARGIN_PX),
    )
    grey = ((shown.hu[box].astype(np.float32) - LOW_HU) * (255 / WIDTH_HU)).clip(0, 255).astype(np.uint8)
    size = (grey.shape[1] * SCALE, grey.shape[0] * SCALE)
    canvas = np.repeat(np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC))[..., None], 3, axis=2)
    canvas[_outline(shown.region[box], size)] = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    out = io.BytesIO()
    Image.fromarray(canvas).save(out, "PNG", optimize=True)
    return out.getvalue()


def _outline(region: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """The edge of a region, smooth, at the picture's size."""
    soft = Image.fromarray(ndimage.gaussian_filter(region.astype(np.float32), 1)).resize(size, Image.Resampling.BICUBIC)
    inside = np.asarray(soft) > 0.5
    return ndimage.binary_dilation(inside, iterations=LINE_PX) & ~inside
