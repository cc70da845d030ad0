"""Batches of augmented slices, made ready while the network computes."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.networks.torch_engine import as_input
from inference.training.augment import augmented
from inference.training.cases import TrainingCase
from inference.training.recipes import LUNG, Recipe

AHEAD = 3


@dataclass(frozen=True, eq=False)
class Batch:
    """Slices (n, 1, y, x), truth (n, labels, y, x), and which labels of a slice are known (n, labels)."""

    slices: Tensor
    truth: Tensor
    known: Tensor


def batches(
    cases: Sequence[TrainingCase],
    steps: Sequence[NDArray[np.int64]],
    recipe: Recipe,
    seed: int,
    epoch: int,
    device: torch.device,
    threads: int,
) -> Iterator[Batch]:
    """The batches of an epoch, one for each step's places (case, slice). The number of threads changes nothing."""
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[list[Future[tuple[NDArray[np.uint8], ...]]]] = deque()
        upcoming = iter(steps)
        while True:
            while len(waiting) < AHEAD and (places := next(upcoming, None)) is not None:
                waiting.append([pool.submit(_one, cases[n], n, z, recipe, seed, epoch) for n, z in places.tolist()])
            if not waiting:
                return
            made = [future.result() for future in waiting.popleft()]
            images, truth, known = (np.stack([one[part] for one in made]) for part in range(3))
            yield Batch(
                as_input(images, device),
                torch.from_numpy(truth).to(device).float(),
                torch.from_numpy(known).to(device).float(),
            )


def truth_of(case: TrainingCase, z: int, labels: Sequence[str]) -> tuple[list[NDArray[np.uint8]], NDArray[np.uint8]]:
    """The masks of a slice, one for each label, and which of them are known; what is not known is empty."""
    lung = np.zeros_like(case.lesion[z]) if case.lung is None else case.lung[z]
    masks = [lung if label == LUNG else case.lesion[z] for label in labels]
    return masks, np.array([label != LUNG or case.lung is not None for label in labels], np.uint8)


def _one(
    case: TrainingCase, n: int, z: int, recipe: Recipe, seed: int, epoch: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    masks, known = truth_of(case, z, recipe.labels)
    random = np.random.default_rng([seed, epoch, n, z])
    image, changed = augmented(case.images[z], tuple(masks), recipe.augmentation, random)
    return image, np.stack(changed), known
