"""The line of jobs as workers take them, and how many of them are at work."""

from django.db import connection

from webapp.jobs.reaper import STALLED_AFTER_S


def line_of(name: str) -> list[int]:
    """The numbers of the jobs called `name` that wait, in the order in which workers will take them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM procrastinate_jobs WHERE status = 'todo' AND task_name = %s ORDER BY priority DESC, id",
            [name],
        )
        return [number for (number,) in cursor.fetchall()]


def workers_on(name: str) -> int:
    """How many jobs called `name` are in the hands of workers that give signs of life."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs AS job JOIN procrastinate_workers AS worker"
            " ON worker.id = job.worker_id WHERE job.status = 'doing' AND job.task_name = %s"
            " AND worker.last_heartbeat > now() - %s * interval '1 s'",
            [name, STALLED_AFTER_S],
        )
        return int(cursor.fetchone()[0])


def under_way(name: str, key: str) -> set[str]:
    """What the jobs called `name` that wait or are being done have as their id `key`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args->>%s FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND task_name = %s", [key, name]
        )
        return {value for (value,) in cursor.fetchall()}
