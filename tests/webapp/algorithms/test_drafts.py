"""AI drafts: asked for once, visible once, and failing with a reason."""

import uuid

import numpy as np
import pytest

from inference.phantoms.chest import make_phantom
from tests.factories.sites import a_campaign, a_scan
from webapp.algorithms.actions import fail_draft, finish_draft, request_draft, start_draft
from webapp.algorithms.models import DraftRun
from webapp.audit.actor import SYSTEM
from webapp.masks.models import Mask

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    campaign = a_campaign()
    scan = a_scan(make_phantom(1, shape_zyx=(6, 32, 32)))
    return request_draft(scan=scan, algorithm=campaign.draft_algorithm, label_set=campaign.label_set, by=SYSTEM)


def finish(run: DraftRun) -> DraftRun:
    empty = np.zeros(run.scan.shape_zyx, np.uint8)
    return finish_draft(run=run, layers={"anatomy": empty}, duration_s=1, device="cpu", options={})


def test_draft_under_way_is_not_asked_for_twice(run):
    again = request_draft(scan=run.scan, algorithm=run.algorithm, label_set=run.label_set, by=SYSTEM)
    assert again.pk == run.pk


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


def test_failed_run_says_why_and_may_be_asked_for_again(run):
    fail_draft(run=start_draft(run=run), sentence="The scan has no lung.")
    run.refresh_from_db()
    assert (run.state, run.failure_sentence) == ("failed", "The scan has no lung.")
    again = request_draft(scan=run.scan, algorithm=run.algorithm, label_set=run.label_set, by=SYSTEM)
    assert again.pk != run.pk
    assert isinstance(again.pk, uuid.UUID)
