"""Several label volumes made one: intersection, union, majority, STAPLE."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

INTERSECTION, UNION, MAJORITY, STAPLE = RULES = ("intersection", "union", "majority", "staple")
# Of fewer than three, no majority says anything, and STAPLE cannot tell whose error a difference is.
OF_THREE = (MAJORITY, STAPLE)
_MOST_ROUNDS, _STILL = 500, 1e-9


def combine(
    volumes: Sequence[NDArray[np.uint8]], rule: str, probability: NDArray[np.float64] | None = None
) -> NDArray[np.uint8]:
    """Return the consensus of `volumes` (uint8 labels of one shape, 0 is nothing), uint8 of that shape.

    A voxel is marked where all of them mark it ("intersection"), any does ("union"), more than half do ("majority", of
    three or more), or its probability by `staple` is above one half ("staple", of three or more: `probability` is what
    staple returns for the whole volumes). Its label is the one that most of those who marked it gave; among equals,
    that of the first in order. Raises ValueError for another rule, no volume, unlike shapes, or fewer than three where
    three are needed.
    """
    if rule not in RULES or not volumes or len({v.shape for v in volumes}) > 1:
        raise ValueError(f"no consensus of {len(volumes)} volumes by {rule!r}")
    if rule in OF_THREE and len(volumes) < 3:
        raise ValueError(f"a consensus by {rule} needs three volumes or more")
    stack = np.stack(volumes)
    if rule == STAPLE:
        if probability is None:
            raise ValueError("a consensus by staple needs the probabilities of staple")
        marked = probability[patterns(volumes)] > 0.5
    else:
        needed = {INTERSECTION: len(volumes), UNION: 1, MAJORITY: len(volumes) // 2 + 1}[rule]
        marked = np.count_nonzero(stack, axis=0) >= needed
    chosen = np.zeros(stack.shape[1:], np.uint8)
    best = np.zeros(stack.shape[1:], np.int64)
    # In order of preference: a label replaces another only where strictly more gave it.
    for volume in volumes:
        votes = np.count_nonzero(stack == volume, axis=0) * (volume > 0)
        better = votes > best
        chosen[better], best[better] = volume[better], votes[better]
    return np.where(marked, chosen, 0).astype(np.uint8)


def patterns(volumes: Sequence[NDArray[np.uint8]]) -> NDArray[np.int64]:
    """Who marked each voxel: bit n is set where volume n does; int64 of the volumes' shape."""
    return sum((volume > 0).astype(np.int64) << n for n, volume in enumerate(volumes))  # type: ignore[return-value]


def staple(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the probability that a voxel is truly marked, by who marked it: float64 (2**readers,).

    `counts` (2**readers,) says how many voxels each set of readers marked, indexed as `patterns` does, unmarked voxels
    at 0. Expectation maximisation over each reader's sensitivity and specificity (Warfield 2004, IEEE Trans Med Imaging
    23:903); the prior is the mean share of marked voxels. Only the sets of readers matter, so that any volume costs
    the same. Raises ValueError where `counts` is not of two readers or more.
    """
    readers = int(counts.size).bit_length() - 1
    if counts.size != 1 << readers or readers < 2:
        raise ValueError("counts must hold one number for each set of two readers or more")
    said = (np.arange(counts.size)[:, None] >> np.arange(readers)) & 1
    voxels = counts.astype(np.float64)
    share = float((voxels @ said).sum() / max(1.0, voxels.sum() * readers))
    if share in (0.0, 1.0):
        return np.full(counts.size, share)
    sensitivity = np.full(readers, 0.99999)
    specificity = np.full(readers, 0.99999)
    truth = np.zeros(counts.size)
    for _ in range(_MOST_ROUNDS):
        marked = share * np.prod(np.where(said, sensitivity, 1 - sensitivity), axis=1)
        empty = (1 - share) * np.prod(np.where(said, 1 - specificity, specificity), axis=1)
        before, truth = truth, marked / np.maximum(marked + empty, np.finfo(np.float64).tiny)
        yes, no = voxels * truth, voxels * (1 - truth)
        sensitivity = (yes @ said) / max(yes.sum(), np.finfo(np.float64).tiny)
        specificity = (no @ (1 - said)) / max(no.sum(), np.finfo(np.float64).tiny)
        if np.abs(truth - before).max() < _STILL:
            break
    return truth
