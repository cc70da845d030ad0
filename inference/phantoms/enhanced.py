"""A phantom written as enhanced multi-frame CT (PS3.3 A.38), in one file or in parts, as newer scanners send it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import EnhancedCTImageStorage, generate_uid

from inference.phantoms.chest import Phantom
from inference.phantoms.series import write_dicom_series

_FRAME_TYPE = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]


def write_enhanced_series(
    phantom: Phantom,
    folder: Path,
    *,
    parts: int = 1,
    order: Sequence[int] | None = None,
    stacks: int = 1,
    patient_id: str = "PHANTOM-1",
    patient_name: str = "Phantom^Chest",
) -> list[Path]:
    """Write the phantom's slices as frames of `parts` files (a concatenation when there are several).

    `order` names the z indices in the order of frames (default: head to feet). Slices are dealt to `stacks` stacks, one
    after the other along z. What all frames share, the orientation and rescale, is written once.
    """
    singles = [dcmread(path) for path in write_dicom_series(phantom, folder / "slices", order=order)]
    for path in (folder / "slices").iterdir():
        path.unlink()
    (folder / "slices").rmdir()
    heights = sorted(float(single.ImagePositionPatient[2]) for single in singles)
    bounds = np.array_split(np.arange(len(singles)), parts)
    whole = generate_uid(entropy_srcs=[singles[0].SeriesInstanceUID, "concatenation"])
    paths = []
    for number, indices in enumerate(bounds, start=1):
        chosen = [singles[index] for index in indices]
        dataset = _multi_frame(chosen, number, heights, stacks)
        dataset.PatientID, dataset.PatientName = patient_id, patient_name
        if parts > 1:
            dataset.ConcatenationUID, dataset.InConcatenationNumber = whole, number
            dataset.InConcatenationTotalNumber, dataset.ConcatenationFrameOffsetNumber = parts, int(indices[0])
        path = folder / f"enhanced-{number:02d}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def _multi_frame(singles: Sequence[FileDataset], number: int, heights: Sequence[float], stacks: int) -> FileDataset:
    first = singles[0]
    dataset = FileDataset("", Dataset(), file_meta=first.file_meta, preamble=b"\0" * 128)
    for keyword in (
        *("PatientSex", "PatientAge", "PatientBirthDate", "StudyDate", "StudyTime", "SeriesDate", "SeriesTime"),
        *("ContentDate", "ContentTime", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"),
        *("StudyDescription", "SeriesDescription", "SeriesNumber", "StudyID", "AccessionNumber", "Modality"),
        *("Manufacturer", "ManufacturerModelName", "BodyPartExamined", "PatientPosition", "ReferringPhysicianName"),
        *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit"),
        *("PixelRepresentation", "PositionReferenceIndicator"),
    ):
        setattr(dataset, keyword, first[keyword].value)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=[first.SeriesInstanceUID, "enhanced", str(number)])
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.ImageType, dataset.InstanceNumber = _FRAME_TYPE, number
    dataset.NumberOfFrames = len(singles)
    dataset.SharedFunctionalGroupsSequence = [_shared(first)]
    dataset.PerFrameFunctionalGroupsSequence = [_frame(single, heights, stacks) for single in singles]
    dataset.PixelData = b"".join(single.PixelData for single in singles)
    return dataset


def _shared(single: Dataset) -> Dataset:
    return _group(
        PixelMeasuresSequence={"PixelSpacing": single.PixelSpacing, "SliceThickness": single.SliceThickness},
        PlaneOrientationSequence={"ImageOrientationPatient": single.ImageOrientationPatient},
        CTImageFrameTypeSequence={"FrameType": _FRAME_TYPE},
        CTReconstructionSequence={"ConvolutionKernel": single.ConvolutionKernel},
        CTXRayDetailsSequence={"KVP": single.KVP},
        CTExposureSequence={"XRayTubeCurrentInmA": 210.0, "ExposureInmAs": 63.0, "CTDIvol": 4.5},
    )


def _frame(single: Dataset, heights: Sequence[float], stacks: int) -> Dataset:
    place = heights.index(float(single.ImagePositionPatient[2]))
    return _group(
        FrameContentSequence={"StackID": str(1 + place * stacks // len(heights)), "InStackPositionNumber": place + 1},
        PlanePositionSequence={"ImagePositionPatient": single.ImagePositionPatient},
        PixelValueTransformationSequence={
            "RescaleSlope": single.RescaleSlope,
            "RescaleIntercept": single.RescaleIntercept,
            "RescaleType": single.RescaleType,
        },
    )


def _group(**sequences: dict[str, object]) -> Dataset:
    group = Dataset()
    for keyword, elements in sequences.items():
        item = Dataset()
        for name, value in elements.items():
            setattr(item, name, value)
        setattr(group, keyword, [item])
    return group
