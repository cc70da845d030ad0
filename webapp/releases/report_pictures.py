"""The pictures of a report: axial slices that show the lesion, and one coronal plane; a slab in memory at a time."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.imaging import axes
from inference.imaging.masks import decode_slice
from inference.imaging.slabs import decode_slab
from webapp.archive.models import Scan
from webapp.archive.pictures import windowed
from webapp.archive.queries import slab_bytes
from webapp.archive.storage import DamagedFile
from webapp.masks.models import LAYERS, SliceBlob, Version
from webapp.masks.overlay import FILL, LUNG_OUTLINE, paint
from webapp.masks.versions import manifest_digests

AXIAL = 6
Labels = dict[str, NDArray[np.uint8]]


@dataclass(frozen=True)
class Shown:
    """One picture of a report: PNG bytes, its size in mm, and what it is in words."""

    png: bytes
    width_mm: float
    height_mm: float
    words: str


def report_pictures(version: Version) -> tuple[list[Shown], Shown]:
    """The axial pictures of a version, from the head down, and its coronal one."""
    scan, mask = version.mask.scan, _Mask(version)
    affine = np.asarray(scan.affine_lps, dtype=np.float64).reshape(4, 4)
    across = _row_axis(affine)
    of_slice, of_row = mask.counts(across)
    chosen = key_slices(of_slice)
    row = int(of_row.argmax()) if of_row.any() else scan.shape_zyx[across] // 2
    slices, plane = _grey(scan, set(chosen), across, row)
    heads_first = sorted(chosen, key=lambda z: -(affine @ (0, 0, z, 1))[2])
    colours = {label["value"]: label["colour"] for label in version.mask.label_set.labels}
    axial = [
        _picture(
            slices[z][None],
            {layer: mask.slice(layer, z)[None] for layer in LAYERS},
            affine,
            colours,
            scan.has_hu,
            f"slice {z + 1} of {scan.shape_zyx[0]}",
        )
        for z in heads_first
    ]
    cut = {
        layer: np.stack([mask.slice(layer, z).take([row], axis=across - 1) for z in range(scan.shape_zyx[0])])
        for layer in LAYERS
    }
    return axial, _picture(plane, cut, affine, colours, scan.has_hu, "coronal")


def key_slices(of_slice: NDArray[np.int64], count: int = AXIAL) -> list[int]:
    """The slices (z, ascending) that share what each holds (z) into equal parts; of nothing, the slices themselves."""
    held = of_slice if of_slice.any() else np.ones_like(of_slice)
    wanted = (np.arange(count) + 0.5) / count
    return sorted({int(z) for z in np.searchsorted(np.cumsum(held) / held.sum(), wanted)})


class _Mask:
    """A version of which one slice at a time is unpacked."""

    def __init__(self, version: Version) -> None:
        self.lesion_values = version.mask.label_set.lesion_values
        self.shape_zyx = version.mask.scan.shape_zyx
        self.digests = {layer: manifest_digests(version, layer) for layer in LAYERS}
        wanted = {d for ds in self.digests.values() for d in ds if d}
        self.blobs = dict(SliceBlob.objects.filter(pk__in=wanted).values_list("sha256", "data"))

    def slice(self, layer: str, z: int) -> NDArray[np.uint8]:
        """One slice, uint8 yx."""
        _, height, width = self.shape_zyx
        digest = self.digests[layer][z]
        return (
            decode_slice(bytes(self.blobs[digest]), (height, width)) if digest else np.zeros((height, width), np.uint8)
        )

    def counts(self, across: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Voxels of lesion by slice, and by row along an axis of the zyx grid; of lung where there is no lesion."""
        for layer in ("findings", "anatomy"):
            of_slice = np.zeros(self.shape_zyx[0], np.int64)
            of_row = np.zeros(self.shape_zyx[across], np.int64)
            for z, digest in enumerate(self.digests[layer]):
                if digest:
                    voxels = self.slice(layer, z)
                    shown = np.isin(voxels, self.lesion_values) if layer == "findings" else voxels > 0
                    of_slice[z] = np.count_nonzero(shown)
                    of_row += np.count_nonzero(shown, axis=2 - across)
            if of_slice.any():
                break
        return of_slice, of_row


def _row_axis(affine: NDArray[np.float64]) -> int:
    """The axis of a zyx array (1 or 2) along which the patient's front and back lie."""
    return 1 if abs(affine[1, 1]) >= abs(affine[1, 0]) else 2


def _grey(
    scan: Scan, chosen: set[int], across: int, row: int
) -> tuple[dict[int, NDArray[np.int16]], NDArray[np.int16]]:
    """The chosen slices, and the plane at `row` of axis `across`, as arrays zyx one thick. Raises DamagedFile."""
    _, ny, nx = scan.shape_zyx
    slices: dict[int, NDArray[np.int16]] = {}
    planes = []
    for index, slab in enumerate(scan.slabs):
        start, count = slab["z_start"], slab["z_count"]
        voxels = decode_slab(slab_bytes(scan, index), (count, ny, nx))
        planes.append(np.take(voxels, [row], axis=across))
        slices |= {z: voxels[z - start].copy() for z in chosen if start <= z < start + count}
    if sum(plane.shape[0] for plane in planes) != scan.shape_zyx[0]:
        raise DamagedFile("The slabs of this scan do not hold every slice.")
    return slices, np.concatenate(planes)


def _picture(
    grey: NDArray[np.int16],
    labels: Labels,
    affine: NDArray[np.float64],
    colours: dict[int, str],
    has_hu: bool,
    words: str,
    longest_px: int = 420,
) -> Shown:
    """One plane of a grid (zyx, one thick) upright: head or front up, the patient's right on the left."""
    turned, upright = axes.to_patient_axes(grey, affine)
    spacing = axes.spacing_zyx_mm(upright)
    thin = turned.shape.index(1)
    height_mm, width_mm = (turned.shape[a] * spacing[a] for a in range(3) if a != thin)
    scale = longest_px / max(height_mm, width_mm)
    size = (max(1, round(width_mm * scale)), max(1, round(height_mm * scale)))
    image = Image.fromarray(windowed(_flat(turned, thin), has_hu)).resize(size, Image.Resampling.BILINEAR)
    canvas = np.repeat(np.asarray(image, dtype=np.float32)[..., None], 3, axis=2)
    for layer in LAYERS:
        flat = Image.fromarray(_flat(axes.to_patient_axes(labels[layer], affine)[0], thin))
        shown = np.asarray(flat.resize(size, Image.Resampling.NEAREST))
        for value in np.unique(shown[shown > 0]):
            finding = layer == "findings"
            colour = colours.get(int(value), "#FFFFFF") if finding else LUNG_OUTLINE
            paint(canvas, shown == value, colour, fill=FILL if finding else 0)
    out = io.BytesIO()
    Image.fromarray(canvas.clip(0, 255).astype(np.uint8)).save(out, "PNG")
    return Shown(out.getvalue(), float(width_mm), float(height_mm), words)


def _flat(array_zyx: NDArray[np.generic], thin: int) -> NDArray[np.generic]:
    """The plane of an array one thick; where the head is an end of it, the head is up."""
    plane = np.take(array_zyx, 0, axis=thin)
    return plane if thin == 0 else np.ascontiguousarray(plane[::-1])
