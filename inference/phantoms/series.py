"""A phantom written as a DICOM CT series, as a scanner would send it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from inference.phantoms.chest import Phantom

RESCALE_INTERCEPT = -1024


def write_dicom_series(
    phantom: Phantom,
    folder: Path,
    *,
    patient_name: str = "Phantom^Chest",
    patient_id: str = "PHANTOM-1",
    patient_sex: str = "O",
    patient_age: str = "060Y",
    study_date: str = "20200401",
    study_description: str = "CT CHEST PHANTOM",
    series_description: str = "Lung 1.0",
    series_number: int = 1,
    order: Sequence[int] | None = None,
    uid_seed: str = "",
) -> list[Path]:
    """Write one file a slice into `folder` (made when missing) and return the paths in the order written.

    `order` names the z indices in the order of InstanceNumber and file name (default: head to feet, as most
    scanners send). UIDs follow from the phantom's voxels, patient_id and `uid_seed`: the same call writes the
    same series.
    """
    folder.mkdir(parents=True, exist_ok=True)
    slice_count = phantom.volume.shape_zyx[0]
    indices = list(range(slice_count))[::-1] if order is None else list(order)
    identity = [phantom.volume.voxels_sha256(), phantom.volume.geometry_sha256(), patient_id, uid_seed]
    common = Dataset()
    common.PatientName, common.PatientID = patient_name, patient_id
    common.PatientSex, common.PatientAge, common.PatientBirthDate = patient_sex, patient_age, ""
    common.StudyDate = common.SeriesDate = common.AcquisitionDate = common.ContentDate = study_date
    common.StudyTime = common.SeriesTime = common.AcquisitionTime = common.ContentTime = "101500"
    common.StudyInstanceUID = generate_uid(entropy_srcs=[*identity, "study"])
    common.SeriesInstanceUID = generate_uid(entropy_srcs=[*identity, "series", str(series_number)])
    common.FrameOfReferenceUID = generate_uid(entropy_srcs=[*identity, "frame of reference"])
    common.StudyDescription, common.SeriesDescription = study_description, series_description
    common.SeriesNumber, common.StudyID, common.AccessionNumber = series_number, "1", ""
    common.Modality, common.Manufacturer, common.ManufacturerModelName = "CT", "Groundglass", "Phantom"
    common.BodyPartExamined, common.PatientPosition = "CHEST", "HFS"
    common.KVP, common.ConvolutionKernel, common.ReferringPhysicianName = "120", "B60f", ""
    common.PositionReferenceIndicator = ""
    paths = []
    for number, z in enumerate(indices, start=1):
        dataset = _slice_dataset(phantom, z, number, common)
        dataset.SOPInstanceUID = generate_uid(entropy_srcs=[*identity, str(series_number), str(z)])
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        path = folder / f"slice-{number:04d}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def _slice_dataset(phantom: Phantom, z: int, number: int, common: Dataset) -> FileDataset:
    volume = phantom.volume
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", common, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = CTImageStorage
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.InstanceNumber, dataset.AcquisitionNumber = number, 1
    affine = volume.affine_lps
    spacing_z, spacing_y, spacing_x = volume.spacing_zyx_mm
    position = (affine @ np.array([0, 0, z, 1.0]))[:3]
    row, column = affine[:3, 0] / spacing_x, affine[:3, 1] / spacing_y
    dataset.ImagePositionPatient = [_decimal(value) for value in position]
    dataset.ImageOrientationPatient = [_decimal(value) for value in (*row, *column)]
    dataset.PixelSpacing = [_decimal(spacing_y), _decimal(spacing_x)]
    dataset.SliceThickness, dataset.SliceLocation = _decimal(spacing_z), _decimal(position[2])
    stored = volume.hu[z].astype(np.int32) - RESCALE_INTERCEPT
    if stored.min() < -32768 or stored.max() > 32767:
        raise ValueError("The phantom's HU do not fit 16 bits with the series' rescale intercept.")
    dataset.Rows, dataset.Columns = stored.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = 1
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = "1", str(RESCALE_INTERCEPT), "HU"
    dataset.WindowCenter, dataset.WindowWidth = "-600", "1500"
    dataset.PixelData = stored.astype("<i2").tobytes()
    return dataset


def _decimal(value: float) -> str:
    """A DICOM decimal string of at most 16 characters, as exact as they allow (PS3.5 6.2)."""
    for digits in range(16, 0, -1):
        text = f"{value:.{digits}g}"
        if len(text) <= 16:
            return text
    return "0"
