"""NIfTI: all 48 orientations come out right way round, and masks lie where they were painted."""

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from inference.imaging import axes
from inference.imaging.dicom import SeriesRefused
from inference.imaging.formats import read_mask, read_volume
from inference.imaging.nifti import write_mask, write_volume
from inference.imaging.volume import Volume
from tests.inference.imaging.orientations import ORIENTATIONS, letter_f, turned, upright_affine


def stored(order: tuple, signs: tuple) -> tuple[np.ndarray, np.ndarray]:
    """The upright letter as it would be stored in another orientation: array (ijk) and RAS affine."""
    array, affine = turned(order, signs)
    return array, axes.lps_to_ras(affine)


def test_there_are_48_orientations() -> None:
    assert len(ORIENTATIONS) == 48


@pytest.mark.parametrize(("order", "signs"), ORIENTATIONS)
def test_every_orientation_is_read_upright(order: tuple, signs: tuple, tmp_path: Path) -> None:
    array, affine_ras = stored(order, signs)
    nib.save(nib.Nifti1Image(array, affine_ras), tmp_path / "scan.nii")
    volume = read_volume(tmp_path / "scan.nii").volume
    assert np.array_equal(volume.hu, letter_f())
    assert np.allclose(volume.affine_lps, upright_affine(), atol=1e-5)
    assert volume.has_hu


@pytest.mark.parametrize(("order", "signs"), ORIENTATIONS)
def test_a_mask_on_any_grid_lies_where_it_was_painted(order: tuple, signs: tuple, tmp_path: Path) -> None:
    array, affine_ras = stored(order, signs)
    mask = np.ascontiguousarray((array > 0).transpose(2, 1, 0)).astype(np.uint8)
    path = tmp_path / "mask.nii.gz"
    write_mask(path, mask, axes.ras_to_lps(affine_ras))
    image = nib.load(path)
    assert image.get_data_dtype() == np.uint8
    assert np.array_equal(np.asarray(image.dataobj), array > 0)
    assert np.allclose(image.affine, affine_ras, atol=1e-5)
    itk = SimpleITK.ReadImage(str(path))
    index = tuple(int(n) for n in np.argwhere(array == 300)[0])
    assert SimpleITK.GetArrayFromImage(itk)[index[::-1]] == 1
    where = (upright_affine() @ (6, 5, 4, 1))[:3]
    assert np.allclose(itk.TransformIndexToPhysicalPoint(index), where, atol=1e-4)
    again = read_mask(path)
    assert np.array_equal(again.labels, letter_f() > 0)
    assert np.allclose(again.affine_lps, upright_affine(), atol=1e-5)


def test_a_scan_round_trip_is_bit_exact(tmp_path: Path) -> None:
    volume = Volume(letter_f(), upright_affine())
    write_volume(tmp_path / "a.nii.gz", volume)
    again = read_volume(tmp_path / "a.nii.gz").volume
    assert again.voxels_sha256() == volume.voxels_sha256()
    first = (tmp_path / "a.nii.gz").read_bytes()
    write_volume(tmp_path / "a.nii.gz", volume)
    assert (tmp_path / "a.nii.gz").read_bytes() == first


def save(path: Path, array: np.ndarray, affine: np.ndarray | None = None) -> Path:
    nib.save(nib.Nifti1Image(array, axes.lps_to_ras(upright_affine()) if affine is None else affine), path)
    return path


def test_scaled_and_float_values_are_rounded(tmp_path: Path) -> None:
    array = letter_f().transpose(2, 1, 0).astype(np.float32) + 0.4
    assert np.array_equal(read_volume(save(tmp_path / "a.nii", array)).volume.hu, letter_f())


def test_pictures_without_air_have_no_hounsfield_units(tmp_path: Path) -> None:
    assert not read_volume(save(tmp_path / "a.nii", np.full((7, 6, 5), 120, dtype=np.uint8))).volume.has_hu


def test_hostile_files_are_refused_with_a_sentence(tmp_path: Path) -> None:
    good = save(tmp_path / "good.nii", letter_f().transpose(2, 1, 0)).read_bytes()
    sheared = axes.lps_to_ras(upright_affine())
    sheared[1, 2] = 1.5
    oblique = axes.lps_to_ras(upright_affine())
    c, s = np.cos(0.3), np.sin(0.3)
    oblique[:3, :3] = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ oblique[:3, :3]
    nan = letter_f().transpose(2, 1, 0).astype(np.float32)
    nan[0, 0, 0] = np.nan
    no_place = nib.Nifti1Image(letter_f(), None)
    no_place.header["sform_code"] = no_place.header["qform_code"] = 0
    nib.save(no_place, tmp_path / "no-place.nii")
    save(tmp_path / "sheared.nii", letter_f(), sheared)
    save(tmp_path / "oblique.nii", letter_f(), oblique)
    save(tmp_path / "nan.nii", nan)
    save(tmp_path / "series.nii", np.zeros((3, 3, 3, 2), dtype=np.int16))
    save(tmp_path / "complex.nii", np.zeros((3, 3, 3), dtype=np.complex64))
    save(tmp_path / "wide.nii", np.full((3, 3, 3), 1e6, dtype=np.float32))
    (tmp_path / "cut.nii").write_bytes(good[:400])
    (tmp_path / "text.nii").write_text("no NIfTI")
    (tmp_path / "empty.nii").write_bytes(b"")
    (tmp_path / "cut.nii.gz").write_bytes(gzip.compress(good)[:-30])
    (tmp_path / "huge.nii").write_bytes(good[:42] + b"\xff\x7f\xff\x7f\xff\x7f" + good[48:])
    for path in sorted(tmp_path.iterdir()):
        if path.name != "good.nii":
            with pytest.raises(SeriesRefused, match=path.name):
                read_volume(path)


@pytest.mark.parametrize("value", [-1.0, 0.5, 256.0])
def test_a_mask_holds_whole_labels_only(tmp_path: Path, value: float) -> None:
    path = save(tmp_path / "mask.nii", np.full((3, 3, 3), value, dtype=np.float32))
    with pytest.raises(SeriesRefused, match="labels are whole numbers"):
        read_mask(path)
