"""Voxels beside the lungs are of the nearer one, by distance in mm."""

import numpy as np

from inference.baseline.sides import nearest_side

SPACING_ZYX_MM = (5.0, 0.7, 0.9)


def by_hand(voxels, lungs):
    """The distance to every voxel of lung."""
    places = np.argwhere(lungs)
    found = np.zeros_like(lungs)
    for voxel in np.argwhere(voxels):
        distance = (((places - voxel) * SPACING_ZYX_MM) ** 2).sum(axis=1)
        nearest = {int(lungs[tuple(place)]) for place in places[distance <= distance.min() + 1e-9]}
        found[tuple(voxel)] = nearest.pop() if len(nearest) == 1 else 255  # as near to both
    return found


def test_nearest_side_is_that_of_the_nearest_voxel_of_lung():
    random = np.random.default_rng(3)
    lungs = np.zeros((6, 24, 40), dtype=np.uint8)
    lungs[1:5, 4:20, 2:14] = 2
    lungs[2:6, 6:18, 22:37] = 1
    voxels = random.random(lungs.shape) < 0.3
    found, expected = nearest_side(voxels, lungs, SPACING_ZYX_MM), by_hand(voxels, lungs)
    tied = expected == 255
    assert np.array_equal(found[~tied], expected[~tied])
    assert set(np.unique(found[tied])) <= {1, 2}
    assert np.count_nonzero(found[voxels & (lungs == 0)]) > 500
    assert np.array_equal(found[voxels & (lungs != 0)], lungs[voxels & (lungs != 0)])


def test_without_lung_there_is_no_side():
    lungs = np.zeros((2, 3, 4), dtype=np.uint8)
    assert not nearest_side(np.ones_like(lungs, dtype=bool), lungs, SPACING_ZYX_MM).any()
