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


def contours_of(mask_zyx: Any, affine_lps: Any) -> list[Any]:
    """A mask as closed contours in mm that enclose the centres of its voxels and no others: one a run of a row."""
    contours = []
    for z, y in zip(*np.nonzero(np.asarray(mask_zyx).any(axis=2)), strict=True):
        row = np.concatenate(([0], np.asarray(mask_zyx)[z, y] != 0, [0])).astype(np.int8)
        starts, ends = np.flatnonzero(np.diff(row) == 1), np.flatnonzero(np.diff(row) == -1)
        for start, end in zip(starts, ends, strict=True):
            left, right, top, bottom = start - 0.5, end - 0.5, y - 0.5, y + 0.5
            corners = [(left, top, z, 1), (right, top, z, 1), (right, bottom, z, 1), (left, bottom, z, 1)]
            contours.append((np.array(corners) @ np.asarray(affine_lps).T)[:, :3])
    return contours


def refer_to_series(structures: Dataset, series_uid: str, frame_of_reference_uid: str) -> Dataset:
    """Let a structure set name the series that it was drawn on, as planning systems do."""
    frame, study, series = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = series_uid
    study.RTReferencedSeriesSequence = [series]
    frame.FrameOfReferenceUID, frame.RTReferencedStudySequence = frame_of_reference_uid, [study]
    structures.ReferencedFrameOfReferenceSequence = [frame]
    structures.SeriesInstanceUID, structures.StudyInstanceUID = generate_uid(), generate_uid()
    return structures
