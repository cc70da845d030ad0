"""What a run leaves: the weights of its best epoch with the card that says what they are."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from inference.networks.cards import Card
from inference.networks.unet import UNet
from inference.networks.weights import save_network
from inference.training import checkpoints
from inference.training.cases import TrainingCase
from inference.training.public_sets import LICENCES
from inference.training.runs import Run

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


def card_path(run: Run) -> Path:
    """Where the card of a run's best weights lies."""
    return run.out / f"{run.name}.json"


def write_best(run: Run, history: Sequence[Row]) -> Card:
    """Write the weights of the best epoch so far and their card."""
    best = best_epoch(history)
    network = UNet(run.recipe.width, run.recipe.labels)
    network.load_state_dict(checkpoints.epoch_weights(run.out, best))
    card = Card(
        name=run.name,
        version="1",
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
            "epochs": len(history),
            "chosen_epoch": best,
            "torch": torch.__version__,
        },
        metrics={name: history[best - 1][name] for name in FIGURES},
        notes=list(run.split.warnings),
    )
    return save_network(network, card, card_path(run))


def _sets(cases: Sequence[TrainingCase]) -> dict[str, Any]:
    return {
        source: {
            "cases": sorted(case.name for case in cases if case.source == source),
            "slices": sum(len(case) for case in cases if case.source == source),
            "licence": LICENCES.get(source, SYNTHETIC),
        }
        for source in sorted({case.source for case in cases})
    }
