"""The worker's part of intake."""

import logging
import uuid

from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone

from webapp.audit.actor import SYSTEM
from webapp.audit.refusal import ActionRefused
from webapp.intake import quarantine
from webapp.intake.actions import PROCESS_JOB, discard_batch, end_batch, finish_batch, note_originals_removed
from webapp.intake.models import Batch
from webapp.intake.processing import alone_with, process
from webapp.intake.queries import batches_holding, outlived_batches, quiet_batches
from webapp.jobs import enqueue, task
from webapp.jobs.line import under_way
from webapp.jobs.periodic import every

log = logging.getLogger(__name__)
LOOK_EVERY_S = 2.0
LOOK_AFTER_EVERY_S = 15.0
SWEEP_EVERY_S = 60.0


@task("intake.process_batch", on_given_up="intake.give_batch_up")
def process_batch(batch_id: str) -> None:
    """Take in what a batch holds. Run again after a crash, it goes on where it was and doubles nothing."""
    batch = Batch.objects.select_related("campaign", "by", "data_set").get(pk=uuid.UUID(batch_id))
    for _ in process(batch, quarantine.waiting(batch), batch.by or SYSTEM):
        pass


@task("intake.give_batch_up")
def give_batch_up(batch_id: str) -> None:
    """Say that a batch could not be processed; its originals are held, so that it can be tried again."""
    batch = Batch.objects.select_related("campaign").get(pk=uuid.UUID(batch_id))
    if batch.state in ("waiting", "processing"):
        end_batch(batch=batch, by=SYSTEM, sentence="The worker failed on it three times.")


@task("intake.discard_originals_of_scan")
def discard_originals_of_scan(scan_id: str) -> None:
    """Destroy what is held of the sendings that a deleted scan came with. Tried again while one is being checked."""
    for batch in batches_holding(uuid.UUID(scan_id)):
        discard_batch(batch=batch, by=SYSTEM, reason="a scan of it was deleted")
        quarantine.remove(batch.pk)


@every(LOOK_EVERY_S, "intake.close_quiet_batches")
def close_quiet_batches() -> None:
    """Hand on what machines sent, when nothing more of a series came for a while."""
    for batch in quiet_batches(timezone.now()):
        try:
            with transaction.atomic():
                # Asked again under the lock: an image may have come in between.
                if quiet_batches(timezone.now()).select_for_update(skip_locked=True).filter(pk=batch.pk).exists():
                    finish_batch(batch=batch, by=SYSTEM)
        except ActionRefused as refused:
            log.warning("%s stays open: %s", batch, refused.code)


@every(LOOK_AFTER_EVERY_S, "intake.look_after_waiting")
def look_after_waiting() -> None:
    """Put batches in line again that wait while no job is there for them: they would wait for ever."""
    waiting = list(Batch.objects.filter(state="waiting").values_list("pk", flat=True))
    # A batch leaves this state before its job ends, so that one without a job that still waits has lost it.
    with_job = under_way(PROCESS_JOB, "batch_id") if waiting else set()
    for pk in waiting:
        if str(pk) in with_job:
            continue
        with transaction.atomic():
            if Batch.objects.select_for_update(skip_locked=True).filter(pk=pk, state="waiting").exists():
                log.error("batch %s waited, and no job was there for it: in line again", pk)
                enqueue(PROCESS_JOB, batch_id=str(pk))


@every(SWEEP_EVERY_S, "intake.sweep")
def sweep() -> None:
    """Let originals go whose time is over, and what killed processes left behind."""
    for batch in outlived_batches(timezone.now()):
        try:
            # The note first, under the lock: who tries the batch again, or sends the rest of it, finds it held or gone.
            # What a kill in between leaves on the disk goes with what other killed processes left.
            with transaction.atomic():
                outlived = outlived_batches(timezone.now()).select_for_update(of=("self",), skip_locked=True)
                if not outlived.filter(pk=batch.pk).exists():
                    continue
                note_originals_removed(batch=batch, reason="the hold time is over")
            quarantine.remove(batch.pk)
        except (OSError, DatabaseError) as error:
            log.error("the originals of %s stay for now: %s", batch, type(error).__name__)
    _end_what_the_command_left()
    quarantine.remove_left_behind()


def _end_what_the_command_left() -> None:
    """A batch of a command lives as long as its process: end those that were killed."""
    begun = Q(source="command", state__in=("receiving", "processing")) | Q(source="watch", state="receiving")
    for batch in Batch.objects.filter(begun):
        with alone_with(batch) as mine:
            if mine and Batch.objects.filter(begun, pk=batch.pk).exists():
                sentence = "The command was ended before it was done: call it again, or try again what it had sealed."
                end_batch(batch=batch, by=SYSTEM, sentence=sentence)
