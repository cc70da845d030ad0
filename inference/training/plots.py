"""The figures of a cross-validation as a picture: Dice of each case, and extent found against extent drawn."""

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, MARGIN = 960, 420, 56
BLUE, ORANGE, GREY = "#1f77b4", "#d95f02", "#999999"

Box = tuple[float, float, float, float]


def cross_validation_picture(cases: Sequence[Mapping[str, Any]], aims: Mapping[str, float]) -> Image.Image:
    """Left: Dice of lung and lesion, the cases by lesion Dice, with a line at each of `aims`. Right: extents in %.

    A case is a mapping with `lung_dice`, `lesion_dice`, `extent_percent`, `reference_extent_percent`; what is None is
    left out.
    """
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(13)
    _dice(draw, font, (MARGIN, MARGIN, WIDTH * 0.56 - 20, HEIGHT - MARGIN), cases, aims)
    _extents(draw, font, (WIDTH * 0.56 + MARGIN, MARGIN, WIDTH - 24, HEIGHT - MARGIN), cases)
    return picture


def _dice(draw: ImageDraw.ImageDraw, font: Any, box: Box, cases: Any, aims: Mapping[str, float]) -> None:
    left, top, right, bottom = box
    _axes(draw, font, box, "Dice of each case kept apart", (0, 0.25, 0.5, 0.75, 1), 1.0)
    for label, aim in aims.items():
        y = bottom - (bottom - top) * aim
        draw.line([(left, y), (right, y)], fill=GREY)
        draw.text((right - 4, y), f"{label} {aim:g}", GREY, font, anchor="rd")
    ordered = sorted((case for case in cases if case["lesion_dice"] is not None), key=lambda case: case["lesion_dice"])
    for place, case in enumerate(ordered):
        x = left + (right - left) * (place + 0.5) / len(ordered)
        for name, colour in (("lung_dice", BLUE), ("lesion_dice", ORANGE)):
            if case[name] is not None:
                _point(draw, x, bottom - (bottom - top) * case[name], colour)
    draw.text((left, bottom + 8), f"{len(ordered)} cases, lowest lesion Dice first", "black", font)
    for place, (word, colour) in enumerate((("lung", BLUE), ("lesion", ORANGE))):
        draw.text((right - 90 + 45 * place, top - 30), word, colour, font)


def _extents(draw: ImageDraw.ImageDraw, font: Any, box: Box, cases: Any) -> None:
    left, top, right, bottom = box
    pairs = [(case["reference_extent_percent"], case["extent_percent"]) for case in cases]
    known = [(drawn, found) for drawn, found in pairs if drawn is not None and found is not None]
    highest = max([10.0, *(value for pair in known for value in pair)]) * 1.05
    _axes(draw, font, box, "Extent found, %", [round(highest * part) for part in (0, 0.5, 1)], highest)
    draw.line([(left, bottom), (right, top)], fill=GREY)
    for drawn, found in known:
        _point(draw, left + (right - left) * drawn / highest, bottom - (bottom - top) * found / highest, ORANGE)
    draw.text((left, bottom + 8), f"extent drawn, 0 to {highest:.0f} %", "black", font)


def _axes(draw: ImageDraw.ImageDraw, font: Any, box: Box, title: str, ticks: Sequence[float], top_value: float) -> None:
    left, top, right, bottom = box
    draw.text((left, top - 30), title, "black", font)
    draw.line([(left, top), (left, bottom), (right, bottom)], fill="black")
    for tick in ticks:
        y = bottom - (bottom - top) * min(tick / top_value, 1)
        draw.line([(left - 4, y), (left, y)], fill="black")
        draw.text((left - 8, y), f"{tick:g}", "black", font, anchor="rm")


def _point(draw: ImageDraw.ImageDraw, x: float, y: float, colour: str) -> None:
    draw.ellipse([x - 4, y - 4, x + 4, y + 4], fill=colour)
