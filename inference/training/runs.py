"""A training run: what it is made of, and where it goes. Free of torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inference.training.cases import TrainingCase
from inference.training.recipes import Recipe
from inference.training.splits import Split


@dataclass(frozen=True, eq=False)
class Run:
    """What a run is made of: cases, their split, a recipe, a seed; and where it goes.

    `threads` make slices ready beside the network; weights are called `name` and are of `version`.
    """

    cases: Sequence[TrainingCase]
    split: Split
    recipe: Recipe
    seed: int
    out: Path
    name: str
    threads: int = 1
    version: str = "1"
    quiet: bool = False

    def of(self, names: Sequence[str]) -> list[TrainingCase]:
        """Cases by name, in the order of the names."""
        known = {case.name: case for case in self.cases}
        return [known[name] for name in names]
