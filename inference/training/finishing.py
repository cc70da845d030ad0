"""What a run leaves: the weights of the epoch it takes with the card that says what they are."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from inference.networks.cards import Card
from inference.networks.unet import UNet
from inference.networks.weights import save_weights
from inference.training import checkpoints
from inference.training.cases import TrainingCase
from inference.training.public_sets import COVID20, LICENCES, MEDSEG
from inference.training.recipes import LAST
from inference.training.runs import Run
from inference.transforms.looks import WINDOW

Row = Mapping[str, float | None]
NON_COMMERCIAL = "CC BY-NC-SA 4.0: non-commercial, as the sets that it was trained on"
SYNTHETIC = "Apache-2.0: trained on synthetic chests alone"
FIGURES = ("tune_loss", "tune_lung_dice", "tune_lesion_dice")


def best_epoch(history: Sequence[Row]) -> int:
    """The epoch (from 1) with the highest lesion Dice on the tuning set, the earlier of two; where no Dice is defined,
    that with the lowest loss there."""

    def worth(row: Row) -> tuple[float, float]:
        dice, loss = row["tune_lesion_dice"], row["tune_loss"]
        return (-1.0 if dice is None else dice, -float(loss or 0.0))

    return 1 + max(range(len(history)), key=lambda place: (worth(history[place]), -place))


def chosen_epoch(choice: str, history: Sequence[Row]) -> int:
    """The epoch (from 1) whose weights a recipe of that choice takes: the best on the tuning set, or the last."""
    return len(history) if choice == LAST else best_epoch(history)


def card_path(run: Run) -> Path:
    """Where the card of a run's weights lies."""
    return run.out / f"{run.name}.json"


def write_chosen(run: Run, history: Sequence[Row], computed_on: str) -> Card:
    """Write the weights of the epoch that the recipe takes of those so far, and their card.

    `computed_on` says what computed, for the card.
    """
    chosen = chosen_epoch(run.recipe.choice, history)
    network = UNet(run.recipe.width, run.recipe.labels)
    network.load_state_dict(checkpoints.epoch_weights(run.out, chosen))
    card = Card(
        name=run.name,
        version=run.version,
        labels=run.recipe.labels,
        width=run.recipe.width,
        look=run.recipe.look,
        weights_sha256="",
        licence=SYNTHETIC if {case.source for case in run.cases} == {"phantoms"} else NON_COMMERCIAL,
        training={
            "recipe": run.recipe.as_dict(),
            "seed": run.seed,
            "sets": _sets(run.cases),
            "split": {"train": run.split.train, "tune": run.split.tune, "validate": run.split.validate},
            "scans": _scans(run),
            "epochs": len(history),
            "chosen_epoch": chosen,
            "torch": torch.__version__,
            "device": computed_on,
        },
        metrics={name: figure for name in FIGURES if (figure := history[chosen - 1][name]) is not None},
        notes=[*run.split.warnings, *_remarks(run)],
    )
    return save_weights(network.weights(), card, card_path(run))


def _scans(run: Run) -> list[dict[str, str]]:
    """What was trained and tuned on, so that nobody validates the weights on it: scans by the hash of their voxels."""
    roles = dict.fromkeys(run.split.train, "train") | dict.fromkeys(run.split.tune, "tune")
    return [
        {
            "case": case.name,
            "patient": case.patient,
            "set": case.source,
            "role": roles[case.name],
            "voxels_sha256": case.voxels_sha256,
        }
        for case in run.cases
        if case.name in roles and case.voxels_sha256
    ]


def _remarks(run: Run) -> list[str]:
    """What whoever runs the weights must know of the data that they come from."""
    pictures = any(case.source in (COVID20, MEDSEG) for case in run.cases)
    if pictures and run.recipe.look.kind == WINDOW:
        return ["Trained on 8-bit pictures whose look is theirs, not the window's: scans in HU look otherwise to it."]
    return []


def _sets(cases: Sequence[TrainingCase]) -> dict[str, Any]:
    return {
        source: {
            "cases": sorted(case.name for case in cases if case.source == source),
            "slices": sum(len(case) for case in cases if case.source == source),
            "licence": LICENCES.get(source, SYNTHETIC),
        }
        for source in sorted({case.source for case in cases})
    }
