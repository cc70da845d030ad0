"""What training makes small: binary cross entropy, and soft Dice over the batch."""

import torch
from torch import Tensor
from torch.nn import functional

from inference.networks.sharing import summed

SMOOTH_PIXELS = 10.0


def loss_of(logits: Tensor, truth: Tensor, known: Tensor, soft_dice: float) -> Tensor:
    """The loss of slices: logits and truth (n, labels, y, x; 0 and 1), `known` (n, labels): 0 where nobody drew.

    Binary cross entropy is the mean over all slices and labels, those not known counting 0, so that processes with as
    many slices each have the loss of one that has them all. Soft Dice (Milletari 2016, with sums for squares) is over
    all slices of the batch, in every process the same.
    """
    single = logits.float()
    entropy = functional.binary_cross_entropy_with_logits(single, truth, reduction="none").mean((2, 3))
    loss = (entropy * known).mean()
    if soft_dice:
        inside = torch.sigmoid(single)
        both = ((inside * truth).sum((2, 3)) * known).sum(0)
        either = ((inside + truth).sum((2, 3)) * known).sum(0)
        sums = summed(torch.stack([both, either]))
        loss = loss + soft_dice * (1 - (2 * sums[0] + SMOOTH_PIXELS) / (sums[1] + SMOOTH_PIXELS)).mean()
    return loss
