"""Pixels of a file's images in Hounsfield units, and what is to be said of them."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from inference.imaging import gate
from inference.imaging.decoding import NATIVE, layout_of, stored_frames
from inference.imaging.elements import file_name, number, transfer_syntax
from inference.imaging.frames import Image, images_of
from inference.imaging.rescale import LOWEST, Rescale, read_rescale, rescaled

# A scan without any voxel lighter than this holds no air: its numbers are hardly Hounsfield units.
AIR_BELOW_HU = -200
# Below any tissue, and below what noise makes of air.
PADDING_BELOW_HU = -1500
WEIGHTLESS_HU = -1000


@dataclass(frozen=True, eq=False)
class SlicePixels:
    """One image in HU (int16, axes yx), its rescale, and what is odd about it.

    `clipped` voxels did not fit 16 bits, `padding` voxels lie below any tissue, `dense_padding` voxels are declared
    as padding but weigh something.
    """

    hu: NDArray[np.int16]
    rescale: Rescale
    lowest: int
    clipped: int
    padding: int
    dense_padding: tuple[int, int]


def decode_images(dataset: Dataset, wanted: Sequence[int]) -> Iterator[SlicePixels]:
    """The images of a file at the ascending frame numbers `wanted` (from 0), each by its own rescale.

    Raises SeriesRefused naming the file.
    """
    images = images_of(dataset)
    for index, stored in zip(wanted, stored_frames(dataset, wanted), strict=True):
        yield _in_hu(images[index], stored)


def image_sha256(dataset: Dataset) -> str:
    """Hex SHA-256 over the voxels of all images of a file: the same images, however they are compressed.

    Raises SeriesRefused naming the file.
    """
    found = hashlib.sha256()
    for pixels in decode_images(dataset, range(len(images_of(dataset)))):
        found.update(np.ascontiguousarray(pixels.hu, dtype="<i2").data)
    return found.hexdigest()


def _in_hu(image: Image, stored: NDArray[Any]) -> SlicePixels:
    rescale = read_rescale(image, file_name(image))
    result = rescaled(stored, rescale)
    clipped, padding, dense = result.clipped, 0, (0, 0)
    if result.lowest < PADDING_BELOW_HU:
        padding = int(np.count_nonzero(result.hu < PADDING_BELOW_HU))
    limits = _declared_padding(image, stored.dtype)
    if limits is not None:
        in_hu = sorted(rescale.of(limit) for limit in limits)
        if in_hu[1] > WEIGHTLESS_HU:
            dense = int(np.count_nonzero((stored >= limits[0]) & (stored <= limits[1]))), round(in_hu[1])
        elif clipped and in_hu[1] < LOWEST:
            clipped -= int(np.count_nonzero((stored >= limits[0]) & (stored <= limits[1])))
    return SlicePixels(result.hu, rescale, result.lowest, clipped, padding, dense)


def _declared_padding(image: Image, dtype: np.dtype[Any]) -> tuple[int, int] | None:
    """Lowest and highest stored value that PixelPaddingValue and its range limit call padding (C.7.5.1.1.2)."""
    value = number(image, "PixelPaddingValue")
    if value is None:
        return None
    limit = number(image, "PixelPaddingRangeLimit")
    low, high = sorted(int(end) for end in (value, value if limit is None else limit))
    if dtype.kind == "i" and high > np.iinfo(dtype).max:  # written as unsigned
        wrap = 1 << (8 * dtype.itemsize)
        low, high = low - wrap, high - wrap
    return low, high


class PixelFindings:
    """Gathers what is to be said of the pixels of a whole series."""

    def __init__(self) -> None:
        self._lowest: int | None = None
        self._clipped = self._padding = self._dense = 0
        self._dense_hu = 0
        self._rescales: list[Rescale] = []
        self._moved: tuple[int, int] | None = None

    def see_file(self, dataset: Dataset) -> None:
        """Take note of how a file keeps its values."""
        layout = layout_of(dataset)
        # A compressed stream says itself where its bits are.
        if layout.highest != layout.stored - 1 and transfer_syntax(dataset) in NATIVE:
            self._moved = layout.highest, layout.allocated

    def see(self, pixels: SlicePixels) -> None:
        """Take note of one image."""
        self._lowest = pixels.lowest if self._lowest is None else min(self._lowest, pixels.lowest)
        self._clipped += pixels.clipped
        self._padding += pixels.padding
        self._dense += pixels.dense_padding[0]
        self._dense_hu = pixels.dense_padding[1] or self._dense_hu
        if pixels.rescale not in self._rescales[-1:]:
            self._rescales.append(pixels.rescale)

    @property
    def has_hu(self) -> bool:
        """Whether every image is in Hounsfield units."""
        return all(rescale.is_hu for rescale in self._rescales)

    def say(self, findings: gate.Findings) -> None:
        """Tell it all."""
        first = self._rescales[0]
        if not self.has_hu:
            other = next(rescale for rescale in self._rescales if not rescale.is_hu)
            findings.say("no_hu", what=f"RescaleType {other.shown_type}" if other.type else "no rescale is given")
        elif self._lowest is not None and self._lowest > AIR_BELOW_HU:
            findings.say("no_air")
        if any(not rescale.is_whole for rescale in self._rescales):
            findings.say("rounded")
        if len({(rescale.slope, rescale.intercept) for rescale in self._rescales}) > 1:
            findings.say("per_slice_rescale")
        if first.slope != 1.0:
            findings.say("rescale_slope", slope=first.slope)
        if self._clipped:
            findings.say("clipped", count=self._clipped)
        if self._padding:
            findings.say("padding", count=self._padding, lowest=self._lowest)
        if self._dense:
            findings.say("padding_as_tissue", count=self._dense, value=self._dense_hu)
        if self._moved:
            findings.say("high_bits", highest=self._moved[0], allocated=self._moved[1])
