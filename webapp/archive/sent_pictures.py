"""Pictures as people send them: decoded, and stored anew without anything but their pixels."""

import io
import struct
from dataclasses import dataclass

from PIL import Image, ImageOps

from webapp.audit.refusal import ActionRefused, Refusal

LARGEST_BYTES = 5 * 1024 * 1024
LARGEST_SIDE_PX = 6000
JPEG_QUALITY = 90
SUFFIXES = {"PNG": ".png", "JPEG": ".jpg"}
# What Pillow's decoders raise for files that are broken or hostile.
BROKEN = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, struct.error, Image.DecompressionBombError)


@dataclass(frozen=True)
class CleanPicture:
    """A picture's bytes as this site encoded them."""

    content: bytes
    content_type: str
    suffix: str
    width_px: int
    height_px: int

    def opened(self) -> io.BytesIO:
        """Its bytes as an open file."""
        return io.BytesIO(self.content)


def clean_picture(sent: bytes) -> CleanPicture:
    """Decode a PNG or JPEG and encode it anew: no metadata (a camera's place and time, say) and no hidden content stay.

    Raises ActionRefused with a sentence for anything else, and for what is larger than 5 MB or 6,000 pixels a side.
    """
    if len(sent) > LARGEST_BYTES:
        raise ActionRefused(Refusal("too_large", "A picture may have at most 5 MB."))
    try:
        with Image.open(io.BytesIO(sent), formats=tuple(SUFFIXES)) as opened:
            kind = str(opened.format)
            if max(opened.size) > LARGEST_SIDE_PX:  # asked before a pixel is decoded
                sentence = f"A picture may have at most {LARGEST_SIDE_PX} pixels a side."
                raise ActionRefused(Refusal("too_large", sentence))
            opened.load()
            upright = ImageOps.exif_transpose(opened)
            has_holes = "A" in upright.getbands() or "transparency" in upright.info
            picture = upright.convert("RGBA" if kind == "PNG" and has_holes else "RGB")
    except BROKEN as error:
        raise ActionRefused(Refusal("no_picture", "This file is no PNG or JPEG picture that can be read.")) from error
    bare = Image.frombytes(picture.mode, picture.size, picture.tobytes())
    out = io.BytesIO()
    if kind == "PNG":
        bare.save(out, "PNG", optimize=True)
    else:
        bare.save(out, "JPEG", quality=JPEG_QUALITY)
    if out.tell() > LARGEST_BYTES:
        raise ActionRefused(Refusal("too_large", "Stored anew, this picture has more than 5 MB: send a smaller one."))
    return CleanPicture(out.getvalue(), f"image/{kind.lower()}", SUFFIXES[kind], *bare.size)
