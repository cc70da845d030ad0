"""Whether a slice has lesion, told by a score: ROC area, sensitivity, specificity."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


@dataclass(frozen=True)
class Presence:
    """How well a score tells slices with lesion from slices without; None where one of the two kinds is missing.

    `sensitivity` and `specificity` are at `threshold`: a slice counts as having lesion where its score is above it.
    """

    auc: float | None
    sensitivity: float | None
    specificity: float | None
    threshold: float
    positive: int
    negative: int


def presence(scores: NDArray[np.floating], truth: NDArray[np.bool_], threshold: float = 0.0) -> Presence:
    """Judge scores (one a slice) by the truth. The AUC is the chance that a slice with lesion scores above one
    without, ties counting half (Hanley & McNeil 1982: the Mann-Whitney statistic). Raises ValueError on other shapes.
    """
    if scores.shape != truth.shape or scores.ndim != 1:
        raise ValueError("There must be one score and one truth for each slice.")
    positive, negative = int(truth.sum()), int((~truth).sum())
    auc = None
    if positive and negative:
        ranks = rankdata(scores)
        auc = float((ranks[truth].sum() - positive * (positive + 1) / 2) / (positive * negative))
    above = scores > threshold
    return Presence(
        auc,
        float(above[truth].mean()) if positive else None,
        float((~above[~truth]).mean()) if negative else None,
        threshold,
        positive,
        negative,
    )
