"""What people do at the door."""

from typing import Any, BinaryIO

from django.db.models import F
from django.utils import timezone

from webapp import jobs, push
from webapp.accounts.models import User
from webapp.audit.refusal import Refusal, require
from webapp.audit.trail import audited, record
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Campaign
from webapp.campaigns.rules import may_add_scans
from webapp.intake import events, quarantine
from webapp.intake.models import Batch, SeriesLine
from webapp.intake.pipeline import Line
from webapp.intake.rules import LARGEST_BATCH_BYTES, LARGEST_UPLOAD_BYTES, may_receive

PROCESS_JOB = "intake.process_batch"


@audited(events.BATCH_OPENED)
def open_batch(*, campaign: Campaign, by: Any) -> Batch:
    """Begin a sending. The command line sends as the system, in a batch without a person."""
    require(may_add_scans(campaign, by))
    batch = Batch.objects.create(campaign=campaign, by=by if isinstance(by, User) else None)
    record(events.BATCH_OPENED, by=by, chain=chain_of(campaign), subject=f"batch:{batch.pk}")
    return batch


def receive_file(*, batch: Batch, name: str, stream: BinaryIO, size: int, by: User) -> Batch:
    """Take one file, as it streams in, into quarantine. Raises ActionRefused, quarantine.TooLarge, OSError.

    No event: the batch's events say how many files and bytes came.
    """
    require(may_receive(batch, by, size))
    room = min(LARGEST_UPLOAD_BYTES, LARGEST_BATCH_BYTES - batch.byte_count)
    received = quarantine.seal(batch.pk, name, stream, room)
    Batch.objects.filter(pk=batch.pk).update(file_count=F("file_count") + 1, byte_count=F("byte_count") + received)
    batch.refresh_from_db()
    return batch


@audited(events.BATCH_FINISHED)
def finish_batch(*, batch: Batch, by: User) -> Batch:
    """Say that everything was sent; a worker takes it from here. Twice does no more than once."""
    batch = Batch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    if batch.by_id != by.pk:
        require(Refusal("not_sender", "Only the person who opened this upload may finish it."))
    if batch.state == "receiving":
        batch.state = "waiting"
        batch.save(update_fields=["state"])
        jobs.enqueue(PROCESS_JOB, batch_id=str(batch.pk))
    record(
        events.BATCH_FINISHED,
        by=by,
        chain=chain_of(batch.campaign),
        subject=f"batch:{batch.pk}",
        files=batch.file_count,
        bytes=batch.byte_count,
    )
    return batch


def start_batch(*, batch: Batch) -> bool:
    """Begin to process a batch, or begin again after a worker died; False where it has already ended."""
    if not Batch.objects.filter(pk=batch.pk).exclude(state__in=("done", "failed")).update(state="processing"):
        return False
    batch.lines.all().delete()
    return True


def add_line(*, batch: Batch, number: int, line: Line) -> SeriesLine:
    """Keep and tell what became of one series."""
    kept = SeriesLine.objects.create(
        batch=batch,
        number=number,
        title=line.title[:200],
        state=line.state,
        code=line.code,
        sentence=line.sentence,
        warnings=line.warnings,
        scan=line.scan,
        case_number=line.case_number,
    )
    push.publish(
        f"batch:{batch.pk}",
        "batch.filed" if line.state == "accepted" else "batch.refused",
        number=number,
        title=kept.title,
        state=kept.state,
        sentence=kept.sentence[:1000],
        warnings=[warning[:300] for warning in kept.warnings[:10]],
        case_number=kept.case_number,
    )
    return kept


@audited(events.BATCH_PROCESSED)
def end_batch(*, batch: Batch, by: Any, sentence: str = "") -> Batch:
    """Close a batch: done, or failed with a sentence. Every refusal is in the audit event, by its code."""
    refused = list(batch.lines.filter(state="refused").values_list("code", flat=True))
    accepted = batch.lines.filter(state="accepted").count()
    Batch.objects.filter(pk=batch.pk).update(
        state="failed" if sentence else "done", sentence=sentence, ended_at=timezone.now()
    )
    batch.refresh_from_db()
    push.publish(f"batch:{batch.pk}", "batch.finished", state=batch.state, accepted=accepted, refused=len(refused))
    record(
        events.BATCH_PROCESSED,
        by=by,
        chain=chain_of(batch.campaign),
        subject=f"batch:{batch.pk}",
        state=batch.state,
        accepted=accepted,
        refused=len(refused),
        reasons=sorted(set(refused)),
    )
    return batch
