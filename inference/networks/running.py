"""A network run over slices, as many at once as memory holds. Free of torch."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Part = TypeVar("Part")


class OutOfMemory(RuntimeError):
    """Memory ran out over a batch; fewer slices may do."""


class MemoryShort(RuntimeError):
    """Memory does not suffice for even one slice; the message is a sentence."""


class Engine(Protocol):
    """A network ready to compute on a device."""

    usual_batch: int
    device: str
    precision: str

    def probabilities(self, images: NDArray[np.uint8], *, mirrored: bool) -> NDArray[np.float32]:
        """Probabilities (float32; n, outputs, y, x) of slices (uint8, n x y x x).

        `mirrored`: the mean of those of each slice and of its mirror image, which has no side to it.
        Raises OutOfMemory.
        """
        ...


class Halving:
    """How many slices are computed at once: half as many where memory runs out, and it stays so."""

    def __init__(self, batch: int) -> None:
        self.batch = batch

    def parts(self, images: NDArray[np.uint8], run: Callable[[NDArray[np.uint8]], Part]) -> list[Part]:
        """What `run` gives for slices (uint8, n x y x x), batch by batch.

        Raises MemoryShort where one slice alone is too much.
        """
        parts: list[Part] = []
        done = 0
        while done < len(images):
            batch = images[done : done + self.batch]
            try:
                parts.append(run(batch))
            except OutOfMemory as error:
                if self.batch == 1:
                    sentence = "Memory does not suffice for a single slice; free some, or use another device."
                    raise MemoryShort(sentence) from error
                self.batch = max(self.batch // 2, 1)
                continue
            done += len(batch)
        return parts


class Runner:
    """Runs an engine over batches of slices; `mirrored` as `Engine.probabilities` says."""

    def __init__(self, engine: Engine, batch: int | None = None, *, mirrored: bool = False) -> None:
        self.engine, self.mirrored = engine, mirrored
        self._halving = Halving(batch or engine.usual_batch)

    @property
    def batch(self) -> int:
        """How many slices are computed at once."""
        return self._halving.batch

    def probabilities(
        self, batches: Iterable[NDArray[np.uint8]], told: Callable[[int], None] = lambda slices: None
    ) -> Iterator[NDArray[np.float32]]:
        """For each batch of slices (uint8, n x y x x) the probabilities (float32; n, outputs, y, x)."""
        for images in batches:
            yield np.concatenate(self._halving.parts(images, self._of))
            told(len(images))

    def _of(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self.engine.probabilities(images, mirrored=self.mirrored)
