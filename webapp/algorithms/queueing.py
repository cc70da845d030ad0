"""Runs put in line and taken out of it: the rows and the jobs. The actions around it ask the rules and record it."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from webapp import jobs, push
from webapp.algorithms.models import Algorithm, DraftRun
from webapp.archive.models import Scan
from webapp.masks.models import LabelSet

TASK, QUEUE_TOPIC = "algorithms.run_draft", "queue:drafts"
# Behind what people wait for: a whole campaign is drafted at once.
PRIORITY = -10
BATCH = 1000


def queue_runs(scan_ids: Sequence[Any], algorithm: Algorithm, label_set: LabelSet) -> list[DraftRun]:
    """Put a run in line for each scan that is there and has none finished or under way, in the order given.

    Holds the scans: of two who ask at once the second finds the first one's runs.
    """
    there = Scan.objects.select_for_update(of=("self",)).filter(pk__in=scan_ids).order_by("pk")
    held = set(there.values_list("pk", flat=True))
    runs = DraftRun.objects.filter(scan__in=held, algorithm=algorithm, label_set=label_set)
    served = set(runs.exclude(state__in=DraftRun.IN_VAIN).values_list("scan_id", flat=True))
    wanted = [pk for pk in dict.fromkeys(scan_ids) if pk in held and pk not in served]
    keys = [uuid.uuid4() for _ in wanted]
    numbers = jobs.enqueue_many(TASK, [{"draft_run_id": str(key)} for key in keys], priority=PRIORITY)
    made = [
        DraftRun(pk=key, scan_id=scan, algorithm=algorithm, label_set=label_set, job_id=number)
        for key, scan, number in zip(keys, wanted, numbers, strict=True)
    ]
    DraftRun.objects.bulk_create(made, batch_size=BATCH)
    tell_queue(made)
    return made


def withdraw_runs(run_ids: Sequence[Any]) -> list[DraftRun]:
    """Cancel those of some runs that are in line or under way. A worker hears of it at its next report."""
    held = DraftRun.objects.select_for_update(of=("self",)).filter(pk__in=run_ids, state__in=DraftRun.OPEN_STATES)
    runs = list(held.order_by("pk"))
    jobs.withdraw([run.job_id for run in runs if run.job_id is not None])
    DraftRun.objects.filter(pk__in=[run.pk for run in runs]).update(
        state=DraftRun.CANCELLED, attempt_token=None, progress_text="", finished_at=timezone.now()
    )
    for run in runs:
        if run.state == DraftRun.RUNNING:
            push.publish(f"draft:{run.pk}", "draft.cancelled")
    tell_queue(runs)
    return runs


def tell_queue(changed: Sequence[DraftRun]) -> None:
    """Tell who watches the line that it moved; it is one for the whole site, so nothing of whose runs is said."""
    if changed:
        push.publish(QUEUE_TOPIC, "queue.changed")
