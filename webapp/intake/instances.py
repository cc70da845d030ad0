"""One image that a machine sends, over C-STORE or STOW-RS: looked at, put with its series, and answered for.

The statuses are those of PS3.4 (C-STORE) and PS3.18 (STOW-RS), which are the same numbers. Nothing here is logged but
its kind: an image's own words, its UIDs among them, stay in quarantine.
"""

import errno
import logging
import uuid
from dataclasses import dataclass

from django.db import DatabaseError

from inference.imaging.findings import SeriesRefused
from inference.imaging.headers import text
from webapp.audit.refusal import ActionRefused
from webapp.intake.classes import SOP_CLASSES
from webapp.intake.quarantine import Staged, TooLarge
from webapp.intake.reading import peek, quiet
from webapp.intake.receiving import Sender, receive_instance
from webapp.intake.sealing import opened
from webapp.intake.sources import Found

STORED = 0x0000
PROCESSING_FAILURE = 0x0110
CLASS_NOT_SUPPORTED = 0x0122
REFUSED_NOT_AUTHORISED = 0x0124
OUT_OF_RESOURCES = 0xA700
NOT_AS_ANNOUNCED = 0xA900
CANNOT_UNDERSTAND = 0xC000

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Announced:
    """What was said of an image beforehand, as far as it was: it must hold."""

    sop_class_uid: str = ""
    sop_uid: str = ""
    study_uid: str = ""


@dataclass(frozen=True)
class Taken:
    """What became of one image. The UIDs are its own, for the answer to its sender alone."""

    status: int
    sop_class_uid: str = ""
    sop_uid: str = ""
    batch_id: uuid.UUID | None = None


def take_instance(*, sender: Sender, staged: Staged, announced: Announced) -> Taken:
    """Put a staged image with its series; the answer says what became of it, and nothing is raised.

    With STORED it is on the disk; else nothing of it is kept.
    """
    found = Found("an image", ".dcm", staged.size, lambda: opened(staged.path), lambda: staged.head)
    try:
        with quiet():
            header = peek(found)
        class_uid, sop_uid = text(header, "SOPClassUID"), text(header, "SOPInstanceUID")
        status = _status_of(class_uid, sop_uid, text(header, "StudyInstanceUID"), announced)
        series_uid = text(header, "SeriesInstanceUID")
        if status == STORED and not (sop_uid and series_uid):
            status = CANNOT_UNDERSTAND
        if status != STORED:
            return Taken(status, class_uid, sop_uid)
        batch = receive_instance(sender=sender, series_uid=series_uid, staged=staged)
        return Taken(STORED, class_uid, sop_uid, batch.pk)
    except Exception as error:
        status = status_of(error)
        return Taken(status, announced.sop_class_uid, announced.sop_uid)
    finally:
        staged.remove()


def status_of(error: Exception) -> int:
    """The status that answers a failure; its kind, and never its words, goes to the log."""
    if isinstance(error, SeriesRefused):
        return CANNOT_UNDERSTAND
    if isinstance(error, ActionRefused):
        log.warning("an image was refused: %s", error.code)
        if error.code == "closed":  # just now: it comes into another batch when it is sent again
            return PROCESSING_FAILURE
        return OUT_OF_RESOURCES if "too_" in error.code else REFUSED_NOT_AUTHORISED
    if isinstance(error, TooLarge):
        return OUT_OF_RESOURCES
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        log.error("an image could not be kept: the disk is full")
        return OUT_OF_RESOURCES
    kind = "the database" if isinstance(error, DatabaseError) else type(error).__name__
    log.error("an image could not be kept: %s", kind)
    return PROCESSING_FAILURE


def _status_of(class_uid: str, sop_uid: str, study_uid: str, announced: Announced) -> int:
    if class_uid not in SOP_CLASSES:
        return CLASS_NOT_SUPPORTED
    said = (announced.sop_class_uid, announced.sop_uid, announced.study_uid)
    holds = all(wanted in ("", there) for wanted, there in zip(said, (class_uid, sop_uid, study_uid), strict=True))
    return STORED if holds else NOT_AS_ANNOUNCED
