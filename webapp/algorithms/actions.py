"""What is done with algorithms: registered, asked for drafts, and what their runs end in."""

import uuid
from typing import Any

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from webapp import jobs, push
from webapp.algorithms import events
from webapp.algorithms.fitting import may_be_drafted
from webapp.algorithms.models import Algorithm, DraftRun
from webapp.algorithms.queries import latest_draft
from webapp.algorithms.queueing import queue_runs, tell_queue
from webapp.algorithms.rules import may_run
from webapp.algorithms.waiting import about, left_of_running
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
    require(may_run(algorithm) or may_be_drafted(scan, algorithm))
    made = queue_runs([scan.pk], algorithm, label_set)
    run = made[0] if made else latest_draft(scan, algorithm, label_set)
    assert run is not None
    record(
        events.DRAFT_REQUESTED,
        by=by,
        subject=f"scan:{scan.pk}",
        run=str(run.pk),
        algorithm=str(algorithm),
        already_there=not made,
    )
    return run


@audited(events.DRAFT_STARTED)
def start_draft(*, run: DraftRun) -> DraftRun | None:
    """Take a run for one attempt; None when it has already ended. The token decides whose result counts."""
    run = DraftRun.objects.select_for_update(of=("self",)).select_related("algorithm", "scan").get(pk=run.pk)
    ended = run.state not in DraftRun.OPEN_STATES
    if not ended:
        run.state, run.attempt_token, run.attempts = DraftRun.RUNNING, uuid.uuid4(), run.attempts + 1
        run.fraction, run.progress_text, run.started_at = 0, "Starting", timezone.now()
        run.save(update_fields=["state", "attempt_token", "attempts", "fraction", "progress_text", "started_at"])
        push.publish(f"draft:{run.pk}", "draft.started", fraction=0, text=run.progress_text)
        tell_queue([run])
    record(
        events.DRAFT_STARTED,
        by=actor_of_algorithm(run.algorithm),
        subject=f"scan:{run.scan_id}",
        run=str(run.pk),
        attempt=run.attempts,
        already_ended=ended,
    )
    return None if ended else run


def report_progress(*, run: DraftRun, fraction: float, text: str) -> bool:
    """Tell watchers how far a run is; whether this attempt still has it: a run may be cancelled, or with another.

    Progress is no event: it is not recorded in the trail.
    """
    text = text[:120]
    counts = DraftRun.objects.filter(pk=run.pk, attempt_token=run.attempt_token, state=DraftRun.RUNNING).update(
        fraction=fraction, progress_text=text
    )
    if counts:
        left = about(left_of_running(fraction, run.started_at, timezone.now()))
        words = f"{text}, {left} left" if left else text
        push.publish(f"draft:{run.pk}", "draft.progress", fraction=round(fraction, 3), text=words)
    return bool(counts)


@audited(events.DRAFT_LOST)
def put_back_in_line(*, run: DraftRun, reason: str) -> None:
    """Have a run whose worker died, or whose attempt broke off, wait for another; what that attempt had is dropped."""
    current = DraftRun.objects.select_for_update(of=("self",)).select_related("algorithm").get(pk=run.pk)
    waits = current.state == DraftRun.RUNNING and run.attempt_token in (None, current.attempt_token)
    if waits:
        current.state, current.attempt_token = DraftRun.QUEUED, None
        current.fraction, current.progress_text = 0, "Waits for another worker"
        current.save(update_fields=["state", "attempt_token", "fraction", "progress_text"])
        push.publish(f"draft:{current.pk}", "draft.waits", fraction=0, text=current.progress_text)
        tell_queue([current])
    record(
        events.DRAFT_LOST,
        by=actor_of_algorithm(current.algorithm),
        subject=f"scan:{current.scan_id}",
        run=str(current.pk),
        attempt=current.attempts,
        reason=reason,
        waits=waits,
    )


@audited(events.DRAFT_FINISHED)
def finish_draft(
    *,
    run: DraftRun,
    layers: dict[str, NDArray[np.uint8]],
    duration_s: float,
    device: str,
    options: dict[str, Any],
    weights_sha256: str = "",
    uncertainty: float | None = None,
) -> DraftRun:
    """Store the mask of a run and cut it as a version, unless it was cancelled or another attempt has it by now."""
    by = actor_of_algorithm(run.algorithm)
    current = DraftRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
    counts = current.attempt_token == run.attempt_token and current.state == DraftRun.RUNNING
    if counts:
        mask = create_mask(scan=run.scan, label_set=run.label_set, by=by, author_kind="algorithm", layers=layers)
        version = cut_version(mask=mask, reason="draft", by=by)
        # Behind what people wait for, as the draft was.
        jobs.enqueue("releases.file_version", priority=-5, version_id=str(version.pk))
        current.mask, current.state, current.finished_at = mask, DraftRun.FINISHED, timezone.now()
        current.fraction, current.progress_text = 1, "Ready"
        current.duration_s, current.device, current.options = duration_s, device, options
        current.weights_sha256, current.uncertainty = weights_sha256, uncertainty
        current.save()
        push.publish(f"draft:{current.pk}", "draft.finished")
        tell_queue([current])
    record(
        events.DRAFT_FINISHED,
        by=by,
        subject=f"scan:{run.scan_id}",
        run=str(run.pk),
        mask=str(current.mask_id),
        counted=counts,
        duration_s=round(duration_s, 2),
        device=device,
        weights_sha256=weights_sha256,
        options=options,
    )
    return current


@audited(events.DRAFT_FAILED)
def fail_draft(*, run: DraftRun, sentence: str, token: uuid.UUID | None = None) -> None:
    """End a run with a reason that people can read on its case; with `token` only if that attempt still has it."""
    current = DraftRun.objects.select_for_update(of=("self",)).select_related("algorithm").get(pk=run.pk)
    counts = current.state in DraftRun.OPEN_STATES and token in (None, current.attempt_token)
    if counts:
        if current.state == DraftRun.QUEUED and current.job_id is not None:
            jobs.withdraw([current.job_id])
        current.state, current.failure_sentence = DraftRun.FAILED, sentence[:500]
        current.finished_at, current.attempt_token = timezone.now(), None
        current.save(update_fields=["state", "failure_sentence", "finished_at", "attempt_token"])
        push.publish(f"draft:{current.pk}", "draft.failed", sentence=sentence[:500])
        tell_queue([current])
    record(
        events.DRAFT_FAILED,
        by=actor_of_algorithm(current.algorithm),
        subject=f"scan:{current.scan_id}",
        run=str(current.pk),
        sentence=sentence[:500],
        counted=counts,
    )
