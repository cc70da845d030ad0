"""Runs of algorithms in the worker. Whatever needs torch is imported inside the function that runs it."""

import logging
import time
from collections.abc import Callable

from inference.imaging.findings import SeriesRefused
from webapp.algorithms.actions import fail_draft, finish_draft, put_back_in_line, report_progress, start_draft
from webapp.algorithms.loading import loaded
from webapp.algorithms.models import DraftRun
from webapp.algorithms.queueing import TASK
from webapp.archive.queries import volume_of
from webapp.archive.storage import DamagedFile
from webapp.jobs import task
from webapp.jobs.watchdog import ended_where_silent

REPORT_EVERY_S = 0.5
# The longest stretch without a report, on scans of 1,500 slices and a slow machine, is minutes.
SILENT_AFTER_S = 900.0

log = logging.getLogger(__name__)


class Stopped(Exception):
    """The run was cancelled, or is another attempt's by now: what this one has is dropped."""


def _lost(draft_run_id: str) -> None:
    run = DraftRun.objects.filter(pk=draft_run_id).first()
    if run is not None:
        run.attempt_token = None  # whichever attempt it was
        put_back_in_line(run=run, reason="The worker stopped.")


@task(TASK, queue="drafts", on_given_up="algorithms.give_draft_up", when_lost=_lost)
def run_draft(draft_run_id: str) -> None:
    """Segment the scan of a draft run, and store the mask unless it was cancelled or another attempt was faster."""
    run = start_draft(run=DraftRun.objects.get(pk=draft_run_id))
    if run is None:
        return
    try:
        with ended_where_silent(f"Draft run {run.pk}", SILENT_AFTER_S) as sign:
            _segment(run, sign)
    except Stopped:
        log.info("Draft run %s is no longer this worker's: its result is dropped", run.pk)
    except (ValueError, KeyError, OSError, MemoryError, DamagedFile, SeriesRefused) as error:
        fail_draft(run=run, sentence=_sentence(error), token=run.attempt_token)
    except Exception as error:
        put_back_in_line(run=run, reason=f"The attempt broke off: {type(error).__name__}.")
        raise


def _segment(run: DraftRun, sign: Callable[[], None]) -> None:
    began, reported = time.monotonic(), 0.0

    def progress(fraction: float, text: str) -> None:
        nonlocal reported
        sign()
        if time.monotonic() - reported >= REPORT_EVERY_S:
            reported = time.monotonic()
            if not report_progress(run=run, fraction=fraction, text=text):
                raise Stopped

    progress(0.01, "Opening the scan")
    volume = volume_of(run.scan)
    sign()
    algorithm = loaded(run.algorithm)
    sign()
    found = algorithm.segment(volume, progress)
    sign()
    finish_draft(
        run=run,
        layers={"anatomy": found.anatomy, "findings": found.findings},
        duration_s=time.monotonic() - began,
        device=algorithm.device,
        options=algorithm.options,
        weights_sha256=algorithm.weights_sha256 or "",
        uncertainty=found.uncertainty,
    )


def _sentence(error: Exception) -> str:
    """Why a scan could not be drafted, in words for people; paths of the server are not theirs."""
    if isinstance(error, MemoryError):
        return "The worker ran out of memory on this scan. Try again on a worker that has more."
    if isinstance(error, DamagedFile):
        return "The pixels of this scan are missing or damaged in storage. Ask an administrator to look."
    if isinstance(error, OSError):
        return "The storage of pixels did not answer. Try again, or ask an administrator to look."
    return f"The algorithm could not segment this scan: {error}"


@task("algorithms.give_draft_up")
def give_draft_up(draft_run_id: str) -> None:
    """Mark a run whose worker died again and again."""
    run = DraftRun.objects.select_related("algorithm").get(pk=draft_run_id)
    fail_draft(run=run, sentence="The worker stopped each time it tried this scan. Ask an administrator to look.")
