"""Weights trained on all patients, with the figures of the networks that were trained alike and kept some apart."""

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from PIL import Image

from inference.networks.cards import read_card
from inference.networks.weights import write_whole
from inference.predict import Predictor
from inference.training.curves import CSV_NAME, PICTURE_NAME
from inference.training.finishing import card_path
from inference.training.gallery import gallery
from inference.training.plots import cross_validation_picture
from inference.training.runs import Run

OF_CASE = (
    "case",
    "slices",
    "lung_dice",
    "lesion_dice",
    "lesion_sensitivity",
    "lesion_ppv",
    "extent_percent",
    "reference_extent_percent",
)
NOTE = (
    "The figures of cross-validation are those of networks trained alike, each on patients that it was not trained on; "
    "these weights were trained or tuned on all of them."
)
MORE_NOTE = "Each of those networks set patients aside for tuning, too, on which these weights were trained."


# What the network is asked to reach (the study's lesion Dice, and a lung Dice with consolidation inside).
AIMS = {"lung": 0.98, "lesion": 0.77}


def put_on_card(run: Run, results: Mapping[str, Any]) -> None:
    """Put the figures of a cross-validation (`results_of`) on the card of weights that were trained alike.

    Beside the card go pictures that may be passed on with it: its learning curves, the figures of the cases, and what
    the network makes of known patterns.
    """
    path = card_path(run)
    figures = brief(results)
    patterns, found = gallery(Predictor(path, "cpu"))
    card = read_card(path)
    metrics = {**card.metrics, "cross_validation": figures, "patterns": found}
    notes = [*(note for note in card.notes if note not in (NOTE, MORE_NOTE)), NOTE]
    if not run.split.tune and all(fold["split"]["tune"] for fold in results["folds"]):
        notes.append(MORE_NOTE)
    for name, picture in (
        ("curves", Image.open(run.out / PICTURE_NAME)),
        ("cross-validation", cross_validation_picture(figures["cases"], AIMS)),
        ("patterns", patterns),
    ):
        content = io.BytesIO()
        picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=256).save(content, "PNG", optimize=True)
        write_whole(path.with_name(f"{path.stem}-{name}.png"), content.getvalue())
    write_whole(path.with_name(f"{path.stem}.curves.csv"), (run.out / CSV_NAME).read_bytes())
    write_whole(path, replace(card, metrics=metrics, notes=notes).as_json().encode())


def brief(results: Mapping[str, Any]) -> dict[str, Any]:
    """What a card says of a cross-validation: means and SDs, each case, the slices and the normal chest."""
    figures: dict[str, Any] = {
        "folds": len(results["folds"]),
        **results["summary"],
        "cases": [
            {"fold": fold["fold"], **{name: case[name] for name in OF_CASE}}
            for fold in results["folds"]
            for case in fold["cases"]
        ],
    }
    for name in ("slices", "normal"):
        if found := [{"fold": fold["fold"], **fold[name]} for fold in results["folds"] if name in fold]:
            figures[name] = found[0]
    return figures
