"""CT slices as pictures (PNG, JPEG, TIFF), as public sets ship them: no Hounsfield units, no spacing, no position.

Rows run to the patient's back and columns to the left, as radiological pictures are shown; the order of the slices is
the natural order of their names, lowest first. Which end is the head is unknown.
"""

import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.imaging import gate
from inference.imaging.findings import SeriesRefused
from inference.imaging.headers import MAX_SIDE
from inference.imaging.volume_files import Opened

FORMATS = ("PNG", "JPEG", "TIFF")
MAGICS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*")
SHIFT = 32768
MOST_VOXELS = 2**28


def is_picture(head: bytes) -> bool:
    """Whether these first bytes begin a picture that is read here."""
    return head.startswith(MAGICS)


def natural_key(name: str) -> tuple[Any, ...]:
    """Sorts names as people count: 2.png before 10.png."""
    parts = re.split(r"(\d+)", name.lower())
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part), name


def read_stack(opened: Sequence[Opened], *, labels: bool = False) -> NDArray[Any]:
    """Pictures of one case as one array (zyx) of whole numbers, in natural order of their names.

    A TIFF of several pages is several slices. With `labels`, colours of a palette are their numbers. Raises
    SeriesRefused naming the picture.
    """
    slices: list[NDArray[Any]] = []
    names: list[str] = []
    for picture in sorted(opened, key=lambda one: natural_key(one.name)):
        for page in _pages(picture, labels=labels):
            slices.append(page)
            names.append(picture.name)
            _check_alike(slices, names)
    if not slices:
        raise gate.refuse("empty")
    return np.stack(slices)


def as_voxels(stack: NDArray[Any]) -> tuple[NDArray[np.int16], str]:
    """Grey values as int16, and what is to be said of them: values of 16 bits are moved down where they do not fit."""
    if stack.dtype.itemsize == 1 or stack.dtype == np.bool_:
        return stack.astype(np.int16), "pictures of 8 bits"
    if int(stack.max()) <= SHIFT - 1 and int(stack.min()) >= -SHIFT:
        return stack.astype(np.int16), "pictures that do not say what 0 HU is"
    moved = (stack.astype(np.int64) - SHIFT).astype(np.int16)
    return moved, f"pictures of 16 bits that do not say what 0 HU is; {SHIFT} was subtracted"


def _pages(picture: Opened, *, labels: bool) -> Iterator[NDArray[Any]]:
    try:
        picture.stream.seek(0)
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(picture.stream, formats=FORMATS) as image:
                count = getattr(image, "n_frames", 1)
                if count > 1 and image.format != "TIFF":
                    raise ValueError("animated")
                for page in range(count):
                    image.seek(page)
                    if not 0 < max(image.size) <= MAX_SIDE:
                        raise ValueError("too large")
                    yield _grey(picture.name, image, labels=labels)
    except (GeneratorExit, SeriesRefused):
        raise
    except Exception as error:  # Pillow raises many kinds on damaged pictures; all of them mean this
        raise gate.refuse("picture", name=picture.name) from error


def _grey(name: str, image: Image.Image, *, labels: bool) -> NDArray[Any]:
    if labels and image.mode == "P":
        return np.asarray(image)
    if image.mode in ("1", "L", "I", "I;16", "I;16B", "I;16L"):
        values = np.asarray(image)
        if values.dtype.kind == "i" and (values.min() < 0 or values.max() > 65535):
            raise ValueError("beyond 16 bits")
        return values.astype(np.uint8 if values.dtype == np.bool_ else values.dtype.newbyteorder("="))
    if image.mode not in ("LA", "P", "RGB", "RGBA"):
        raise gate.refuse("picture_colour", name=name)
    channels = np.asarray(image.convert("RGB"))
    if (channels != channels[..., :1]).any():
        raise gate.refuse("picture_colour", name=name)
    return np.ascontiguousarray(channels[..., 0])


def _check_alike(slices: Sequence[NDArray[Any]], names: Sequence[str]) -> None:
    first, last = slices[0], slices[-1]
    if first.shape != last.shape:
        sizes = " and ".join(f"{part.shape[1]} x {part.shape[0]}" for part in (first, last))
        raise gate.refuse("picture_sizes", pair=f"{names[0]} and {names[-1]}", sizes=sizes)
    if first.size * len(slices) > MOST_VOXELS or len(slices) > gate.STANDARD.most_slices:
        raise gate.refuse("volume_size", name=names[0], what=f"{first.shape[1]} x {first.shape[0]} x {len(slices)}")
