"""Looks: a slice of a scan as the square 8-bit picture that a network was trained on, and a mask's way back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.transforms.clahe import equalise

EQUALISED, WINDOW = "equalised", "window"
KINDS = (EQUALISED, WINDOW)
# The network halves its input four times.
STEP = 16
OUTSIDE_LUNG_HU = -3024


class LookRefused(ValueError):
    """A look that this version does not know or that makes no sense; the message is a sentence."""


@dataclass(frozen=True)
class Look:
    """How slices look to a network.

    `equalised`: HU cut off below `lowest_hu`, scaled by area to `size` x `size`, stretched from the slice's lowest to
    its highest value over 0..255, then CLAHE (`clip_limit`, `tiles` x `tiles`). It is the look of the public 8-bit
    slices that the data folder calls covid20.
    `window`: the window `level_hu` and `width_hu` over 0..255 (steps of width / 255 HU), scaled by area to `size`.
    With `lung_alone` what lies outside the lung becomes -3024 HU before, so 0 (the study's own preprocessing).
    Pictures of 8 bits are only scaled; their look is theirs.
    """

    kind: str = EQUALISED
    size: int = 256
    lowest_hu: int = -1024
    clip_limit: float = 7.0
    tiles: int = 8
    level_hu: float = -600.0
    width_hu: float = 1500.0
    lung_alone: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise LookRefused(f"There is no look {self.kind!r}; this version knows {' and '.join(KINDS)}.")
        numbers = (self.size, self.lowest_hu, self.clip_limit, self.tiles, self.level_hu, self.width_hu)
        if not all(isinstance(number, int | float) and np.isfinite(number) for number in numbers):
            raise LookRefused("A number of the look is none.")
        if any(type(number) is not int for number in (self.size, self.tiles)) or type(self.lung_alone) is not bool:
            raise LookRefused("Size and tiles of a look are whole numbers, and lung_alone is true or false.")
        if self.size % STEP or not 0 < self.size <= 2048:
            raise LookRefused(f"The side of a slice must be a multiple of {STEP} up to 2048, not {self.size}.")
        if self.width_hu <= 0 or self.tiles < 1 or self.size % self.tiles or self.clip_limit <= 0:
            raise LookRefused("The window's width, the clip limit or the number of tiles make no sense.")

    @classmethod
    def from_card(cls, recorded: Mapping[str, Any]) -> "Look":
        """The look that a card records; raises LookRefused for parts that this version does not know."""
        unknown = set(recorded) - {field.name for field in fields(cls)}
        if unknown:
            raise LookRefused(f"The look has a part that this version does not know: {sorted(unknown)[0]!r}.")
        try:
            return cls(**recorded)
        except TypeError as error:
            raise LookRefused(f"A part of the look is of the wrong kind: {error}.") from error

    def as_card(self) -> dict[str, Any]:
        """The look as a card records it."""
        return asdict(self)

    def of_hu(self, plane: NDArray[np.int16], lung: NDArray[np.bool_] | None = None) -> NDArray[np.uint8]:
        """A slice of HU (int16 yx) as uint8 (size, size). With `lung_alone`, `lung` (bool yx) must be given."""
        if self.kind == WINDOW:
            low = self.level_hu - self.width_hu / 2
            grey = np.clip((plane.astype(np.float32) - low) * (255 / self.width_hu), 0, 255)
            return self._as_grey(scaled(self._in_lung(grey, lung), self.size))
        hu = scaled(np.maximum(plane, self.lowest_hu).astype(np.float32), self.size)
        low, high = float(hu.min()), float(hu.max())
        stretched = (hu - low) * (255 / (high - low)) if high > low else np.zeros_like(hu)
        grey_plane = equalise(self._as_grey(stretched), self.clip_limit, self.tiles)
        if self.lung_alone:
            grey_plane[~self.of_mask(self._required(lung))] = 0
        return grey_plane

    def of_picture(self, plane: NDArray[np.integer], lung: NDArray[np.bool_] | None = None) -> NDArray[np.uint8]:
        """A slice of an 8-bit picture (yx, 0..255) as uint8 (size, size)."""
        grey = np.clip(plane, 0, 255).astype(np.float32)
        return self._as_grey(scaled(self._in_lung(grey, lung), self.size))

    def of_mask(self, mask: NDArray[np.generic]) -> NDArray[np.bool_]:
        """A mask (yx, inside is not 0) as bool (size, size): inside where at least half of the area is."""
        return scaled((mask != 0).astype(np.float32), self.size) >= 0.5

    def _in_lung(self, grey: NDArray[np.float32], lung: NDArray[np.bool_] | None) -> NDArray[np.float32]:
        return np.where(self._required(lung), grey, np.float32(0)) if self.lung_alone else grey

    @staticmethod
    def _required(lung: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        if lung is None:
            raise ValueError("This look shows the lung alone: it needs a lung mask.")
        return lung

    @staticmethod
    def _as_grey(values: NDArray[np.float32]) -> NDArray[np.uint8]:
        return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def scaled(plane: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """A slice (float32 yx) as (size, size): means over areas where it shrinks, linear where it grows."""
    return resized(plane, (size, size))


def resized(plane: NDArray[np.float32], shape_yx: tuple[int, int]) -> NDArray[np.float32]:
    """A slice (float32 yx) on a grid of another shape with the same edges: means where it shrinks, linear else."""
    if plane.shape == shape_yx:
        return plane
    height, width = shape_yx
    picture = Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
    # One direction after the other, since one may shrink and the other grow.
    across = Image.Resampling.BOX if width < plane.shape[1] else Image.Resampling.BILINEAR
    down = Image.Resampling.BOX if height < plane.shape[0] else Image.Resampling.BILINEAR
    return np.asarray(picture.resize((width, plane.shape[0]), across).resize((width, height), down))
