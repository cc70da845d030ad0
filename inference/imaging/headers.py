"""What the checks need from the header of one image, read so that odd values become sentences."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.imaging import gate
from inference.imaging.elements import Elements, file_name, number, numbers, text, texts
from inference.imaging.kinds import check_kind
from inference.imaging.rescale import Rescale, read_rescale

__all__ = ["MAX_SIDE", "SliceHeader", "file_name", "number", "numbers", "read_header", "text", "texts"]

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
    declared_tilt_degrees: float
    rescale: Rescale
    series_uid: str
    patient_id: str
    frame_of_reference_uid: str

    @property
    def normal(self) -> NDArray[np.float64]:
        """Row x column: the direction in which z ascends."""
        return np.cross(self.row, self.column)


def read_header(image: Elements) -> SliceHeader:
    """The header of one slice; raises SeriesRefused naming the file when it is no readable CT slice."""
    name = file_name(image)
    check_kind(image)
    rows, columns = _size(image, name)
    spacing = numbers(image, "PixelSpacing", 2)
    if spacing is None or min(spacing) <= 0:
        raise gate.refuse("pixel_spacing", name=name)
    position = numbers(image, "ImagePositionPatient", 3)
    if position is None:
        raise gate.refuse("position", name=name)
    row, column = _directions(image, name)
    thickness = number(image, "SliceThickness")
    return SliceHeader(
        name=name,
        rows=rows,
        columns=columns,
        position_mm=np.array(position),
        row=row,
        column=column,
        spacing_yx_mm=(spacing[0], spacing[1]),
        thickness_mm=thickness if thickness and thickness > 0 else None,
        declared_tilt_degrees=number(image, "GantryDetectorTilt") or 0.0,
        rescale=read_rescale(image, name),
        series_uid=text(image, "SeriesInstanceUID"),
        patient_id=text(image, "PatientID"),
        frame_of_reference_uid=text(image, "FrameOfReferenceUID"),
    )


def _size(image: Elements, name: str) -> tuple[int, int]:
    rows, columns = number(image, "Rows"), number(image, "Columns")
    if rows is None or columns is None or min(rows, columns) < 1:
        raise gate.refuse("size", name=name, what="none is given")
    if max(rows, columns) > MAX_SIDE:
        raise gate.refuse("size", name=name, what=f"more than {MAX_SIDE}")
    return int(rows), int(columns)


def _directions(image: Elements, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    values = numbers(image, "ImageOrientationPatient", 6)
    if values is None:
        raise gate.refuse("orientation", name=name, what="it is not given")
    row, column = np.array(values[:3]), np.array(values[3:])
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if any(abs(length - 1) > 1e-2 for length in lengths) or abs(float(row @ column)) > 1e-2:
        raise gate.refuse("orientation", name=name, what="it is no pair of axes at right angles")
    return row / lengths[0], column / lengths[1]
