"""Small pictures for tests."""

import io

from PIL import Image


def a_png(size: tuple[int, int], colour: tuple[int, int, int] = (200, 40, 40)) -> bytes:
    """A plain PNG of `size` (width, height) pixels."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()
