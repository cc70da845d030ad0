"""What is written of a segmented scan: by a segmenter that knows the phantom's truth, so that every number is known."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from inference.baseline import Segmentation
from inference.imaging.findings import SeriesRefused
from inference.imaging.nifti import write_volume
from inference.imaging.seg import read_seg
from inference.imaging.volume import Volume
from inference.phantoms import Phantom, make_phantom, write_dicom_series
from inference.segmenting import results
from inference.segmenting.algorithms import Algorithm
from inference.segmenting.results import finished, segment_scan
from inference.segmenting.tables import measurements_csv

FILES = {"lung.nii.gz", "lesion.nii.gz", "measurements.json", "measurements.csv", "quality.png"}


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return make_phantom(4, shape_zyx=(16, 64, 64), spacing_zyx_mm=(15.0, 5.0, 5.0), padding_hu=-3024)


def truth(phantom: Phantom, *, needs_hu: bool = True) -> Algorithm:
    def segment(volume: Volume, progress: object) -> Segmentation:
        return Segmentation(phantom.anatomy, (phantom.findings > 0).astype(np.uint8))

    return Algorithm("truth", "7", segment, needs_hu=needs_hu, weights_sha256="ab" * 32, options={"threshold": 0.5})


def quiet(fraction: float, what: str) -> None:
    pass


def test_dicom_gets_masks_objects_numbers_and_a_picture(phantom: Phantom, tmp_path: Path) -> None:
    write_dicom_series(phantom, tmp_path / "scan", patient_name="Single")
    with warnings.catch_warnings(record=True) as said:
        report = segment_scan(tmp_path / "scan", tmp_path / "out", truth(phantom), quiet)
    assert not [one for one in said if "Single" in str(one.message)]
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES | set(results.OBJECTS)
    assert json.loads((tmp_path / "out" / "measurements.json").read_text())["measurements"] == json.loads(
        json.dumps(report["measurements"])
    )
    values, facts = report["measurements"], phantom.facts
    assert values["lung_volume_ml"] == pytest.approx(facts.lung_volume_ml)
    assert values["left"]["lung_volume_ml"] == pytest.approx(facts.left_lung_volume_ml)
    assert values["extent_percent"] == pytest.approx(facts.extent_percent)
    assert values["weight_g"] == pytest.approx(facts.weight_g)
    for layer, mask in (("lung", phantom.anatomy), ("lesion", phantom.findings > 0)):
        read, affine = read_seg(tmp_path / "out" / f"{layer}.seg.dcm")
        assert np.array_equal(read, mask)
        assert np.allclose(affine, phantom.volume.affine_lps, atol=1e-4)
    document = dcmread(tmp_path / "out" / "report.sr.dcm")
    assert document.Modality == "SR"
    assert document.StudyInstanceUID == dcmread(tmp_path / "scan" / "slice-0001.dcm").StudyInstanceUID
    numbers = [float(item.FloatingPointValue) for item in measured_values(document)]
    assert facts.weight_g == pytest.approx(min(numbers, key=lambda number: abs(number - facts.weight_g)))


def measured_values(item):
    for child in item.get("ContentSequence", []):
        yield from child.get("MeasuredValueSequence", [])
        yield from measured_values(child)


def test_the_same_masks_of_a_series_get_the_same_uids(phantom: Phantom, tmp_path: Path) -> None:
    write_dicom_series(phantom, tmp_path / "scan")
    for out in "ab":
        segment_scan(tmp_path / "scan", tmp_path / out, truth(phantom), quiet)
    for name in results.OBJECTS:
        assert len({dcmread(tmp_path / out / name).SOPInstanceUID for out in "ab"}) == 1


def test_headers_too_poor_for_dicom_objects_cost_a_warning_alone(phantom: Phantom, tmp_path: Path) -> None:
    for path in write_dicom_series(phantom, tmp_path / "scan"):
        dataset = dcmread(path)
        del dataset.SOPInstanceUID
        dataset.save_as(path)
    report = segment_scan(tmp_path / "scan", tmp_path / "out", truth(phantom), quiet)
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    assert any("No DICOM Segmentation" in sentence for sentence in report["warnings"])


def test_pictures_have_extent_by_area_and_nothing_in_ml_or_g(phantom: Phantom, tmp_path: Path) -> None:
    (tmp_path / "ct").mkdir()
    for z, plane in enumerate(phantom.volume.hu):
        grey = np.clip((plane + 1024) / 8, 0, 255).astype(np.uint8)
        Image.fromarray(grey).save(tmp_path / "ct" / f"{z}.png")
    report = segment_scan(tmp_path / "ct", tmp_path / "out", truth(phantom, needs_hu=False), quiet)
    values = report["measurements"]
    assert values["extent_percent"] == pytest.approx(phantom.facts.extent_percent)
    assert (values["lung_volume_ml"], values["weight_g"], report["scan"]["spacing_zyx_mm"]) == (None, None, None)
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    with pytest.raises(SeriesRefused, match="ct has no Hounsfield units, and truth works by them alone"):
        segment_scan(tmp_path / "ct", tmp_path / "other", truth(phantom), quiet)
    assert not (tmp_path / "other").exists()


def test_no_lung_is_said_and_nothing_is_zero_that_is_undefined(tmp_path: Path) -> None:
    empty = make_phantom(0, shape_zyx=(3, 32, 32), spacing_zyx_mm=(5.0, 5.0, 5.0))
    write_volume(tmp_path / "air.nii", Volume(np.full((3, 32, 32), -1000, np.int16), empty.volume.affine_lps))
    nothing = Algorithm("nothing", "1", lambda volume, _: Segmentation(*np.zeros((2, 3, 32, 32), np.uint8)), True)
    report = segment_scan(tmp_path / "air.nii", tmp_path / "out", nothing, quiet)
    assert report["measurements"]["extent_percent"] is None
    assert "No lung was found: extent is undefined." in report["warnings"]
    assert Image.open(tmp_path / "out" / "quality.png").width > 1000


def test_the_quality_picture_outlines_both_masks_and_shows_the_head_up(phantom: Phantom, tmp_path: Path) -> None:
    write_volume(tmp_path / "scan.nii", phantom.volume)
    segment_scan(tmp_path / "scan.nii", tmp_path / "out", truth(phantom), quiet)
    sheet = np.asarray(Image.open(tmp_path / "out" / "quality.png").convert("RGB"))
    for colour in ((86, 180, 233), (230, 159, 0)):
        assert (sheet == colour).all(axis=2).sum() > 200


def test_a_run_is_finished_for_the_same_scan_algorithm_and_files_alone(phantom: Phantom, tmp_path: Path) -> None:
    scan, out, algorithm = tmp_path / "scan.nii", tmp_path / "out", truth(phantom)
    write_volume(scan, phantom.volume)
    assert finished(out, scan, algorithm) is None
    segment_scan(scan, out, algorithm, quiet)
    assert finished(out, scan, algorithm)["measurements"]["extent_percent"] > 0
    assert finished(out, scan, Algorithm("truth", "8", algorithm.segment, True)) is None
    (out / "lesion.nii.gz").unlink()
    assert finished(out, scan, algorithm) is None
    segment_scan(scan, out, algorithm, quiet)
    write_volume(scan, Volume(phantom.volume.hu[:-1], phantom.volume.affine_lps))
    assert finished(out, scan, algorithm) is None
    (out / "measurements.json").write_text("{")
    assert finished(out, scan, algorithm) is None


def test_nothing_half_written_stays(phantom: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan, out = tmp_path / "scan.nii", tmp_path / "out"
    write_volume(scan, phantom.volume)
    out.mkdir()
    (out / "mine.txt").write_text("stays")

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(results, "quality_picture", full)
        with pytest.raises(OSError, match="No space"):
            segment_scan(scan, out, truth(phantom), quiet)
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
    segment_scan(scan, out, truth(phantom), quiet)
    assert {path.name for path in out.iterdir()} == FILES | {"mine.txt"}


def test_names_of_scans_run_in_no_spreadsheet(phantom: Phantom, tmp_path: Path) -> None:
    scan = tmp_path / '=HYPERLINK("x").nii'
    write_volume(scan, phantom.volume)
    report = segment_scan(scan, tmp_path / "out", truth(phantom), quiet)
    assert measurements_csv([report]).splitlines()[1].startswith("\"'=HYPERLINK")
