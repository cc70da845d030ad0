"""Overlays that old files keep in the unused bits of their pixels: handwriting of a sort, and so cleared."""

import numpy as np
from pydicom.dataset import Dataset

# OverlayBitPosition of the sixteen overlay planes.
_POSITIONS = [(group, 0x0102) for group in range(0x6000, 0x601F, 2)]


def clear_overlay_bits(dataset: Dataset, *, native: bool) -> None:
    """Clear the bits above BitsStored where an overlay may lie in them; compressed pixels have no such bits.

    Only where a file says that it has an overlay there: else the bits may be a sign's.
    """
    if not native or "PixelData" not in dataset or not any(_lies_in_pixels(dataset, place) for place in _POSITIONS):
        return
    allocated, stored = int(dataset.BitsAllocated), int(dataset.BitsStored)
    if allocated != 16 or not 0 < stored < 16 or len(dataset.PixelData) % 2:
        return
    order = "<" if dataset.original_encoding[1] else ">"
    words = np.frombuffer(dataset.PixelData, dtype=f"{order}u2")
    low = int(dataset.get("HighBit", stored - 1)) + 1 - stored
    dataset.PixelData = (words & np.uint16(((1 << stored) - 1) << max(low, 0))).astype(f"{order}u2").tobytes()


def _lies_in_pixels(dataset: Dataset, place: tuple[int, int]) -> bool:
    """Whether an overlay's bit position is given and it has no data of its own."""
    try:
        return place in dataset and int(dataset[place].value or 0) > 0 and (place[0], 0x3000) not in dataset
    except (TypeError, ValueError):
        return False
