"""One made-up series, file or mask for every row of the gate's table; importing the parts fills EXAMPLES."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset, dcmread

from inference.imaging.dicom import volume_from_datasets
from inference.imaging.grids import Grid
from inference.imaging.volume import Volume
from inference.phantoms import Phantom, make_phantom, write_dicom_series


@dataclass
class Bench:
    """A folder of one's own and a series to break."""

    folder: Path
    phantom: Phantom
    pristine: list[Dataset]

    @cached_property
    def slices(self) -> list[Dataset]:
        """The phantom's slices, to be changed; the first file is the highest slice."""
        return copy.deepcopy(self.pristine)

    def on_all(self, keyword: str, value: Any) -> None:
        """Give every slice a value, or what a function makes of the slice."""
        for dataset in self.slices:
            setattr(dataset, keyword, value(dataset) if callable(value) else value)

    def read(self) -> Any:
        """Read the slices as a volume."""
        return volume_from_datasets(self.slices)

    @property
    def volume(self) -> Volume:
        """The phantom's volume."""
        return self.phantom.volume

    @property
    def grid(self) -> Grid:
        """The phantom's grid."""
        return Grid.of(self.volume)


Example = Callable[[Bench], Any]
EXAMPLES: dict[str, Example] = {}


def example(*codes: str) -> Callable[[Example], Example]:
    """Register what shows a row of the gate: it returns what was read, or raises the refusal."""

    def register(function: Example) -> Example:
        for code in codes:
            assert code not in EXAMPLES, code
            EXAMPLES[code] = function
        return function

    return register


def on_slice(keyword: str, value: Any, code: str, index: int = 3) -> None:
    """An example that differs in one element of one slice (None: it is missing)."""

    @example(code)
    def change(bench: Bench) -> Any:
        if value is None:
            del bench.slices[index][keyword]
        else:
            setattr(bench.slices[index], keyword, value)
        return bench.read()


def on_series(code: str, **elements: Any) -> None:
    """An example whose slices all have these elements."""

    @example(code)
    def change(bench: Bench) -> Any:
        for keyword, value in elements.items():
            bench.on_all(keyword, value)
        return bench.read()


def moved(dataset: Dataset, by_mm: tuple[float, float, float]) -> list[float]:
    """A slice's position, moved."""
    return [float(value) + step for value, step in zip(dataset.ImagePositionPatient, by_mm, strict=True)]


def a_bench(folder: Path) -> Bench:
    """A bench with eight small slices that the gate has nothing to say of."""
    phantom = make_phantom(3, shape_zyx=(8, 24, 32), spacing_zyx_mm=(2.5, 3.0, 2.5))
    slices = [dcmread(path) for path in write_dicom_series(phantom, folder / "slices")]
    for dataset in slices:
        dataset.ConvolutionKernel = "B30f"
    return Bench(folder, phantom, slices)


def as_float(array: Any) -> Any:
    """The same numbers as 32-bit floats."""
    return np.asarray(array, dtype=np.float32)
