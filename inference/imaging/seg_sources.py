"""What a Segmentation refers to when its scan is multi-frame: a frame of a file for each of its own frames.

highdicom takes one multi-frame source at most; a scan may come in several (a concatenation) and may leave frames out.
"""

from collections.abc import Sequence
from typing import Any

import highdicom as hd
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from inference.imaging import axes
from inference.imaging.dicom import Place

SEGMENTATION = Code("113076", "DCM", "Segmentation")


def grid_of_frames(affine_lps: NDArray[np.floating], slice_count: int) -> dict[str, Any]:
    """The arguments that tell highdicom where slices lie, z ascending."""
    spacing = axes.spacing_zyx_mm(affine_lps)
    row, column = affine_lps[:3, 0] / spacing[2], affine_lps[:3, 1] / spacing[1]
    places = [(affine_lps @ np.array([0, 0, z, 1.0]))[:3] for z in range(slice_count)]
    return {
        "plane_positions": [hd.PlanePositionSequence("PATIENT", place) for place in places],
        "plane_orientation": hd.PlaneOrientationSequence("PATIENT", [*row, *column]),
        "pixel_measures": hd.PixelMeasuresSequence(spacing[1:], spacing[0], spacing_between_slices=spacing[0]),
    }


def refer_to_frames(
    seg: Dataset, files: Sequence[Dataset], places: Sequence[Place], affine_lps: NDArray[np.floating]
) -> None:
    """Make each frame of `seg` refer to the frame of the scan at its place, and `seg` to all files of the scan."""
    into = np.linalg.inv(affine_lps)
    for group in seg.PerFrameFunctionalGroupsSequence:
        position = np.array([*map(float, group.PlanePositionSequence[0].ImagePositionPatient), 1.0])
        place = places[round(float((into @ position)[2]))]
        group.DerivationImageSequence = [_derivation(files[place.file], place.frame)]
    instances = [_reference(file) for file in files]
    seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence = instances
    if "SourceImageSequence" in seg:
        seg.SourceImageSequence = [_reference(file) for file in files]


def _reference(file: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = file.SOPClassUID, file.SOPInstanceUID
    return item


def _derivation(file: Dataset, frame: int) -> Dataset:
    source, derivation = _reference(file), Dataset()
    source.ReferencedFrameNumber = frame + 1
    source.SpatialLocationsPreserved = "YES"
    purpose = codes.DCM.SourceImageForImageProcessingOperation
    source.PurposeOfReferenceCodeSequence = [hd.sr.CodedConcept.from_code(purpose)]
    derivation.SourceImageSequence = [source]
    derivation.DerivationCodeSequence = [hd.sr.CodedConcept.from_code(SEGMENTATION)]
    return derivation
