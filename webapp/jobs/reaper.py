"""Take up the jobs of workers that died, a limited number of times.

procrastinate marks such jobs but leaves them; and its `retry_job` knows no limit, so that a job which kills its worker
(memory) would go round for ever. Hence our own count.
"""

import json
import logging

from django.db import connection, transaction
from procrastinate import sql

from webapp.jobs import MAX_ATTEMPTS, give_up, own_workers, tell_lost

HEARTBEAT_S = 5.0
STALLED_AFTER_S = 20.0
REAP_EVERY_S = 5.0
KEEP_FINISHED_HOURS = 7 * 24
_ONE_REAPER = 7_407_001  # advisory lock: workers on several machines reap one at a time

log = logging.getLogger(__name__)


def reap(stalled_after_s: float = STALLED_AFTER_S) -> int:
    """Put the jobs of silent workers back in line, or fail them for good at the last attempt; return how many.

    Not those of this process's own workers: one that wakes from a pause would take itself for dead before it has given
    its first sign of life.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_ONE_REAPER])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(
            sql.queries["select_stalled_jobs_by_heartbeat"],
            {"queue": None, "task_name": None, "seconds_since_heartbeat": stalled_after_s},
        )
        columns = [column.name for column in cursor.description]
        silent = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
        stalled = [job for job in silent if job["worker_id"] is None or job["worker_id"] not in own_workers]
        for job in stalled:
            _take_up(cursor, job)
    return len(stalled)


def _take_up(cursor, job: dict) -> None:
    name, ids = job["task_name"], job["args"]
    if isinstance(ids, str):
        ids = json.loads(ids)
    if job["attempts"] + 1 < MAX_ATTEMPTS:
        log.warning("The worker of job %s (%s) died: in line again", job["id"], name)
        cursor.execute("SELECT procrastinate_retry_job_v2(%s, now(), NULL, NULL, NULL)", [job["id"]])
        try:
            with transaction.atomic():
                tell_lost(name, ids)
        except Exception as error:
            # To wait again matters more than to be told of it. Its words may quote what it worked on.
            log.error("Nobody could be told that job %s waits again: %s", job["id"], type(error).__name__)
    else:
        log.error("Job %s (%s) lost its worker %s times: given up", job["id"], name, MAX_ATTEMPTS)
        cursor.execute("SELECT procrastinate_finish_job_v1(%s, 'failed', false)", [job["id"]])
        give_up(name, ids)
