"""Extent and weight against answers that are geometry, and against a plain numpy computation."""

import json

import numpy as np
import pytest

from inference.measures.quantification import measure
from inference.phantoms import Phantom, make_phantom


def block(shape: tuple[int, int, int] = (20, 20, 250)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """100 mL of lung at 1 mm, left lung in the lower x half, nothing found."""
    anatomy = np.ones(shape, dtype=np.uint8)
    anatomy[:, :, shape[2] // 2 :] = 2
    return np.full(shape, -860, dtype=np.int16), anatomy, np.zeros(shape, dtype=np.uint8)


def test_the_phantom_check_of_one_millilitre() -> None:
    hu, anatomy, findings = block()
    findings[5:15, 5:15, 5:15] = 1
    hu[findings == 1] = -500
    found = measure(hu, anatomy, findings, 0.001, [1])
    assert found.lung_volume_ml == pytest.approx(100.0)
    assert found.lesion_volume_ml == pytest.approx(1.0)
    assert found.weight_g == pytest.approx(0.5)
    assert found.extent_percent == pytest.approx(1.0)
    assert found.left.extent_percent == pytest.approx(2.0)
    assert found.right.extent_percent == 0.0
    assert (found.lesion_mean_hu, found.lesion_sd_hu) == (-500.0, 0.0)
    assert found.band_volumes_ml == {"ground_glass": pytest.approx(1.0), "consolidation": 0.0}
    assert found.lung_weight_g == pytest.approx(99 * 0.14 + 0.5)


def test_padding_has_no_mass_and_a_cap_is_recorded() -> None:
    hu, anatomy, findings = block()
    findings[0, 0, :4] = 1
    hu[0, 0, :4] = [-3024, -1000, 0, 1500]
    assert measure(hu, anatomy, findings, 0.001, [1]).weight_g == pytest.approx(0.001 * (0 + 0 + 1 + 2.5))
    capped = measure(hu, anatomy, findings, 0.001, [1], density_cap=1.1)
    assert capped.weight_g == pytest.approx(0.001 * 2.1)
    assert capped.options["density_cap_g_per_ml"] == 1.1


def test_lesion_outside_lung_counts_in_neither_and_is_reported() -> None:
    hu, anatomy, findings = block()
    anatomy[:10] = 0
    findings[9:11] = 1
    found = measure(hu, anatomy, findings, 0.001, [1])
    assert found.lesion_outside_lung_ml == pytest.approx(5.0)
    assert found.lesion_volume_ml == pytest.approx(5.0)
    assert found.extent_percent == pytest.approx(10.0)


def test_an_exclusion_leaves_the_lung_only_when_it_says_so() -> None:
    hu, anatomy, findings = block()
    findings[:10] = 7
    findings[10:11] = 1
    counted = measure(hu, anatomy, findings, 0.001, [1])
    assert counted.extent_percent == pytest.approx(5.0)
    taken_out = measure(hu, anatomy, findings, 0.001, [1], not_lung_values=[7])
    assert taken_out.lung_volume_ml == pytest.approx(50.0)
    assert taken_out.extent_percent == pytest.approx(10.0)
    assert taken_out.by_label[7].volume_ml == pytest.approx(50.0)


def test_without_lung_extent_is_undefined() -> None:
    hu, anatomy, findings = block()
    anatomy[:] = 0
    findings[0] = 1
    found = measure(hu, anatomy, findings, 0.001, [1])
    assert found.extent_percent is None
    assert found.left.extent_percent is None
    assert found.lesion_mean_hu is None
    assert found.lesion_outside_lung_ml == pytest.approx(5.0)
    assert found.weight_g == 0.0


def test_without_hu_there_is_extent_and_no_weight() -> None:
    hu, anatomy, findings = block()
    findings[0] = 1
    found = measure(hu, anatomy, findings, 0.001, [1], has_hu=False)
    assert found.extent_percent == pytest.approx(5.0)
    assert found.weight_g is None
    assert found.lung_weight_g is None
    assert found.band_volumes_ml is None
    assert found.left.weight_g is None


@pytest.mark.parametrize("seed", [0, 1])
def test_a_phantom_measures_as_its_facts_and_as_plain_numpy(seed: int) -> None:
    phantom: Phantom = make_phantom(seed, shape_zyx=(20, 96, 96), spacing_zyx_mm=(7.0, 3.5, 3.5), padding_hu=-3024)
    volume, anatomy, findings = phantom.volume, phantom.anatomy, phantom.findings
    found = measure(volume.hu, anatomy, findings, volume.voxel_volume_ml, [1, 2])
    facts = phantom.facts
    assert found.extent_percent == pytest.approx(facts.extent_percent, rel=1e-12)
    assert found.weight_g == pytest.approx(facts.weight_g, rel=1e-9)
    assert found.lung_weight_g == pytest.approx(facts.lung_weight_g, rel=1e-9)
    assert found.left.lung_volume_ml == pytest.approx(facts.left_lung_volume_ml)
    assert found.right.lung_volume_ml == pytest.approx(facts.right_lung_volume_ml)
    lesion = volume.hu[(findings > 0) & (anatomy > 0)].astype(np.float64)
    assert found.lesion_mean_hu == pytest.approx(lesion.mean())
    assert found.lesion_sd_hu == pytest.approx(lesion.std())
    inside = lesion[(lesion >= -750) & (lesion < -300)].size * volume.voxel_volume_ml
    assert found.band_volumes_ml["ground_glass"] == pytest.approx(inside)
    assert sum(label.weight_g for label in found.by_label.values()) == pytest.approx(found.weight_g)
    assert json.loads(json.dumps(found.as_dict()))["by_label"]["1"]["volume_ml"] > 0


@pytest.mark.parametrize(
    "change",
    [
        {"anatomy": np.zeros((2, 2, 2), dtype=np.uint8)},
        {"findings": np.zeros((20, 20, 250), dtype=np.int16)},
        {"voxel_volume_ml": float("nan")},
        {"voxel_volume_ml": 0.0},
        {"lesion_values": [0]},
        {"lesion_values": [1], "not_lung_values": [1]},
    ],
)
def test_parts_that_do_not_fit_are_refused(change: dict) -> None:
    hu, anatomy, findings = block()
    parts = {"hu": hu, "anatomy": anatomy, "findings": findings, "voxel_volume_ml": 0.001, "lesion_values": [1]}
    with pytest.raises(ValueError):
        measure(**{**parts, **change})


def test_without_spacing_there_is_extent_by_area_and_nothing_in_ml_or_g() -> None:
    anatomy = np.zeros((1, 10, 10), dtype=np.uint8)
    anatomy[0, :5], anatomy[0, 5:8] = 1, 2
    findings = np.zeros_like(anatomy)
    findings[0, 0], findings[0, 9] = 1, 1
    found = measure(np.full((1, 10, 10), -500, dtype=np.int16), anatomy, findings, None, [1])
    assert (found.extent_percent, found.left.extent_percent, found.right.extent_percent) == (12.5, 20.0, 0.0)
    nothing = (
        *(found.lesion_volume_ml, found.lung_volume_ml, found.lesion_outside_lung_ml, found.weight_g),
        *(found.lung_weight_g, found.left.lung_volume_ml, found.left.weight_g, found.band_volumes_ml),
        *(found.by_label[1].volume_ml, found.by_label[1].weight_g, found.options["voxel_volume_ml"]),
    )
    assert nothing == (None,) * len(nothing)
    known = measure(np.full((1, 10, 10), -500, dtype=np.int16), anatomy, findings, 0.25, [1])
    assert known.extent_percent == found.extent_percent
    assert known.lesion_volume_ml == 2.5
