"""A mask drawn over a grey picture: outlines of the lungs, outlined and tinted findings."""

import numpy as np
from numpy.typing import NDArray

LUNG_OUTLINE = "#7FB8CC"
FILL = 0.3


def paint(canvas: NDArray[np.float32], inside: NDArray[np.bool_], colour: str, *, fill: float) -> None:
    """Outline a region of `canvas` (float32, rows x columns x RGB, 0 to 255) in a "#RRGGBB" colour, and tint it."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float32)
    core = inside
    for _ in range(1 if max(inside.shape) < 400 else 2):
        padded = np.pad(core, 1)
        core = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    if fill:
        canvas[inside] = canvas[inside] * (1 - fill) + rgb * fill
    canvas[inside & ~core] = rgb
