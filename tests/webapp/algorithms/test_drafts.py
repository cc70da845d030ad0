"""AI drafts: asked for once, visible once, cancelled for good, and failing with a reason."""

import uuid

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction

from inference.imaging.findings import SeriesRefused
from inference.phantoms.chest import make_phantom
from inference.segmenting.algorithms import Algorithm
from tests.factories.sites import a_campaign, a_scan
from webapp.algorithms import tasks
from webapp.algorithms.actions import (
    fail_draft,
    finish_draft,
    put_back_in_line,
    report_progress,
    request_draft,
    start_draft,
)
from webapp.algorithms.models import DraftRun
from webapp.algorithms.queueing import withdraw_runs
from webapp.archive.storage import DamagedFile
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.masks.models import Mask

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    campaign = a_campaign()
    scan = a_scan(make_phantom(1, shape_zyx=(6, 32, 32)))
    return request_draft(scan=scan, algorithm=campaign.draft_algorithm, label_set=campaign.label_set, by=SYSTEM)


def finish(run: DraftRun, **said: object) -> DraftRun:
    empty = np.zeros(run.scan.shape_zyx, np.uint8)
    return finish_draft(run=run, layers={"anatomy": empty}, duration_s=1, device="cpu", **{"options": {}, **said})


def jobs_in_line() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM procrastinate_jobs WHERE status = 'todo' AND task_name = 'algorithms.run_draft'")
        return [number for (number,) in cursor.fetchall()]


def test_draft_under_way_is_not_asked_for_twice(run):
    again = request_draft(scan=run.scan, algorithm=run.algorithm, label_set=run.label_set, by=SYSTEM)
    assert again.pk == run.pk
    assert jobs_in_line() == [run.job_id]


def test_the_database_itself_refuses_a_second_run_under_way(run):
    with pytest.raises(IntegrityError), transaction.atomic():
        DraftRun.objects.create(scan=run.scan, algorithm=run.algorithm, label_set=run.label_set)


def test_second_attempt_fences_the_first_off(run):
    slow, fast = start_draft(run=run), start_draft(run=run)
    finish(fast)
    finish(slow)
    run.refresh_from_db()
    assert run.state == "finished"
    assert Mask.objects.filter(author_kind="algorithm").count() == 1


def test_finished_run_is_not_started_again(run):
    finish(start_draft(run=run))
    assert start_draft(run=run) is None


def test_finished_run_keeps_what_it_was_made_with(run):
    finish(start_draft(run=run), weights_sha256="ab" * 32, uncertainty=0.25, options={"threshold": 0.5})
    run.refresh_from_db()
    assert (run.weights_sha256, run.uncertainty, run.options) == ("ab" * 32, 0.25, {"threshold": 0.5})
    details = Event.objects.get(name="draft.finished").content["details"]
    assert (details["weights_sha256"], details["options"]) == ("ab" * 32, {"threshold": 0.5})


def test_failed_run_says_why_and_may_be_asked_for_again(run):
    fail_draft(run=start_draft(run=run), sentence="The scan has no lung.")
    run.refresh_from_db()
    assert (run.state, run.failure_sentence) == ("failed", "The scan has no lung.")
    again = request_draft(scan=run.scan, algorithm=run.algorithm, label_set=run.label_set, by=SYSTEM)
    assert again.pk != run.pk
    assert isinstance(again.pk, uuid.UUID)


def test_cancelled_run_leaves_the_line_and_may_be_asked_for_again(run):
    assert [one.pk for one in withdraw_runs([run.pk])] == [run.pk]
    assert jobs_in_line() == []
    assert start_draft(run=run) is None
    assert withdraw_runs([run.pk]) == []
    again = request_draft(scan=run.scan, algorithm=run.algorithm, label_set=run.label_set, by=SYSTEM)
    assert jobs_in_line() == [again.job_id]


def test_run_cancelled_under_way_stops_at_its_next_report_and_leaves_nothing(run):
    taken = start_draft(run=run)
    assert report_progress(run=taken, fraction=0.4, text="Looking")
    withdraw_runs([run.pk])
    assert not report_progress(run=taken, fraction=0.5, text="Looking")
    finish(taken)
    fail_draft(run=taken, sentence="Too late.", token=taken.attempt_token)
    fail_draft(run=taken, sentence="Too late.")
    run.refresh_from_db()
    assert (run.state, run.failure_sentence, run.mask_id) == ("cancelled", "", None)
    assert not Mask.objects.filter(author_kind="algorithm").exists()


def test_run_of_a_lost_worker_waits_again_and_its_old_attempt_counts_for_nothing(run):
    lost = start_draft(run=run)
    tasks._lost(str(run.pk))
    run.refresh_from_db()
    assert (run.state, run.attempts, run.fraction) == ("queued", 1, 0)
    assert not report_progress(run=lost, fraction=0.9, text="Still here")
    fresh = start_draft(run=run)
    put_back_in_line(run=lost, reason="The attempt broke off.")
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("running", 2), "an attempt that lost the run does not take it from another"
    finish(lost)
    assert not Mask.objects.filter(author_kind="algorithm").exists()
    finish(fresh)
    assert Mask.objects.filter(author_kind="algorithm").count() == 1


def run_with(monkeypatch, run: DraftRun, segment) -> None:
    """Run a draft in this process by an algorithm that does what `segment(volume, progress)` does."""
    monkeypatch.setattr(tasks, "REPORT_EVERY_S", 0)
    monkeypatch.setattr(tasks, "volume_of", lambda scan: None)
    monkeypatch.setattr(tasks, "loaded", lambda algorithm: Algorithm("made up", "1", segment, needs_hu=False))
    tasks.run_draft(str(run.pk))
    run.refresh_from_db()


def test_worker_drops_a_run_that_is_cancelled_while_it_works(run, monkeypatch):
    reached = []

    def segment(volume, progress):
        progress(0.1, "Looking")
        withdraw_runs([run.pk])
        progress(0.2, "Looking")
        reached.append("further than it should")

    run_with(monkeypatch, run, segment)
    assert (run.state, reached) == ("cancelled", [])


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SeriesRefused("memory", "Not even one slice fits."), "could not segment this scan: Not even one slice fits."),
        (ValueError("There is no lung."), "could not segment this scan: There is no lung."),
        (MemoryError(), "ran out of memory"),
        (OSError(5, "Input/output error", "/srv/secret/path"), "storage of pixels did not answer"),
        (DamagedFile("scans/x/slab-0 is damaged."), "missing or damaged in storage"),
    ],
)
def test_failure_is_told_in_words_for_people(run, monkeypatch, error, said):
    def segment(volume, progress):
        raise error

    run_with(monkeypatch, run, segment)
    assert run.state == "failed"
    assert said in run.failure_sentence
    assert "/srv" not in run.failure_sentence


def test_attempt_that_breaks_off_waits_for_the_next_until_it_is_given_up(run, monkeypatch):
    def segment(volume, progress):
        raise RuntimeError("nobody foresaw this")

    with pytest.raises(RuntimeError):
        run_with(monkeypatch, run, segment)
    run.refresh_from_db()
    assert (run.state, run.progress_text) == ("queued", "Waits for another worker")
    tasks.give_draft_up(str(run.pk))
    run.refresh_from_db()
    assert run.state == "failed"
    assert "Ask an administrator" in run.failure_sentence
