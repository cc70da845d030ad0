"""What the checks need from one DICOM file's header, read so that odd values become sentences."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, SecondaryCaptureImageStorage

from inference.imaging.findings import SeriesRefused

MAX_SIDE = 4096


@dataclass(frozen=True, eq=False)
class SliceHeader:
    """One slice's place and size: position, row and column directions (LPS), spacing (y, x) in mm."""

    name: str
    rows: int
    columns: int
    position_mm: NDArray[np.float64]
    row: NDArray[np.float64]
    column: NDArray[np.float64]
    spacing_yx_mm: tuple[float, float]
    thickness_mm: float | None
    series_uid: str
    patient_id: str

    @property
    def normal(self) -> NDArray[np.float64]:
        """Row x column: the direction in which z ascends."""
        return np.cross(self.row, self.column)


def file_name(dataset: Dataset) -> str:
    """What sentences call a file: its name without folders, or its instance number where it has no name."""
    source = getattr(dataset, "filename", None)
    if isinstance(source, str | Path) and str(source):
        return Path(source).name
    number = text(dataset, "InstanceNumber")
    return f"instance {number}" if number else "a file without a name"


def text(dataset: Dataset, keyword: str) -> str:
    """An element as stripped text; empty when it is missing or cannot be read."""
    try:
        value = dataset.get(keyword)
    except Exception:  # pydicom raises many kinds on broken values; all of them mean "not readable"
        return ""
    return "" if value is None else str(value).strip().rstrip("\0")


def texts(dataset: Dataset, keyword: str) -> list[str]:
    """A many-valued element as upper-case words; empty when it is missing or cannot be read."""
    try:
        value: Any = dataset.get(keyword)
    except Exception:  # as above
        return []
    if value is None:
        return []
    values = [value] if isinstance(value, str) else value
    try:
        return [str(item).strip().upper() for item in values]
    except TypeError:
        return [str(value).strip().upper()]


def numbers(dataset: Dataset, keyword: str, count: int) -> list[float] | None:
    """`count` finite numbers of an element, or None when it is missing, malformed, infinite or NaN."""
    try:
        value: Any = dataset.get(keyword)
        values = [float(item) for item in ([value] if count == 1 else value)]
    except Exception:  # as above
        return None
    return values if len(values) == count and all(map(math.isfinite, values)) else None


def read_header(dataset: Dataset) -> SliceHeader:
    """The header of one slice; raises SeriesRefused naming the file when it is no readable CT slice."""
    name = file_name(dataset)
    _check_kind(dataset, name)
    rows, columns = _size(dataset, name)
    spacing = numbers(dataset, "PixelSpacing", 2)
    if spacing is None or min(spacing) <= 0:
        raise SeriesRefused("pixel_spacing", f"{name} has no usable PixelSpacing, so nothing can be measured.")
    position = numbers(dataset, "ImagePositionPatient", 3)
    if position is None:
        raise SeriesRefused("position", f"{name} has no usable ImagePositionPatient: its place is unknown.")
    row, column = _directions(dataset, name)
    thickness = numbers(dataset, "SliceThickness", 1)
    return SliceHeader(
        name=name,
        rows=rows,
        columns=columns,
        position_mm=np.array(position),
        row=row,
        column=column,
        spacing_yx_mm=(spacing[0], spacing[1]),
        thickness_mm=thickness[0] if thickness and thickness[0] > 0 else None,
        series_uid=text(dataset, "SeriesInstanceUID"),
        patient_id=text(dataset, "PatientID"),
    )


def _check_kind(dataset: Dataset, name: str) -> None:
    modality, sop_class = text(dataset, "Modality").upper(), text(dataset, "SOPClassUID")
    if not modality and sop_class != CTImageStorage:
        raise SeriesRefused("modality", f"{name} does not say what kind of image it is (no Modality).")
    if modality and modality != "CT":
        raise SeriesRefused("modality", f"{name} is not CT: its modality is {modality[:16]}.")
    if sop_class == SecondaryCaptureImageStorage:
        raise SeriesRefused("secondary_capture", f"{name} is a secondary capture, not a CT slice.")
    if "LOCALIZER" in texts(dataset, "ImageType"):
        raise SeriesRefused("localiser", f"{name} is a localiser (scout view), not a CT slice.")
    frames = numbers(dataset, "NumberOfFrames", 1)
    if frames is not None and frames[0] > 1:
        raise SeriesRefused(
            "multi_frame", f"{name} holds {int(frames[0])} frames in one file; single-slice CT files are read."
        )
    samples = numbers(dataset, "SamplesPerPixel", 1)
    if samples is not None and samples[0] != 1:
        raise SeriesRefused("colour", f"{name} is a colour picture, not a CT slice.")


def _size(dataset: Dataset, name: str) -> tuple[int, int]:
    rows, columns = numbers(dataset, "Rows", 1), numbers(dataset, "Columns", 1)
    if rows is None or columns is None or min(rows[0], columns[0]) < 1:
        raise SeriesRefused("size", f"{name} does not say how many rows and columns it has.")
    if max(rows[0], columns[0]) > MAX_SIDE:
        raise SeriesRefused("size", f"{name} claims more than {MAX_SIDE} rows or columns.")
    return int(rows[0]), int(columns[0])


def _directions(dataset: Dataset, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    values = numbers(dataset, "ImageOrientationPatient", 6)
    if values is None:
        raise SeriesRefused("orientation", f"{name} has no usable ImageOrientationPatient.")
    row, column = np.array(values[:3]), np.array(values[3:])
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if any(abs(length - 1) > 1e-2 for length in lengths) or abs(float(row @ column)) > 1e-2:
        raise SeriesRefused("orientation", f"{name} has an ImageOrientationPatient that is no pair of axes.")
    return row / lengths[0], column / lengths[1]
