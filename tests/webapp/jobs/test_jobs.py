"""A job commits or vanishes with the change that asked for it, and is never lost nor tried for ever."""

import signal
import time
import zlib
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from tests.factories.workers import workers
from webapp import jobs
from webapp.audit.models import Event
from webapp.jobs import periodic, reaper
from webapp.jobs.line import line_of, workers_on


def waiting() -> list[tuple[str, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name, queue_name, status::text FROM procrastinate_jobs ORDER BY id")
        return cursor.fetchall()


@pytest.mark.django_db
def test_job_vanishes_with_its_transaction():
    with transaction.atomic():
        jobs.enqueue("tests.quick", folder="x")
        transaction.set_rollback(True)
    assert waiting() == []


@pytest.mark.django_db
def test_job_of_an_unknown_task_waits_for_a_worker_that_knows_it():
    jobs.enqueue("tests.elsewhere", queue="gpu", scan_id="1")
    assert waiting() == [("tests.elsewhere", "gpu", "todo")]


@pytest.mark.django_db(transaction=True)
def test_refused_job_leaves_the_callers_transaction_whole():
    with transaction.atomic():
        with pytest.raises((TypeError, ValueError, IntegrityError)):
            jobs.enqueue("tests.quick", folder=object())
        jobs.enqueue("tests.quick", folder="x")
    assert len(waiting()) == 1


def take(worker_age_s: float) -> int:
    """Let a worker whose last sign of life is `worker_age_s` old hold the one job; its number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %s * interval '1 s') RETURNING id",
            [worker_age_s],
        )
        worker = cursor.fetchone()[0]
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", [worker])
    return worker


@pytest.mark.django_db
def test_job_of_a_silent_worker_is_in_line_again():
    jobs.enqueue("tests.quick", folder="x")
    take(worker_age_s=60)
    assert reaper.reap() == 1
    assert waiting() == [("tests.quick", "default", "todo")]


@pytest.mark.django_db
def test_job_of_a_living_worker_is_left_alone():
    jobs.enqueue("tests.quick", folder="x")
    take(worker_age_s=1)
    assert reaper.reap() == 0
    assert waiting() == [("tests.quick", "default", "doing")]


@pytest.mark.django_db
def test_worker_that_wakes_from_a_pause_does_not_take_itself_for_dead(monkeypatch):
    jobs.enqueue("tests.quick", folder="x")
    monkeypatch.setattr(reaper, "own_workers", {take(worker_age_s=60)})
    assert reaper.reap() == 0
    assert waiting() == [("tests.quick", "default", "doing")]
    monkeypatch.setattr(reaper, "own_workers", set())
    assert reaper.reap() == 1


@pytest.mark.django_db
def test_whoever_asks_is_told_that_a_job_lost_its_worker_and_trouble_in_it_costs_nothing(monkeypatch):
    told = []
    jobs.enqueue("tests.lost", folder="x")
    monkeypatch.setitem(jobs._lost, "tests.lost", lambda folder: told.append(folder))
    take(worker_age_s=60)
    reaper.reap()
    monkeypatch.setitem(jobs._lost, "tests.lost", lambda folder: Event.objects.create(nonsense=folder))
    take(worker_age_s=60)
    assert reaper.reap() == 1
    assert (told, waiting()) == (["x"], [("tests.lost", "default", "todo")])


@pytest.mark.django_db
def test_many_jobs_stand_in_line_as_they_were_given_behind_those_that_are_more_urgent():
    low = jobs.enqueue_many("tests.quick", [{"folder": "a"}, {"folder": "b"}], priority=-10)
    urgent = jobs.enqueue("tests.quick", folder="c")
    jobs.enqueue("tests.elsewhere", folder="d")
    assert line_of("tests.quick") == [urgent, *low]
    assert jobs.enqueue_many("tests.quick", []) == []


@pytest.mark.django_db
def test_only_what_no_worker_has_begun_is_withdrawn():
    first, second = jobs.enqueue_many("tests.quick", [{"folder": "a"}, {"folder": "b"}])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", [first])
    assert jobs.withdraw([first, second, 10**9]) == {second}
    assert waiting() == [("tests.quick", "default", "doing")]
    assert jobs.withdraw([]) == set()


@pytest.mark.django_db
def test_workers_at_work_are_those_that_give_signs_of_life():
    jobs.enqueue("tests.quick", folder="a")
    assert workers_on("tests.quick") == 0
    take(worker_age_s=1)
    assert (workers_on("tests.quick"), workers_on("tests.elsewhere")) == (1, 0)
    take(worker_age_s=60)
    assert workers_on("tests.quick") == 0


@pytest.mark.django_db
def test_job_is_given_up_at_the_third_death_and_somebody_is_told():
    import tests.webapp.jobs.sample_tasks  # noqa: F401 - registers them

    jobs.enqueue("tests.fatal", folder="x")
    for _ in range(jobs.MAX_ATTEMPTS):
        take(worker_age_s=60)
        reaper.reap()
    assert waiting() == [("tests.fatal", "default", "failed"), ("tests.tell", "default", "todo")]


@pytest.fixture
def worker(transactional_db):
    """Return a function that starts a real worker process on this test's database."""
    with workers("tests.webapp.jobs.worker_settings") as start:
        yield start


def traces(folder: Path, name: str, at_least: int, within_s: float = 60) -> int:
    """Wait until `at_least` runs called `name` have left their trace; return how many did."""
    deadline = time.monotonic() + within_s
    while len(list(folder.glob(f"{name}.*"))) < at_least and time.monotonic() < deadline:
        time.sleep(0.1)
    return len(list(folder.glob(f"{name}.*")))


@pytest.mark.fault
def test_job_of_a_killed_worker_is_finished_by_another(worker, tmp_path):
    jobs.enqueue("tests.slow_once", queue="slow", folder=str(tmp_path))
    first = worker()
    assert traces(tmp_path, "started", 1) == 1
    first.send_signal(signal.SIGKILL)
    first.wait()
    with connection.cursor() as cursor:  # the dead worker's last sign of life, made older than the limit
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'")
    worker()
    assert traces(tmp_path, "finished", 1) == 1
    assert traces(tmp_path, "started", 2) == 2


def test_the_more_urgent_job_is_done_first(worker, tmp_path):
    for number, priority in enumerate([-10, -10, 0]):
        (tmp_path / str(number)).mkdir()
        jobs.enqueue("tests.quick", priority=priority, folder=str(tmp_path / str(number)))
    assert worker("--once").wait(60) == 0
    done = [min(trace.stat().st_mtime_ns for trace in (tmp_path / str(n)).glob("quick.*")) for n in range(3)]
    assert done[2] < done[0] < done[1]


@pytest.mark.fault
def test_worker_stops_when_asked(worker, tmp_path):
    jobs.enqueue("tests.quick", folder=str(tmp_path))
    process = worker()
    assert traces(tmp_path, "quick", 1) == 1
    process.terminate()
    assert process.wait(30) == 0
    assert settings.DATABASES


@pytest.mark.fault
@pytest.mark.slow
def test_job_that_raises_is_tried_three_times_and_then_told_of(worker, tmp_path):
    jobs.enqueue("tests.raises", folder=str(tmp_path))
    worker()
    assert traces(tmp_path, "told", 1) == 1
    assert traces(tmp_path, "raises", jobs.MAX_ATTEMPTS) == jobs.MAX_ATTEMPTS


@pytest.mark.django_db
def test_what_comes_round_runs_when_it_is_due_and_survives_its_own_failures(monkeypatch):
    ran = []
    monkeypatch.setattr(periodic, "_all", {})
    periodic.every(10, "tests.round")(lambda: ran.append("round"))
    periodic.every(10, "tests.broken")(lambda: 1 / 0)
    assert periodic.run_due(100.0) == ["tests.round"]
    assert periodic.run_due(105.0) == []
    assert periodic.run_due(110.0) == ["tests.round"]
    assert ran == ["round", "round"]


@pytest.mark.django_db
def test_what_comes_round_is_left_to_the_worker_that_has_it(monkeypatch):
    ran = []
    monkeypatch.setattr(periodic, "_all", {})
    periodic.every(10, "tests.round")(lambda: ran.append("round"))
    address = connection.get_connection_params()
    with psycopg.connect(**{k: address[k] for k in ("dbname", "user", "password", "host", "port")}) as elsewhere:
        key = zlib.crc32(b"tests.round") % 2**31
        elsewhere.execute("SELECT pg_advisory_lock(%s, %s)", [periodic.PERIODIC_LOCK, key])
        assert periodic.run_due(100.0) == []
        # The server hears of a closed connection a moment later: the lock would be held until then.
        elsewhere.execute("SELECT pg_advisory_unlock(%s, %s)", [periodic.PERIODIC_LOCK, key])
    assert periodic.run_due(120.0) == ["tests.round"]
