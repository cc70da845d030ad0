"""DICOM series through the geometry gate: phantoms come back exactly, bad series get a sentence."""

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from pydicom import Dataset, dcmread
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless, SecondaryCaptureImageStorage, generate_uid

from inference.imaging.dicom import (
    SeriesRefused,
    check_series,
    read_file,
    read_header_group,
    volume_from_datasets,
    volume_from_files,
)
from inference.phantoms import Phantom, make_phantom, write_dicom_series

Change = Callable[[list[Dataset]], object]


@pytest.fixture
def slices(small_phantom: Phantom, tmp_path: Path) -> list[Dataset]:
    return [dcmread(path) for path in write_dicom_series(small_phantom, tmp_path)]


@pytest.mark.parametrize("order", ["ascending", "descending", "shuffled"])
def test_a_series_comes_back_exactly_in_any_order_of_its_files(
    small_phantom: Phantom, tmp_path: Path, order: str
) -> None:
    n = small_phantom.volume.shape_zyx[0]
    orders = {"ascending": list(range(n)), "descending": list(range(n))[::-1]}
    written = orders.get(order, np.random.default_rng(4).permutation(n).tolist())
    paths = write_dicom_series(small_phantom, tmp_path, order=written)
    seen: list[float] = []
    series = volume_from_files(paths, seen.append)
    assert np.array_equal(series.volume.hu, small_phantom.volume.hu)
    assert np.allclose(series.volume.affine_lps, small_phantom.volume.affine_lps, atol=1e-9)
    assert [written[index] for index in series.order] == list(range(n))
    assert seen[-1] == 1.0
    assert series.volume.geometry_sha256() == volume_from_files(paths[::-1]).volume.geometry_sha256()


DIRECTIONS = [
    ((1, 0, 0), (0, 1, 0)),
    ((0, 1, 0), (-1, 0, 0)),
    ((-1, 0, 0), (0, -1, 0)),
    ((0, -1, 0), (1, 0, 0)),
    ((1, 0, 0), (0, -1, 0)),
    ((0, -1, 0), (-1, 0, 0)),
    ((-1, 0, 0), (0, 1, 0)),
    ((0, 1, 0), (1, 0, 0)),
]


@pytest.mark.parametrize(("row", "column"), DIRECTIONS)
def test_every_axial_orientation_keeps_frames_and_places(row: tuple, column: tuple, tmp_path: Path) -> None:
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = np.multiply(row, 1.25), np.multiply(column, 1.5)
    affine[:3, 2] = np.cross(row, column) * 5.0
    affine[:3, 3] = (-31.5, 12.25, -400.125)
    phantom = make_phantom(5, shape_zyx=(6, 20, 24), spacing_zyx_mm=(5.0, 1.5, 1.25), affine_lps=affine)
    series = volume_from_files(write_dicom_series(phantom, tmp_path))
    assert np.array_equal(series.volume.hu, phantom.volume.hu)
    assert np.allclose(series.volume.affine_lps, affine, atol=1e-9)
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames([str(tmp_path / f"slice-{6 - z:04d}.dcm") for z in range(6)])
    image = reader.Execute()
    assert np.array_equal(SimpleITK.GetArrayFromImage(image), series.volume.hu)
    for index in ((0, 0, 0), (23, 0, 5), (3, 19, 2)):
        ours = (series.volume.affine_lps @ (*index, 1))[:3]
        assert np.allclose(image.TransformIndexToPhysicalPoint(index), ours, atol=1e-6)


def without(keyword: str) -> Change:
    return lambda slices: delattr(slices[3], keyword)


def with_value(keyword: str, value: object) -> Change:
    return lambda slices: setattr(slices[3], keyword, value)


def on_all(keyword: str, value: Callable[[Dataset], object]) -> Change:
    return lambda slices: [setattr(dataset, keyword, value(dataset)) for dataset in slices]


def tilted(dataset: Dataset) -> list[float]:
    x, y, z = (float(value) for value in dataset.ImagePositionPatient)
    return [x, y + z * np.tan(np.radians(15)), z]


def other_image_in_its_place(slices: list[Dataset]) -> None:
    twin = copy.deepcopy(slices[3])
    twin.SOPInstanceUID, twin.PixelData = generate_uid(), slices[4].PixelData
    slices.append(twin)


def moved(mm: float) -> Change:
    def change(slices: list[Dataset]) -> None:
        x, y, z = (float(value) for value in slices[3].ImagePositionPatient)
        slices[3].ImagePositionPatient = [x, y, z + mm]

    return change


REFUSED: list[tuple[str, Change, str, str]] = [
    ("no slices", lambda slices: slices.clear(), "empty", "no slices"),
    ("a duplicate", other_image_in_its_place, "two_in_one_place", "slice-0004.dcm"),
    ("a missing slice", lambda slices: slices.pop(5), "missing_slice", "1 slice is missing"),
    ("two missing slices", lambda slices: [slices.pop(5), slices.pop(5)], "missing_slice", "2 slices are missing"),
    ("a slice out of place", moved(1.5), "irregular_spacing", "slice-0004.dcm"),
    ("gantry tilt", on_all("ImagePositionPatient", tilted), "gantry_tilt", "15.0 degrees"),
    (
        "tilted slices",
        on_all("ImageOrientationPatient", lambda _: [1, 0, 0, 0, np.cos(0.2), np.sin(0.2)]),
        "oblique",
        "11.5 degrees",
    ),
    ("sagittal", on_all("ImageOrientationPatient", lambda _: [0, 1, 0, 0, 0, -1]), "not_axial", "sagittal"),
    ("coronal", on_all("ImageOrientationPatient", lambda _: [1, 0, 0, 0, 0, -1]), "not_axial", "coronal"),
    ("mixed orientation", with_value("ImageOrientationPatient", [0, 1, 0, -1, 0, 0]), "mixed_orientation", "0004"),
    ("mixed size", with_value("Rows", 32), "mixed_size", "slice-0004.dcm"),
    ("mixed spacing", with_value("PixelSpacing", [2, 2]), "mixed_spacing", "slice-0004.dcm"),
    ("two patients", with_value("PatientID", "OTHER"), "two_patients", "slice-0004.dcm"),
    ("two series", with_value("SeriesInstanceUID", "1.2.3"), "two_series", "slice-0004.dcm"),
    ("no PixelSpacing", without("PixelSpacing"), "pixel_spacing", "slice-0004.dcm"),
    ("NaN spacing", with_value("PixelSpacing", [float("nan"), 1]), "pixel_spacing", "slice-0004.dcm"),
    ("negative spacing", with_value("PixelSpacing", [-1, 1]), "pixel_spacing", "slice-0004.dcm"),
    ("one spacing", with_value("PixelSpacing", [1]), "pixel_spacing", "slice-0004.dcm"),
    ("no position", without("ImagePositionPatient"), "position", "slice-0004.dcm"),
    ("infinite position", with_value("ImagePositionPatient", [0, 0, float("inf")]), "position", "slice-0004.dcm"),
    ("no orientation", without("ImageOrientationPatient"), "orientation", "slice-0004.dcm"),
    ("no axes", with_value("ImageOrientationPatient", [0, 0, 0, 0, 0, 0]), "orientation", "slice-0004.dcm"),
    ("skew axes", with_value("ImageOrientationPatient", [1, 0, 0, 0.8, 0.6, 0]), "orientation", "slice-0004.dcm"),
    ("not CT", with_value("Modality", "MR"), "modality", "its modality is MR"),
    ("no pixels", without("PixelData"), "no_pixels", "slice-0004.dcm has no pixels"),
    ("cut pixels", with_value("PixelData", b"\0" * 100), "pixels", "slice-0004.dcm cannot be read"),
    ("no rows", without("Rows"), "size", "slice-0004.dcm"),
    ("huge", with_value("Rows", 60000), "size", "slice-0004.dcm"),
    ("scout views", on_all("ImageType", lambda _: ["ORIGINAL", "PRIMARY", "LOCALIZER"]), "localiser", "slice-0001.dcm"),
    ("a picture", with_value("SOPClassUID", SecondaryCaptureImageStorage), "secondary_capture", "slice-0004.dcm"),
    ("frames", with_value("NumberOfFrames", 2), "multi_frame", "2 frames"),
    ("colour", with_value("SamplesPerPixel", 3), "colour", "slice-0004.dcm"),
    ("slope 0", with_value("RescaleSlope", 0), "rescale", "slice-0004.dcm"),
]


@pytest.mark.parametrize(("change", "code", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_bad_series_is_refused_with_a_sentence_that_names_the_file(
    slices: list[Dataset], change: Change, code: str, words: str
) -> None:
    change(slices)
    with pytest.raises(SeriesRefused) as refusal:
        volume_from_datasets(slices)
    assert refusal.value.code == code
    assert words in refusal.value.sentence


def test_no_modality_is_let_in_only_for_the_ct_class(slices: list[Dataset]) -> None:
    for dataset in slices:
        del dataset.Modality
    assert "no_modality" in [warning.code for warning in volume_from_datasets(slices).warnings]
    slices[3].SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    with pytest.raises(SeriesRefused, match="does not say what kind"):
        volume_from_datasets(slices)


def test_every_slice_is_rescaled_by_its_own_slope_and_intercept(slices: list[Dataset]) -> None:
    plain = volume_from_datasets(slices)
    at = plain.order.index(3)
    slices[3].RescaleSlope, slices[3].RescaleIntercept = "0.5", "-1000.3"
    series = volume_from_datasets(slices)
    stored = plain.volume.hu[at].astype(np.float64) + 1024
    assert np.array_equal(series.volume.hu[at], np.rint(stored * 0.5 - 1000.3).astype(np.int16))
    assert np.array_equal(series.volume.hu[at - 1], plain.volume.hu[at - 1])


def test_without_intercept_there_are_no_hounsfield_units(slices: list[Dataset]) -> None:
    for dataset in slices:
        del dataset.RescaleIntercept
    series = volume_from_datasets(slices)
    assert not series.volume.has_hu
    assert "no_hu" in [warning.code for warning in series.warnings]


def test_padding_comes_through_untouched(tmp_path: Path) -> None:
    phantom = make_phantom(1, shape_zyx=(4, 32, 32), padding_hu=-3024)
    series = volume_from_files(write_dicom_series(phantom, tmp_path))
    assert series.volume.hu.min() == -3024
    assert np.array_equal(series.volume.hu, phantom.volume.hu)


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_lossless_syntaxes_decode_to_the_same_voxels(
    small_phantom: Phantom, slices: list[Dataset], syntax: str
) -> None:
    for dataset in slices:
        dataset.compress(syntax)
    assert np.array_equal(volume_from_datasets(slices).volume.hu, small_phantom.volume.hu)


def test_warnings_go_with_the_scan(slices: list[Dataset]) -> None:
    for dataset in slices:
        dataset.SliceThickness, dataset.ContrastBolusAgent = "7.5", "given"
    codes = {warning.code for warning in check_series(slices).warnings}
    assert codes == {"thick_slices", "overlapping_slices", "contrast", "sharp_kernel"}


def test_a_single_slice_uses_its_thickness(slices: list[Dataset]) -> None:
    series = volume_from_datasets(slices[:1])
    assert series.volume.spacing_zyx_mm == pytest.approx((5.0, 1.5, 1.25))
    assert "single_slice" in [warning.code for warning in series.warnings]
    del slices[0].SliceThickness
    with pytest.raises(SeriesRefused, match="SliceThickness"):
        volume_from_datasets(slices[:1])


def test_headers_are_grouped_and_what_is_not_dicom_is_listed(small_phantom: Phantom, tmp_path: Path) -> None:
    write_dicom_series(small_phantom, tmp_path / "one")
    write_dicom_series(small_phantom, tmp_path / "two", series_number=2)
    (tmp_path / "text.dcm").write_text("This is no DICOM file, whatever its name says." * 10)
    (tmp_path / "empty.dcm").write_bytes(b"")
    (tmp_path / "bare.dcm").write_bytes(b"\x08\x00\x05\x00" + b"\xff" * 50)
    (tmp_path / "cut.dcm").write_bytes((tmp_path / "one/slice-0001.dcm").read_bytes()[:140])
    group = read_header_group(sorted(path for path in tmp_path.rglob("*") if path.is_file()))
    assert sorted(len(datasets) for datasets in group.series.values()) == [12, 12]
    assert {path.name for path, _ in group.refused} == {"text.dcm", "empty.dcm", "bare.dcm", "cut.dcm"}
    assert all(path.name in finding.sentence for path, finding in group.refused)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SeriesRefused, match=r"gone\.dcm"):
        read_file(tmp_path / "gone.dcm")
