"""A network over the slices of a scan: first some slices whole, then the others where the lungs are."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from inference.networks.running import Runner
from inference.transforms.looks import STEP

SCOUT_EVERY = 4
FEWEST_FOR_SCOUTS = 16
MARGIN_SHARE = 24 / 256
SEEN = 0.2
SMALLEST_NORMAL = np.float32(np.finfo(np.float16).smallest_normal)

Box = tuple[slice, slice]
See = Callable[[int], NDArray[np.uint8]]


def stack_probabilities(
    runner: Runner, see: See, count: int, outputs: int, side: int, told: Callable[[float], None] = lambda part: None
) -> NDArray[np.float16]:
    """Probabilities (float16; z, outputs, y, x) of the `count` slices (uint8, side x side) that `see(z)` gives.

    Every fourth slice is seen whole. The others are seen only where those beside them have anything, and cut to the
    box of all that they have with a margin; elsewhere the probability is 0. Slices are made ready in a thread while the
    network computes.
    """
    found = np.zeros((count, outputs, side, side), np.float16)
    whole = slice(0, side), slice(0, side)
    if count < FEWEST_FOR_SCOUTS:
        _fill(found, runner, see, range(count), whole, lambda done: told(done / count))
        return found
    scouts = sorted({*range(0, count, SCOUT_EVERY), count - 1})
    _fill(found, runner, see, scouts, whole, lambda done: told(done / count))
    bearing = [z for z in scouts if (found[z] > SEEN).any()]
    if bearing:
        near = {z for scout in bearing for z in range(scout - SCOUT_EVERY + 1, scout + SCOUT_EVERY)}
        rest = [z for z in range(count) if z in near and z not in set(scouts)]
        began = len(scouts) / count
        _fill(found, runner, see, rest, _box(found[bearing], side), lambda done: told(began + done / count))
    told(1.0)
    return found


def _fill(
    found: NDArray[np.float16], runner: Runner, see: See, places: Sequence[int], box: Box, told: Callable[[int], None]
) -> None:
    done = 0
    groups = [places[start : start + runner.batch] for start in range(0, len(places), runner.batch)]
    for group, part in zip(groups, runner.probabilities(_ready(see, groups, box)), strict=True):
        # Numbers below the normal ones of 16 bits are nought to everything, and slow to reckon with.
        found[(list(group), slice(None), *box)] = np.where(part < SMALLEST_NORMAL, np.float32(0), part)
        done += len(group)
        told(done)


def _ready(see: See, groups: Sequence[Sequence[int]], box: Box) -> Iterator[NDArray[np.uint8]]:
    """Each group's slices, the next group's being made while one is used."""

    def made(group: Sequence[int]) -> NDArray[np.uint8]:
        return np.stack([see(z)[box] for z in group])

    with ThreadPoolExecutor(1) as pool:
        waiting = [pool.submit(made, group) for group in groups[:1]]
        for following in [*groups[1:], None]:
            ready = waiting.pop().result()
            if following is not None:
                waiting.append(pool.submit(made, following))
            yield ready


def _box(found: NDArray[np.float16], side: int) -> Box:
    """Where anything was found, with a margin, in steps that the network can halve."""
    seen = np.any(found > SEEN, axis=(0, 1))
    first, second = (_stretch(np.flatnonzero(np.any(seen, axis=axis)), side) for axis in (1, 0))
    return first, second


def _stretch(where: NDArray[np.intp], side: int) -> slice:
    margin = round(MARGIN_SHARE * side)
    low = max(int(where[0]) - margin, 0) // STEP * STEP
    high = -(-min(int(where[-1]) + 1 + margin, side) // STEP) * STEP
    return slice(low, min(high, side))
