"""What became of each thing that was sent, in words without any identity."""

import errno
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import DatabaseError

from inference.imaging.findings import SeriesRefused
from webapp.archive.models import Scan
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.models import Campaign
from webapp.intake.deidentification import IdentityFound
from webapp.intake.linkage import LinkageBroken
from webapp.masks.models import DataSet, ImportedMask

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivery:
    """For which campaign something was sent, by whom, and what its sender said of it.

    `data_set` is the author of its masks; `single_pictures` says that each picture is a case of its own; `broke_off`
    that the sender never said it had sent everything; `in_second_process` that whoever takes it in is a process of its
    own with one thread, which may fork.
    """

    campaign: Campaign
    by: Any
    site: str = ""
    data_set: DataSet | None = None
    single_pictures: bool = False
    broke_off: bool = False
    in_second_process: bool = False


@dataclass(frozen=True)
class Line:
    """What became of a series, of a mask or of a file, in words without any identity.

    `warnings` go with an accepted scan to its readers; of a refused one they name each file at fault.
    """

    title: str
    state: str
    sentence: str
    code: str = ""
    warnings: list[str] = field(default_factory=list)
    scan: Scan | None = None
    case_number: int | None = None
    series_key: str = ""
    imported_mask: ImportedMask | None = None

    @property
    def is_of_a_scan(self) -> bool:
        """Whether it says what became of a scan, and not of a mask over it."""
        return self.scan is not None and self.imported_mask is None


@dataclass(frozen=True)
class Filed:
    """A scan in the archive, new or known, its case, and what to say of it."""

    scan: Scan
    case_number: int
    description: str
    sentence: str
    notes: list[str] = field(default_factory=list)


def line_of(title: str, file: Callable[[], Filed], key: str = "") -> Line:
    """The line of one series, of whatever happens in it."""
    made = attempted(title, lambda: _accepted(title, file()))
    return replace(made, series_key=key)


def attempted(title: str, make: Callable[[], Line]) -> Line:
    """What `make` says, or why it could not: whatever happens in one thing, the next one gets its turn."""
    try:
        return make()
    except SeriesRefused as refusal:
        details = [detail.sentence for detail in refusal.details]
        return Line(title, "refused", refusal.sentence, refusal.code, details if len(details) > 1 else [])
    except ActionRefused as refused:
        return Line(title, "refused", refused.sentence, refused.code)
    except IdentityFound:
        sentence = (
            "The patient's name or number is still inside the image data after de-identification; "
            "nothing of it was kept."
        )
        return Line(title, "refused", sentence, "identity_in_pixels")
    except LinkageBroken as broken:
        return Line(title, "refused", f"The linkage table cannot be kept. {broken}", "linkage")
    except OSError as error:
        log.error("a series could not be stored: %s", errno.errorcode.get(error.errno or 0, "OSError"))
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        why = "The disk is full." if full else "It could not be stored."
        return Line(title, "refused", f"{why} Nothing of it was kept; send it again.", "storage")
    except DatabaseError:
        # The message would quote the row; its kind is enough.
        log.error("a series could not be filed: the database refused it")
        sentence = "It could not be filed: the database refused it. Nothing was kept; send it again."
        return Line(title, "refused", sentence, "database")
    except Exception as error:
        # A parser's message may quote the file, so the log gets its kind and place, not its words.
        log.error("a series failed with %s at %s", type(error).__name__, _place(error))
        sentence = f"It could not be read: it is damaged in an unforeseen way ({type(error).__name__})."
        return Line(title, "refused", sentence, "unforeseen")


def _accepted(title: str, filed: Filed) -> Line:
    return Line(
        f"{title}: {filed.description}" if filed.description else title,
        "accepted",
        filed.sentence,
        warnings=[warning["sentence"] for warning in filed.scan.warnings] + filed.notes,
        scan=filed.scan,
        case_number=filed.case_number,
    )


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else "unknown"
