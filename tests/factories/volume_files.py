"""Volumes written by the formats' own libraries: nibabel, pynrrd, SimpleITK, Pillow."""

from pathlib import Path
from typing import Any

import nibabel as nib
import nrrd
import numpy as np
import SimpleITK
from PIL import Image

from inference.imaging import axes

FORMATS = ("scan.nii", "scan.nii.gz", "two.nii", "scan.nrrd", "scan.nhdr", "scan.mha", "scan.mhd", "packed.mha")


def write(path: Path, array_xyz: Any, affine_lps: Any) -> Path:
    """Write an array with axes x, y, z of its own in the format of the file's name; "two" is NIfTI-2."""
    suffix = "".join(path.suffixes)
    array = np.asarray(array_xyz)
    if suffix in (".nii", ".nii.gz"):
        kind = nib.Nifti2Image if path.name.startswith("two") else nib.Nifti1Image
        nib.save(kind(array, axes.lps_to_ras(affine_lps)), path)
    elif suffix in (".nrrd", ".nhdr"):
        header = {
            "space": "left-posterior-superior",
            "space directions": np.asarray(affine_lps)[:3, :3].T,
            "space origin": np.asarray(affine_lps)[:3, 3],
        }
        nrrd.write(str(path), array, header)
    else:
        image = SimpleITK.GetImageFromArray(np.ascontiguousarray(array.transpose(2, 1, 0)))
        lengths = np.linalg.norm(np.asarray(affine_lps)[:3, :3], axis=0)
        image.SetSpacing(lengths.tolist())
        image.SetDirection((np.asarray(affine_lps)[:3, :3] / lengths).reshape(-1).tolist())
        image.SetOrigin(np.asarray(affine_lps)[:3, 3].tolist())
        SimpleITK.WriteImage(image, str(path), path.name.startswith("packed"))
    return path


def write_picture(path: Path, array: Any) -> Path:
    """Write one picture; the type of the numbers says how many bits it has."""
    Image.fromarray(np.asarray(array)).save(path)
    return path
