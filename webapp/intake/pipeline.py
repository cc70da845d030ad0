"""From what was sent to scans: group by series, check, de-identify, file. One line for each series."""

import errno
import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import DatabaseError

from inference.imaging.findings import SeriesRefused
from inference.imaging.headers import text
from webapp.archive.models import Scan
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.models import Campaign
from webapp.intake.deidentification import IdentityFound
from webapp.intake.identity import series_key
from webapp.intake.linkage import LinkageBroken
from webapp.intake.nifti import file_nifti
from webapp.intake.reading import MEDIA_DIRECTORY, peek, quiet
from webapp.intake.series import Filed, file_dicom_series
from webapp.intake.sources import Found, Sent, Unusable, files_in

log = logging.getLogger(__name__)
NIFTI = (".nii", ".nii.gz")
# Beyond this many refused files of one reason, they share a line.
MOST_ALIKE = 20


@dataclass(frozen=True)
class Line:
    """What became of a series or of a file, in words without any identity.

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


@dataclass
class Progress:
    """How far a batch is: a fraction of 1 and a few words."""

    tell: Callable[[float, str], None]
    done: int = 0
    total: int = 1

    def within(self, size: int, words: str) -> Callable[[float], None]:
        """A callback for one series of `size` files, telling the fraction of the whole."""
        return lambda fraction: self.tell(min((self.done + size * fraction) / self.total, 1.0), words)


def take_in(
    sent: Iterable[Sent | Unusable],
    *,
    campaign: Campaign,
    by: Any,
    known: Collection[str] = (),
    tell: Callable[[float, str], None] = lambda fraction, words: None,
) -> Iterator[Line]:
    """Yield a line for each series and for each file that is in none; good series are in the archive by then.

    Series whose key is among `known` have their line already.
    """
    with quiet():
        groups: dict[str, list[Found]] = {}
        volumes: list[Found] = []
        alike: dict[str, int] = {}
        for found in files_in(sent):
            line = _sort(found, groups, volumes)
            if line is not None:
                alike[line.sentence] = alike.get(line.sentence, 0) + 1
                if alike[line.sentence] <= MOST_ALIKE:
                    yield line
        for sentence, count in alike.items():
            if count > MOST_ALIKE:
                yield Line(f"{count - MOST_ALIKE} more files", "refused", sentence)
        empty = not groups and not volumes and not alike
        numbered = [(n, uid) for n, uid in enumerate(sorted(groups), start=1) if series_key(uid) not in known]
        groups = {uid: groups[uid] for _, uid in numbered}
        total = sum(len(files) for files in groups.values()) + len(volumes)
        if empty:
            yield Line("nothing", "refused", "Nothing was sent: there is no file in it.", "empty")
        progress = Progress(tell, total=max(total, 1))
        for number, uid in numbered:
            files = groups.pop(uid)
            title = f"series {number} ({len(files)} {'file' if len(files) == 1 else 'files'})"
            advance = progress.within(len(files), title)
            yield from _attempt(title, lambda: file_dicom_series(files, campaign, by, advance), series_key(uid))  # noqa: B023
            progress.done += len(files)
        for found in volumes:
            advance = progress.within(1, found.label)
            yield from _attempt(found.label, lambda: file_nifti(found, campaign, by, advance))  # noqa: B023
            progress.done += 1


def _sort(found: Found | Unusable, groups: dict[str, list[Found]], volumes: list[Found]) -> Line | None:
    """Put a file with its series, or say why it has none."""
    if isinstance(found, Unusable):
        return Line(found.label, "refused", found.sentence, found.code)
    if found.suffix in NIFTI:
        volumes.append(found)
        return None
    try:
        header = peek(found)
    except SeriesRefused as refusal:
        return Line(found.label, "refused", refusal.sentence, refusal.code)
    if text(header, "SOPClassUID") == MEDIA_DIRECTORY:
        return None
    series_uid = text(header, "SeriesInstanceUID")
    if not series_uid:
        return Line(found.label, "refused", "It names no series (SeriesInstanceUID).", "no_series")
    groups.setdefault(series_uid, []).append(found)
    return None


def _attempt(title: str, file: Callable[[], Filed], key: str = "") -> Iterator[Line]:
    """The line of one series; whatever happens in it, the next one gets its turn."""
    yield replace(_line_of(title, file), series_key=key)


def _line_of(title: str, file: Callable[[], Filed]) -> Line:
    try:
        filed = file()
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
    else:
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
