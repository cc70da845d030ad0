"""The worker's part of intake."""

import uuid

from webapp.audit.actor import SYSTEM
from webapp.intake import quarantine
from webapp.intake.actions import end_batch
from webapp.intake.models import Batch
from webapp.intake.processing import process
from webapp.jobs import task


@task("intake.process_batch", on_given_up="intake.give_batch_up")
def process_batch(batch_id: str) -> None:
    """Take in a finished upload, then remove its originals. Run again after a crash, it recognises what is filed."""
    batch = Batch.objects.select_related("campaign", "by").get(pk=uuid.UUID(batch_id))
    for _ in process(batch, quarantine.waiting(batch.pk), batch.by or SYSTEM):
        pass
    quarantine.discard(batch.pk)


@task("intake.give_batch_up")
def give_batch_up(batch_id: str) -> None:
    """Say that an upload could not be processed, and keep nothing of it."""
    batch = Batch.objects.select_related("campaign").get(pk=uuid.UUID(batch_id))
    if batch.state in ("waiting", "processing"):
        end_batch(batch=batch, by=SYSTEM, sentence="The worker failed on it three times.")
    quarantine.discard(batch.pk)
