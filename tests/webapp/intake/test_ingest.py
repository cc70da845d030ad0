"""`manage.py ingest`: a line for each series, good ones filed, bad ones refused and why, nothing half-done."""

import shutil
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from inference.imaging.nifti import write_volume
from webapp.archive.models import Instance, Scan
from webapp.archive.queries import files_of, volume_of
from webapp.audit.models import Event
from webapp.campaigns.models import Case
from webapp.intake.models import Batch

pytestmark = pytest.mark.django_db


def stored_files() -> list[Path]:
    root = Path(default_storage.path(""))
    return [path for path in root.rglob("*") if path.is_file()]


def change(path: Path, **values: object) -> None:
    dataset = pydicom.dcmread(path)
    for keyword, value in values.items():
        if value is None:
            del dataset[keyword]
        else:
            setattr(dataset, keyword, value)
    dataset.save_as(path)


def test_series_becomes_a_scan_and_a_case_voxel_for_voxel(ingest, series, phantom, campaign):
    out, status = ingest(series()[0].parent)
    assert status == 0
    assert "accepted  series 1 (8 files): Lung 1.0: 8 slices of 40 x 32, 8.00 x 9.00 x 20.00 mm" in out
    scan = Scan.objects.get()
    volume = volume_of(scan)
    assert np.array_equal(volume.hu, phantom.volume.hu)
    assert np.allclose(volume.affine_lps, phantom.volume.affine_lps)
    assert scan.geometry_sha256 == volume.geometry_sha256()
    assert Case.objects.get().scan == scan
    assert Event.objects.filter(name="scan.filed", subject=f"scan:{scan.pk}").count() == 1
    heights = [float(pydicom.dcmread(BytesIO(file)).ImagePositionPatient[2]) for file in files_of(scan)]
    assert heights == sorted(heights)
    assert Batch.objects.get().state == "done"


def test_same_series_twice_is_recognised_and_not_doubled(ingest, series):
    paths = series()
    ingest(paths[0].parent)
    before = stored_files()
    out, status = ingest(paths[0].parent)
    assert status == 0
    assert "recognised and not doubled" in out
    assert (Scan.objects.count(), Case.objects.count()) == (1, 1)
    assert stored_files() == before


def test_same_image_uid_with_other_pixels_is_refused(ingest, series):
    paths = series()
    ingest(paths[0].parent)
    before = stored_files()
    dataset = pydicom.dcmread(paths[3])
    dataset.PixelData = bytes(len(dataset.PixelData))
    dataset.save_as(paths[3])
    out, status = ingest(paths[0].parent)
    assert status == 1
    assert "same SOP Instance UID but other pixels" in out
    assert stored_files() == before


def test_same_image_twice_in_one_folder_counts_once(ingest, series):
    paths = series()
    shutil.copy(paths[0], paths[0].parent / "copy.dcm")
    out, status = ingest(paths[0].parent)
    assert status == 0
    assert "1 file was sent twice" in out
    assert Instance.objects.count() == 8


def test_good_series_are_filed_beside_bad_ones(ingest, series, tmp_path):
    series("good")
    gap = series("gap", uid_seed="b")
    gap[3].unlink()
    (tmp_path / "sent" / "notes.dcm").write_text("not an image at all")
    (tmp_path / "sent" / "empty.dcm").touch()
    out, status = ingest(tmp_path / "sent")
    assert status == 1
    assert "(empty.dcm): It is empty (0 bytes)." in out
    assert "(notes.dcm): It is not a DICOM file." in out
    assert "1 slice is missing" in out
    assert "1 accepted, 3 refused." in out
    assert Scan.objects.count() == 1
    assert len(stored_files()) == 8 + len(Scan.objects.get().slabs) + 1 + 6  # the preview, the pictures


def test_empty_folder_and_missing_path_each_get_a_line(ingest, tmp_path):
    (tmp_path / "nothing").mkdir()
    out, status = ingest(tmp_path / "nothing", tmp_path / "absent")
    assert status == 1
    assert "It is empty: there is no file in it or below it." in out
    assert "There is no such file or folder." in out


def test_a_file_that_does_not_say_what_it_is_is_named(ingest, series):
    paths = series()
    dataset = pydicom.dcmread(paths[2])
    del dataset.SOPClassUID
    dataset.save_as(paths[2])
    out, status = ingest(paths[0].parent)
    assert status == 1
    assert f"({paths[2].name}) does not say what kind of image it is: it has no SOPClassUID." in out


def test_symbolic_links_are_not_followed(ingest, series, tmp_path):
    paths = series()
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "slice.dcm").symlink_to(paths[0])
    out, status = ingest(tmp_path / "linked")
    assert status == 1
    assert "symbolic link" in out


def test_unknown_campaign_names_those_there_are(campaign, tmp_path):
    with pytest.raises(CommandError, match="covid"):
        call_command("ingest", str(tmp_path), campaign="nowhere")


def test_zip_archive_is_read_without_unpacking(ingest, series, tmp_path, phantom):
    paths = series()
    archive = tmp_path / "scan.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in paths:
            packed.write(path, f"folder/{path.name}")
    out, status = ingest(archive)
    assert status == 0, out
    assert np.array_equal(volume_of(Scan.objects.get()).hu, phantom.volume.hu)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_nifti_becomes_a_scan_of_a_patient_of_its_own(ingest, phantom, tmp_path, suffix):
    path = tmp_path / f"Jane_Doe{suffix}"
    write_volume(path, phantom.volume)
    out, status = ingest(path)
    assert status == 0
    scan = Scan.objects.get()
    assert np.array_equal(volume_of(scan).hu, phantom.volume.hu)
    assert (scan.source, Instance.objects.count()) == ("nifti", 0)
    assert "Jane" not in out
    again, _ = ingest(path)
    assert "recognised and not doubled" in again


def test_damaged_nifti_is_refused(ingest, tmp_path, phantom):
    good, bad = tmp_path / "scan.nii.gz", tmp_path / "bad.nii.gz"
    write_volume(good, phantom.volume)
    bad.write_bytes(good.read_bytes()[:300])
    out, status = ingest(bad)
    assert status == 1
    assert "refused" in out
    assert Scan.objects.count() == 0


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"Modality": "MR"}, "is not CT"),
        ({"PixelSpacing": None}, "no usable PixelSpacing"),
        ({"ImagePositionPatient": None}, "no usable ImagePositionPatient"),
        ({"BurnedInAnnotation": "YES"}, "burned into its picture"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "secondary capture"),
        ({"SOPInstanceUID": None}, "no SOPInstanceUID"),
        ({"SeriesInstanceUID": None}, "names no series"),
        ({"PatientID": "SOMEONE-ELSE"}, "belong to different patients"),
        ({"NumberOfFrames": "3"}, "holds 3 frames"),
    ],
)
def test_series_that_cannot_be_read_says_why(ingest, series, values, sentence):
    paths = series()
    change(paths[2], **values)
    out, status = ingest(paths[0].parent)
    assert status == 1
    assert sentence in out
    if "SeriesInstanceUID" not in values:
        assert stored_files() == []
        assert "SOMEONE-ELSE" not in out


def test_truncated_file_is_named(ingest, series):
    paths = series()
    paths[4].write_bytes(paths[4].read_bytes()[:-500])
    out, status = ingest(paths[0].parent)
    assert status == 1
    assert "file 5 (slice-0005.dcm)" in out
    assert stored_files() == []


@pytest.fixture(params=[True, False], ids=["two processes", "one process"])
def processes(request, monkeypatch) -> bool:
    """Whether a fork makes the images, however many threads the tests have."""
    for part in ("archive.writing", "intake.receiving"):
        monkeypatch.setattr(f"webapp.{part}.is_possible", lambda: request.param)
    return request.param


@pytest.mark.parametrize("options", [[], ["--no-hold"]], ids=["held", "not held"])
def test_series_of_one_archive_are_read_by_one_process_or_two(ingest, series, processes, options, tmp_path, phantom):
    """A fork shares the places of open files; the archive that it reads must stay readable for the next series."""
    archive = tmp_path / "scans.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for seed in range(3):
            for path in series(f"s{seed}", uid_seed=str(seed), patient_id=f"PAT-{seed}"):
                packed.write(path, f"{seed}/{path.name}")
    out, status = ingest(*options, archive)
    assert status == 0, out
    assert Scan.objects.count() == 3
    for scan in Scan.objects.all():
        assert np.array_equal(volume_of(scan).hu, phantom.volume.hu)
        pixels = [pydicom.dcmread(BytesIO(file)).PixelData for file in files_of(scan)]
        assert len(set(pixels)) == len(pixels) == 8


def test_a_file_that_cannot_be_cleaned_refuses_its_series_from_either_process(ingest, series, processes, monkeypatch):
    from webapp.intake.deidentification import Deidentifier, IdentityFound

    real = Deidentifier.file_of

    def one_fails(self, dataset):
        if dataset.InstanceNumber == 5:
            raise IdentityFound
        return real(self, dataset)

    monkeypatch.setattr(Deidentifier, "file_of", one_fails)
    out, status = ingest(series()[0].parent)
    assert status == 1
    assert "still inside the image data after de-identification; nothing of it was kept" in out
    assert stored_files() == []
    assert Scan.objects.count() == 0


def test_full_disk_leaves_nothing_and_says_so(ingest, series, processes, monkeypatch):
    from webapp.archive import storage

    calls = []

    def full(*args, **kwargs):
        calls.append(args)
        if len(calls) > 4:
            raise OSError(28, "No space left on device")
        return real(*args, **kwargs)

    real = storage.write
    monkeypatch.setattr(storage, "write", full)
    out, status = ingest(series()[0].parent)
    assert status == 1
    assert "The disk is full. Nothing of it was kept" in out
    assert stored_files() == []
    assert Scan.objects.count() == 0


def test_quarantine_without_room_keeps_nothing_and_says_what_to_do(ingest, series, processes, monkeypatch):
    from webapp.intake import quarantine

    real = quarantine.place

    def full(staged, batch_id, key, **options):
        if len(list(quarantine.made_folder(batch_id).iterdir())) >= 3:
            raise OSError(28, "No space left on device")
        real(staged, batch_id, key, **options)

    monkeypatch.setattr(quarantine, "place", full)
    with pytest.raises(CommandError, match=r"The disk is full: nothing was kept\. Make room"):
        ingest(series()[0].parent)
    batch = Batch.objects.get()
    assert (batch.state, batch.originals.count()) == ("discarded", 0)
    assert not quarantine.folder_of(batch.pk).exists()
    assert not list((quarantine.root() / "incoming").iterdir())


def test_case_that_cannot_be_added_leaves_no_scan_behind(ingest, series, monkeypatch):
    def fail(**_):
        raise RuntimeError("Doe^Jane")

    monkeypatch.setattr("webapp.intake.series.add_case", fail)
    out, status = ingest(series()[0].parent)
    assert status == 1
    assert "Doe" not in out
    assert Scan.objects.count() == 0
    assert stored_files() == []


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--no-hold"]])
def test_folder_of_100_000_files_gives_a_few_lines_and_the_scan_among_them(series, ingest, tmp_path, options):
    folder = tmp_path / "many"
    for number in range(100):
        part = folder / f"{number:03}"
        part.mkdir(parents=True)
        for name in range(1000):
            (part / f"{name:03}.txt").write_bytes(b"no image")
    scan = [shutil.copy(path, folder / path.name) for path in series("good")]
    out, status = ingest(*options, folder)
    assert status == 1
    assert Scan.objects.get().shape_zyx[0] == len(scan)
    refused = [line for line in out.splitlines() if line.startswith("refused")]
    assert refused[-1] == "refused   99980 more files: It is not a DICOM file."
    assert len(refused) == 21
