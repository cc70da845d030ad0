"""Whether a series may become a scan."""

from collections.abc import Mapping

from webapp.archive.models import Instance, Scan, Study
from webapp.audit.refusal import Refusal

OTHER_PIXELS = Refusal(
    "other_pixels",
    "An image with the same SOP Instance UID but other pixels is already in the archive; nothing was replaced.",
)
OTHER_SERIES = Refusal(
    "series_differs",
    "A series with the same UID but other images is already in the archive; nothing was replaced.",
)
IN_OTHER_SERIES = Refusal(
    "images_in_other_series", "Images of this series are already in the archive as part of another series."
)
OTHER_PATIENT = Refusal(
    "study_of_two_patients",
    "Its study is already in the archive under another patient; a study belongs to one patient.",
)


ALREADY_DELETED = Refusal("already_deleted", "This scan was deleted already.")


def may_mark_deleted(scan: Scan) -> Refusal | None:
    """Whether there is anything left to delete. Who may, and what needs the scan, is asked above."""
    return ALREADY_DELETED if scan.deleted_at else None


def may_file_objects(scan: Scan) -> Refusal | None:
    """Whether objects made from a mask may be filed beside a scan: it is there."""
    return ALREADY_DELETED if scan.deleted_at else None


def may_file_scan(
    *,
    pseudonym: str,
    study_uid: str,
    series_uid: str,
    geometry_sha256: str,
    voxels_sha256: str,
    instances: Mapping[str, str],
) -> Refusal | None:
    """None when the series is new, or is the very series already filed. `instances`: SOP UID -> voxels' SHA-256."""
    filed = Scan.objects.filter(series_uid=series_uid).first()
    known = Instance.objects.filter(sop_uid__in=list(instances)).values_list("sop_uid", "voxels_sha256", "scan_id")
    for sop_uid, sha256, scan_id in known:
        if sha256 != instances[sop_uid]:
            return OTHER_PIXELS
        if filed is None or scan_id != filed.pk:
            return IN_OTHER_SERIES
    if filed and (filed.geometry_sha256, filed.voxels_sha256) != (geometry_sha256, voxels_sha256):
        return OTHER_SERIES
    study = Study.objects.filter(uid=study_uid).select_related("patient").first()
    if study and study.patient.pseudonym != pseudonym:
        return OTHER_PATIENT
    return None
