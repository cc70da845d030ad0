"""Several label volumes made one: intersection, union, majority."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

INTERSECTION, UNION, MAJORITY = RULES = ("intersection", "union", "majority")


def combine(volumes: Sequence[NDArray[np.uint8]], rule: str) -> NDArray[np.uint8]:
    """Return the consensus of `volumes` (uint8 labels of one shape, 0 is nothing), uint8 of that shape.

    A voxel is marked where all of them mark it ("intersection"), any does ("union"), or more than half do ("majority",
    of three or more). Its label is the one that most of those who marked it gave; among equals, that of the first in
    order. Raises ValueError for another rule, no volume, unlike shapes, or a majority of fewer than three.
    """
    if rule not in RULES or not volumes or len({v.shape for v in volumes}) > 1:
        raise ValueError(f"no consensus of {len(volumes)} volumes by {rule!r}")
    if rule == MAJORITY and len(volumes) < 3:
        raise ValueError("a majority needs three volumes or more")
    stack = np.stack(volumes)
    marked = np.count_nonzero(stack, axis=0)
    needed = {INTERSECTION: len(volumes), UNION: 1, MAJORITY: len(volumes) // 2 + 1}[rule]
    chosen = np.zeros(stack.shape[1:], np.uint8)
    best = np.zeros(stack.shape[1:], np.int64)
    # In order of preference: a label replaces another only where strictly more gave it.
    for volume in volumes:
        votes = np.count_nonzero(stack == volume, axis=0) * (volume > 0)
        better = votes > best
        chosen[better], best[better] = volume[better], votes[better]
    return np.where(marked >= needed, chosen, 0).astype(np.uint8)
