"""Cases to train on: slices as a network sees them, with what is known of lung and lesion in each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference.imaging.volume import Volume
from inference.phantoms import make_phantom
from inference.phantoms.chest import dense_lesions
from inference.transforms import Look

Planes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class TrainingCase:
    """Slices of one scan (uint8, n x size x size) with masks of 0 and 1 of the same shape.

    `lung` is None where nobody drew the lungs: its loss is then left out. `patient` keeps scans of one person
    together; `source` names the set, as the card of what is trained on it will. `voxels_sha256` is that of the scan's
    volume (`Volume.voxels_sha256`), by which a scan is known again wherever it turns up; empty where there is none.
    """

    name: str
    patient: str
    source: str
    images: Planes
    lesion: Planes
    lung: Planes | None
    voxels_sha256: str = ""

    def __post_init__(self) -> None:
        for layer in (self.images, self.lesion, self.lung):
            if layer is not None and (layer.dtype != np.uint8 or layer.shape != self.images.shape or layer.ndim != 3):
                raise ValueError(f"The slices and masks of {self.name} must be uint8 of one shape.")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> int:
        """The side of a slice."""
        return int(self.images.shape[1])

    def chosen(self, slices: Sequence[int] | NDArray[np.bool_]) -> "TrainingCase":
        """The case with some of its slices."""
        keep = np.asarray(slices)
        lung = None if self.lung is None else self.lung[keep]
        return replace(self, images=self.images[keep], lesion=self.lesion[keep], lung=lung)


def case_of_volume(
    name: str,
    patient: str,
    source: str,
    volume: Volume,
    look: Look,
    *,
    lesion: NDArray[np.generic] | None,
    lung: NDArray[np.generic] | None,
    slices: Sequence[int] | None = None,
) -> TrainingCase:
    """A case of a scan (HU, or pictures) through `look`; `slices` (z) are all where None.

    `lesion` None means that there is none in these slices. With a look of the lung alone, `lung` is needed, and
    slices without lung are dropped (the study's preprocessing).
    """
    where = list(range(volume.shape_zyx[0])) if slices is None else list(slices)
    if look.lung_alone:
        if lung is None:
            raise ValueError(f"{name} has no lung mask, and the look shows the lung alone.")
        where = [z for z in where if lung[z].any()]
    see: Callable[..., Planes] = look.of_hu if volume.has_hu else look.of_picture
    empty = np.zeros((0, look.size, look.size), np.uint8)
    images = [see(volume.hu[z], None if lung is None else lung[z] != 0) for z in where]
    lesions = [np.zeros((look.size,) * 2, bool) if lesion is None else look.of_mask(lesion[z]) for z in where]
    lungs = None if lung is None else [look.of_mask(lung[z]) for z in where]
    return TrainingCase(
        name,
        patient,
        source,
        np.stack(images) if images else empty,
        np.stack(lesions).astype(np.uint8) if lesions else empty,
        None if lungs is None else np.stack(lungs).astype(np.uint8) if lungs else empty,
        volume.voxels_sha256(),
    )


def phantom_cases(
    count: int, look: Look, *, seed: int = 0, side: int = 64, slices: int = 12, dense: bool = False
) -> list[TrainingCase]:
    """Synthetic chests with lesions as training cases: one a patient, the last of every three healthy. With `dense`
    the others have large consolidations too."""
    cases = []
    for number in range(count):
        healthy = number % 3 == 2
        phantom = make_phantom(
            seed + number,
            shape_zyx=(slices, side, side),
            spacing_zyx_mm=(300 / slices, 360 / side, 360 / side),
            lesions=[] if healthy else dense_lesions(np.random.default_rng(seed + number)) if dense else None,
        )
        cases.append(
            case_of_volume(
                f"phantom-{seed + number}",
                f"phantom-{seed + number}",
                "phantoms",
                phantom.volume,
                look,
                lesion=phantom.findings,
                lung=phantom.anatomy,
            )
        )
    return cases
