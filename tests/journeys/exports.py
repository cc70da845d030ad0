"""Opens what the site hands out with other people's readers, and the scan it came from with nobody's help."""

import csv
import io
import zipfile
from pathlib import Path
from typing import Any

import highdicom
import nibabel
import numpy as np
import pydicom
import SimpleITK
from numpy.typing import NDArray


def original_scan(folder: Path) -> SimpleITK.Image:
    """A folder's DICOM series as SimpleITK reads it."""
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return reader.Execute()


def unpack(data: bytes, folder: Path) -> dict[str, Path]:
    """Unpack a zip; the files by name."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(folder)
        return {name: folder / name for name in archive.namelist() if not name.endswith("/")}


def only(paths: dict[str, Path], *words: str) -> Path:
    """The one file whose name holds every word."""
    found = [path for name, path in paths.items() if all(word in name for word in words)]
    assert len(found) == 1, f"{words}: {sorted(paths)}"
    return found[0]


def nifti_zyx(path: Path) -> NDArray[Any]:
    """A NIfTI's voxels by nibabel, axes turned to zyx and nothing else."""
    return np.asanyarray(nibabel.load(path).dataobj).transpose(2, 1, 0)


def same_place(image: SimpleITK.Image, other: SimpleITK.Image, tolerance_mm: float = 1e-3) -> bool:
    """Whether two images hold the same grid of the patient: every corner at the same millimetres."""
    if image.GetSize() != other.GetSize():
        return False
    size = image.GetSize()
    corners = [tuple(int(c) * (n - 1) for c, n in zip(f"{k:03b}", size, strict=True)) for k in range(8)]
    distances = [
        np.linalg.norm(
            np.subtract(
                image.TransformIndexToPhysicalPoint(corner),
                other.TransformIndexToPhysicalPoint(corner),
            )
        )
        for corner in corners
    ]
    return max(distances) < tolerance_mm


def seg_zyx(path: Path, like: SimpleITK.Image) -> NDArray[np.uint8]:
    """A SEG's segments by highdicom as one label array on the grid of an image, placed by patient coordinates alone."""
    seg = highdicom.seg.segread(path)
    result = np.zeros(like.GetSize()[::-1], np.uint8)
    for number in seg.segment_numbers:
        volume = seg.get_volume(segment_numbers=[number], combine_segments=True, relabel=False)
        label = seg.get_segment_description(number).SegmentNumber
        affine = volume.affine
        for index, plane in enumerate(volume.array):
            corner = affine @ np.array([index, 0, 0, 1.0])
            across = affine @ np.array([index, 0, 1, 1.0]) - corner
            down = affine @ np.array([index, 1, 0, 1.0]) - corner
            x, y, z = (round(c) for c in like.TransformPhysicalPointToContinuousIndex(corner[:3].tolist()))
            step_x = like.TransformPhysicalPointToContinuousIndex((corner + across)[:3].tolist())
            step_y = like.TransformPhysicalPointToContinuousIndex((corner + down)[:3].tolist())
            assert np.allclose(np.subtract(step_x, (x, y, z)), (1, 0, 0), atol=1e-3), "rows run another way"
            assert np.allclose(np.subtract(step_y, (x, y, z)), (0, 1, 0), atol=1e-3), "columns run another way"
            assert (x, y) == (0, 0)
            if 0 <= z < result.shape[0]:
                result[z][plane > 0] = label
            else:
                assert not plane.any()
    return result


def seg_label_names(path: Path) -> dict[int, str]:
    """Segment numbers and labels of a SEG."""
    seg = pydicom.dcmread(path)
    return {int(item.SegmentNumber): str(item.SegmentLabel) for item in seg.SegmentSequence}


def table(data: bytes) -> list[dict[str, str]]:
    """Rows of a CSV."""
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def measure(
    hu: NDArray[Any],
    anatomy: NDArray[np.uint8],
    findings: NDArray[np.uint8],
    voxel_volume_ml: float,
    not_lung: tuple[int, ...] = (5,),
    lesion: tuple[int, ...] = (1,),
) -> dict[str, float]:
    """Extent (%) and weight (g) by their definitions in plain numpy: lesion inside lung over lung; sum of mass."""
    lung = (anatomy > 0) & ~np.isin(findings, not_lung)
    inside = np.isin(findings, lesion) & lung
    mass = np.maximum(hu.astype(np.float64) + 1000, 0) / 1000 * voxel_volume_ml
    return {
        "extent_percent": 100 * float(inside.sum()) / float(lung.sum()),
        "weight_g": float(mass[inside].sum()),
        "lung_volume_ml": float(lung.sum()) * voxel_volume_ml,
        "lesion_volume_ml": float(inside.sum()) * voxel_volume_ml,
    }
