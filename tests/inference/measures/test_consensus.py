"""Several masks made one, voxel by voxel."""

import numpy as np
import pytest

from inference.measures.consensus import combine


def of(*voxels: int) -> np.ndarray:
    return np.array([voxels], dtype=np.uint8)


A, B, C = of(0, 1, 1, 2, 0, 3), of(0, 1, 0, 1, 2, 3), of(0, 0, 0, 1, 0, 1)


@pytest.mark.parametrize(
    ("masks", "rule", "expected"),
    [
        ([A, B], "intersection", (0, 1, 0, 2, 0, 3)),  # where labels differ, the first one's
        ([B, A], "intersection", (0, 1, 0, 1, 0, 3)),
        ([A, B], "union", (0, 1, 1, 2, 2, 3)),
        ([A, B, C], "majority", (0, 1, 0, 1, 0, 3)),  # 2 1 1 is 1: most gave it
        ([A, B, C], "intersection", (0, 0, 0, 1, 0, 3)),
        ([A, B, C], "union", (0, 1, 1, 1, 2, 3)),
        ([A], "union", (0, 1, 1, 2, 0, 3)),
    ],
)
def test_consensus_by_hand(masks, rule, expected):
    np.testing.assert_array_equal(combine(masks, rule), of(*expected))


def test_what_is_no_consensus_is_refused():
    for masks, rule in (([A, B], "majority"), ([], "union"), ([A, of(1)], "union"), ([A, B], "mean")):
        with pytest.raises(ValueError, match=r"consensus|majority"):
            combine(masks, rule)
