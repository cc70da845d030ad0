"""Scans as people give them: folders, archives, volume files, pictures."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.imaging.findings import SeriesRefused
from inference.imaging.nifti import write_volume
from inference.phantoms import Phantom, write_dicom_series
from inference.segmenting import archives
from inference.segmenting.scans import fingerprint, read_scan


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_zip_of_a_series_reads_as_its_folder(small_phantom: Phantom, tmp_path: Path) -> None:
    paths = write_dicom_series(small_phantom, tmp_path / "scan")
    packed = zipped(
        tmp_path / "scan.zip",
        {f"deep/scan/{path.name}": path.read_bytes() for path in paths} | {"__MACOSX/._x": b"litter"},
    )
    folder, archive = read_scan(tmp_path / "scan"), read_scan(packed)
    assert archive.volume.voxels_sha256() == folder.volume.voxels_sha256()
    assert archive.volume.geometry_sha256() == folder.volume.geometry_sha256()
    assert archive.warnings == folder.warnings
    assert [one.SOPInstanceUID for one in archive.headers] == [one.SOPInstanceUID for one in folder.headers]


def test_headers_stand_in_z_order(small_phantom: Phantom, tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(small_phantom.volume.shape_zyx[0]).tolist()
    write_dicom_series(small_phantom, tmp_path / "scan", order=order)
    heights = [float(one.ImagePositionPatient[2]) for one in read_scan(tmp_path / "scan").headers]
    assert heights == sorted(heights)


def test_a_zip_of_one_volume_file_reads_as_the_file(small_phantom: Phantom, tmp_path: Path) -> None:
    write_volume(tmp_path / "scan.nii.gz", small_phantom.volume)
    packed = zipped(tmp_path / "scan.zip", {"a/scan.nii.gz": (tmp_path / "scan.nii.gz").read_bytes()})
    opened = read_scan(packed)
    assert np.array_equal(opened.volume.hu, small_phantom.volume.hu)
    assert opened.headers == []


def test_a_folder_of_pictures_is_a_case_in_the_order_of_its_names(tmp_path: Path) -> None:
    for number in (10, 9, 1):
        Image.fromarray(np.full((8, 6), number, np.uint8)).save(tmp_path / f"{number}.png")
    opened = read_scan(tmp_path)
    assert opened.volume.hu[:, 0, 0].tolist() == [1, 9, 10]
    assert (opened.volume.has_hu, opened.volume.has_spacing) == (False, False)


def test_pictures_of_several_folders_are_refused_as_one_case(tmp_path: Path) -> None:
    for name in ("ct", "lung"):
        (tmp_path / name).mkdir()
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / name / "1.png")
    with pytest.raises(SeriesRefused, match="pictures in 2 folders"):
        read_scan(tmp_path)


@pytest.mark.parametrize("name", ["../outside.dcm", "/outside.dcm", "a/../../outside.dcm", "a\\..\\outside.dcm"])
def test_nothing_of_an_archive_leaves_its_folder(tmp_path: Path, name: str) -> None:
    packed = zipped(tmp_path / "evil.zip", {name: b"x"})
    with pytest.raises(SeriesRefused, match="outside its folder"):
        read_scan(packed)
    assert [path.name for path in tmp_path.iterdir()] == ["evil.zip"]


def test_damaged_empty_and_vast_archives_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = zipped(tmp_path / "whole.zip", {"a.dcm": os.urandom(5000)}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[:3000])
    (tmp_path / "flipped.zip").write_bytes(whole[:2000] + bytes(100) + whole[2100:])
    zipped(tmp_path / "empty.zip", {})
    for name, words in (("cut.zip", "damaged"), ("flipped.zip", "damaged"), ("empty.zip", "is empty")):
        with pytest.raises(SeriesRefused, match=words):
            read_scan(tmp_path / name)
    monkeypatch.setattr(archives, "MOST_UNPACKED_BYTES", 4999)
    with pytest.raises(SeriesRefused, match="unpacks to more than"):
        read_scan(tmp_path / "whole.zip")
    monkeypatch.setattr(archives, "MOST_FILES", 0)
    with pytest.raises(SeriesRefused, match="more than 0 files"):
        read_scan(tmp_path / "whole.zip")


def test_a_fingerprint_changes_with_a_files_name_size_and_time(tmp_path: Path) -> None:
    path = tmp_path / "scan" / "a.dcm"
    path.parent.mkdir()
    path.write_bytes(b"1")
    prints = [fingerprint(path.parent)]
    assert fingerprint(path.parent) == prints[0]
    path.write_bytes(b"12")
    prints.append(fingerprint(path.parent))
    os.utime(path, ns=(1, 1))
    prints.append(fingerprint(path.parent))
    path.rename(path.with_name("b.dcm"))
    prints.append(fingerprint(path.parent))
    assert len(set(prints)) == 4
