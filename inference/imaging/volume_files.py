"""What the readers of volume files share: what was opened, what came out of it, and the checks of both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from inference.imaging import axes, gate
from inference.imaging.axes import Affine
from inference.imaging.gate import GateTolerances
from inference.imaging.headers import MAX_SIDE
from inference.imaging.pixels import AIR_BELOW_HU
from inference.imaging.rescale import HIGHEST, LOWEST

# 2,048 slices of 512 x 512; reading holds a few copies.
MOST_VOXELS = 2**29
MOST_BYTES = 2 * 1024**3
SMALLEST_MM, LARGEST_MM = 1e-3, 100.0
MAX_SHEAR = 1e-3

# Opens a file that lies beside the one that names it; None where there is none of that name.
Companions = Callable[[str], BinaryIO | None]


@dataclass(frozen=True)
class Opened:
    """A volume file: what sentences call it, its bytes (seekable), and how to open the files beside it."""

    name: str
    stream: BinaryIO
    companions: Companions = lambda name: None

    def companion(self, name: str) -> BinaryIO:
        """A file that this one names; raises SeriesRefused when it was not sent, or lies elsewhere."""
        if not name or any(mark in name for mark in ("/", "\\", "\0", ":")) or name.startswith("."):
            raise gate.refuse("companion", name=self.name)
        found = self.companions(name)
        if found is None:
            # The name may be a patient's; its ending says enough.
            raise gate.refuse("detached", name=self.name, companion="*." + name.rsplit(".", 1)[-1][:8])
        return found


@dataclass(frozen=True, eq=False)
class StoredVolume:
    """Values as a file stores them (any number type, axes zyx in the file's own directions) and their affine (LPS).

    `names` are those that the file gives to label values.
    """

    values: NDArray[Any]
    affine_lps: Affine
    findings: gate.Findings = field(default_factory=gate.Findings)
    names: dict[int, str] = field(default_factory=dict)


def check_shape(name: str, shape: Sequence[int], dtype: np.dtype[Any]) -> tuple[int, int, int]:
    """Three sides (x, y, z) of a shape whose further ones are 1; raises SeriesRefused."""
    if len(shape) < 3 or any(side != 1 for side in shape[3:]):
        raise gate.refuse("dimensions", name=name, what=" x ".join(str(side) for side in shape[:6]))
    x, y, z = (int(side) for side in shape[:3])
    if min(x, y, z) < 1 or max(x, y, z) > MAX_SIDE or x * y * z > MOST_VOXELS:
        raise gate.refuse("volume_size", name=name, what=f"{x} x {y} x {z}")
    if dtype.kind not in "iuf":
        raise gate.refuse("numbers", name=name, what=str(dtype))
    if prod((x, y, z)) * dtype.itemsize > MOST_BYTES:
        raise gate.refuse("volume_size", name=name, what=f"{x} x {y} x {z}")
    return x, y, z


def check_affine(name: str, affine_lps: Affine) -> None:
    """Raise SeriesRefused for an affine without spacing, or with axes that are not at right angles."""
    lengths = np.linalg.norm(affine_lps[:3, :3], axis=0)
    if not np.isfinite(affine_lps).all() or not SMALLEST_MM <= lengths.min() <= lengths.max() <= LARGEST_MM:
        raise gate.refuse("volume_spacing", name=name)
    directions = affine_lps[:3, :3] / lengths
    if np.abs(directions.T @ directions - np.eye(3)).max() > MAX_SHEAR:
        raise gate.refuse("sheared", name=name)


def check_axial(name: str, affine_lps: Affine, tolerances: GateTolerances) -> None:
    """Raise SeriesRefused when z does not run along the patient, as near as the tolerance says."""
    upright = abs(affine_lps[2, 2]) / np.linalg.norm(affine_lps[:3, 2])
    degrees = float(np.degrees(np.arccos(min(float(upright), 1.0))))
    if degrees > tolerances.oblique_degrees:
        raise gate.refuse("oblique", name=name, degrees=degrees)


def to_hu(name: str, values: NDArray[Any], findings: gate.Findings) -> NDArray[np.int16]:
    """Values as int16, rounded where they are not whole; raises SeriesRefused where they do not fit."""
    if values.dtype.kind == "f":
        if not np.isfinite(values).all():
            raise gate.refuse("not_finite", name=name)
        whole = np.rint(values)
        if not np.array_equal(whole, values):
            findings.say("rounded")
        values = whole
    if int(values.min()) < LOWEST or int(values.max()) > HIGHEST:
        raise gate.refuse("range", name=name)
    return values.astype(np.int16)


def looks_like_hu(voxels: NDArray[np.int16], findings: gate.Findings) -> bool:
    """Whether there is anything as light as air among the voxels; it is said when there is not."""
    if int(voxels.min()) < AIR_BELOW_HU:
        return True
    findings.say("no_hu", what="nothing in it is as light as air")
    return False


def to_labels(name: str, values: NDArray[Any]) -> NDArray[np.uint8]:
    """Values as labels (uint8); raises SeriesRefused unless all are whole numbers from 0 to 255."""
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise gate.refuse("labels", name=name)
    if values.min() < 0 or values.max() > 255:
        raise gate.refuse("labels", name=name)
    labels = values.astype(np.uint8)
    if not np.array_equal(labels, values):
        raise gate.refuse("labels", name=name)
    return labels


def upright(stored: StoredVolume, array_zyx: NDArray[Any]) -> tuple[NDArray[Any], Affine]:
    """An array on the file's grid, turned so that x runs left, y back and z to the head (flips and swaps alone)."""
    return axes.to_patient_axes(array_zyx, stored.affine_lps)
