"""What may come in, beside the geometry, which is inference's to judge; and who may do what with a batch."""

from collections.abc import Sequence

from pydicom.dataset import FileDataset

from inference.imaging.findings import SeriesRefused
from inference.imaging.headers import file_name, text, texts
from webapp.accounts.models import User
from webapp.audit.actor import Actor
from webapp.audit.refusal import Refusal
from webapp.campaigns.queries import roles_of
from webapp.campaigns.rules import may_add_scans
from webapp.intake.models import Batch

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
LARGEST_UPLOAD_BYTES = 16 * 1024**3
LARGEST_BATCH_BYTES = 256 * 1024**3
MOST_FILES = 200_000


def require_takeable(headers: Sequence[FileDataset]) -> None:
    """Raise SeriesRefused where the pixels may show a name: burned-in text, screenshots, reports, what says nothing."""
    for header in headers:
        name = file_name(header)
        if text(header, "BurnedInAnnotation").upper() == "YES":
            raise SeriesRefused("burned_in", f"{name} has text burned into its picture, which may name the patient.")
        kind = text(header, "SOPClassUID")
        if not kind:
            raise SeriesRefused("no_sop_class", f"{name} does not say what kind of image it is: it has no SOPClassUID.")
        if kind == SECONDARY_CAPTURE or kind.startswith(SECONDARY_CAPTURE + "."):
            raise SeriesRefused(
                "secondary_capture", f"{name} is a secondary capture (a screenshot or scan of paper), not a CT slice."
            )
        if {"SCREEN SAVE", "CSA REPORT", "DOSE_INFO"} & set(texts(header, "ImageType")):
            raise SeriesRefused("screen_save", f"{name} is a saved screen or a report, not a CT slice.")


def may_see_batch(batch: Batch, by: User) -> bool:
    """A batch is its sender's and the campaign's coordinators'."""
    return batch.by_id == by.pk or "coordinator" in roles_of(by, batch.campaign)


def may_receive(batch: Batch, by: User | Actor, size: int) -> Refusal | None:
    """Whether a batch takes `size` bytes more, of one file."""
    if isinstance(by, User) and batch.by_id != by.pk:
        return Refusal("not_sender", "Only the person who opened this upload may add files to it.")
    if batch.state != "receiving":
        return Refusal("closed", "This upload is complete; open a new one for more files.")
    if size > LARGEST_UPLOAD_BYTES:
        return Refusal("too_large", f"One file may have at most {LARGEST_UPLOAD_BYTES // 1024**3} GB.")
    if batch.byte_count + size > LARGEST_BATCH_BYTES:
        return Refusal("batch_too_large", f"One upload may have at most {LARGEST_BATCH_BYTES // 1024**3} GB in all.")
    if batch.file_count >= MOST_FILES:
        return Refusal("too_many_files", f"One upload may have at most {MOST_FILES:,} files; open another one.")
    return None


def may_finish(batch: Batch, by: User | Actor) -> Refusal | None:
    """Who may say that everything was sent: the sender; coordinators, of what a machine sent or left unfinished."""
    if isinstance(by, Actor) or batch.by_id == by.pk:
        return None
    if batch.source != "upload" and may_add_scans(batch.campaign, by) is None:
        return None
    return Refusal("not_sender", "Only the person who opened this upload may finish it.")


def may_try_again(batch: Batch, by: User | Actor) -> Refusal | None:
    """Whether the held originals may be checked once more, under the rules and options of now."""
    if not batch.has_ended or batch.state == "discarded":
        return Refusal("not_ended", "It is still under way.")
    if not batch.holds_originals:
        return Refusal("gone", "Its originals are gone: send it again.")
    return may_add_scans(batch.campaign, by)


def may_discard(batch: Batch, by: User | Actor) -> Refusal | None:
    """Whether the originals of a batch may be destroyed before their time."""
    if batch.state == "processing":
        return Refusal("processing", "It is being checked right now. Wait until that has ended.")
    if batch.state == "discarded":
        return Refusal("gone", "It was discarded already.")
    if batch.has_ended and not batch.holds_originals:
        return Refusal("gone", "Its originals are gone already.")
    if isinstance(by, User) and batch.by_id == by.pk:
        return None
    return may_add_scans(batch.campaign, by)
