"""DICOM Segmentation objects (PS3.3 A.51) of a mask layer, over the CT series that it was painted on."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
from highdicom.seg import Segmentation, SegmentDescription
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import generate_uid

from inference.imaging.dicom import CheckedSeries, check_series
from inference.imaging.masks import values_in
from inference.imaging.seg_sources import grid_of_frames, refer_to_frames

MANUFACTURER = "Groundglass"
TRACKING_PREFIX = "label "
LATERALITY = {"left": Code("7771000", "SCT", "Left"), "right": Code("24028007", "SCT", "Right")}
# Elements that a segmentation must copy from its scan, empty where the scan lacks them (PS3.3 type 2).
TYPE_2 = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)


@dataclass(frozen=True)
class Segment:
    """How one label value is described: name, code (scheme, value, meaning), colour "#rrggbb", side.

    `category` is "finding" (a morphologically abnormal structure) or "anatomy"; `side` is "left", "right" or None.
    """

    value: int
    name: str
    code: tuple[str, str, str]
    colour: str | None = None
    category: str = "finding"
    side: str | None = None


ANATOMY_SEGMENTS = (
    Segment(1, "Left lung", ("SCT", "39607008", "Lung"), "#56b4e9", "anatomy", "left"),
    Segment(2, "Right lung", ("SCT", "39607008", "Lung"), "#f0e442", "anatomy", "right"),
)


@dataclass(frozen=True)
class Author:
    """Who made a mask: a person (`algorithm` None), or an algorithm by name, version and what it was run with."""

    person: str = ""
    algorithm: str | None = None
    algorithm_version: str = ""
    algorithm_parameters: dict[str, str] = field(default_factory=dict)


def write_seg(
    path: Path,
    mask_zyx: NDArray[np.uint8],
    affine_lps: NDArray[np.floating],
    source_datasets: Sequence[Dataset],
    segments: Sequence[Segment],
    *,
    author: Author,
    series_description: str,
    series_number: int = 900,
    series_instance_uid: str | None = None,
    sop_instance_uid: str | None = None,
    created: datetime | None = None,
) -> None:
    """Write one layer (uint8 zyx) as a binary SEG whose frames cover the whole grid of each segment.

    `source_datasets` are the scan's files in z order (headers suffice): one a slice, or multi-frame ones. Label
    values become segments 1, 2, ... in their order, values that occur nowhere are left out (one is kept when the mask
    is empty), and each segment carries its label value as tracking id "label <value>". Raises ValueError when the mask,
    the affine and the slices do not describe one grid, or when a value of the mask has no segment.
    """
    checked = _check_grid(mask_zyx, affine_lps, source_datasets)
    sources = [completed(dataset) for dataset in source_datasets]
    multi_frame = any(place.frame for place in checked.places)
    where = grid_of_frames(checked.affine_lps, len(checked.places)) if multi_frame else {}
    present = _present_segments(mask_zyx, segments)
    numbers = np.zeros(256, dtype=np.uint8)
    for number, segment in enumerate(present, start=1):
        numbers[segment.value] = number
    series_uid = series_instance_uid or generate_uid()
    seg = Segmentation(
        source_images=sources[:1] if multi_frame else sources,
        pixel_array=numbers[mask_zyx],
        segmentation_type="BINARY",
        segment_descriptions=[_description(n, item, author) for n, item in enumerate(present, start=1)],
        series_instance_uid=series_uid,
        series_number=series_number,
        sop_instance_uid=sop_instance_uid or generate_uid(),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name="Groundglass",
        software_versions="1",
        device_serial_number="0",
        content_description=series_description[:64],
        content_creator_name=author.person or None,
        # Empty frames too: readers that do not rebuild the grid from positions still see every slice.
        omit_empty_frames=False,
        **where,
    )
    if multi_frame:
        refer_to_frames(seg, sources, checked.places, checked.affine_lps)
    seg.SeriesDescription = series_description[:64]
    if created is not None:
        _date(seg, created)
    seg.save_as(path, enforce_file_format=True)


def read_seg(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The mask (uint8 zyx, original label values) and affine (LPS) of a SEG written by `write_seg`."""
    seg = hd.seg.segread(path)
    volume = seg.get_volume(combine_segments=True, dtype=np.uint8)
    values = np.zeros(256, dtype=np.uint8)
    for number in seg.segment_numbers:
        description = seg.get_segment_description(number)
        values[number] = int(str(description.TrackingID).removeprefix(TRACKING_PREFIX))
    # highdicom's axes are (slice, row, column), its affine maps them in that order, and its slices descend.
    affine = np.asarray(volume.affine, dtype=np.float64)[:, [2, 1, 0, 3]]
    mask = values[volume.array]
    if float(np.cross(affine[:3, 0], affine[:3, 1]) @ affine[:3, 2]) < 0:
        affine[:3, 3] += affine[:3, 2] * (mask.shape[0] - 1)
        affine[:3, 2] *= -1
        mask = np.ascontiguousarray(mask[::-1])
    return mask, affine + 0.0


def _check_grid(
    mask_zyx: NDArray[np.uint8], affine_lps: NDArray[np.floating], source_datasets: Sequence[Dataset]
) -> CheckedSeries:
    if mask_zyx.dtype != np.uint8 or mask_zyx.ndim != 3:
        raise ValueError("A mask layer is a uint8 array with axes zyx.")
    checked = check_series(source_datasets)
    if len(checked.places) != mask_zyx.shape[0]:
        raise ValueError(f"The mask has {mask_zyx.shape[0]} slices and the scan {len(checked.places)}.")
    files = list(dict.fromkeys(place.file for place in checked.places))
    if checked.shape_zyx != mask_zyx.shape or files != sorted(files):
        raise ValueError("The slices of the scan are not those of the mask in z order.")
    if np.abs(checked.affine_lps - affine_lps).max() > 1e-3:
        raise ValueError("The mask lies elsewhere than the slices of the scan.")
    return checked


def _present_segments(mask_zyx: NDArray[np.uint8], segments: Sequence[Segment]) -> list[Segment]:
    occurring = set(values_in(mask_zyx))
    unknown = occurring - {segment.value for segment in segments}
    if unknown:
        raise ValueError(f"No segment describes label {min(unknown)}.")
    if not segments:
        raise ValueError("A segmentation describes at least one segment.")
    ordered = sorted(segments, key=lambda segment: segment.value)
    return [segment for segment in ordered if segment.value in occurring] or ordered[:1]


def _description(number: int, segment: Segment, author: Author) -> SegmentDescription:
    scheme, value, meaning = segment.code
    abnormal, anatomical = codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.AnatomicalStructure
    identification = None
    if author.algorithm is not None:
        identification = hd.AlgorithmIdentificationSequence(
            name=author.algorithm,
            family=codes.cid7162.ArtificialIntelligence,
            version=author.algorithm_version,
            parameters=author.algorithm_parameters or None,
        )
    described = SegmentDescription(
        segment_number=number,
        segment_label=segment.name[:64],
        segmented_property_category=anatomical if segment.category == "anatomy" else abnormal,
        segmented_property_type=Code(value, scheme, meaning[:64]),
        algorithm_type="SEMIAUTOMATIC" if author.algorithm is None else "AUTOMATIC",
        algorithm_identification=identification or _tools(),
        tracking_uid=generate_uid(),
        tracking_id=f"{TRACKING_PREFIX}{segment.value}",
        display_color=_lab(segment.colour),
    )
    if segment.side is not None:
        modifier = hd.sr.CodedConcept.from_code(LATERALITY[segment.side])
        described.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [modifier]
    return described


def _tools() -> hd.AlgorithmIdentificationSequence:
    """A semi-automatic mask must name its tool (PS3.3 C.8.20.4): the reader's brush over a draft."""
    family = codes.cid7162.ManualProcessing
    return hd.AlgorithmIdentificationSequence(name="Groundglass viewer", family=family, version="1")


def _lab(colour: str | None) -> Any:
    if colour is None:
        return None
    red, green, blue = (int(colour.lstrip("#")[at : at + 2], 16) for at in (0, 2, 4))
    return hd.color.CIELabColor.from_rgb(red, green, blue)


def completed(dataset: Dataset) -> Dataset:
    """A slice's header with the elements that whatever is derived from it must copy (PS3.3 type 2)."""
    complete = copy(dataset)
    for keyword in TYPE_2:
        if keyword not in complete:
            setattr(complete, keyword, "")
    return complete


def _date(seg: Dataset, created: datetime) -> None:
    day, time = created.strftime("%Y%m%d"), created.strftime("%H%M%S")
    seg.ContentDate = seg.SeriesDate = seg.InstanceCreationDate = day
    seg.ContentTime = seg.SeriesTime = seg.InstanceCreationTime = time
