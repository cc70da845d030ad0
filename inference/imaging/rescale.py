"""From stored values to Hounsfield units (PS3.3 C.11.1: output = stored x slope + intercept)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.imaging import gate
from inference.imaging.elements import Elements, number, text

LOWEST, HIGHEST = -32768, 32767
LARGEST = 1e6
# HU_MOD: modified Hounsfield units of multi-energy CT; others misspell the name.
HU_TYPES = ("", "HU", "HU_MOD")
# The standard's other terms (C.11.1.1.2). What else stands there is never repeated: it could be anybody's words.
KNOWN_TYPES = {"OD", "HU", "US", "MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT"}


@dataclass(frozen=True)
class Rescale:
    """Slope, intercept, and whether the result is in Hounsfield units."""

    slope: float = 1.0
    intercept: float = 0.0
    is_hu: bool = True
    type: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether whole stored values give whole Hounsfield units."""
        return self.slope.is_integer() and self.intercept.is_integer()

    @property
    def shown_type(self) -> str:
        """The type as it may be shown to people."""
        return self.type if self.type in KNOWN_TYPES else "of another kind"

    def of(self, value: float) -> float:
        """What one stored value means, before rounding."""
        return value * self.slope + self.intercept


@dataclass(frozen=True, eq=False)
class Rescaled:
    """Values in HU (int16), and how many of them did not fit 16 bits."""

    hu: NDArray[np.int16]
    clipped: int
    lowest: int


def read_rescale(image: Elements, name: str) -> Rescale:
    """An image's rescale. Raises SeriesRefused for one that cannot be used.

    Without RescaleIntercept, or with a RescaleType other than HU, the values are not known to be Hounsfield units.
    """
    slope, intercept = number(image, "RescaleSlope"), number(image, "RescaleIntercept")
    unreadable = (slope is None and text(image, "RescaleSlope")) or (
        intercept is None and text(image, "RescaleIntercept")
    )
    if unreadable or slope == 0.0 or max(abs(slope or 0), abs(intercept or 0)) > LARGEST:
        said = [text(image, keyword)[:16] or "none" for keyword in ("RescaleSlope", "RescaleIntercept")]
        raise gate.refuse("rescale", name=name, slope=said[0], intercept=said[1])
    kind = text(image, "RescaleType").upper()
    is_hu = intercept is not None and (kind in HU_TYPES or kind.startswith(("HOUNSFIELD", "HOUNDSFIELD")))
    return Rescale(1.0 if slope is None else slope, intercept or 0.0, is_hu, kind)


def rescaled(stored: NDArray[Any], rescale: Rescale) -> Rescaled:
    """Stored values (any whole type) in HU, rounded to the nearest integer (halves to even) and clipped to 16 bits."""
    ends = [rescale.of(int(stored.min())), rescale.of(int(stored.max()))]
    low, high = round(min(ends)), round(max(ends))
    if rescale.is_whole and low >= LOWEST and high <= HIGHEST:
        wide = stored.astype(np.int32)
        if rescale.slope != 1.0:
            wide *= int(rescale.slope)
        return Rescaled((wide + np.int32(rescale.intercept)).astype(np.int16), 0, low)
    exact = np.rint(stored.astype(np.float64) * rescale.slope + rescale.intercept)
    clipped = int(np.count_nonzero((exact < LOWEST) | (exact > HIGHEST)))
    return Rescaled(np.clip(exact, LOWEST, HIGHEST).astype(np.int16), clipped, max(low, LOWEST))
