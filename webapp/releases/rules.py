"""What may be exported: None, or the sentence that button and page give."""

from collections.abc import Sized

from webapp.archive.models import Scan
from webapp.audit.refusal import Refusal


def may_export(readings: Sized) -> Refusal | None:
    """Whether there is anything to take away: signed readings that the asker may see."""
    if len(readings) == 0:
        return Refusal(
            "nothing_signed",
            "Nothing to take away yet: only signed masks are exported, and of those only the ones that you may see.",
        )
    return None


def may_export_seg(scan: Scan) -> Refusal | None:
    """Whether a scan's masks can be a DICOM SEG, which refers to the DICOM images that it was drawn on."""
    if scan.source != "dicom":
        return Refusal(
            "no_dicom_images",
            "This scan came as NIfTI: there are no DICOM images for a DICOM SEG to refer to. Take the NIfTI export.",
        )
    return None
