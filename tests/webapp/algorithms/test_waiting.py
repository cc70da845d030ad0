"""Where a run stands in line and how long it will take: measured, or not said."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from inference.phantoms.chest import make_phantom
from tests.factories.sites import a_campaign, a_scan
from webapp.algorithms.actions import register_algorithm
from webapp.algorithms.models import DraftRun
from webapp.algorithms.queueing import queue_runs, withdraw_runs
from webapp.algorithms.waiting import Wait, about, left_of_running, waits_of
from webapp.audit.actor import SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    return a_campaign()


def scans(count: int) -> list[uuid.UUID]:
    phantom = make_phantom(1, shape_zyx=(6, 32, 32))
    return [a_scan(phantom).pk for _ in range(count)]


def queued(campaign, count: int, algorithm=None) -> list[DraftRun]:
    return queue_runs(scans(count), algorithm or campaign.draft_algorithm, campaign.label_set)


def timed(campaign, *seconds: float, algorithm=None) -> None:
    """Runs that took so long."""
    for run, duration in zip(queued(campaign, len(seconds), algorithm), seconds, strict=True):
        withdraw_runs([run.pk])
        DraftRun.objects.filter(pk=run.pk).update(state="finished", duration_s=duration)


def at_work(run: DraftRun, *, fraction: float, for_s: float, worker_age_s: float = 1) -> None:
    """Let a worker have had a run for so long."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %s * interval '1 s') RETURNING id",
            [worker_age_s],
        )
        worker = cursor.fetchone()[0]
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE id = %s", [worker, run.job_id]
        )
    began = timezone.now() - timedelta(seconds=for_s)
    DraftRun.objects.filter(pk=run.pk).update(state="running", fraction=fraction, started_at=began)


def waits(runs: list[DraftRun]) -> list[Wait]:
    fresh = [DraftRun.objects.get(pk=run.pk) for run in runs]
    found = waits_of(fresh)
    return [found[run.pk] for run in fresh]


def test_runs_stand_in_line_as_workers_take_them(campaign):
    runs = queued(campaign, 3)
    elsewhere = queued(a_campaign("other"), 1)
    assert [wait.before for wait in waits([*runs, *elsewhere])] == [0, 1, 2, 3]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET priority = 0 WHERE id = %s", [elsewhere[0].job_id])
    assert [wait.before for wait in waits([*runs, *elsewhere])] == [1, 2, 3, 0]
    withdraw_runs([runs[0].pk])
    assert [wait.before for wait in waits(runs[1:])] == [1, 2]


def test_nothing_is_said_of_time_where_nothing_was_measured(campaign):
    runs = queued(campaign, 3)
    assert [wait.left_s for wait in waits(runs)] == [None] * 3
    timed(campaign, 60)
    assert [wait.left_s for wait in waits(runs)] == [None] * 3, "no worker is at work"
    at_work(runs[0], fraction=0.5, for_s=30, worker_age_s=3600)
    assert [wait.left_s for wait in waits(runs[1:])] == [None] * 2, "that worker is dead"


def test_time_left_is_what_comes_before_shared_among_the_workers_at_work(campaign):
    timed(campaign, 50, 60, 1000)  # the median is 60 s
    first, second, third, fourth = queued(campaign, 4)
    at_work(first, fraction=0.5, for_s=30)
    assert [round(wait.left_s) for wait in waits([first, second, third])] == [30, 90, 150]
    at_work(second, fraction=0.25, for_s=10)
    # 30 s and 30 s are left, two workers: 30 s, then one's own minute; the next has 60 s more before it, halved.
    assert [round(wait.left_s) for wait in waits([second, third, fourth])] == [30, 90, 120]


def test_nothing_is_said_behind_an_algorithm_that_was_never_timed(campaign):
    timed(campaign, 60)
    new = register_algorithm(name="new", version="1", title="New", entry="classical-baseline", card={}, by=SYSTEM)
    first, second = queued(campaign, 2)
    (unknown,) = queued(campaign, 1, new)
    (last,) = queued(campaign, 1)
    at_work(first, fraction=0.5, for_s=30)
    assert [wait.left_s is None for wait in waits([second, unknown, last])] == [False, True, True]


def test_a_run_that_has_hardly_begun_says_nothing_of_its_end(campaign):
    now = timezone.now()
    assert left_of_running(0.04, now - timedelta(seconds=60), now) is None
    assert left_of_running(0.5, None, now) is None
    assert left_of_running(0.75, now - timedelta(seconds=60), now) == pytest.approx(20)
    (run,) = queued(campaign, 1)
    at_work(run, fraction=0.01, for_s=5)
    assert waits([run]) == [Wait(None, None)]


def test_asking_where_runs_stand_takes_as_many_queries_for_many(campaign, django_assert_num_queries):
    timed(campaign, 60)
    runs = queued(campaign, 40)
    at_work(runs[0], fraction=0.5, for_s=30)
    fresh = list(DraftRun.objects.filter(state__in=DraftRun.OPEN_STATES))
    with django_assert_num_queries(4):
        assert len(waits_of(fresh)) == 40


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (3, "a few seconds"),
        (44, "about 40 s"),
        (100, "about 2 min"),
        (170, "about 3 min"),
        (5000, "about 83 min"),
        (7300, "about 2 h"),
        (40_000_000, "about 11,111 h"),
    ],
)
def test_times_are_said_no_finer_than_they_are_known(seconds, words):
    assert about(seconds) == words


def test_words_say_place_and_time():
    assert Wait(0, None).words == "next in line"
    assert Wait(1234, 170).words == "1,234 before it, about 3 min"
    assert Wait(None, 44).words == "about 40 s left"
    assert Wait(None, None).words == ""
