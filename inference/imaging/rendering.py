"""One frame of a DICOM image as a picture for people: windowed, cropped, scaled (PS3.3 C.11.2, PS3.18 8.3.5)."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset

from inference.imaging.elements import Elements, numbers, text
from inference.imaging.findings import SeriesRefused
from inference.imaging.frames import image_of
from inference.imaging.transcode import frame_count, frame_values, is_bits, native_frames

FUNCTIONS = {"LINEAR": "linear", "LINEAR_EXACT": "linear-exact", "SIGMOID": "sigmoid"}
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF"}
JPEG_QUALITY = 90


@dataclass(frozen=True)
class Window:
    """Which values become black and white: centre and width in the image's own units (HU), and how it runs between."""

    centre: float
    width: float
    function: str = "linear"


@dataclass(frozen=True)
class Viewport:
    """A region of the frame (pixels; None reaches to its edge) drawn as large as fits into `width` x `height`.

    A negative `region_width` or `region_height` mirrors the picture.
    """

    width: int
    height: int
    left: float = 0.0
    top: float = 0.0
    region_width: float | None = None
    region_height: float | None = None


LUNG = Window(-600, 1500)


def render(dataset: Dataset, index: int, window: Window | None = None, viewport: Viewport | None = None) -> Image.Image:
    """Frame `index` (from 0) as an 8-bit grey picture; without a window in the file's own, or in the lung's.

    Raises Undecodable, and ValueError where the viewport's region lies outside the frame.
    """
    values = frame_values(dataset, index)
    if is_bits(dataset):
        picture = Image.fromarray((values * 255).astype(np.uint8))
    else:
        image = _image(dataset, index)
        grey = windowed(_rescaled(image, values), window or own_window(image))
        inverted = text(dataset, "PhotometricInterpretation").upper() == "MONOCHROME1"
        picture = Image.fromarray(255 - grey if inverted else grey)
    return picture if viewport is None else _fitted(picture, viewport)


def representative_frame(dataset: Dataset) -> int:
    """The frame (from 0) that stands for an image: the middle one; of a segmentation the one with most in it."""
    count = frame_count(dataset)
    if count < 2 or not is_bits(dataset):
        return count // 2
    sizes = [
        int(np.bitwise_count(np.frombuffer(frame, np.uint8)).sum()) for frame in native_frames(dataset, range(count))
    ]
    return int(np.argmax(sizes)) if any(sizes) else count // 2


def encoded(picture: Image.Image, media_type: str, quality: int = JPEG_QUALITY) -> bytes:
    """The bytes of a picture as image/jpeg, image/png or image/gif; `quality` (1 to 100) is JPEG's."""
    out = io.BytesIO()
    options: dict[str, Any] = {"quality": quality, "optimize": True} if media_type == "image/jpeg" else {}
    picture.save(out, FORMATS[media_type], **options)
    return out.getvalue()


def own_window(image: Elements) -> Window:
    """The first window that an image names; the lung window where it names none that makes sense."""
    centre, width = (_first_number(image, keyword) for keyword in ("WindowCenter", "WindowWidth"))
    function = FUNCTIONS.get(text(image, "VOILUTFunction").upper() or "LINEAR", "linear")
    return Window(centre, width, function) if centre is not None and width is not None and width >= 1 else LUNG


def windowed(values: NDArray[Any], window: Window) -> NDArray[np.uint8]:
    """Values as 8-bit grey by the window functions of PS3.3 C.11.2.1.2 and C.11.2.1.3."""
    x = values.astype(np.float64)
    if window.function == "sigmoid":
        y = 1 / (1 + np.exp(np.clip(-4 * (x - window.centre) / window.width, -500, 500)))
    elif window.function == "linear-exact":
        y = (x - window.centre) / window.width + 0.5
    elif window.width <= 1:
        y = (x > window.centre - 0.5).astype(np.float64)
    else:
        y = (x - (window.centre - 0.5)) / (window.width - 1) + 0.5
    return np.rint(np.clip(y, 0, 1) * 255).astype(np.uint8)


def _rescaled(image: Elements, values: NDArray[Any]) -> NDArray[np.float64]:
    slope, intercept = numbers(image, "RescaleSlope", 1), numbers(image, "RescaleIntercept", 1)
    return values.astype(np.float64) * (slope[0] if slope else 1.0) + (intercept[0] if intercept else 0.0)


def _image(dataset: Dataset, index: int) -> Elements:
    """What speaks of a frame: its own functional groups in a multi-frame file, else the file."""
    try:
        return image_of(dataset, index)
    except SeriesRefused:
        return dataset


def _first_number(image: Elements, keyword: str) -> float | None:
    value = image.get(keyword)
    first = value[0] if value is not None and not isinstance(value, str | int | float) and len(value) else value
    try:
        number = float(first)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None


def _fitted(picture: Image.Image, viewport: Viewport) -> Image.Image:
    """The region of a picture, mirrored as asked, as large as the viewport holds without changing its shape."""
    across = picture.width - viewport.left if viewport.region_width is None else viewport.region_width
    down = picture.height - viewport.top if viewport.region_height is None else viewport.region_height
    box = (viewport.left, viewport.top, viewport.left + abs(across), viewport.top + abs(down))
    if box[2] <= box[0] or box[3] <= box[1] or box[2] > picture.width or box[3] > picture.height:
        raise ValueError(f"The region lies outside the image, which is {picture.width} x {picture.height} pixels.")
    scale = min(viewport.width / abs(across), viewport.height / abs(down))
    size = (max(1, round(abs(across) * scale)), max(1, round(abs(down) * scale)))
    fitted = picture.resize(size, Image.Resampling.LANCZOS, box=box)
    if across < 0:
        fitted = fitted.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return fitted.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if down < 0 else fitted
