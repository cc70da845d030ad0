"""The algorithms that a scan can be segmented with, by name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from inference import baseline
from inference.baseline import Segmentation
from inference.imaging.volume import Volume

Progress = Callable[[float, str], None]
DEFAULT = baseline.NAME


class AlgorithmRefused(ValueError):
    """An algorithm that cannot be had, or not so; the message is a sentence."""


@dataclass(frozen=True, eq=False)
class Algorithm:
    """A segmenter ready to run, and what its results record of it.

    `needs_hu`: it draws nothing on scans without Hounsfield units, which are refused.
    """

    name: str
    version: str
    segment: Callable[[Volume, Progress], Segmentation]
    needs_hu: bool
    device: str = "cpu"
    weights_sha256: str | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def identity(self) -> dict[str, Any]:
        """What tells its results from those of another algorithm, version, weights or options."""
        return {
            "name": self.name,
            "version": self.version,
            "weights_sha256": self.weights_sha256,
            "options": self.options,
        }


def names() -> list[str]:
    """The names of the algorithms that ship."""
    return [baseline.NAME]


def load_algorithm(name: str = DEFAULT, device: str = "auto") -> Algorithm:
    """An algorithm by name, on a device ("auto", "cpu", "cuda", "cuda:1"); raises AlgorithmRefused."""
    if name != baseline.NAME:
        raise AlgorithmRefused(f"There is no algorithm {name!r}. There are: {', '.join(names())}.")
    if device not in ("auto", "cpu"):
        raise AlgorithmRefused(f"The algorithm {name} runs on the CPU alone; leave --device out.")
    return Algorithm(baseline.NAME, baseline.VERSION, baseline.segment, needs_hu=True)
