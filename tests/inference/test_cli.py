"""The command line: a scan in, masks and measurements out, one sentence where it cannot."""

import json
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from inference.cli import main
from inference.imaging.nifti import write_volume
from inference.networks.unet import UNet
from inference.networks.weights import save_weights
from inference.phantoms import Phantom, make_phantom, write_dicom_series
from inference.segmenting.algorithms import DEFAULT


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return make_phantom(1, shape_zyx=(24, 96, 96), spacing_zyx_mm=(11.0, 3.6, 3.6))


def test_a_dicom_folder_and_a_nifti_file_give_the_same_masks(
    phantom: Phantom, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dicom_series(phantom, tmp_path / "scan")
    (tmp_path / "scan" / "notes.txt").write_text("not a slice")
    write_volume(tmp_path / "scan.nii.gz", phantom.volume)
    assert main(["segment", str(tmp_path / "scan"), "--out", str(tmp_path / "a")]) == 0
    said = capsys.readouterr().out
    assert "Extent" in said
    assert "Warning: " in said
    assert main(["segment", str(tmp_path / "scan.nii.gz"), "--out", str(tmp_path / "b")]) == 0
    for name in ("lung.nii.gz", "lesion.nii.gz"):
        one, two = (nib.load(tmp_path / folder / name) for folder in "ab")
        assert np.array_equal(np.asarray(one.dataobj), np.asarray(two.dataobj))
        assert np.allclose(one.affine, two.affine, atol=1e-4)
    report = json.loads((tmp_path / "a" / "measurements.json").read_text())
    lung = np.asarray(nib.load(tmp_path / "a" / "lung.nii.gz").dataobj)
    lung_ml = (lung > 0).sum() * phantom.volume.voxel_volume_ml
    assert report["measurements"]["lung_volume_ml"] == pytest.approx(lung_ml)
    assert report["algorithm"]["name"] == DEFAULT
    assert "notes.txt is not a DICOM file." in report["warnings"]


def test_what_cannot_be_read_is_one_sentence_and_status_1(
    phantom: Phantom, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.dcm").write_text("no")
    write_dicom_series(phantom, tmp_path / "two" / "a")
    write_dicom_series(phantom, tmp_path / "two" / "b", series_number=2)
    for scan, words in (
        ("empty", "holds no DICOM images"),
        ("text", "a.dcm is not a DICOM file"),
        ("two", "holds 2 series"),
        ("gone", "neither a folder"),
        ("gone.nii", "gone.nii"),
    ):
        assert main(["segment", str(tmp_path / scan), "--out", str(tmp_path / "out")]) == 1
        error = capsys.readouterr().err
        assert words in error
        assert "Traceback" not in error
        assert not (tmp_path / "out").exists()


def test_several_scans_go_on_past_one_that_fails_and_the_failures_are_listed(
    phantom: Phantom, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_volume(tmp_path / "one.nii.gz", phantom.volume)
    (tmp_path / "broken.nii").write_bytes(b"\x5c\x01\0\0 not much")
    write_volume(tmp_path / "two.nii", phantom.volume)
    scans = [str(tmp_path / name) for name in ("one.nii.gz", "broken.nii", "two.nii")]
    assert main(["segment", *scans, "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr()
    assert "1 of 3 scans failed" in said.err
    assert "broken.nii" in said.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "failures.csv",
        "measurements.csv",
        "one",
        "two",
    ]
    assert "broken.nii" in (tmp_path / "out" / "failures.csv").read_text()
    lines = (tmp_path / "out" / "measurements.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["scan", "one.nii.gz", "two.nii"]


def test_wrong_use_is_status_2_and_one_sentence(
    phantom: Phantom, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_volume(tmp_path / "scan.nii", phantom.volume)
    scan, out = str(tmp_path / "scan.nii"), ["--out", str(tmp_path / "out")]
    for arguments, words in (
        ([scan, "--algorithm", "magic"], "There is no algorithm 'magic'"),
        ([scan, "--algorithm", "classical-baseline", "--device", "cuda"], "on the CPU alone"),
        ([f"{tmp_path}/a/x/s.nii", f"{tmp_path}/b/x/s.nii"], "Two scans would be called x-s"),
    ):
        assert main(["segment", *arguments, *out]) == 2
        assert words in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main(["segment", scan, *out, "--jobs", "0"])
    assert stopped.value.code == 2
    assert not (tmp_path / "out").exists()


def test_the_command_line_starts_without_torch() -> None:
    check = "import sys, inference.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_weights_are_an_algorithm_by_their_path(
    phantom: Phantom, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.inference.networks.test_weights import card

    torch.manual_seed(0)
    written = save_weights(UNet(2, ("lung", "lesion")).weights(), card(), tmp_path / "tiny.json")
    write_volume(tmp_path / "scan.nii.gz", phantom.volume)
    for name in ("tiny.json", "tiny.safetensors"):
        given = ["--algorithm", str(tmp_path / name), "--device", "cpu", "--again"]
        assert main(["segment", str(tmp_path / "scan.nii.gz"), "--out", str(tmp_path / "out"), *given]) == 0
        algorithm = json.loads((tmp_path / "out" / "measurements.json").read_text())["algorithm"]
        assert (algorithm["name"], algorithm["weights_sha256"]) == ("tiny", written.weights_sha256)
        assert algorithm["options"]["threshold"] == 0.5
    (tmp_path / "tiny.safetensors").write_bytes(b"other")
    assert main(["segment", "x", "--out", str(tmp_path / "out"), "--algorithm", str(tmp_path / "tiny.json")]) == 2
    assert "are not those that the card of tiny describes" in capsys.readouterr().err
    assert main(["segment", "x", "--out", str(tmp_path / "out"), "--algorithm", "gone.json"]) == 2
    assert "The card gone.json cannot be read" in capsys.readouterr().err
