"""Small pictures of scans for lists and pages: three planes through the lungs in a lung window, without any mask.

Made at filing, and by a worker for scans that were filed before there were any.
"""

import io
import uuid
from dataclasses import dataclass

import cc3d
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.imaging import axes
from inference.imaging.volume import Volume
from webapp.archive import storage
from webapp.archive.models import Picture

WINDOW_LEVEL_HU, WINDOW_WIDTH_HU = -600, 1500
SIZES_PX = {"small": 96, "large": 512}
# The plane that lies across the patient's x, y and z axis.
PLANE_ACROSS = ("sagittal", "coronal", "axial")
CONTENT_TYPE, SUFFIX, QUALITY = "image/webp", ".webp", 82
# Lung is looked for among air and what is nearly air, on a grid this coarse: enough to choose planes by.
AIR_BELOW_HU, COARSE_MM = -500, 5.0


@dataclass(frozen=True)
class Drawn:
    """One picture, encoded."""

    plane: str
    size: str
    content: bytes
    width_px: int
    height_px: int


def windowed(hu: NDArray[np.generic], has_hu: bool = True) -> NDArray[np.uint8]:
    """Grey levels of HU in the lung window (level -600, width 1500); of values that are none, in their whole range."""
    if not has_hu:
        lowest, highest = float(hu.min()), float(hu.max())
        return ((hu.astype(np.float32) - lowest) * (255 / max(highest - lowest, 1.0))).clip(0, 255).astype(np.uint8)
    low = WINDOW_LEVEL_HU - WINDOW_WIDTH_HU / 2
    return ((hu.astype(np.float32) - low) * (255 / WINDOW_WIDTH_HU)).clip(0, 255).astype(np.uint8)


def draw_pictures(volume: Volume, small: Volume) -> list[Drawn]:
    """Axial, coronal and sagittal pictures in both sizes, upright as readers expect: head up, the patient's right left.

    `small` is the volume's preview: the planes with most lung are looked for there.
    """
    pictures = []
    for plane, (grey, height_mm, width_mm) in _planes(volume, _middle(volume, small)).items():
        for size, longest_px in SIZES_PX.items():
            scale = longest_px / max(height_mm, width_mm)
            width, height = max(1, round(width_mm * scale)), max(1, round(height_mm * scale))
            image = Image.fromarray(windowed(grey, volume.has_hu)).resize((width, height), Image.Resampling.LANCZOS)
            out = io.BytesIO()
            image.save(out, "WEBP", quality=QUALITY, method=2)
            pictures.append(Drawn(plane, size, out.getvalue(), width, height))
    return pictures


def write_pictures(scan_id: uuid.UUID, volume: Volume, small: Volume) -> list[Picture]:
    """Store the pictures of a scan's volume and return their rows, unsaved."""
    rows = []
    for drawn in draw_pictures(volume, small):
        path, sha256 = storage.write(scan_id, storage.PICTURES, drawn.content, SUFFIX)
        rows.append(
            Picture(
                scan_id=scan_id,
                plane=drawn.plane,
                size=drawn.size,
                width_px=drawn.width_px,
                height_px=drawn.height_px,
                path=path,
                sha256=sha256,
                bytes=len(drawn.content),
            )
        )
    return rows


def _middle(volume: Volume, small: Volume) -> tuple[int, int, int]:
    """Voxel (z, y, x) of the planes with most lung; the middle of the grid where no lung is found."""
    coarse = small.hu[:: _step(small, 0), :: _step(small, 1), :: _step(small, 2)]
    lung = _lung_in(coarse < AIR_BELOW_HU)
    places = []
    for axis, whole in enumerate(volume.shape_zyx):
        count = lung.sum(axis=tuple(a for a in range(3) if a != axis))
        at = int(np.argmax(count)) if count.any() else len(count) // 2
        places.append(min(whole - 1, int((at + 0.5) * whole / len(count))))
    return places[0], places[1], places[2]


def _step(small: Volume, axis: int) -> int:
    """Every how many voxels are looked at, so that those are about COARSE_MM apart."""
    return max(1, round(COARSE_MM / small.spacing_zyx_mm[axis]))


def _lung_in(air_zyx: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest region of air that does not reach the sides of the slices, as the air around a patient does."""
    regions = cc3d.connected_components(air_zyx, connectivity=6)
    sizes = np.bincount(regions.ravel())
    sides = np.concatenate([regions[:, [0, -1]].ravel(), regions[:, :, [0, -1]].ravel()])
    sizes[np.unique(sides)] = 0
    sizes[0] = 0
    largest = int(np.argmax(sizes))
    return (regions == largest) & (sizes[largest] > 0)


def _planes(volume: Volume, at: tuple[int, int, int]) -> dict[str, tuple[NDArray[np.int16], float, float]]:
    """For each plane of the patient its voxels, first row at the top, with height and width in mm.

    Only the slices shown are turned and copied, never the volume.
    """
    planes = {}
    for axis in range(3):
        place = tuple(slice(n, n + 1) if a == axis else slice(None) for a, n in enumerate(at))
        turned, affine = axes.to_patient_axes(volume.hu[place], volume.affine_lps)
        across = volume.affine_lps[:3, 2 - axis]
        # The patient's axis that the slice lies across: the turned column that runs along the grid's own.
        patient = int(np.argmax(np.abs(across @ affine[:3, :3]) / np.linalg.norm(affine[:3, :3], axis=0)))
        grey = np.take(turned, 0, axis=2 - patient)
        spacing = [mm for a, mm in enumerate(axes.spacing_zyx_mm(affine)) if a != 2 - patient]
        # The head is the last row of coronal and sagittal slices, and belongs at the top.
        upright = grey if patient == 2 else grey[::-1]
        planes[PLANE_ACROSS[patient]] = upright, grey.shape[0] * spacing[0], grey.shape[1] * spacing[1]
    return planes
