"""Overlap of two masks. Undefined is None: two empty masks have no Dice, and it is never 0 or 1 in silence."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Counts:
    """Voxels that both masks have, that only the one judged has, and that only the reference has."""

    true_positive: int
    false_positive: int
    false_negative: int


def count(mask: NDArray[np.generic], reference: NDArray[np.generic]) -> Counts:
    """Count the voxels of a mask against a reference; non-zero is inside. Raises ValueError on other shapes."""
    if mask.shape != reference.shape:
        raise ValueError("The two masks must share one shape.")
    ours, theirs = mask != 0, reference != 0
    both = int(np.count_nonzero(ours & theirs))
    return Counts(both, int(np.count_nonzero(ours)) - both, int(np.count_nonzero(theirs)) - both)


def dice(mask: NDArray[np.generic], reference: NDArray[np.generic]) -> float | None:
    """Dice coefficient, 2TP / (2TP + FP + FN) (Dice 1945); None when both masks are empty."""
    counts = count(mask, reference)
    total = 2 * counts.true_positive + counts.false_positive + counts.false_negative
    return 2 * counts.true_positive / total if total else None


def sensitivity(mask: NDArray[np.generic], reference: NDArray[np.generic]) -> float | None:
    """TP / (TP + FN); None when the reference is empty."""
    counts = count(mask, reference)
    total = counts.true_positive + counts.false_negative
    return counts.true_positive / total if total else None


def ppv(mask: NDArray[np.generic], reference: NDArray[np.generic]) -> float | None:
    """Positive predictive value, TP / (TP + FP); None when the mask is empty."""
    counts = count(mask, reference)
    total = counts.true_positive + counts.false_positive
    return counts.true_positive / total if total else None
