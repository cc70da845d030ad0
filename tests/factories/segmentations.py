"""Segmentations and structure sets as other programs write them: highdicom for SEG, plain pydicom for RTSTRUCT."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
from highdicom.seg import Segmentation, SegmentDescription
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

LUNG = Code("39607008", "SCT", "Lung")
GROUND_GLASS = Code("112120", "DCM", "Ground glass opacity")


def described(number: int, label: str, code: Code = GROUND_GLASS) -> SegmentDescription:
    """A segment as another program describes it."""
    return SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=code,
        algorithm_type="MANUAL",
        display_color=hd.color.CIELabColor.from_rgb(200, 40 * number, 60),
    )


def a_seg(
    sources: Sequence[Dataset],
    mask: Any,
    *,
    kind: str = "BINARY",
    segments: Sequence[SegmentDescription] = (),
    **other: Any,
) -> Segmentation:
    """A SEG over slices in the mask's order. `mask`: (frames, rows, columns) or with a last axis of segments."""
    return Segmentation(
        source_images=list(sources),
        pixel_array=np.asarray(mask),
        segmentation_type=kind,
        segment_descriptions=list(segments) or [described(1, "Opacity")],
        series_instance_uid=generate_uid(),
        series_number=9,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="Another",
        manufacturer_model_name="Program",
        software_versions="3",
        device_serial_number="1",
        **other,
    )


def a_structure_set(
    regions: dict[str, Sequence[Any]], frame_of_reference_uid: str = "1.2.3", kind: str = "CLOSED_PLANAR"
) -> Dataset:
    """An RTSTRUCT; a region is a list of contours, each (n, 3) points in mm."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = RTStructureSetStorage, generate_uid()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.Modality, dataset.InstanceNumber = "RTSTRUCT", "1"
    dataset.StructureSetROISequence, dataset.ROIContourSequence = [], []
    dataset.RTROIObservationsSequence = []
    for number, (name, contours) in enumerate(regions.items(), start=1):
        roi, drawn, observed = Dataset(), Dataset(), Dataset()
        roi.ROINumber, roi.ROIName, roi.ROIGenerationAlgorithm = number, name, "MANUAL"
        roi.ReferencedFrameOfReferenceUID = frame_of_reference_uid
        drawn.ReferencedROINumber, drawn.ROIDisplayColor = number, [10, 20, 30 * number]
        drawn.ContourSequence = [a_contour(points, kind) for points in contours]
        observed.ObservationNumber = observed.ReferencedROINumber = number
        observed.RTROIInterpretedType = "ORGAN"
        dataset.StructureSetROISequence.append(roi)
        dataset.ROIContourSequence.append(drawn)
        dataset.RTROIObservationsSequence.append(observed)
    return dataset


def a_contour(points: Any, kind: str = "CLOSED_PLANAR") -> Dataset:
    """One contour, its numbers of at most 16 characters."""
    contour = Dataset()
    contour.ContourGeometricType = kind
    contour.NumberOfContourPoints = len(points)
    contour.ContourData = [f"{value:.10g}"[:16] for value in np.asarray(points, dtype=np.float64).reshape(-1)]
    return contour


def saved(dataset: Dataset, path: Path) -> Path:
    """The data set as a file."""
    dataset.save_as(path, enforce_file_format=True)
    return path
