"""How a picture is wished for (PS3.18 8.3.5): window, viewport, quality, annotation. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from inference.imaging.rendering import JPEG_QUALITY, Viewport, Window
from webapp.dicomweb.faults import BadRequest

FUNCTIONS = ("linear", "linear-exact", "sigmoid")
ANNOTATIONS = ("patient", "technique")
THUMBNAIL_PX, LARGEST_PX = 128, 4096


@dataclass(frozen=True)
class PictureWish:
    """A wish that makes sense. `ignored` are annotations that are asked for and not made."""

    window: Window | None = None
    viewport: Viewport | None = None
    quality: int = JPEG_QUALITY
    ignored: tuple[str, ...] = ()


def read_picture_wish(query: Mapping[str, str]) -> PictureWish:
    """The wish of a request's query; raises BadRequest with a sentence."""
    return PictureWish(
        window=_window(query["window"]) if "window" in query else None,
        viewport=_viewport(query["viewport"]) if "viewport" in query else None,
        quality=_quality(query["quality"]) if "quality" in query else JPEG_QUALITY,
        ignored=_annotations(query["annotation"]) if "annotation" in query else (),
    )


def thumbnail_wish(query: Mapping[str, str]) -> PictureWish:
    """A small picture of the whole image; the viewport's size alone may be asked for."""
    if "viewport" not in query:
        return PictureWish(viewport=Viewport(THUMBNAIL_PX, THUMBNAIL_PX))
    if query["viewport"].count(",") != 1:
        raise BadRequest("A thumbnail's viewport is a width and a height: viewport=128,128.")
    return PictureWish(viewport=_viewport(query["viewport"]))


def _window(text: str) -> Window:
    parts = [part.strip() for part in text.split(",")]
    centre, width = (_number(part) for part in (*parts, "", "")[:2])
    function = parts[2].lower() if len(parts) == 3 else ""
    if centre is None or width is None or width <= 0 or function not in FUNCTIONS:
        raise BadRequest(f"A window is a centre, a width above 0 and one of {', '.join(FUNCTIONS)}: -600,1500,linear.")
    return Window(centre, width, function)


def _viewport(text: str) -> Viewport:
    parts = [part.strip() for part in text.split(",")]
    sizes = [int(part) if part.isascii() and part.isdigit() and len(part) < 6 else 0 for part in parts[:2]]
    region = [_number(part) if part else None for part in parts[2:]]
    broken = any(part and value is None for part, value in zip(parts[2:], region, strict=True))
    if not 2 <= len(parts) <= 6 or len(sizes) < 2 or broken or not all(0 < size <= LARGEST_PX for size in sizes):
        raise BadRequest(
            f"A viewport is a width and a height of 1 to {LARGEST_PX} pixels, then perhaps the region's left, top, "
            "width and height: viewport=512,512,0,0,256,256."
        )
    left, top, across, down = (*region, None, None, None, None)[:4]
    return Viewport(sizes[0], sizes[1], abs(left or 0.0), abs(top or 0.0), across or None, down or None)


def _quality(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= 100):
        raise BadRequest("The quality is a whole number from 1 to 100.")
    return int(text)


def _annotations(text: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",")))
    if not set(words) <= set(ANNOTATIONS):
        raise BadRequest(f"Annotations are {' and '.join(ANNOTATIONS)}.")
    return words


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and abs(number) < 1e9 else None
