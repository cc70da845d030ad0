"""Illustrations of findings: what each shows, and where it says that it is."""

import numpy as np
import pytest
from scipy import ndimage

from inference.phantoms.patterns import PATTERNS, illustrate


@pytest.fixture(scope="module")
def shown():
    return {pattern: illustrate(pattern) for pattern in PATTERNS}


def mean_inside(illustration) -> float:
    return float(illustration.hu[illustration.region].mean())


@pytest.mark.parametrize("pattern", PATTERNS)
def test_pattern_lies_in_the_left_lung_and_leaves_most_of_it_healthy(shown, pattern):
    region, lung = shown[pattern].region, shown[pattern].lung
    assert region.any()
    assert lung[region].all()
    assert not region[:, : region.shape[1] // 2].any()
    assert region.sum() < 0.35 * lung.sum()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_same_seed_gives_the_same_picture_and_another_does_not(shown, pattern):
    again = illustrate(pattern)
    assert np.array_equal(again.hu, shown[pattern].hu)
    assert np.array_equal(again.region, shown[pattern].region)
    assert not np.array_equal(illustrate(pattern, seed=8).hu, again.hu)


def test_densities_are_those_of_the_findings(shown):
    assert -700 < mean_inside(shown["ground-glass"]) < -300
    assert -250 < mean_inside(shown["consolidation"]) < 60
    assert -10 < mean_inside(shown["pleural-effusion"]) < 30
    assert mean_inside(shown["calcified-nodule"]) > 400
    assert np.percentile(shown["tuberculous-sequelae"].hu[shown["tuberculous-sequelae"].region], 99) > 200


def test_honeycombing_is_air_between_walls(shown):
    inside = shown["honeycombing"].hu[shown["honeycombing"].region]
    assert (inside < -850).mean() > 0.25
    assert (inside > -300).mean() > 0.2


@pytest.mark.parametrize("pattern", ["reticulation", "honeycombing"])
def test_peripheral_patterns_lie_under_the_pleura(shown, pattern):
    depth = ndimage.distance_transform_edt(shown[pattern].lung)
    assert depth[shown[pattern].region].max() < 40


def test_dependent_density_and_fluid_lie_at_the_back(shown):
    for pattern in ("dependent-density", "pleural-effusion"):
        rows = np.flatnonzero(shown[pattern].lung.any(axis=1))
        assert np.flatnonzero(shown[pattern].region.any(axis=1))[0] > rows.mean()
