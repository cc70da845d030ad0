"""What is done with algorithms: registered, asked for drafts, and what their runs end in."""

import uuid
from typing import Any

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from webapp import jobs, push
from webapp.algorithms import events
from webapp.algorithms.models import Algorithm, DraftRun
from webapp.algorithms.queries import latest_draft
from webapp.algorithms.rules import may_run
from webapp.archive.models import Scan
from webapp.audit.actor import Actor, actor_of
from webapp.audit.refusal import Refusal, require
from webapp.audit.trail import audited, record
from webapp.masks.actions import create_mask, cut_version
from webapp.masks.models import LabelSet


def actor_of_algorithm(algorithm: Algorithm) -> Actor:
    """An algorithm as the audit trail names it."""
    return Actor("algorithm", f"{algorithm.name}@{algorithm.version}", str(algorithm))


@audited(events.ALGORITHM_REGISTERED)
def register_algorithm(*, name: str, version: str, title: str, entry: str, card: dict[str, Any], by: Any) -> Algorithm:
    """Make a version that the product itself computes known to the site; the same version again changes nothing."""
    algorithm, made = Algorithm.objects.get_or_create(
        name=name,
        version=version,
        defaults={"title": title, "entry": entry, "card": card, "registered_by_name": actor_of(by).name[:120]},
    )
    record(
        events.ALGORITHM_REGISTERED,
        by=by,
        subject=algorithm.subject,
        title=title,
        already_there=not made,
    )
    return algorithm


@audited(events.DRAFT_REQUESTED)
def request_draft(*, scan: Scan, algorithm: Algorithm, label_set: LabelSet, by: Any) -> DraftRun:
    """Ask a worker for an AI draft of a scan; one that is finished or under way is not run twice."""
    held = Scan.objects.select_for_update(of=("self",)).filter(pk=scan.pk).first()
    require(None if held else Refusal("scan_deleted", "This scan was deleted: there is nothing to draft."))
    require(may_run(algorithm))
    run = latest_draft(scan, algorithm, label_set)
    fresh = run is None or run.state == DraftRun.FAILED
    if run is None or run.state == DraftRun.FAILED:
        run = DraftRun.objects.create(scan=scan, algorithm=algorithm, label_set=label_set)
        # Behind what people wait for: a whole campaign is drafted at once.
        jobs.enqueue("algorithms.run_draft", queue="drafts", priority=-10, draft_run_id=str(run.pk))
    record(
        events.DRAFT_REQUESTED,
        by=by,
        subject=f"scan:{scan.pk}",
        run=str(run.pk),
        algorithm=str(algorithm),
        already_there=not fresh,
    )
    return run


@audited(events.DRAFT_STARTED)
def start_draft(*, run: DraftRun) -> DraftRun | None:
    """Take a run for one attempt; None when it has already ended. The token decides whose result counts."""
    run = DraftRun.objects.select_for_update(of=("self",)).select_related("algorithm", "scan").get(pk=run.pk)
    ended = run.state in (DraftRun.FINISHED, DraftRun.FAILED)
    if not ended:
        run.state, run.attempt_token, run.attempts = DraftRun.RUNNING, uuid.uuid4(), run.attempts + 1
        run.fraction, run.progress_text = 0, "Starting"
        run.save(update_fields=["state", "attempt_token", "attempts", "fraction", "progress_text"])
    record(
        events.DRAFT_STARTED,
        by=actor_of_algorithm(run.algorithm),
        subject=f"scan:{run.scan_id}",
        run=str(run.pk),
        attempt=run.attempts,
        already_ended=ended,
    )
    return None if ended else run


def report_progress(*, run: DraftRun, fraction: float, text: str) -> None:
    """Tell watchers how far a run is. Progress is no event: it is not recorded in the trail."""
    changed = DraftRun.objects.filter(pk=run.pk, attempt_token=run.attempt_token, state=DraftRun.RUNNING).update(
        fraction=fraction, progress_text=text[:120]
    )
    if changed:
        push.publish(f"scan:{run.scan_id}", "draft.progress", fraction=round(fraction, 3), text=text[:120])


@audited(events.DRAFT_FINISHED)
def finish_draft(
    *,
    run: DraftRun,
    layers: dict[str, NDArray[np.uint8]],
    duration_s: float,
    device: str,
    options: dict[str, Any],
) -> DraftRun:
    """Store the mask of a run and cut it as a version, unless another attempt has the run by now."""
    by = actor_of_algorithm(run.algorithm)
    current = DraftRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
    counts = current.attempt_token == run.attempt_token and current.state == DraftRun.RUNNING
    if counts:
        mask = create_mask(scan=run.scan, label_set=run.label_set, by=by, author_kind="algorithm", layers=layers)
        version = cut_version(mask=mask, reason="draft", by=by)
        jobs.enqueue("releases.file_version", version_id=str(version.pk))
        current.mask, current.state, current.finished_at = mask, DraftRun.FINISHED, timezone.now()
        current.fraction, current.progress_text = 1, "Ready"
        current.duration_s, current.device, current.options = duration_s, device, options
        current.save()
        push.publish(f"scan:{run.scan_id}", "draft.finished")
    record(
        events.DRAFT_FINISHED,
        by=by,
        subject=f"scan:{run.scan_id}",
        run=str(run.pk),
        mask=str(current.mask_id),
        counted=counts,
        duration_s=round(duration_s, 2),
        device=device,
        weights_sha256=run.algorithm.weights_sha256,
    )
    return current


@audited(events.DRAFT_FAILED)
def fail_draft(*, run: DraftRun, sentence: str) -> None:
    """End a run with a reason that people can read on its case."""
    current = DraftRun.objects.select_for_update(of=("self",)).select_related("algorithm").get(pk=run.pk)
    if current.state != DraftRun.FINISHED:
        current.state, current.failure_sentence = DraftRun.FAILED, sentence[:500]
        current.finished_at = timezone.now()
        current.save()
        push.publish(f"scan:{current.scan_id}", "draft.failed", sentence=sentence[:500])
    record(
        events.DRAFT_FAILED,
        by=actor_of_algorithm(current.algorithm),
        subject=f"scan:{current.scan_id}",
        run=str(current.pk),
        sentence=sentence[:500],
    )
