"""How well a network does on the tuning set: loss, and Dice of each label as the mean over cases."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from inference.networks.running import Halving
from inference.networks.torch_engine import TorchEngine
from inference.training.batches import truth_of
from inference.training.cases import TrainingCase
from inference.training.losses import loss_of
from inference.training.processes import World


@dataclass(frozen=True)
class Score:
    """Mean binary cross entropy over slices, and by label the mean Dice of cases; None where no case has any."""

    loss: float | None
    dice: dict[str, float | None]


def score(engine: TorchEngine, cases: Sequence[TrainingCase], labels: Sequence[str], world: World) -> Score:
    """Score a network on cases; the processes share the slices, and each has the result."""
    # Of each case and label: voxels of both masks, of either alone twice counted, so 2 * both / sum is Dice.
    counts = torch.zeros(len(cases), len(labels), 2, dtype=torch.float64)
    sums = torch.zeros(2, dtype=torch.float64)
    memory, device = Halving(engine.usual_batch), engine.torch_device
    for n, case in enumerate(cases):
        mine = np.arange(world.rank, len(case), world.size)
        step = memory.batch
        for start in range(0, len(mine), step):
            places = mine[start : start + step]
            masks, known = zip(*(truth_of(case, int(z), labels) for z in places), strict=True)
            truth = torch.from_numpy(np.stack([np.stack(one) for one in masks])).to(device)
            drawn = torch.from_numpy(np.stack(known)).to(device)
            logits = torch.cat(memory.parts(case.images[places], engine.logits))
            sums[0] += float(loss_of(logits, truth.float(), drawn.float(), 0.0)) * len(places)
            sums[1] += len(places)
            found, wanted = (logits > 0) & (drawn[..., None, None] > 0), truth > 0
            counts[n, :, 0] += (found & wanted).sum((0, 2, 3)).cpu()
            counts[n, :, 1] += (found.sum((0, 2, 3)) + wanted.sum((0, 2, 3))).cpu()
    counts, sums = world.total(counts.to(device)).cpu(), world.total(sums.to(device)).cpu()
    dice = {}
    for place, label in enumerate(labels):
        each = [2 * float(both) / float(either) for both, either in counts[:, place] if either > 0]
        dice[label] = float(np.mean(each)) if each else None
    return Score(float(sums[0] / sums[1]) if sums[1] else None, dice)
