"""Enhanced multi-frame CT: frames of one file or of many become the same volume as single slices do."""

from pathlib import Path

import highdicom as hd
import numpy as np
import pytest
import SimpleITK
from pydicom import Dataset, dcmread
from pydicom.uid import JPEG2000Lossless, RLELossless

from inference.imaging.dicom import SeriesRefused, volume_from_datasets, volume_from_files
from inference.imaging.foreign_seg import read_foreign_seg
from inference.imaging.grids import Grid
from inference.imaging.seg import Author, Segment, read_seg, write_seg
from inference.phantoms import Phantom, make_phantom, write_dicom_series
from inference.phantoms.enhanced import write_enhanced_series

SHAPE, SPACING = (7, 20, 24), (5.0, 1.5, 1.25)


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return make_phantom(5, shape_zyx=SHAPE, spacing_zyx_mm=SPACING)


@pytest.mark.parametrize("order", ["head first", "feet first", "shuffled"])
@pytest.mark.parametrize(("parts", "stacks"), [(1, 1), (1, 3), (3, 1), (7, 2)])
def test_frames_become_the_volume_whatever_their_order_and_files(
    phantom: Phantom, tmp_path: Path, order: str, parts: int, stacks: int
) -> None:
    indices = list(range(7))
    written = {"head first": indices[::-1], "feet first": indices}.get(order) or [3, 0, 6, 1, 5, 2, 4]
    paths = write_enhanced_series(phantom, tmp_path, parts=parts, stacks=stacks, order=written)
    series = volume_from_files(paths[::-1])
    assert np.array_equal(series.volume.hu, phantom.volume.hu)
    assert np.allclose(series.volume.affine_lps, phantom.volume.affine_lps, atol=1e-9)
    firsts = np.concatenate([[0], np.cumsum([len(part) for part in np.array_split(written, parts)])])
    assert [written[firsts[parts - 1 - place.file] + place.frame] for place in series.places] == indices
    assert sum(len(frames) for frames in series.slices_by_file.values()) == 7
    assert len(series.slices_by_file) == parts


def test_an_enhanced_file_is_the_same_volume_as_its_single_slices_and_as_simpleitk_reads(
    phantom: Phantom, tmp_path: Path
) -> None:
    singles = volume_from_files(write_dicom_series(phantom, tmp_path / "single"))
    [path] = write_enhanced_series(phantom, tmp_path, order=range(7))
    enhanced = volume_from_files([path])
    assert enhanced.volume.voxels_sha256() == singles.volume.voxels_sha256()
    assert enhanced.volume.geometry_sha256() == singles.volume.geometry_sha256()
    image = SimpleITK.ReadImage(str(path))
    assert np.array_equal(SimpleITK.GetArrayFromImage(image), enhanced.volume.hu)
    for index in ((0, 0, 0), (23, 19, 6)):
        where = (enhanced.volume.affine_lps @ (*index, 1))[:3]
        assert np.allclose(image.TransformIndexToPhysicalPoint(index), where, atol=1e-6)


def test_a_legacy_converted_file_of_highdicom_is_the_same_volume(phantom: Phantom, tmp_path: Path) -> None:
    singles = [dcmread(path) for path in write_dicom_series(phantom, tmp_path)]
    for single in singles:
        single.StudyID = single.AccessionNumber = single.LossyImageCompression = "00"
    converted = hd.legacy.LegacyConvertedEnhancedCTImage(
        singles, series_instance_uid=hd.UID(), series_number=2, sop_instance_uid=hd.UID(), instance_number=1
    )
    converted.save_as(tmp_path / "legacy.dcm")
    series = volume_from_files([tmp_path / "legacy.dcm"])
    assert np.array_equal(series.volume.hu, phantom.volume.hu)
    assert np.allclose(series.volume.affine_lps, phantom.volume.affine_lps, atol=1e-9)
    assert "sharp_kernel" in [warning.code for warning in series.warnings]


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_compressed_frames_decode_to_the_same_voxels(small_phantom: Phantom, tmp_path: Path, syntax: str) -> None:
    [path] = write_enhanced_series(small_phantom, tmp_path)
    dataset = dcmread(path)
    dataset.compress(syntax)
    assert np.array_equal(volume_from_datasets([dataset]).volume.hu, small_phantom.volume.hu)


def test_each_frame_is_rescaled_by_its_own_slope_and_intercept(phantom: Phantom, tmp_path: Path) -> None:
    dataset = opened(phantom, tmp_path)
    group = dataset.PerFrameFunctionalGroupsSequence[2].PixelValueTransformationSequence[0]
    group.RescaleSlope, group.RescaleIntercept = "2", "-2000"
    series = volume_from_datasets([dataset])
    assert np.array_equal(series.volume.hu[2], (phantom.volume.hu[2].astype(int) + 1024) * 2 - 2000)
    assert np.array_equal(series.volume.hu[3], phantom.volume.hu[3])
    assert "per_slice_rescale" in [note.code for note in series.notes]


def opened(phantom: Phantom, folder: Path) -> Dataset:
    [path] = write_enhanced_series(phantom, folder, order=range(7))
    return dcmread(path)


def test_a_scout_frame_is_left_out_and_said(phantom: Phantom, tmp_path: Path) -> None:
    dataset = opened(phantom, tmp_path)
    scout = dataset.PerFrameFunctionalGroupsSequence[0]
    kind = Dataset()
    kind.FrameType = ["ORIGINAL", "PRIMARY", "LOCALIZER", "NONE"]
    scout.CTImageFrameTypeSequence = [kind]
    series = volume_from_datasets([dataset])
    assert np.array_equal(series.volume.hu, phantom.volume.hu[1:])
    assert series.slices_by_file == {0: {frame: frame - 1 for frame in range(1, 7)}}
    assert [note.code for note in series.notes] == ["localisers_left_out"]


def test_the_gate_names_the_frame_that_is_at_fault(phantom: Phantom, tmp_path: Path) -> None:
    dataset = opened(phantom, tmp_path)
    dataset.PerFrameFunctionalGroupsSequence[4].PlanePositionSequence[0].ImagePositionPatient[2] += 1.5
    with pytest.raises(SeriesRefused, match="frame 5 lies"):
        volume_from_datasets([dataset])
    del dataset.PerFrameFunctionalGroupsSequence[4].PlanePositionSequence
    with pytest.raises(SeriesRefused, match=r"frame 5 has no usable ImagePositionPatient"):
        volume_from_datasets([dataset])


def test_a_missing_part_of_a_concatenation_is_told(phantom: Phantom, tmp_path: Path) -> None:
    paths = write_enhanced_series(phantom, tmp_path, parts=3)
    with pytest.raises(SeriesRefused, match="Part 2 of the 3 parts"):
        volume_from_files([paths[0], paths[2]])


@pytest.mark.parametrize("claimed", [6, 8, 10**9])
def test_frames_that_nothing_describes_are_refused(phantom: Phantom, tmp_path: Path, claimed: int) -> None:
    dataset = opened(phantom, tmp_path)
    dataset.NumberOfFrames = claimed
    with pytest.raises(SeriesRefused, match=f"holds {claimed} frames but describes 7"):
        volume_from_datasets([dataset])


def test_frames_whose_pixels_are_cut_are_refused(phantom: Phantom, tmp_path: Path) -> None:
    dataset = opened(phantom, tmp_path)
    dataset.PixelData = dataset.PixelData[:-100]
    with pytest.raises(SeriesRefused) as refusal:
        volume_from_datasets([dataset])
    assert refusal.value.code == "pixels"


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("order", [range(7), range(6, -1, -1)], ids=["feet first", "head first"])
def test_a_segmentation_of_a_multi_frame_scan_comes_back_and_names_its_frames(
    phantom: Phantom, tmp_path: Path, parts: int, order: range
) -> None:
    paths = write_enhanced_series(phantom, tmp_path, parts=parts, order=order)
    read = volume_from_files(paths)
    files = [dcmread(paths[index], stop_before_pixels=True) for index in read.slices_by_file]
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[1:4, 4:14, 5], mask[5, 19, 23] = 1, 1
    path = tmp_path / "seg.dcm"
    segments = (Segment(1, "Ground-glass opacity", ("DCM", "112120", "Ground glass opacity")),)
    write_seg(path, mask, read.volume.affine_lps, files, segments, author=Author("R^One"), series_description="F")
    again, affine = read_seg(path)
    assert np.array_equal(again, mask)
    assert np.allclose(affine, phantom.volume.affine_lps, atol=1e-6)
    assert np.array_equal(read_foreign_seg(dcmread(path), Grid.of(phantom.volume)).mask(1), mask > 0)
    seg = hd.seg.segread(path)
    assert len(seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence) == parts
    by_uid = {str(file.SOPInstanceUID): file for file in files}
    for group in seg.PerFrameFunctionalGroupsSequence:
        source = group.DerivationImageSequence[0].SourceImageSequence[0]
        frames = by_uid[source.ReferencedSOPInstanceUID].PerFrameFunctionalGroupsSequence
        frame = frames[int(source.ReferencedFrameNumber) - 1]
        there, here = (g.PlanePositionSequence[0].ImagePositionPatient for g in (frame, group))
        assert np.allclose(list(map(float, there)), list(map(float, here)), atol=1e-9)
