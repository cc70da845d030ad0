"""`ingest` on real scans of the data folder, its lines read as a person reads them."""

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK

from webapp.archive.models import Scan
from webapp.archive.queries import files_of, volume_of
from webapp.intake.models import SeriesLine

pytestmark = pytest.mark.django_db


def as_simpleitk_reads(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Voxels (zyx) and the position of the first voxel, by an implementation that shares no code with ours."""
    reader = SimpleITK.ImageSeriesReader()
    uids = reader.GetGDCMSeriesIDs(str(folder))
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder), uids[0]))
    image = reader.Execute()
    return SimpleITK.GetArrayFromImage(image), np.array(image.GetOrigin())


@pytest.mark.parametrize(
    ("name", "slices"),
    [("covidctmd-normal001", 154), pytest.param("ricord-001012-covid", 248, marks=pytest.mark.slow)],
)
def test_real_chest_is_filed_bit_for_bit(data_folder, ingest, name, slices):
    folder = data_folder / "dicom" / name
    out, status = ingest(folder)
    assert (status, f"{slices} slices of 512 x 512" in out) == (0, True), out
    scan = Scan.objects.get()
    volume = volume_of(scan)
    voxels, origin = as_simpleitk_reads(folder)
    assert np.array_equal(volume.hu, voxels)
    assert np.allclose(volume.affine_lps[:3, 3], origin, atol=1e-6)
    original = pydicom.dcmread(next(path for path in sorted(folder.rglob("*.dcm"))), stop_before_pixels=True)
    for content in files_of(scan):
        assert str(original.PatientID).encode() not in content
        assert str(original.StudyInstanceUID).encode() not in content


def test_truncated_files_get_a_line_each(data_folder, ingest):
    out, status = ingest(data_folder / "dicom" / "corrupt-j2k")
    assert status == 1
    for number in (1, 2, 3):
        assert f"The pixels of file {number} (00000{number - 1}.dcm) cannot be read" in out
    assert Scan.objects.count() == 0


def test_reformat_is_kept_out_of_reading(data_folder, ingest):
    out, status = ingest(data_folder / "dicom" / "ricord-000906-sagittal-reformat")
    assert status == 1
    assert "only axial series are read" in out


def test_minimal_headers_are_taken_with_a_warning(data_folder, ingest):
    out, status = ingest(data_folder / "dicom" / "two-slices-minimal-header")
    assert status == 0
    assert "warning: The files do not name a modality" in out


def test_every_transfer_syntax_is_taken_as_it_is(data_folder, ingest, tmp_path):
    """One slice in fifteen syntaxes: each alone is a series of one slice; stored as sent, read back alike."""
    files = sorted((data_folder / "dicom" / "transfer-syntaxes").glob("CTImage.dcm_*"))
    assert len(files) >= 15
    for number, path in enumerate(files):
        dataset = pydicom.dcmread(path)
        for keyword in ("SeriesInstanceUID", "StudyInstanceUID", "SOPInstanceUID"):
            setattr(dataset, keyword, f"1.2.3.{number}")
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        folder = tmp_path / "sent" / f"{number}"
        folder.mkdir(parents=True)
        dataset.save_as(folder / "slice.dcm")
    out, status = ingest(tmp_path / "sent")
    assert status == 0, out
    assert Scan.objects.count() == len(files)
    lossless = [path for path in files if not any(s in path.name for s in ("4.50", "4.51", "4.53", "4.55", "4.81"))]
    sent_syntaxes = sorted(pydicom.dcmread(path).file_meta.TransferSyntaxUID for path in files)
    kept_syntaxes, voxels = [], {}
    for scan in Scan.objects.all():
        (content,) = files_of(scan)
        syntax = pydicom.dcmread(io.BytesIO(content)).file_meta.TransferSyntaxUID
        kept_syntaxes.append(syntax)
        voxels[syntax] = scan.voxels_sha256
    assert sorted(kept_syntaxes) == sent_syntaxes
    exact = {voxels[pydicom.dcmread(path).file_meta.TransferSyntaxUID] for path in lossless}
    assert len(exact) <= 2  # JPEG 2000 (.91) of this file is lossy; the rest are one picture
    assert SeriesLine.objects.filter(state="refused").count() == 0
