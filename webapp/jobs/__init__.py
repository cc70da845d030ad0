"""Work done outside a request: named tasks, put in line inside the caller's transaction.

An app defines tasks in its `tasks.py` with `@task`; actions call `enqueue(name, **ids)` and never import tasks. The
job is a row written by Django's own connection: it commits or vanishes with the change that asked for it.
"""

import functools
import logging
import os
from collections.abc import Callable, Sequence
from typing import Any

from django.db import close_old_connections, connection, transaction
from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

__all__ = ["MAX_ATTEMPTS", "RETRY_WAIT_S", "enqueue", "enqueue_many", "give_up", "task", "tell_lost", "withdraw"]

MAX_ATTEMPTS = 3
RETRY_WAIT_S = 5

log = logging.getLogger(__name__)
# Task name -> the task that tells people when the job has been given up.
_given_up: dict[str, str] = {}
# Task name -> what is called with the job's ids, in the reaper's transaction, when its worker died and it waits again.
_lost: dict[str, Callable[..., None]] = {}
_queues: dict[str, str] = {}
# Workers of this process that have run a job: while it asks, they are alive.
own_workers: set[int | None] = set()


def task(
    name: str,
    *,
    queue: str = "default",
    on_given_up: str | None = None,
    when_lost: Callable[..., None] | None = None,
) -> Callable[[Callable], Callable]:
    """Register a function of ids as the task called `name`; it must be safe to run twice.

    A job that raises, or whose worker dies, is tried `MAX_ATTEMPTS` times in all. Then it is failed for good, and the
    task called `on_given_up` gets its ids, so that it can say so where people look. `when_lost` is called with them
    each time that its worker died and it waits for another.
    """

    def register(function: Callable) -> Callable:
        _queues[name] = queue
        if when_lost:
            _lost[name] = when_lost
        if on_given_up:
            _given_up[name] = on_given_up

        @functools.wraps(function)
        def run(context: JobContext, **ids: Any) -> None:
            close_old_connections()
            own_workers.add(context.job.worker_id)
            try:
                function(**ids)
                _require_still_ours(context)
            except Exception:
                log.exception("Job %s %s failed (attempt %s)", name, ids, context.job.attempts + 1)
                _require_still_ours(context)
                if context.job.attempts + 1 >= MAX_ATTEMPTS:
                    close_old_connections()
                    give_up(name, ids)
                raise
            finally:
                if not connection.in_atomic_block:  # tests run jobs inside their own transaction
                    connection.close()

        retry = RetryStrategy(max_attempts=MAX_ATTEMPTS - 1, wait=RETRY_WAIT_S)
        app.task(name=name, queue=queue, pass_context=True, retry=retry)(run)
        return function

    return register


def _require_still_ours(context: JobContext) -> None:
    """End this process where its worker was taken for dead: the job is another's by now, and not ours to end.

    So are all its jobs; whoever keeps workers running starts a new one.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT worker_id FROM procrastinate_jobs WHERE id = %s", [context.job.id])
        row = cursor.fetchone()
    if row is not None and row[0] != context.job.worker_id:
        log.error(
            "Job %s is no longer this worker's, which gave no sign of life for too long: it stops", context.job.id
        )
        logging.shutdown()
        os._exit(1)


def enqueue(name: str, *, queue: str | None = None, priority: int = 0, **ids: Any) -> int:
    """Put a job in line and return its number. It starts when the caller's transaction commits, or never.

    A worker takes the job of the highest `priority`, and among these the oldest: what runs for long and comes by the
    hundred is below 0, so that nobody waits behind all of it.
    """
    # The savepoint keeps the caller's transaction whole if the insert is refused.
    with transaction.atomic():
        chosen = queue or _queues.get(name, "default")
        return app.configure_task(name=name, queue=chosen, priority=priority, allow_unknown=True).defer(**ids)


def enqueue_many(name: str, each: Sequence[dict[str, Any]], *, priority: int = 0) -> list[int]:
    """Put a job in line for each of many ids, in one statement; return their numbers in the same order."""
    if not each:
        return []
    with transaction.atomic():
        line = app.configure_task(name=name, queue=_queues.get(name, "default"), priority=priority, allow_unknown=True)
        return line.batch_defer(*each)


def withdraw(job_ids: Sequence[int]) -> set[int]:
    """Take jobs out of line that no worker has begun; return which. What is under way, or done, stays."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT procrastinate_cancel_job_v1(id, false, true) FROM unnest(%s::bigint[]) AS id", [list(job_ids)]
        )
        return {number for (number,) in cursor.fetchall() if number is not None}


def tell_lost(name: str, ids: dict[str, Any]) -> None:
    """Say that the worker of a job died and that the job waits for another."""
    if name in _lost:
        _lost[name](**ids)


def give_up(name: str, ids: dict[str, Any]) -> None:
    """Put the task in line that tells people that the job `name` with `ids` will not be tried again."""
    teller = _given_up.get(name)
    if teller:
        enqueue(teller, **ids)
