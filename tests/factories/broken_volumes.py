"""Examples for the rows of the gate that speak of volume files and pictures."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from inference.imaging import axes
from inference.imaging.formats import read_mask, read_pictures, read_volume
from tests.factories.gate_examples import Bench, as_float, example
from tests.factories.volume_files import write, write_picture


def _nifti(bench: Bench, array_xyz: Any, affine: Any = None) -> Path:
    affine = bench.volume.affine_lps if affine is None else affine
    return write(bench.folder / "scan.nii", array_xyz, affine)


def _voxels(bench: Bench) -> Any:
    return bench.volume.hu.transpose(2, 1, 0)


@example("unknown_format")
def _unknown_format(bench: Bench) -> Any:
    (bench.folder / "scan.nii").write_text("not a scan")
    return read_volume(bench.folder / "scan.nii")


@example("analyze")
def _analyze(bench: Bench) -> Any:
    nib.save(nib.AnalyzeImage(_voxels(bench), np.eye(4)), bench.folder / "scan.hdr")
    return read_volume(bench.folder / "scan.hdr")


@example("detached")
def _detached(bench: Bench) -> Any:
    write(bench.folder / "scan.mhd", _voxels(bench), bench.volume.affine_lps)
    (bench.folder / "scan.raw").unlink()
    return read_volume(bench.folder / "scan.mhd")


@example("companion")
def _companion(bench: Bench) -> Any:
    path = write(bench.folder / "scan.mhd", _voxels(bench), bench.volume.affine_lps)
    path.write_text(path.read_text().replace("scan.raw", "/etc/passwd"))
    return read_volume(path)


@example("encoding")
def _encoding(bench: Bench) -> Any:
    path = write(bench.folder / "scan.nrrd", _voxels(bench), bench.volume.affine_lps)
    path.write_bytes(path.read_bytes().replace(b"encoding: gzip", b"encoding: hex", 1))
    return read_volume(path)


@example("dimensions")
def _dimensions(bench: Bench) -> Any:
    return read_volume(_nifti(bench, np.zeros((3, 3, 3, 2), dtype=np.int16)))


@example("volume_size")
def _volume_size(bench: Bench) -> Any:
    path = _nifti(bench, _voxels(bench))
    whole = path.read_bytes()
    path.write_bytes(whole[:42] + b"\xff\x7f\xff\x7f\xff\x7f" + whole[48:])
    return read_volume(path)


@example("numbers")
def _numbers(bench: Bench) -> Any:
    return read_volume(_nifti(bench, np.zeros((3, 3, 3), dtype=np.complex64)))


@example("not_finite")
def _not_finite(bench: Bench) -> Any:
    return read_volume(_nifti(bench, as_float(_voxels(bench)) + np.inf))


@example("range")
def _range(bench: Bench) -> Any:
    return read_volume(_nifti(bench, as_float(_voxels(bench)) + 1e6))


@example("no_place")
def _no_place(bench: Bench) -> Any:
    image = nib.Nifti1Image(_voxels(bench), None)
    image.header["sform_code"] = image.header["qform_code"] = 0
    nib.save(image, bench.folder / "scan.nii")
    return read_volume(bench.folder / "scan.nii")


@example("volume_spacing")
def _volume_spacing(bench: Bench) -> Any:
    return read_volume(_nifti(bench, _voxels(bench), np.diag([1e-5, 1, 1, 1])))


@example("sheared")
def _sheared(bench: Bench) -> Any:
    affine = np.array(bench.volume.affine_lps)
    affine[1, 2] = 0.5
    return read_volume(_nifti(bench, _voxels(bench), affine))


@example("two_places")
def _two_places(bench: Bench) -> Any:
    image = nib.Nifti1Image(_voxels(bench), axes.lps_to_ras(bench.volume.affine_lps))
    moved = image.affine.copy()
    moved[0, 3] += 30
    image.set_qform(moved, code=1)
    nib.save(image, bench.folder / "scan.nii")
    read = read_volume(bench.folder / "scan.nii")
    assert np.allclose(read.volume.affine_lps, bench.volume.affine_lps, atol=1e-4)
    return read


@example("no_spacing")
def _no_spacing(bench: Bench) -> Any:
    return read_volume(write_picture(bench.folder / "1.png", np.eye(9, dtype=np.uint8)))


@example("picture")
def _picture(bench: Bench) -> Any:
    noise = np.random.default_rng(1).integers(0, 255, (64, 64), dtype=np.uint8)
    path = write_picture(bench.folder / "1.png", noise)
    path.write_bytes(path.read_bytes()[:2000])
    return read_volume(path)


@example("picture_colour")
def _picture_colour(bench: Bench) -> Any:
    colours = np.zeros((9, 9, 3), dtype=np.uint8)
    colours[4, 4] = 200, 30, 30
    return read_volume(write_picture(bench.folder / "1.png", colours))


@example("picture_sizes")
def _picture_sizes(bench: Bench) -> Any:
    paths = [write_picture(bench.folder / f"{n}.png", np.eye(n, dtype=np.uint8)) for n in (8, 9)]
    return read_pictures([(path.name, path) for path in paths])


@example("scaled_labels")
def _scaled_labels(bench: Bench) -> Any:
    return read_mask(write_picture(bench.folder / "1.png", np.eye(9, dtype=np.uint8) * 255))


@example("labels")
def _labels(bench: Bench) -> Any:
    return read_mask(_nifti(bench, as_float(np.full((3, 3, 3), 0.5))))
