"""Phantoms: the same seed, the same chest; facts that plain counting confirms."""

import time
from pathlib import Path

import numpy as np
import pytest

from inference.imaging.dicom import volume_from_files
from inference.phantoms import CONSOLIDATION, Lesion, make_phantom, write_dicom_series


def test_the_same_seed_is_the_same_chest_and_another_is_another() -> None:
    shape = (8, 32, 32)
    one, same, other = (make_phantom(seed, shape_zyx=shape) for seed in (1, 1, 2))
    assert one.volume.voxels_sha256() == same.volume.voxels_sha256() != other.volume.voxels_sha256()
    assert np.array_equal(one.findings, same.findings)


def test_the_left_lung_lies_on_the_patients_left_and_the_dense_back_to_the_back() -> None:
    phantom = make_phantom(1, shape_zyx=(16, 64, 64))
    x_left, x_right = ((phantom.anatomy == side).nonzero()[2].mean() for side in (1, 2))
    assert x_left > x_right
    bone = (phantom.volume.hu > 400) & (np.abs(np.arange(64) - 31.5) < 5)
    assert bone.nonzero()[1].mean() > 40


def test_a_lesion_of_known_size_has_known_numbers() -> None:
    lesion = Lesion((0.0, 0.1, 0.45), (0.3, 0.15, 0.15), -500, CONSOLIDATION)
    phantom = make_phantom(1, shape_zyx=(64, 128, 128), spacing_zyx_mm=(4, 2, 2), lesions=[lesion], noise_hu=0)
    radii_mm = 0.3 * 128, 0.15 * 128, 0.15 * 128
    expected_ml = 4 / 3 * np.pi * np.prod(radii_mm) / 1000
    assert phantom.facts.lesion_volume_ml == pytest.approx(expected_ml, rel=0.02)
    assert phantom.facts.weight_g == pytest.approx(phantom.facts.lesion_volume_ml * 0.5)
    assert phantom.facts.lesion_mean_hu == -500
    assert set(np.unique(phantom.findings)) == {0, CONSOLIDATION}


def test_a_healthy_chest_and_padding() -> None:
    phantom = make_phantom(1, shape_zyx=(8, 32, 32), lesions=[], padding_hu=-3024)
    assert phantom.facts.extent_percent == 0.0
    assert phantom.facts.lesion_mean_hu is None
    assert (phantom.volume.hu[:, 0, 0] == -3024).all()
    assert (phantom.volume.hu[phantom.anatomy > 0] > -1025).all()


def test_a_phantom_is_quick_to_make() -> None:
    started = time.process_time()
    make_phantom(0)
    assert time.process_time() - started < 2.0


def test_the_same_call_writes_the_same_series(tmp_path: Path) -> None:
    phantom = make_phantom(1, shape_zyx=(4, 32, 32))
    first = write_dicom_series(phantom, tmp_path / "a", patient_name="One^Two", patient_id="P1")
    second = write_dicom_series(phantom, tmp_path / "b", patient_name="One^Two", patient_id="P1")
    assert [a.read_bytes() for a in first] == [b.read_bytes() for b in second]
    assert volume_from_files(first).volume.voxels_sha256() == phantom.volume.voxels_sha256()
