"""One picture a scan, to see at a glance whether its masks are right: axial slices, a coronal view, the numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from inference.baseline import Segmentation
from inference.imaging import axes
from inference.imaging.rendering import LUNG, windowed
from inference.imaging.tiles import BACKGROUND, INK, on_one_sheet, outlined
from inference.imaging.volume import Volume

TILE_PX = 320
GAP_PX = 6
COLUMNS = 4
AXIAL_SLICES = 6
MARGIN_MM = 12.0
# Colours that people who confuse red and green tell apart.
LUNG_COLOUR, LESION_COLOUR = (86, 180, 233), (230, 159, 0)
FONT_PX = 14

Picture = NDArray[np.uint8]


def quality_picture(volume: Volume, found: Segmentation, lines: Sequence[str]) -> Image.Image:
    """Six axial slices (that with most lesion among them), a coronal view and `lines` of text, as RGB.

    Outlines: blue lung, orange lesion. Seen as radiologists do: the patient's left is on the right. Without spacing
    there is no coronal view, since nothing is known of the distance of slices.
    """
    shown = _Shown.of(volume, found)
    tiles = [shown.axial(z) for z in chosen_slices(shown.lung, shown.lesion)]
    if volume.has_spacing:
        tiles.append(shown.coronal())
    return on_one_sheet([*tiles, _text_tile(lines)], COLUMNS, GAP_PX)


def chosen_slices(lung: NDArray[np.bool_], lesion: NDArray[np.bool_]) -> list[int]:
    """The axial slices (z, ascending) to show: spread over the lungs, the nearest one moved to where most lesion is."""
    there = np.flatnonzero((lung | lesion).any(axis=(1, 2)))
    first, last = (int(there[0]), int(there[-1])) if there.size else (0, lung.shape[0] - 1)
    # Not the very ends, where there is next to nothing to see.
    places = first + (last - first) * (np.arange(AXIAL_SLICES) + 0.5) / AXIAL_SLICES
    slices = np.rint(places).astype(int)
    area = lesion.sum(axis=(1, 2))
    if area.any():
        most = int(area.argmax())
        slices[np.abs(slices - most).argmin()] = most
    return sorted({int(z) for z in slices})


class _Shown:
    """A scan turned as people look at it, cut to its lungs."""

    def __init__(
        self,
        values: NDArray[np.int16],
        lung: NDArray[np.bool_],
        lesion: NDArray[np.bool_],
        spacing_zyx_mm: tuple[float, float, float],
        has_hu: bool,
    ) -> None:
        self.values, self.lung, self.lesion = values, lung, lesion
        self.spacing_zyx_mm, self.has_hu = spacing_zyx_mm, has_hu
        self.box = _box(lung | lesion, spacing_zyx_mm)
        self.range = None if has_hu else (int(values.min()), max(int(values.max()), int(values.min()) + 1))

    @classmethod
    def of(cls, volume: Volume, found: Segmentation) -> "_Shown":
        values, affine = axes.to_patient_axes(volume.hu, volume.affine_lps)
        lung, _ = axes.to_patient_axes(found.anatomy > 0, volume.affine_lps)
        lesion, _ = axes.to_patient_axes(found.findings > 0, volume.affine_lps)
        return cls(values, lung, lesion, axes.spacing_zyx_mm(affine), volume.has_hu)

    def axial(self, z: int) -> Image.Image:
        _, y, x = self.box
        _, y_mm, x_mm = self.spacing_zyx_mm
        planes = [array[z, y, x] for array in (self.values, self.lung, self.lesion)]
        return self._tile(planes, (y_mm, x_mm), f"slice {z + 1}")

    def coronal(self) -> Image.Image:
        layer = self.lesion if self.lesion.any() else self.lung
        area = layer.sum(axis=(0, 2))
        y = int(area.argmax()) if area.any() else self.values.shape[1] // 2
        z, _, x = self.box
        z_mm, _, x_mm = self.spacing_zyx_mm
        # z runs to the head, and a picture's rows run down.
        planes = [array[z, y, x][::-1] for array in (self.values, self.lung, self.lesion)]
        return self._tile(planes, (z_mm, x_mm), f"coronal, row {y + 1}")

    def _tile(self, planes: Sequence[NDArray[Any]], spacing_mm: tuple[float, float], title: str) -> Image.Image:
        values, lung, lesion = planes
        height_mm, width_mm = values.shape[0] * spacing_mm[0], values.shape[1] * spacing_mm[1]
        scale = TILE_PX / max(height_mm, width_mm)
        size = (max(1, round(width_mm * scale)), max(1, round(height_mm * scale)))
        shown = outlined(self._grey(values), ((lung, LUNG_COLOUR), (lesion, LESION_COLOUR)), size)
        tile = Image.new("RGB", (TILE_PX, TILE_PX), BACKGROUND)
        tile.paste(shown, ((TILE_PX - size[0]) // 2, (TILE_PX - size[1]) // 2))
        draw = ImageDraw.Draw(tile)
        draw.text((5, 3), title, INK, ImageFont.load_default(FONT_PX), stroke_width=2, stroke_fill=BACKGROUND)
        for letter, at in (("R", 5), ("L", TILE_PX - 14)):
            place = (at, TILE_PX // 2)
            draw.text(place, letter, INK, ImageFont.load_default(FONT_PX), stroke_width=2, stroke_fill=BACKGROUND)
        return tile

    def _grey(self, values: NDArray[np.int16]) -> Picture:
        if self.range is None:
            return windowed(values, LUNG)
        low, high = self.range
        return ((values.astype(np.float32) - low) / (high - low) * 255).astype(np.uint8)


def _box(mask: NDArray[np.bool_], spacing_zyx_mm: tuple[float, float, float]) -> tuple[slice, slice, slice]:
    """The box of a mask with a margin; the whole grid where it is empty."""
    box = []
    for axis, length in enumerate(mask.shape):
        others = tuple(other for other in range(3) if other != axis)
        where = np.flatnonzero(mask.any(axis=others))
        margin = int(np.ceil(MARGIN_MM / spacing_zyx_mm[axis]))
        low, high = (int(where[0]) - margin, int(where[-1]) + margin + 1) if where.size else (0, length)
        box.append(slice(max(low, 0), min(high, length)))
    return box[0], box[1], box[2]


def _text_tile(lines: Sequence[str]) -> Image.Image:
    tile = Image.new("RGB", (TILE_PX, TILE_PX), BACKGROUND)
    draw, font = ImageDraw.Draw(tile), ImageFont.load_default(FONT_PX)
    y = 8
    for line in lines:
        for part in _wrapped(line, font):
            if y > TILE_PX - FONT_PX:
                return tile
            draw.text((8, y), part, INK, font)
            y += FONT_PX + 5
    return tile


def _wrapped(line: str, font: Any) -> list[str]:
    """A line cut at spaces so that each part fits; a word too long is cut."""
    parts, current = [], ""
    for word in line.split(" "):
        longer = f"{current} {word}".strip()
        if current and font.getlength(longer) > TILE_PX - 16:
            parts.append(current)
            current = word
        else:
            current = longer
    return [*parts, current]
