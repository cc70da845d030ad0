"""Checkpoints: after each epoch all that the next one needs, written whole or not at all."""

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from inference.networks.weights import write_whole
from inference.training.cases import TrainingCase
from inference.training.recipes import Recipe
from inference.training.splits import Split

LAST = "last.pt"
EPOCHS = "epochs"
FORMAT = 1


class RunRefused(ValueError):
    """A run that cannot be begun or gone on with; the message is a sentence."""


@dataclass
class Checkpoint:
    """The state of a run after `epoch` epochs; `history` has a row of figures for each."""

    identity: str
    epoch: int
    network: dict[str, Tensor]
    optimiser: dict[str, Any]
    scaler: dict[str, Any]
    history: list[dict[str, float | None]] = field(default_factory=list)


def identity_of(recipe: Recipe, split: Split, seed: int, cases: Sequence[TrainingCase]) -> str:
    """Hex SHA-256 of all that decides the outcome of a run: recipe, split, seed and every voxel."""
    found = hashlib.sha256(json.dumps([recipe.as_dict(), split.train, split.tune, seed]).encode())
    for case in sorted(cases, key=lambda case: case.name):
        found.update(f"\0{case.name}\0{case.images.shape}".encode())
        for layer in (case.images, case.lesion, case.lung):
            found.update(b"\0" if layer is None else layer.tobytes())
    return found.hexdigest()


def load(out: Path, identity: str) -> Checkpoint | None:
    """The last checkpoint of a run's folder, or None; raises RunRefused where it is of another run or damaged."""
    for part in out.glob(".*.part"):
        part.unlink(missing_ok=True)
    path = out / LAST
    if not path.exists():
        return None
    try:
        # Tensors and plain values alone: a checkpoint runs no code.
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state.pop("format") != FORMAT:
            raise RunRefused(f"{path} was written by another version; begin in another folder.")
        checkpoint = Checkpoint(**state)
    except RunRefused:
        raise
    except Exception as error:  # torch raises many kinds on damaged files
        raise RunRefused(f"{path} is damaged; begin in another folder.") from error
    if checkpoint.identity != identity:
        raise RunRefused(f"{out} holds a run with another recipe, seed, split or data; choose another folder.")
    return checkpoint


def store(out: Path, checkpoint: Checkpoint) -> None:
    """Keep the epoch's weights, then the whole state: a kill in between costs nothing that the run needs."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.network.items()}
    write_whole(epoch_path(out, checkpoint.epoch), save(weights))
    content = io.BytesIO()
    torch.save({"format": FORMAT, **vars(checkpoint)}, content)
    write_whole(out / LAST, content.getvalue())


def epoch_path(out: Path, epoch: int) -> Path:
    """Where the weights of an epoch (from 1) are kept."""
    return out / EPOCHS / f"epoch-{epoch:03}.safetensors"


def epoch_weights(out: Path, epoch: int) -> dict[str, Tensor]:
    """The weights of an epoch (from 1)."""
    return load_file(epoch_path(out, epoch))
