"""The classical baseline on phantoms whose answer is known, and on scans that have none."""

import numpy as np
import pytest

from inference.baseline import segment
from inference.imaging.volume import Volume
from inference.measures.overlap import dice
from inference.phantoms import Phantom, make_phantom

SHAPE, SPACING = (40, 128, 128), (7.0, 2.8, 2.8)


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return make_phantom(2, shape_zyx=SHAPE, spacing_zyx_mm=SPACING, padding_hu=-3024)


def test_lungs_and_lesions_of_a_phantom_are_found(phantom: Phantom) -> None:
    told: list[tuple[float, str]] = []
    found = segment(phantom.volume, lambda fraction, text: told.append((fraction, text)))
    assert dice(found.anatomy == 1, phantom.anatomy == 1) > 0.96
    assert dice(found.anatomy == 2, phantom.anatomy == 2) > 0.96
    assert dice(found.findings, phantom.findings) > 0.85
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_consolidation_stays_in_the_lung(phantom: Phantom) -> None:
    found = segment(phantom.volume)
    dense = phantom.findings == 2
    assert (found.anatomy[dense] > 0).mean() > 0.9


def test_the_same_scan_gives_the_same_masks(phantom: Phantom) -> None:
    one, two = segment(phantom.volume), segment(phantom.volume)
    assert np.array_equal(one.anatomy, two.anatomy)
    assert np.array_equal(one.findings, two.findings)


def test_a_healthy_chest_has_next_to_no_lesion() -> None:
    healthy = make_phantom(0, lesions=[])
    found = segment(healthy.volume)
    assert (found.findings > 0).sum() < 0.005 * (found.anatomy > 0).sum()


def test_left_is_the_patients_left_whichever_way_the_rows_run(phantom: Phantom) -> None:
    half_turn = np.diag([-1.0, -1.0, 1.0, 1.0]) @ phantom.volume.affine_lps
    turned = segment(Volume(phantom.volume.hu, half_turn)).anatomy
    plain = segment(phantom.volume).anatomy
    assert dice(turned == 1, plain == 2) > 0.98


def test_lungs_that_touch_are_told_apart(phantom: Phantom) -> None:
    hu = phantom.volume.hu.copy()
    middle = slice(18, 22), slice(48, 56), slice(50, 78)
    hu[middle] = -860
    found = segment(Volume(hu, phantom.volume.affine_lps))
    assert dice(found.anatomy == 1, phantom.anatomy == 1) > 0.93
    assert dice(found.anatomy == 2, phantom.anatomy == 2) > 0.93


def test_one_lung_alone_keeps_its_side(phantom: Phantom) -> None:
    hu = phantom.volume.hu.copy()
    hu[phantom.anatomy == 1] = 40
    found = segment(Volume(hu, phantom.volume.affine_lps))
    assert not (found.anatomy == 1).any()
    assert dice(found.anatomy == 2, phantom.anatomy == 2) > 0.96


@pytest.mark.parametrize("hu", [-1000, 0, -3024, -860, 3071])
@pytest.mark.parametrize("shape", [(10, 32, 32), (1, 32, 32), (3, 1, 1)])
def test_scans_without_a_chest_give_empty_masks(hu: int, shape: tuple[int, int, int]) -> None:
    found = segment(Volume(np.full(shape, hu, dtype=np.int16), np.diag([2.0, 2.0, 2.0, 1.0])))
    assert not found.anatomy.any()
    assert not found.findings.any()


def test_without_hounsfield_units_nothing_is_drawn(phantom: Phantom) -> None:
    found = segment(Volume(phantom.volume.hu, phantom.volume.affine_lps, has_hu=False))
    assert not found.anatomy.any()


def test_a_single_slice_is_segmented(phantom: Phantom) -> None:
    z = 20
    found = segment(Volume(phantom.volume.hu[z : z + 1], phantom.volume.affine_lps))
    assert dice(found.anatomy > 0, phantom.anatomy[z : z + 1] > 0) > 0.9


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        ((28, 256, 256), (10.0, 1.4, 1.4)),
        ((280, 100, 100), (1.0, 3.6, 3.6)),
        ((60, 96, 160), (4.7, 3.75, 2.25)),
        ((1500, 80, 80), (0.19, 4.5, 4.5)),
    ],
    ids=["thick slices", "coarse pixels", "oblong pixels", "1,500 slices"],
)
def test_voxels_of_any_shape_give_the_same_lungs_and_extent(
    shape: tuple[int, int, int], spacing: tuple[float, float, float]
) -> None:
    phantom = make_phantom(2, shape_zyx=shape, spacing_zyx_mm=spacing, padding_hu=-3024)
    found = segment(phantom.volume)
    for side in (1, 2):
        assert dice(found.anatomy == side, phantom.anatomy == side) > 0.94
    extent = 100 * (found.findings > 0).sum() / (found.anatomy > 0).sum()
    assert extent == pytest.approx(phantom.facts.extent_percent, rel=0.25)
