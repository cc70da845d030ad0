"""A letter's whole way: DICOM in, NIfTI out and in, Segmentation out and in, in every orientation that is read."""

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from inference.imaging import axes
from inference.imaging.dicom import volume_from_files
from inference.imaging.foreign_seg import read_foreign_seg
from inference.imaging.formats import read_mask, read_volume
from inference.imaging.grids import Grid, align_mask
from inference.imaging.nifti import write_mask, write_volume
from inference.imaging.seg import Author, Segment, read_seg, write_seg
from inference.imaging.volume import Volume
from inference.phantoms import Phantom, write_dicom_series
from inference.phantoms.chest import Facts
from inference.phantoms.enhanced import write_enhanced_series
from tests.inference.imaging.orientations import ORIENTATIONS, letter_f, turned, upright_affine

NOTHING = Facts(0, 0, 0, 0, 0, 0, 0, None)
# Frames of axial scans: z along the patient, x and y any way; z ascends along row x column, so both ways up.
AXIAL = [
    (order, signs)
    for order, signs in ORIENTATIONS
    if order[2] == 2 and np.linalg.det(turned(order, signs)[1][:3, :3]) > 0
]
SEGMENTS = (Segment(1, "Ground-glass opacity", ("DCM", "112120", "Ground glass opacity")),)


def scan_of(order: tuple, signs: tuple) -> Volume:
    array, affine = turned(order, signs)
    return Volume(np.ascontiguousarray(array.transpose(2, 1, 0)), affine)


def test_there_are_eight_ways_to_write_an_axial_frame() -> None:
    assert len(AXIAL) == 8
    assert {bool(scan_of(*way).affine_lps[2, 2] > 0) for way in AXIAL} == {True, False}


@pytest.mark.parametrize("enhanced", [False, True], ids=["single slices", "multi-frame"])
@pytest.mark.parametrize("reverse", [False, True], ids=["as z ascends", "as z descends"])
@pytest.mark.parametrize(("order", "signs"), AXIAL)
def test_the_letter_stays_the_right_way_round(
    order: tuple, signs: tuple, reverse: bool, enhanced: bool, tmp_path: Path
) -> None:
    scan = scan_of(order, signs)
    empty = np.zeros(scan.shape_zyx, dtype=np.uint8)
    phantom = Phantom(scan, empty, empty, NOTHING, 0)
    written = list(range(scan.shape_zyx[0]))[:: -1 if reverse else 1]
    write = write_enhanced_series if enhanced else write_dicom_series
    paths = write(phantom, tmp_path / "dicom", order=written)

    series = volume_from_files(paths)
    assert np.array_equal(series.volume.hu, scan.hu)
    assert np.allclose(series.volume.affine_lps, scan.affine_lps, atol=1e-9)
    places = {tuple(np.round((scan.affine_lps @ (x, y, z, 1))[:3], 6)) for z, y, x in np.argwhere(scan.hu > 0)}
    letter = {tuple(np.round((upright_affine() @ (x, y, z, 1))[:3], 6)) for z, y, x in np.argwhere(letter_f() > 0)}
    assert places == letter

    write_volume(tmp_path / "scan.nii.gz", series.volume)
    again = read_volume(tmp_path / "scan.nii.gz").volume
    assert np.array_equal(again.hu, letter_f())
    assert np.allclose(again.affine_lps, upright_affine(), atol=1e-5)

    mask = (series.volume.hu > 0).astype(np.uint8)
    write_mask(tmp_path / "mask.nii.gz", mask, series.volume.affine_lps)
    back = read_mask(tmp_path / "mask.nii.gz")
    assert back.affine_lps is not None
    assert np.array_equal(back.labels, letter_f() > 0)
    assert np.array_equal(align_mask(back.labels, back.affine_lps, Grid.of(series.volume)), mask)

    files = [dcmread(paths[index]) for index in series.slices_by_file]
    path = tmp_path / "seg.dcm"
    write_seg(path, mask, scan.affine_lps, files, SEGMENTS, author=Author("R^One"), series_description="F")
    own, affine = read_seg(path)
    assert np.array_equal(own, mask)
    assert np.allclose(affine, scan.affine_lps, atol=1e-6)
    assert np.array_equal(read_foreign_seg(dcmread(path), Grid.of(series.volume)).mask(1), mask > 0)


def test_turning_a_grid_never_changes_a_place() -> None:
    for order, signs in ORIENTATIONS:
        array, affine = turned(order, signs)
        back, upright = axes.to_patient_axes(array.transpose(2, 1, 0), affine)
        assert np.array_equal(back, letter_f())
        assert np.allclose(upright, upright_affine())
