"""The images in a file: one of a single-slice file, many of an enhanced multi-frame one, all asked in one way.

Enhanced CT (PS3.3 A.38) and legacy converted enhanced CT (A.70) describe their frames by functional groups: what
all frames share, and what each has of its own (C.7.6.16).
"""

from collections.abc import Sequence
from typing import Any

from pydicom.dataset import Dataset

from inference.imaging import gate
from inference.imaging.elements import file_name, items, number, text

PER_FRAME, SHARED = "PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"
# The groups whose elements speak of the image itself; others (source images, say) repeat names with other meanings.
GROUPS = (
    "UnassignedSharedConvertedAttributesSequence",
    "UnassignedPerFrameConvertedAttributesSequence",
    "CTAcquisitionTypeSequence",
    "CTAcquisitionDetailsSequence",
    "CTXRayDetailsSequence",
    "CTExposureSequence",
    "CTReconstructionSequence",
    "CTImageFrameTypeSequence",
    "FrameContentSequence",
    "PixelMeasuresSequence",
    "PlaneOrientationSequence",
    "PlanePositionSequence",
    "SegmentIdentificationSequence",
    "PixelValueTransformationSequence",
)


class Frame:
    """One frame of a multi-frame image, whose elements are asked for as those of a single-slice file."""

    def __init__(self, dataset: Dataset, own: dict[str, Any], index: int) -> None:
        self._dataset, self._own = dataset, own
        self.filename = getattr(dataset, "filename", None)
        self.file_meta = getattr(dataset, "file_meta", None)
        self.frame_number = index + 1

    def get(self, key: str, /) -> Any:
        """The frame's own or shared value of an element, else the image's, else None."""
        if key in self._own:
            return self._own[key]
        return self._dataset.get(key)


Image = Dataset | Frame


def images_of(dataset: Dataset) -> Sequence[Image]:
    """The images in a file, in the order in which they are stored; a single-slice file is its own image.

    Raises SeriesRefused when frames are counted that nothing describes.
    """
    claimed = number(dataset, "NumberOfFrames")
    described = items(dataset, PER_FRAME)
    if not described:
        if claimed is not None and claimed > 1:
            raise gate.refuse("multi_frame", name=file_name(dataset), count=int(claimed))
        return [dataset]
    if int(claimed or 1) != len(described):
        raise gate.refuse("frames", name=file_name(dataset), claimed=int(claimed or 1), described=len(described))
    shared: dict[str, Any] = {}
    for item in items(dataset, SHARED)[:1]:
        shared |= _elements(item)
    return [Frame(dataset, shared | _elements(item), index) for index, item in enumerate(described)]


def image_of(dataset: Dataset, index: int = 0) -> Image:
    """One of a file's images."""
    return images_of(dataset)[index]


def missing_part(datasets: Sequence[Dataset]) -> tuple[Dataset, int, int] | None:
    """A concatenation (C.7.6.16.1.3) that lacks a part: one of its files, the missing part, and their count."""
    parts: dict[str, dict[int, Dataset]] = {}
    for dataset in datasets:
        uid, place = text(dataset, "ConcatenationUID"), number(dataset, "InConcatenationNumber")
        if uid and place is not None:
            parts.setdefault(uid, {})[int(place)] = dataset
    for present in parts.values():
        first = next(iter(present.values()))
        total = int(number(first, "InConcatenationTotalNumber") or max(present))
        # A hostile count is no reason to count that far.
        for place in range(1, min(total, len(present) + 1) + 1):
            if place not in present:
                return first, place, total
    return None


def _elements(group: Dataset) -> dict[str, Any]:
    """The elements of one item of functional groups, by keyword; what cannot be read is left out."""
    found: dict[str, Any] = {}
    for sequence in GROUPS:
        for item in items(group, sequence)[:1]:
            for tag in item.keys():  # noqa: SIM118 - iterating a data set converts its elements
                try:
                    element = item[tag]
                    found[element.keyword] = element.value
                except Exception:  # pydicom raises many kinds on broken values
                    continue
    if "FrameType" in found:
        found["ImageType"] = found["FrameType"]
    return found
