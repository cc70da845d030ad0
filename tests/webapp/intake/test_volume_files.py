"""Scans from files that are no DICOM, by the doors: every format, the same gate, recognised and not doubled."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from django.test import Client

from inference.imaging.nifti import write_volume
from inference.imaging.volume import Volume
from inference.phantoms import Phantom, make_phantom
from tests.factories.filed import PRONE
from tests.factories.sites import a_person
from tests.factories.volume_files import FORMATS, write, write_picture
from webapp.archive.models import Instance, Scan
from webapp.archive.queries import volume_of
from webapp.campaigns.models import Case
from webapp.intake.models import Batch, SeriesLine
from webapp.intake.watching import Watch

pytestmark = pytest.mark.django_db

SOURCES = {"nii": "nifti", "gz": "nifti", "nrrd": "nrrd", "nhdr": "nrrd", "mha": "metaimage", "mhd": "metaimage"}


def written(phantom: Phantom, path: Path) -> Path:
    """The phantom in the format of a name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write(path, phantom.volume.hu.transpose(2, 1, 0), phantom.volume.affine_lps)


def grey(phantom: Phantom) -> np.ndarray:
    """The phantom as 8-bit pictures, zyx."""
    return np.clip((phantom.volume.hu.astype(int) + 1000) // 6, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_becomes_the_same_scan(ingest, phantom, tmp_path, name):
    """A file of each format is a scan voxel for voxel; the same file again is the scan that is there."""
    path = written(phantom, tmp_path / "sent" / f"Jane_{name}")
    out, status = ingest(path.parent)
    assert status == 0, out
    scan = Scan.objects.get()
    assert np.array_equal(volume_of(scan).hu, phantom.volume.hu)
    assert np.allclose(scan.affine_lps, phantom.volume.affine_lps, atol=1e-4)
    assert scan.source == SOURCES[name.rsplit(".", 1)[1]]
    assert [warning["code"] for warning in scan.warnings][-1] == "no_patient"
    assert Instance.objects.count() == 0
    assert "Jane" not in out
    again, status = ingest(path.parent)
    assert status == 0
    assert "recognised and not doubled" in again
    assert (Scan.objects.count(), Case.objects.count()) == (1, 1)


def test_same_volume_in_another_format_is_recognised(ingest, phantom, tmp_path):
    ingest(written(phantom, tmp_path / "scan.nrrd"))
    out, _ = ingest(written(phantom, tmp_path / "scan.mha"))
    assert "recognised and not doubled" in out
    assert Scan.objects.get().source == "nrrd"


def test_turned_volume_is_stored_upright(ingest, tmp_path):
    phantom = make_phantom(5, shape_zyx=(8, 32, 40), spacing_zyx_mm=(20.0, 7.0, 6.5), affine_lps=PRONE)
    ingest(written(phantom, tmp_path / "scan.nrrd"))
    volume = volume_of(Scan.objects.get())
    assert np.array_equal(volume.hu, phantom.volume.hu[:, ::-1, ::-1])
    assert np.allclose(np.diag(volume.affine_lps)[:3], [6.5, 7.0, 20.0])


def test_detached_header_finds_its_voxels_in_a_zip_and_alone_says_what_is_missing(ingest, phantom, tmp_path):
    header = written(phantom, tmp_path / "parts" / "scan.mhd")
    archive = tmp_path / "scan.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in header.parent.iterdir():
            packed.write(path, f"deep/{path.name}")
    out, status = ingest(archive)
    assert status == 0, out
    assert np.array_equal(volume_of(Scan.objects.get()).hu, phantom.volume.hu)
    next(path for path in header.parent.iterdir() if path.suffix != ".mhd").rename(tmp_path / "parts" / "other.raw")
    out, status = ingest(header.parent)
    assert status == 1
    assert "keeps its voxels in another file" in out
    assert "It is data without a header" in out


def test_header_opens_nothing_outside_what_was_sent(ingest, phantom, tmp_path):
    header = written(phantom, tmp_path / "parts" / "scan.mhd")
    raw = next(path for path in header.parent.iterdir() if path.suffix != ".mhd")
    raw.rename(tmp_path / "outside.raw")
    header.write_text(header.read_text().replace(raw.name, "../outside.raw"))
    out, status = ingest(header.parent)
    assert status == 1
    assert "outside its own folder" in out


def test_pictures_of_a_folder_are_the_slices_of_one_case(ingest, phantom, tmp_path):
    """In natural order of names; without Hounsfield units and without spacing."""
    slices = grey(phantom)
    for z in range(8):
        folder = tmp_path / "sent" / "ct"
        folder.mkdir(parents=True, exist_ok=True)
        write_picture(folder / f"{z + 3}.png", slices[z])
    out, status = ingest(tmp_path / "sent")
    assert status == 0, out
    scan = Scan.objects.get()
    assert np.array_equal(volume_of(scan).hu, slices.astype(np.int16))
    assert (scan.source, scan.has_hu) == ("pictures", False)
    assert {"no_spacing", "no_hu"} <= {warning["code"] for warning in scan.warnings}
    again, _ = ingest(tmp_path / "sent")
    assert "recognised and not doubled" in again
    assert Scan.objects.count() == 1


@pytest.mark.parametrize("ending", ["png", "jpg", "tif"])
def test_single_pictures_are_cases_of_their_own_when_it_is_said(campaign, phantom, tmp_path, ending):
    from django.core.management import call_command

    slices = grey(phantom)
    for z in range(3):
        write_picture(tmp_path / f"{z}.{ending}", slices[z][: 32 - z])
    call_command("ingest", *(str(tmp_path / f"{z}.{ending}") for z in range(3)), campaign="covid", single_pictures=True)
    assert sorted(scan.shape_zyx[1] for scan in Scan.objects.all()) == [30, 31, 32]
    assert Batch.objects.get().single_pictures


def test_pictures_of_unlike_size_are_no_stack_and_the_line_says_what_to_do(ingest, phantom, tmp_path):
    slices = grey(phantom)
    write_picture(tmp_path / "1.png", slices[0])
    write_picture(tmp_path / "2.png", slices[1][:20])
    out, status = ingest(tmp_path / "1.png", tmp_path / "2.png")
    assert status == 1
    assert "differ in size" in out
    assert "--single-pictures" in out


def test_mask_sent_as_a_scan_is_refused(ingest, phantom, tmp_path):
    path = tmp_path / "thing.nii.gz"
    write(path, phantom.anatomy.transpose(2, 1, 0), phantom.volume.affine_lps)
    out, status = ingest(path)
    assert status == 1
    assert "it is a mask, or empty, and not a scan" in out
    assert Scan.objects.count() == 0


@pytest.mark.parametrize("name", ["bad.nrrd", "bad.mha", "bad.png", "bad.tif", "bad.nii.gz"])
def test_damaged_files_are_refused_each_with_its_line(ingest, phantom, tmp_path, name):
    path = tmp_path / name
    if name.endswith((".png", ".tif")):
        write_picture(path, grey(phantom)[2])
    else:
        written(phantom, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    good = written(phantom, tmp_path / "good.nrrd")
    out, status = ingest(path, good)
    assert status == 1
    assert "1 accepted, 1 refused." in out
    assert "unforeseen" not in out


def test_upload_takes_volume_files_with_their_folders(campaign, phantom, tmp_path, run_jobs):
    client = Client()
    client.force_login(a_person("clara", campaign, "coordinator"))
    header = written(phantom, tmp_path / "parts" / "scan.mhd")
    batch = client.post("/intake/batches/", {"campaign": "covid"}).json()
    for path in header.parent.iterdir():
        content = path.read_bytes()
        headers = {"X-File-Name": f"case/{path.name}", "X-File-Size": str(len(content))}
        answer = client.post(batch["files_url"], content, content_type="application/octet-stream", headers=headers)
        assert answer.status_code == 201
    client.post(batch["finish_url"])
    run_jobs()
    assert SeriesLine.objects.get().state == "accepted"
    assert np.array_equal(volume_of(Scan.objects.get()).hu, phantom.volume.hu)


def test_watched_folder_takes_volume_files(campaign, phantom, tmp_path, run_jobs):
    folder = tmp_path / "inbox"
    header = written(phantom, folder / "case" / "scan.mhd")
    watch = Watch(folder, campaign, 1, lambda line: None)
    watch.look(0)
    assert watch.look(2) == 1
    run_jobs()
    assert SeriesLine.objects.get().state == "accepted"
    assert not header.exists()


def test_dicom_called_img_is_dicom(ingest, series, tmp_path):
    paths = series()
    for number, path in enumerate(paths):
        shutil.move(path, path.with_name(f"{number}.img"))
    out, status = ingest(paths[0].parent)
    assert status == 0, out
    assert Scan.objects.get().source == "dicom"


def test_pictures_among_dicom_images_may_be_screenshots(ingest, series, phantom):
    """A name burned into a grey picture is found by nobody: it becomes no scan."""
    folder = series()[0].parent
    for number in range(22):
        write_picture(folder / f"screen{number}.png", grey(phantom)[2])
    out, status = ingest(folder)
    assert status == 1
    assert out.count("may be a screenshot that shows a name") == 21
    assert "2 more pictures" in out
    assert [scan.source for scan in Scan.objects.all()] == ["dicom"]


def test_phantom_of_few_densities_is_a_scan_and_labels_are_none(ingest, tmp_path):
    hu = np.full((12, 32, 32), -1000, np.int16)
    hu[2:10, 4:28, 4:28] = 40
    affine = np.diag([0.7, 0.7, 5.0, 1.0])
    write_volume(tmp_path / "phantom.nii.gz", Volume(hu, affine))
    assert ingest(tmp_path / "phantom.nii.gz")[1] == 0
    write_volume(tmp_path / "block.nii.gz", Volume((hu > 0).astype(np.int16), affine))
    out, status = ingest(tmp_path / "block.nii.gz")
    assert (status, "it is a mask, or empty, and not a scan" in out) == (1, True)
    assert Scan.objects.count() == 1
