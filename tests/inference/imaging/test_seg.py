"""DICOM SEG: bit-exact and right way round when opened again by highdicom and by SimpleITK."""

from datetime import datetime
from pathlib import Path

import highdicom as hd
import numpy as np
import pytest
import SimpleITK
from pydicom import Dataset

from inference.imaging.dicom import read_file, volume_from_files
from inference.imaging.seg import ANATOMY_SEGMENTS, Author, Segment, read_seg, write_seg
from inference.imaging.volume import Volume
from inference.phantoms import Phantom, make_phantom, write_dicom_series
from tests.inference.imaging.test_dicom import DIRECTIONS

SEGMENTS = (
    Segment(1, "Ground-glass opacity", ("DCM", "112120", "Ground glass opacity"), "#d55e00"),
    Segment(4, "Pleural effusion", ("SCT", "60046008", "Pleural effusion")),
    Segment(250, "Consolidation", ("99GROUNDGLASS", "consolidation", "Consolidation"), "#cc79a7"),
)


def filed(phantom: Phantom, folder: Path, order: list[int] | None = None) -> tuple[Volume, list[Dataset]]:
    paths = write_dicom_series(phantom, folder, order=order)
    series = volume_from_files(paths)
    return series.volume, [read_file(paths[index], pixels=False) for index in series.order]


@pytest.mark.parametrize("reverse", [False, True], ids=["head first", "feet first"])
@pytest.mark.parametrize(("row", "column"), DIRECTIONS)
def test_a_seg_comes_back_exactly_in_every_axial_orientation(
    row: tuple, column: tuple, reverse: bool, tmp_path: Path
) -> None:
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = np.multiply(row, 1.25), np.multiply(column, 1.5)
    affine[:3, 2], affine[:3, 3] = np.cross(row, column) * 5.0, (-31.5, 12.25, -400.125)
    phantom = make_phantom(5, shape_zyx=(6, 20, 24), spacing_zyx_mm=(5.0, 1.5, 1.25), affine_lps=affine)
    volume, sources = filed(phantom, tmp_path, list(range(6)) if reverse else None)
    mask = np.zeros(volume.shape_zyx, dtype=np.uint8)
    mask[1, 2, 3:9], mask[2, 2:9, 3], mask[4, 19, 23] = 1, 1, 1
    path = tmp_path / "findings.seg.dcm"
    write_seg(path, mask, volume.affine_lps, sources, SEGMENTS, author=Author("Reader^One"), series_description="F")
    again, where = read_seg(path)
    assert np.array_equal(again, mask)
    assert np.allclose(where, affine, atol=1e-6)
    image = SimpleITK.ReadImage(str(path))
    frames = SimpleITK.GetArrayFromImage(image) > 0
    assert frames.sum() == mask.astype(bool).sum()
    for z, y, x in np.argwhere(mask):
        index = image.TransformPhysicalPointToIndex((affine @ (x, y, z, 1))[:3])
        assert frames[index[::-1]]


def test_values_names_and_codes_are_kept(small_phantom: Phantom, tmp_path: Path) -> None:
    volume, sources = filed(small_phantom, tmp_path)
    mask = small_phantom.findings.copy()
    mask[mask == 2] = 250
    mask[0, :5] = 4
    path = tmp_path / "findings.seg.dcm"
    write_seg(path, mask, volume.affine_lps, sources, SEGMENTS, author=Author("Reader^One"), series_description="F")
    again, _ = read_seg(path)
    assert np.array_equal(again, mask)
    seg = hd.seg.segread(path)
    assert [seg.get_segment_description(n).segment_label for n in (1, 2, 3)] == [item.name for item in SEGMENTS]
    assert seg.get_segment_description(1).segmented_property_type.value == "112120"
    assert seg.StudyInstanceUID == sources[0].StudyInstanceUID
    assert seg.FrameOfReferenceUID == sources[0].FrameOfReferenceUID
    assert len(seg.PerFrameFunctionalGroupsSequence) == 3 * volume.shape_zyx[0]


def test_left_and_right_lung_keep_their_side(small_phantom: Phantom, tmp_path: Path) -> None:
    volume, sources = filed(small_phantom, tmp_path)
    path = tmp_path / "anatomy.seg.dcm"
    drawn_by = Author(algorithm="classical-baseline", algorithm_version="1")
    when = datetime(2020, 4, 1, 12, 30)
    uids = {"series_instance_uid": "1.2.3.4", "sop_instance_uid": "1.2.3.4.5"}
    write_seg(
        path,
        small_phantom.anatomy,
        volume.affine_lps,
        sources,
        ANATOMY_SEGMENTS,
        author=drawn_by,
        series_description="Anatomy",
        created=when,
        **uids,
    )
    again, _ = read_seg(path)
    assert np.array_equal(again, small_phantom.anatomy)
    seg = hd.seg.segread(path)
    sides = [
        item.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence[0].CodeMeaning
        for item in seg.SegmentSequence
    ]
    assert sides == ["Left", "Right"]
    assert (seg.SeriesInstanceUID, seg.SOPInstanceUID, seg.ContentDate) == ("1.2.3.4", "1.2.3.4.5", "20200401")
    assert seg.SegmentSequence[0].SegmentAlgorithmType == "AUTOMATIC"


def test_an_empty_mask_is_a_seg_of_empty_frames(small_phantom: Phantom, tmp_path: Path) -> None:
    volume, sources = filed(small_phantom, tmp_path)
    mask = np.zeros(volume.shape_zyx, dtype=np.uint8)
    path = tmp_path / "empty.seg.dcm"
    write_seg(path, mask, volume.affine_lps, sources, SEGMENTS, author=Author("Reader^One"), series_description="F")
    again, _ = read_seg(path)
    assert again.shape == mask.shape
    assert not again.any()


def test_what_does_not_fit_is_not_written(small_phantom: Phantom, tmp_path: Path) -> None:
    volume, sources = filed(small_phantom, tmp_path)
    mask, affine = small_phantom.findings, volume.affine_lps
    moved = affine.copy()
    moved[2, 3] += 5
    unknown = mask.copy()
    unknown[0, 0, 0] = 9
    wrong = [
        (mask[1:], affine, sources),
        (mask[:, 1:], affine, sources),
        (mask, moved, sources),
        (mask, affine, sources[::-1]),
        (unknown, affine, sources),
    ]
    for parts in wrong:
        with pytest.raises(ValueError):
            write_seg(tmp_path / "no.dcm", *parts, SEGMENTS, author=Author("A^B"), series_description="F")
    assert not (tmp_path / "no.dcm").exists()
