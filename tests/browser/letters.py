"""A letter F in the patient, written to a file in any of the ways that a scan can lie there: no code of the site.

Seen from the front, head up, it reads as an F: the stem on the patient's right, the arms to the left. The stem goes
deep, the upper arm less, the middle arm least, so that no turn or mirror image of it is the letter itself.
"""

from dataclasses import dataclass
from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from inference.imaging.volume import Volume
from inference.phantoms import Facts, Phantom, write_dicom_series

# Along the patient's axes: to the left, to the back, to the head.
SIZE_LPS = (15, 12, 14)
SPACING_LPS_MM = np.array([2.4, 3.2, 5.0])
AIR_HU, LETTER_HU = -1000, 200
BARS_LPS = (
    ((4, 6), (2, 10), (2, 12)),
    ((6, 11), (2, 7), (10, 12)),
    ((6, 9), (2, 5), (6, 8)),
)


@dataclass(frozen=True)
class Way:
    """How a scan lies in its file: the patient's axis that each of its axes runs along, and in which sense."""

    order: tuple[int, int, int]
    sense: tuple[int, int, int]

    @property
    def letters(self) -> str:
        """The sides that the file's axes run to, as LPH for one that runs left, back and to the head."""
        return "".join(("LR", "PA", "HF")[axis][sense < 0] for axis, sense in zip(self.order, self.sense, strict=True))

    @property
    def right_handed(self) -> bool:
        """Whether the third axis is the cross product of the others."""
        directions = np.eye(3)[list(self.order)] * np.array(self.sense)[:, None]
        return bool(np.linalg.det(directions) > 0)


WAYS = tuple(Way(order, sense) for order in permutations((0, 1, 2)) for sense in product((1, -1), repeat=3))


def letter_lps() -> NDArray[np.int16]:
    """The letter (HU) with axes to the left, to the back and to the head."""
    hu = np.full(SIZE_LPS, AIR_HU, np.int16)
    for bar in BARS_LPS:
        hu[tuple(slice(*ends) for ends in bar)] = LETTER_HU
    return hu


def stored(way: Way, corner_lps_mm: NDArray[np.float64]) -> tuple[NDArray[np.int16], NDArray[np.float64]]:
    """The voxels along the file's axes, and their affine to LPS; the patient's voxel 0, 0, 0 lies at the corner."""
    voxels = letter_lps().transpose(way.order)
    affine = np.eye(4)
    affine[:3, 3] = corner_lps_mm
    for column, (axis, sense) in enumerate(zip(way.order, way.sense, strict=True)):
        affine[:3, column] = 0
        affine[axis, column] = sense * SPACING_LPS_MM[axis]
        if sense < 0:
            voxels = np.flip(voxels, column)
            affine[axis, 3] += (SIZE_LPS[axis] - 1) * SPACING_LPS_MM[axis]
    return voxels, affine


def write_nifti(path: Path, way: Way, corner_lps_mm: NDArray[np.float64]) -> None:
    """The letter as NIfTI, whose patient axes run right and to the front."""
    voxels, affine = stored(way, corner_lps_mm)
    image = nib.Nifti1Image(np.ascontiguousarray(voxels), np.diag([-1.0, -1, 1, 1]) @ affine)
    assert "".join(nib.aff2axcodes(image.affine)) == way.letters.translate(str.maketrans("HF", "SI"))
    nib.save(image, path)


def write_dicom(folder: Path, way: Way, corner_lps_mm: NDArray[np.float64], *, head_first: bool) -> None:
    """The letter as an axial DICOM series whose first file is at the head or at the feet."""
    assert way.order[2] == 2
    assert way.right_handed
    voxels, affine = stored(way, corner_lps_mm)
    volume = Volume(np.ascontiguousarray(voxels.transpose(2, 1, 0)), affine)
    nothing = np.zeros(volume.shape_zyx, np.uint8)
    facts = Facts(0, 0, 0, 0, 0, 0, 0, None)
    up = list(range(SIZE_LPS[2])) if affine[2, 2] > 0 else list(range(SIZE_LPS[2]))[::-1]
    write_dicom_series(
        Phantom(volume, nothing, nothing, facts, 0),
        folder,
        patient_id=f"LETTER-{way.letters}-{'HEAD' if head_first else 'FEET'}",
        order=up[::-1] if head_first else up,
    )
