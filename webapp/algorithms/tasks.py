"""Runs of algorithms in the worker. Whatever needs torch is imported inside the function that runs it."""

import time

from webapp.algorithms.actions import fail_draft, finish_draft, report_progress, start_draft
from webapp.algorithms.loading import loaded
from webapp.algorithms.models import DraftRun
from webapp.archive.queries import volume_of
from webapp.archive.storage import DamagedFile
from webapp.jobs import task

REPORT_EVERY_S = 0.5


@task("algorithms.run_draft", queue="drafts", on_given_up="algorithms.give_draft_up")
def run_draft(draft_run_id: str) -> None:
    """Segment the scan of a draft run, and store the mask unless another attempt was faster."""
    run = start_draft(run=DraftRun.objects.get(pk=draft_run_id))
    if run is None:
        return
    began, reported = time.monotonic(), 0.0

    def progress(fraction: float, text: str) -> None:
        nonlocal reported
        if time.monotonic() - reported >= REPORT_EVERY_S:
            reported = time.monotonic()
            report_progress(run=run, fraction=fraction, text=text)

    progress(0.01, "Opening the scan")
    try:
        volume = volume_of(run.scan)
        algorithm = loaded(run.algorithm)
        found = algorithm.segment(volume, progress)
        layers = {"anatomy": found.anatomy, "findings": found.findings}
    except (ValueError, KeyError, OSError, MemoryError, DamagedFile) as error:
        fail_draft(run=run, sentence=f"The algorithm could not segment this scan: {error}")
        return
    finish_draft(
        run=run,
        layers=layers,
        duration_s=time.monotonic() - began,
        device=algorithm.device,
        options=algorithm.options,
    )


@task("algorithms.give_draft_up")
def give_draft_up(draft_run_id: str) -> None:
    """Mark a run whose worker died again and again."""
    run = DraftRun.objects.select_related("algorithm").get(pk=draft_run_id)
    fail_draft(run=run, sentence="The worker stopped each time it tried this scan. Ask an administrator to look.")
