"""Learning curves as data (CSV) and as a picture (PNG)."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from inference.networks.weights import write_whole

COLUMNS = (
    *("epoch", "slices", "learning_rate", "train_loss", "train_lung_dice", "train_lesion_dice"),
    *("tune_loss", "tune_lung_dice", "tune_lesion_dice"),
)
CSV_NAME, PICTURE_NAME = "curves.csv", "curves.png"
SIZE = (900, 380)
MARGIN = 46
PANELS = (
    ("Loss", (("train_loss", "training", "#1f77b4"), ("tune_loss", "tuning", "#d95f02"))),
    (
        "Dice",
        (
            ("train_lung_dice", "lung, training", "#6baed6"),
            ("tune_lung_dice", "lung, tuning", "#1f77b4"),
            ("train_lesion_dice", "lesion, training", "#fd8d3c"),
            ("tune_lesion_dice", "lesion, tuning", "#d95f02"),
        ),
    ),
)

Row = Mapping[str, float | None]


def write_curves(out: Path, history: Sequence[Row]) -> None:
    """Write curves.csv and curves.png into a run's folder, one row and one point an epoch."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow([*COLUMNS, "seconds"])
    for row in history:
        # A run begun by an earlier version has rows without what that did not measure.
        rows.writerow(["" if row.get(name) is None else repr(row[name]) for name in (*COLUMNS, "seconds")])
    write_whole(out / CSV_NAME, text.getvalue().encode())
    content = io.BytesIO()
    curves_picture(history).save(content, "PNG")
    write_whole(out / PICTURE_NAME, content.getvalue())


def curves_picture(history: Sequence[Row]) -> Image.Image:
    """Loss at the left, Dice at the right, over epochs; without a tuning set those of the training alone."""
    picture = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(picture)
    width = SIZE[0] // len(PANELS)
    for place, (title, series) in enumerate(PANELS):
        box = (place * width + MARGIN, MARGIN, (place + 1) * width - MARGIN // 2, SIZE[1] - MARGIN)
        _panel(draw, box, title, series, history, top=1.0 if place else None)
    return picture


def _panel(
    draw: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    title: str,
    series: Sequence[tuple[str, str, str]],
    history: Sequence[Row],
    top: float | None,
) -> None:
    left, upper, right, lower = box
    series = [one for one in series if any(row.get(one[0]) is not None for row in history)]
    values = [value for row in history for name, _, _ in series if (value := row.get(name)) is not None]
    highest = top or max([*values, 1e-6])
    last = max(len(history), 2)
    draw.text((left, upper - 30), title, fill="black")
    draw.line([(left, upper), (left, lower), (right, lower)], fill="black")
    for part in (0, 0.5, 1):
        y = lower - (lower - upper) * part
        draw.text((left - 40, y - 6), f"{highest * part:.3g}", fill="black")
        draw.line([(left - 4, y), (left, y)], fill="black")
    draw.text((left, lower + 8), "epoch 1", fill="black")
    draw.text((right - 50, lower + 8), f"epoch {last}", fill="black")
    legend = left + 40.0
    for name, words, colour in series:
        draw.text((legend, upper - 30), words, fill=colour)
        legend += draw.textlength(words) + 10
        points = [
            (left + (right - left) * n / (last - 1), lower - (lower - upper) * min(value / highest, 1))
            for n, row in enumerate(history)
            if (value := row.get(name)) is not None
        ]
        if len(points) > 1:
            draw.line(points, fill=colour, width=2)
        for x, y in points:
            draw.ellipse([x - 3, y - 3, x + 3, y + 3], fill=colour)
