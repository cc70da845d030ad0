"""Weights trained on all patients, with the figures of the networks that were trained alike and kept some apart."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from inference.networks.cards import read_card
from inference.networks.weights import write_whole
from inference.training.finishing import card_path
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
    "these weights were trained on all of them."
)


def put_on_card(run: Run, results: Mapping[str, Any]) -> None:
    """Put the figures of a cross-validation (`results_of`) on the card of weights that were trained alike."""
    path = card_path(run)
    card = read_card(path)
    metrics = {**card.metrics, "cross_validation": brief(results)}
    notes = [*(note for note in card.notes if note != NOTE), NOTE]
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
