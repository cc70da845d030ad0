"""What the door hands to the archive: a series that was checked and carries no identity any more."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass(frozen=True)
class NewInstance:
    """One de-identified DICOM file; `slices` are the z indices of the volume that its frames became."""

    sop_class_uid: str
    sop_uid: str
    content: bytes
    slices: tuple[int, ...]


@dataclass(frozen=True)
class NewScan:
    """What is known of a series beside its voxels. Every UID, date and text is the de-identified one."""

    pseudonym: str
    study_uid: str
    series_uid: str
    source: str
    sex: str = ""
    shifted_date: date | None = None
    frame_of_reference_uid: str = ""
    warnings: list[dict[str, Any]] = field(default_factory=list)
    description: str = ""
    manufacturer: str = ""
    model_name: str = ""
    kernel: str = ""
    slice_thickness_mm: float | None = None
    kvp: float | None = None
    contrast_agent: str = ""
    patient_age_years: int | None = None
