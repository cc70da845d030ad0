"""NIfTI files in and out. Inside this product everything is LPS; NIfTI is RAS."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from inference.imaging import axes
from inference.imaging.findings import SeriesRefused
from inference.imaging.gate import STANDARD
from inference.imaging.headers import MAX_SIDE
from inference.imaging.volume import Volume

# A scan without any voxel lighter than this holds no air: its numbers are not Hounsfield units.
AIR_BELOW_HU = -200


def read_volume(path: Path) -> Volume:
    """A NIfTI scan, turned by flips and swaps so that x runs left, y back and z to the head.

    Values are rounded to int16. Raises SeriesRefused with a sentence naming the file when it is damaged, has no
    geometry, is not three-dimensional, is sheared or oblique, or holds NaN or values beyond 16 bits.
    """
    values, affine_lps = _read(path)
    if not np.isfinite(values).all():
        raise SeriesRefused("not_finite", f"{path.name} holds voxels that are not numbers.")
    rounded = np.rint(values)
    if rounded.min() < -32768 or rounded.max() > 32767:
        raise SeriesRefused("range", f"{path.name} holds values beyond 16 bits; they cannot be Hounsfield units.")
    voxels, affine = axes.to_patient_axes(rounded.astype(np.int16), affine_lps)
    _check_axial(affine, path)
    return Volume(voxels, affine, has_hu=bool(voxels.min() < AIR_BELOW_HU))


def read_mask(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A NIfTI mask (uint8 zyx) and its affine (LPS), turned as `read_volume` turns scans.

    Raises SeriesRefused when a value is not a whole number from 0 to 255.
    """
    values, affine_lps = _read(path)
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 255:
        raise SeriesRefused("labels", f"{path.name} is not a mask: labels are whole numbers from 0 to 255.")
    labels = values.astype(np.uint8)
    if not np.array_equal(labels, values):
        raise SeriesRefused("labels", f"{path.name} is not a mask: labels are whole numbers from 0 to 255.")
    return axes.to_patient_axes(labels, affine_lps)


def write_volume(path: Path, volume: Volume) -> None:
    """Write a scan as int16 NIfTI-1 (gzipped when the name ends in .gz)."""
    _write(path, volume.hu, volume.affine_lps)


def write_mask(path: Path, mask_zyx: NDArray[np.uint8], affine_lps: NDArray[np.floating]) -> None:
    """Write a mask layer (uint8 zyx) as NIfTI-1 on the scan's grid."""
    if mask_zyx.dtype != np.uint8 or mask_zyx.ndim != 3:
        raise ValueError("A mask layer is a uint8 array with axes zyx.")
    _write(path, mask_zyx, affine_lps)


def _write(path: Path, array_zyx: NDArray[Any], affine_lps: NDArray[np.floating]) -> None:
    affine_ras = axes.lps_to_ras(affine_lps)
    image = nib.Nifti1Image(array_zyx.transpose(2, 1, 0), affine_ras)
    image.header.set_data_dtype(array_zyx.dtype)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine_ras, code="scanner")
    image.set_qform(affine_ras, code="scanner")
    nib.save(image, path)


def _read(path: Path) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Values (zyx) and affine (LPS) as stored, size and geometry checked."""
    try:
        image = nib.load(path)
        if not isinstance(image, nib.Nifti1Image):  # NIfTI-2 is a subclass
            raise SeriesRefused("not_nifti", f"{path.name} is not a NIfTI file.")
        _check_header(image, path)
        values = np.asanyarray(image.dataobj)
    except SeriesRefused:
        raise
    except Exception as error:  # nibabel and zlib raise many kinds on damaged files; all of them mean this
        raise SeriesRefused("broken_file", f"{path.name} is not a readable NIfTI file.") from error
    values = values.reshape(values.shape[:3])
    return values.transpose(2, 1, 0), axes.ras_to_lps(image.affine)


def _check_header(image: nib.Nifti1Image, path: Path) -> None:
    shape = image.shape
    if len(shape) < 3 or any(n != 1 for n in shape[3:]):
        raise SeriesRefused("dimensions", f"{path.name} is not one three-dimensional scan.")
    if min(shape[:3]) < 1 or max(shape[:3]) > max(MAX_SIDE, STANDARD.most_slices) or np.prod(shape[:3]) > 2**30:
        raise SeriesRefused("size", f"{path.name} claims {' x '.join(str(n) for n in shape[:3])} voxels.")
    if image.get_data_dtype().kind not in "iuf":
        raise SeriesRefused("kind", f"{path.name} does not hold plain numbers.")
    if not int(image.header["sform_code"]) and not int(image.header["qform_code"]):
        raise SeriesRefused("position", f"{path.name} does not say where its voxels lie (no sform, no qform).")
    affine = np.asarray(image.affine, dtype=np.float64)
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.isfinite(affine).all() or lengths.min() < 1e-3 or lengths.max() > 100:
        raise SeriesRefused("spacing", f"{path.name} has no usable voxel spacing.")
    directions = affine[:3, :3] / lengths
    if np.abs(directions.T @ directions - np.eye(3)).max() > 1e-3:
        raise SeriesRefused("tilted", f"{path.name} is sheared (gantry tilt); nothing is resampled here.")


def _check_axial(affine: NDArray[np.float64], path: Path) -> None:
    upright = abs(affine[2, 2]) / np.linalg.norm(affine[:3, 2])
    degrees = float(np.degrees(np.arccos(min(float(upright), 1.0))))
    if degrees > STANDARD.oblique_degrees:
        raise SeriesRefused(
            "tilted", f"{path.name} is tilted by {degrees:.1f} degrees from axial; nothing is resampled here."
        )
