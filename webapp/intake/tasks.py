"""The worker's part of intake."""

import uuid

from webapp.audit.actor import SYSTEM
from webapp.intake import quarantine
from webapp.intake.actions import end_batch
from webapp.intake.models import Batch
from webapp.intake.processing import process
from webapp.jobs import task


@task("intake.process_batch")
def process_batch(batch_id: str) -> None:
    """Take in a finished upload, then remove its originals. Run again after a crash, it recognises what is filed."""
    batch = Batch.objects.select_related("campaign", "by").get(pk=uuid.UUID(batch_id))
    by = batch.by or SYSTEM
    for _ in process(batch, quarantine.waiting(batch.pk), by):
        pass
    batch.refresh_from_db()
    if batch.state == "processing":
        end_batch(batch=batch, by=SYSTEM, sentence="It could not be processed.")
    quarantine.discard(batch.pk)
