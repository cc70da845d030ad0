"""Small pictures of scans: one axial slice through the middle of the lungs, with the outlines of a mask."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from inference.imaging import axes
from inference.imaging.masks import decode_slice
from inference.imaging.slabs import SlabError, decode_slab
from webapp.archive.models import Scan
from webapp.archive.pictures import windowed
from webapp.archive.queries import slab_bytes
from webapp.archive.storage import DamagedFile
from webapp.masks.models import HeadSlice, Mask
from webapp.masks.overlay import FILL, LUNG_OUTLINE, paint

# The colours of a panel and of what is said by the way on it.
PANEL, DIM = "#12171C", "#8D9AA6"
Slice = NDArray[np.generic]


def middle_slice(scan: Scan, mask: Mask | None) -> int:
    """The z of the slice in the middle of those with lung, of the whole scan where no lung is marked."""
    with_lung: list[int] = []
    if mask is not None:
        rows = HeadSlice.objects.filter(mask=mask, layer="anatomy")
        with_lung = list(rows.order_by("z").values_list("z", flat=True))
    return with_lung[len(with_lung) // 2] if with_lung else scan.shape_zyx[0] // 2


def hu_slice(scan: Scan, z: int) -> NDArray[np.int16]:
    """One axial slice (int16 HU, axes yx); only the slab that holds it is read. Raises DamagedFile where none does."""
    _, ny, nx = scan.shape_zyx
    for index, slab in enumerate(scan.slabs):
        if slab["z_start"] <= z < slab["z_start"] + slab["z_count"]:
            try:
                return decode_slab(slab_bytes(scan, index), (slab["z_count"], ny, nx))[z - slab["z_start"]]
            except SlabError as error:
                raise DamagedFile(f"{slab['path']} cannot be decoded.") from error
    raise DamagedFile(f"No slab of this scan holds slice {z + 1} of {scan.shape_zyx[0]}.")


def picture_png(scan: Scan, mask: Mask | None, size_px: int) -> bytes:
    """PNG of the middle slice in a lung window, `size_px` on its longer side, the patient's right on the left."""
    z = middle_slice(scan, mask)
    affine = np.asarray(scan.affine_lps, dtype=np.float64).reshape(4, 4)
    grey, turned = _upright(hu_slice(scan, z), affine)
    _, spacing_y, spacing_x = axes.spacing_zyx_mm(turned)
    height, width = grey.shape[0] * spacing_y, grey.shape[1] * spacing_x
    scale = size_px / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    picture = Image.fromarray(windowed(grey, scan.has_hu)).resize(size, Image.Resampling.BILINEAR)
    canvas = np.repeat(np.asarray(picture, dtype=np.float32)[..., None], 3, axis=2)
    if mask is not None:
        _draw_mask(canvas, mask, z, affine, size)
    out = io.BytesIO()
    Image.fromarray(canvas.clip(0, 255).astype(np.uint8)).save(out, "PNG", optimize=size_px > 128)
    return out.getvalue()


def placeholder_png(size_px: int, words: str) -> bytes:
    """PNG of a dark square that says, where it is large enough to be read, why there is no picture."""
    image = Image.new("RGB", (size_px, size_px), PANEL)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(max(10, size_px // 36))
    shown = words if draw.textlength(words, font) < size_px else "–"
    draw.text((size_px / 2, size_px / 2), shown, fill=DIM, font=font, anchor="mm")
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def labels_shown(scan: Scan, mask: Mask) -> set[int]:
    """The findings values that lie in the picture's slice."""
    row = HeadSlice.objects.filter(mask=mask, layer="findings", z=middle_slice(scan, mask)).first()
    if row is None:
        return set()
    _, ny, nx = scan.shape_zyx
    return set(np.unique(decode_slice(bytes(row.data), (ny, nx))).tolist()) - {0}


def _upright(slice_yx: Slice, affine: NDArray[np.float64]) -> tuple[Slice, NDArray[np.float64]]:
    """The slice turned by flips and swaps so that the patient lies as readers expect."""
    volume, turned = axes.to_patient_axes(slice_yx[None], affine)
    return volume[0], turned


def _draw_mask(
    canvas: NDArray[np.float32], mask: Mask, z: int, affine: NDArray[np.float64], size: tuple[int, int]
) -> None:
    colours = {label["value"]: label["colour"] for label in mask.label_set.labels}
    _, ny, nx = mask.scan.shape_zyx
    layers = {}
    for layer, data in HeadSlice.objects.filter(mask=mask, z=z).values_list("layer", "data"):
        labels = decode_slice(bytes(data), (ny, nx))
        upright, _ = _upright(labels, affine)
        layers[layer] = np.asarray(Image.fromarray(upright).resize(size, Image.Resampling.NEAREST))
    if "anatomy" in layers:
        for value in np.unique(layers["anatomy"][layers["anatomy"] > 0]):
            paint(canvas, layers["anatomy"] == value, LUNG_OUTLINE, fill=0)
    if "findings" in layers:
        for value in np.unique(layers["findings"][layers["findings"] > 0]):
            paint(canvas, layers["findings"] == value, colours.get(int(value), "#FFFFFF"), fill=FILL)
