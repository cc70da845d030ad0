"""Enhanced multi-frame CT through intake: one row a file, every slice in its place, the archive reads it back alike."""

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest

from inference.imaging.dicom import volume_from_datasets
from inference.phantoms import write_dicom_series
from inference.phantoms.enhanced import write_enhanced_series
from webapp.archive.models import Instance, Scan
from webapp.archive.queries import files_of, volume_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("parts", [1, 3])
def test_multi_frame_files_are_filed_as_they_are(ingest, phantom, tmp_path, parts):
    write_enhanced_series(phantom, tmp_path / "sent", parts=parts, patient_name="Doe^Jane", patient_id="4711-X")
    out, status = ingest(tmp_path / "sent")
    assert status == 0, out
    assert "8 slices of 40 x 32" in out
    scan = Scan.objects.get()
    assert np.array_equal(volume_of(scan).hu, phantom.volume.hu)
    assert np.allclose(volume_of(scan).affine_lps, phantom.volume.affine_lps)
    assert (scan.kernel, scan.kvp) == ("B60f", 120.0)
    assert (scan.tube_current_ma, scan.exposure_mas, scan.ctdi_vol_mgy) == (210.0, 63.0, 4.5)
    assert scan.slice_thickness_mm == pytest.approx(20.0)
    assert Instance.objects.count() == parts
    assert sorted(Instance.objects.values_list("z", flat=True)) == {1: [0], 3: [0, 2, 5]}[parts]
    contents = list(files_of(scan))
    again = volume_from_datasets([pydicom.dcmread(io.BytesIO(content)) for content in contents])
    assert np.array_equal(again.volume.hu, phantom.volume.hu)
    assert np.allclose(again.volume.affine_lps, phantom.volume.affine_lps)
    assert not any(word in content for content in contents for word in (b"Doe", b"4711-X"))


def test_the_same_multi_frame_file_twice_is_not_doubled(ingest, phantom, tmp_path):
    [path] = write_enhanced_series(phantom, tmp_path / "sent")
    (tmp_path / "sent" / "again.dcm").write_bytes(path.read_bytes())
    out, status = ingest(tmp_path / "sent")
    assert (status, "1 file was sent twice" in out) == (0, True), out
    out, status = ingest(tmp_path / "sent")
    assert "recognised and not doubled" in out
    assert (Scan.objects.count(), Instance.objects.count()) == (1, 1)


def test_the_same_images_under_new_uids_count_once(ingest, series, phantom):
    paths = series()
    for number in (2, 3):
        dataset = pydicom.dcmread(paths[number])
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
        dataset.save_as(paths[number].with_name(f"copy-{number}.dcm"))
    out, status = ingest(paths[0].parent)
    assert (status, "2 images are there twice" in out) == (0, True), out
    assert Instance.objects.count() == 8
    assert np.array_equal(volume_of(Scan.objects.get()).hu, phantom.volume.hu)


def test_scout_views_among_the_slices_are_left_out_and_said(ingest, series, phantom):
    paths = series()
    scout = pydicom.dcmread(paths[0])
    scout.ImageType, scout.Rows = ["ORIGINAL", "PRIMARY", "LOCALIZER"], 16
    scout.PixelData = scout.PixelData[: len(scout.PixelData) // 2]
    scout.SOPInstanceUID = scout.file_meta.MediaStorageSOPInstanceUID = "1.2.3.99"
    scout.save_as(paths[0].with_name("scout.dcm"))
    out, status = ingest(paths[0].parent)
    assert (status, "1 localiser (scout view) images of the series were left out" in out) == (0, True), out
    assert Instance.objects.count() == 8
    assert np.array_equal(volume_of(Scan.objects.get()).hu, phantom.volume.hu)


def test_a_tilted_frame_is_named_without_the_files_own_name(ingest, phantom, tmp_path):
    [path] = write_enhanced_series(phantom, tmp_path / "sent")
    dataset = pydicom.dcmread(path)
    dataset.PerFrameFunctionalGroupsSequence[4].PlanePositionSequence[0].ImagePositionPatient[2] += 7
    dataset.save_as(path.with_name("Jane_Doe.dcm"))
    path.unlink()
    out, status = ingest(tmp_path / "sent")
    assert status == 1
    assert ", frame 5 lies" in out
    assert "Jane" not in out
    assert Scan.objects.count() == 0


def test_compressed_frames_and_single_slices_of_one_scan_are_the_same_volume(ingest, phantom, tmp_path: Path):
    [path] = write_enhanced_series(phantom, tmp_path / "enhanced")
    dataset = pydicom.dcmread(path)
    dataset.compress(pydicom.uid.RLELossless)
    dataset.save_as(path)
    write_dicom_series(phantom, tmp_path / "single", uid_seed="other")
    ingest(tmp_path / "enhanced")
    ingest(tmp_path / "single")
    assert len(set(Scan.objects.values_list("voxels_sha256", "geometry_sha256"))) == 1
    assert Scan.objects.count() == 2
