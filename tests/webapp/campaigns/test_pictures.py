"""Pictures of guidelines: what is taken, and what of it stays."""

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tests.factories.pictures import a_png
from webapp.archive.sent_pictures import clean_picture
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.pictures import name_from


def encoded(picture: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def refused(content: bytes) -> str:
    with pytest.raises(ActionRefused) as refusal:
        clean_picture(content)
    assert refusal.value.sentence
    return refusal.value.code


def test_pixels_of_a_png_stay_and_its_texts_go():
    pixels = np.random.default_rng(1).integers(0, 256, (30, 40, 3)).astype(np.uint8)
    said = PngImagePlugin.PngInfo()
    said.add_text("Comment", "Meier, Anna, 1950-01-01")
    clean = clean_picture(encoded(Image.fromarray(pixels), "PNG", pnginfo=said))
    assert (clean.content_type, clean.suffix, clean.width_px, clean.height_px) == ("image/png", ".png", 40, 30)
    assert b"Meier" not in clean.content
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(clean.content))), pixels)


def test_what_is_hidden_behind_a_pictures_end_goes():
    clean = clean_picture(a_png((4, 4)) + b"<script>alert(1)</script>")
    assert b"script" not in clean.content


def test_camera_data_of_a_jpeg_goes_and_the_picture_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "Ward 7"
    clean = clean_picture(encoded(Image.new("RGB", (40, 30)), "JPEG", exif=exif.tobytes()))
    assert (clean.content_type, clean.suffix, clean.width_px, clean.height_px) == ("image/jpeg", ".jpg", 30, 40)
    assert b"Ward 7" not in clean.content
    assert not Image.open(io.BytesIO(clean.content)).getexif()


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "I;16"])
def test_every_common_kind_of_png_is_taken(mode):
    clean = clean_picture(encoded(Image.new(mode, (5, 4)), "PNG"))
    assert Image.open(io.BytesIO(clean.content)).size == (5, 4)


def test_other_files_are_refused():
    gif = encoded(Image.new("L", (4, 4)), "GIF")
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    whole = a_png((64, 64))
    for content in (b"", b"x", gif, svg, whole[: len(whole) // 2], b"\xff\xd8\xff\xe0" + b"x" * 50):
        assert refused(content) == "no_picture"


def test_any_damage_is_refused_or_leaves_a_picture_and_raises_nothing_else():
    random = np.random.default_rng(2)
    for whole in (a_png((20, 20)), encoded(Image.new("RGB", (20, 20), (9, 9, 9)), "JPEG")):
        for _ in range(200):
            damaged = bytearray(whole)
            for place in random.integers(0, len(whole), 4):
                damaged[place] = random.integers(0, 256)
            with contextlib.suppress(ActionRefused):
                clean_picture(bytes(damaged))


def test_too_many_bytes_or_pixels_are_refused_before_they_are_decoded():
    assert refused(b"\x89PNG" + b"x" * (5 * 1024 * 1024)) == "too_large"
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    bomb = b"\x89PNG\r\n\x1a\n" + chunk
    assert refused(bomb) in ("too_large", "no_picture")
    assert refused(encoded(Image.new("1", (6001, 1)), "PNG")) == "too_large"


@pytest.mark.parametrize(
    ("file_name", "name"),
    [
        ("Ground glass.PNG", "ground-glass"),
        ("../../etc/passwd.png", "passwd"),
        ("\u00dcber Lunge (2).jpg", "ber-lunge-2"),
        ("***.png", "picture"),
        ("", "picture"),
    ],
)
def test_names_are_plain(file_name, name):
    assert name_from(file_name) == name
