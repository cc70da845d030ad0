"""Which slices an epoch shows, in which order: the same for the same seed, epoch and number of processes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.training.cases import TrainingCase


@dataclass(frozen=True)
class Epoch:
    """The slices of one epoch as pairs (case, slice), and a sentence where it is not what was asked for."""

    places: NDArray[np.int64]
    remark: str = ""


class Sampler:
    """Draws epochs from cases: every slice with lesion, and as many random ones without (the study's rule).

    `negatives_per_positive` 1 is the study's. Where there are fewer slices without lesion than asked for, all of them
    are taken, and it is said.
    """

    def __init__(self, cases: Sequence[TrainingCase], seed: int, negatives_per_positive: float = 1.0) -> None:
        self.seed = seed
        bearing = [case.lesion.any(axis=(1, 2)) for case in cases]
        self.positive, self.negative = (
            np.array([(n, z) for n, has in enumerate(bearing) for z in np.flatnonzero(has == wanted)], np.int64)
            for wanted in (True, False)
        )
        self.wanted = round(negatives_per_positive * len(self.positive))

    def epoch(self, number: int) -> Epoch:
        """The epoch of that number (from 0), shuffled."""
        random = np.random.default_rng([self.seed, number])
        negative, remark = self.negative, ""
        if len(negative) > self.wanted:
            negative = negative[np.sort(random.choice(len(negative), self.wanted, replace=False))]
        elif len(negative) < self.wanted:
            remark = f"{self.wanted} slices without lesion were wanted and there are {len(negative)}: all were taken."
        places = np.concatenate([self.positive.reshape(-1, 2), negative.reshape(-1, 2)])
        return Epoch(places[random.permutation(len(places))], remark)


def steps_of(places: NDArray[np.int64], rank: int, world: int, batch: int) -> list[NDArray[np.int64]]:
    """For each step of an epoch the slices of one of `world` processes; all together they hold `batch` slices.

    Every step is full: the last is filled up from the epoch's beginning, so that each process has as many slices and
    together they compute what one alone would. Raises ValueError where the batch cannot be shared evenly.
    """
    if batch % world:
        raise ValueError(f"A batch of {batch} slices cannot be shared evenly by {world} processes.")
    if not len(places):
        return []
    count = -(-len(places) // batch)
    full = np.resize(places, (count * batch, 2))
    return [full[step * batch : (step + 1) * batch][rank::world] for step in range(count)]
