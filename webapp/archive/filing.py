"""What the door hands to the archive: a series that was checked and carries no identity any more."""

import uuid
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection

from inference.imaging.volume import Volume
from webapp.archive.models import SITE_LENGTH, Scan, Study
from webapp.archive.remarks import CONTRAST, remarks_of

# Any number that no other advisory lock of this database has.
FILING_LOCK = 0x67675F66696C65


@dataclass(frozen=True)
class NewInstance:
    """One de-identified DICOM file; `slices` are the z indices of the volume that its frames became."""

    sop_class_uid: str
    sop_uid: str
    content: bytes
    slices: tuple[int, ...]


@dataclass(frozen=True)
class NewObject:
    """One DICOM file made from a mask over a scan: a segmentation or a report. It is a series of its own."""

    kind: str
    content: bytes


@dataclass(frozen=True)
class NewScan:
    """What is known of a series beside its voxels. Every UID, date and text is the de-identified one.

    `site` is a name that the sender gave, never a header's.
    """

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
    site: str = ""
    body_part: str = ""
    tube_current_ma: float | None = None
    exposure_mas: float | None = None
    ctdi_vol_mgy: float | None = None


def scan_of(
    new: NewScan,
    volume: Volume,
    *,
    study: Study,
    scan_id: uuid.UUID,
    slabs: list[dict[str, Any]],
    voxels_sha256: str,
) -> Scan:
    """The row, unsaved, of a scan whose files are written."""
    z_mm, y_mm, x_mm = volume.spacing_zyx_mm
    scan = Scan(
        id=scan_id,
        study=study,
        series_uid=new.series_uid,
        frame_of_reference_uid=new.frame_of_reference_uid,
        source=new.source,
        shape_zyx=list(volume.shape_zyx),
        affine_lps=volume.affine_lps.tolist(),
        geometry_sha256=volume.geometry_sha256(),
        voxels_sha256=voxels_sha256,
        slabs=slabs,
        has_hu=volume.has_hu,
        warnings=new.warnings,
        description=new.description,
        manufacturer=new.manufacturer,
        model_name=new.model_name,
        kernel=new.kernel,
        slice_thickness_mm=new.slice_thickness_mm,
        kvp=new.kvp,
        contrast_agent=new.contrast_agent,
        patient_age_years=new.patient_age_years,
        sex=new.sex,
        site=clean_site(new.site),
        body_part=new.body_part,
        contrast=bool(new.contrast_agent) or any(warning["code"] == CONTRAST for warning in new.warnings),
        tube_current_ma=new.tube_current_ma,
        exposure_mas=new.exposure_mas,
        ctdi_vol_mgy=new.ctdi_vol_mgy,
        slice_count=volume.shape_zyx[0],
        spacing_z_mm=z_mm,
        spacing_xy_mm=(y_mm + x_mm) / 2,
    )
    fill_search(scan)
    return scan


def fill_search(scan: Scan) -> None:
    """Fill the columns of a scan that only serve to find it."""
    words = (
        scan.study.patient.pseudonym,
        scan.description,
        scan.manufacturer,
        scan.model_name,
        scan.kernel,
        scan.body_part,
        scan.series_uid,
        scan.study.uid,
    )
    scan.search_text = " ".join(word for word in words if word).lower()
    scan.remark_codes = [remark.code for remark in remarks_of(scan)]


def clean_site(name: str) -> str:
    """A site's name as it is kept: printable, on one line, no longer than the column."""
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())[:SITE_LENGTH].strip()


def one_at_a_time() -> None:
    """Let one transaction at a time file or delete: two who send the same series meet one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FILING_LOCK])
