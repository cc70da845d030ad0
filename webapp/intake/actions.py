"""What people do at the door."""

from typing import Any

from django.utils import timezone

from webapp import jobs, push
from webapp.accounts.models import User
from webapp.audit.refusal import Refusal, require
from webapp.audit.trail import audited, record
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Campaign
from webapp.campaigns.rules import may_add_scans
from webapp.intake import events
from webapp.intake.models import Batch

PROCESS_JOB = "intake.process_batch"


@audited(events.BATCH_OPENED)
def open_batch(*, campaign: Campaign, by: Any) -> Batch:
    """Begin a sending. The command line sends as the system, in a batch without a person."""
    require(may_add_scans(campaign, by))
    batch = Batch.objects.create(campaign=campaign, by=by if isinstance(by, User) else None)
    record(events.BATCH_OPENED, by=by, chain=chain_of(campaign), subject=f"batch:{batch.pk}")
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
