"""Runs in real workers that are killed, fall silent and come back, or are told that a run was cancelled."""

import signal
import time
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from inference.phantoms.chest import make_phantom
from tests.factories.sites import a_campaign, a_scan
from tests.factories.workers import workers
from webapp.algorithms.actions import request_draft
from webapp.algorithms.models import DraftRun
from webapp.algorithms.queueing import withdraw_runs
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.masks.models import Mask

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault]
WITHIN_S = 60


@pytest.fixture
def start(tmp_path, transactional_db):
    """Start a worker whose drafts end once the test's folder holds `go`."""
    folder = {"SLOW_DRAFTS": str(tmp_path), "GROUNDGLASS_HOME": str(tmp_path / "home")}
    with workers("tests.webapp.algorithms.worker_settings", **folder) as start:
        yield start


@pytest.fixture
def campaign():
    return a_campaign()


def a_run(campaign) -> DraftRun:
    scan = a_scan(make_phantom(1, shape_zyx=(6, 32, 32)))
    return request_draft(scan=scan, algorithm=campaign.draft_algorithm, label_set=campaign.label_set, by=SYSTEM)


def until(what: str, run: DraftRun, holds: Callable[[DraftRun], bool]) -> DraftRun:
    """Wait for a run to be so."""
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        run.refresh_from_db()
        if holds(run):
            return run
        time.sleep(0.05)
    pytest.fail(f"{what} did not come: {run}, attempts {run.attempts}, {run.failure_sentence}")


def fall_silent() -> None:
    """Make the last sign of life of every worker that is there older than the limit."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'")


def check_one_draft(run: DraftRun, attempts: int) -> None:
    """The run is finished, and made one mask."""
    until("the draft", run, lambda one: one.state == "finished")
    assert run.attempts == attempts
    assert [mask.pk for mask in Mask.objects.filter(author_kind="algorithm")] == [run.mask_id]
    assert [event.content["details"]["counted"] for event in Event.objects.filter(name="draft.finished")] == [True]


def test_run_of_a_killed_worker_is_taken_up_by_another_and_seen_once(campaign, start, tmp_path):
    run = a_run(campaign)
    first = start()
    until("the first attempt", run, lambda one: one.state == "running" and one.fraction > 0.1)
    first.send_signal(signal.SIGKILL)
    first.wait()
    fall_silent()
    start()
    until("the second attempt", run, lambda one: one.attempts == 2 and one.fraction > 0.1)
    (lost,) = Event.objects.filter(name="draft.worker_lost")
    assert lost.content["details"]["attempt"] == 1
    (tmp_path / "go").touch()
    check_one_draft(run, attempts=2)


def test_worker_whose_run_hangs_ends_itself_and_another_takes_it_up(campaign, start, tmp_path):
    (tmp_path / "impatient").touch()
    run = a_run(campaign)
    first = start()
    until("the first attempt", run, lambda one: one.state == "running" and one.fraction > 0.1)
    (tmp_path / "hang").touch()
    assert first.wait(timeout=WITHIN_S) == 1
    (tmp_path / "hang").unlink()
    (tmp_path / "impatient").unlink()
    fall_silent()
    start()
    until("the second attempt", run, lambda one: one.attempts == 2 and one.fraction > 0.1)
    (tmp_path / "go").touch()
    check_one_draft(run, attempts=2)


def test_worker_that_comes_back_from_a_pause_leaves_its_run_to_whoever_has_it_by_then(campaign, start, tmp_path):
    run = a_run(campaign)
    first = start()
    until("the first attempt", run, lambda one: one.state == "running" and one.fraction > 0.1)
    first.send_signal(signal.SIGSTOP)
    fall_silent()
    second = start()
    until("the second attempt", run, lambda one: one.attempts == 2 and one.fraction > 0.1)
    first.send_signal(signal.SIGCONT)
    assert first.wait(WITHIN_S) == 1, "a worker that was taken for dead begins anew"
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("running", 2)
    (tmp_path / "go").touch()
    check_one_draft(run, attempts=2)
    behind = a_run(campaign)
    until("the second worker's next run", behind, lambda one: one.state == "finished")
    assert second.poll() is None


def test_worker_hears_that_its_run_was_cancelled_and_goes_on_with_the_next(campaign, start, tmp_path):
    run, behind = a_run(campaign), a_run(campaign)
    start()
    until("the attempt", run, lambda one: one.state == "running" and one.fraction > 0.1)
    with transaction.atomic():
        withdraw_runs([run.pk])
    until("the next run", behind, lambda one: one.state == "running" and one.fraction > 0.1)
    (tmp_path / "go").touch()
    check_one_draft(behind, attempts=1)
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("cancelled", 1)
