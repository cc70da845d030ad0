"""Work that comes round by itself: each worker asks what is due; one at a time, over all machines, does it."""

import contextlib
import logging
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import connection

# Any number that no other advisory lock of this database has as its first half.
PERIODIC_LOCK = 0x6A70
ASK_EVERY_S = 1.0

log = logging.getLogger(__name__)


@dataclass
class Periodic:
    """A function without arguments, safe to run twice, and when this process ran it last."""

    name: str
    every_s: float
    function: Callable[[], None]
    last_run_s: float = float("-inf")


_all: dict[str, Periodic] = {}


def every(seconds: float, name: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Let the workers run a function every so many seconds; apps say so in their `tasks.py`."""

    def register(function: Callable[[], None]) -> Callable[[], None]:
        _all[name] = Periodic(name, seconds, function)
        return function

    return register


def run_due(now_s: float | None = None) -> list[str]:
    """Run what is due and not being run elsewhere; return the names. What fails is logged and comes round again."""
    now_s = time.monotonic() if now_s is None else now_s
    done = []
    for periodic in _all.values():
        if now_s - periodic.last_run_s < periodic.every_s:
            continue
        periodic.last_run_s = now_s
        try:
            with _alone(periodic.name) as mine:
                if mine:
                    periodic.function()
                    done.append(periodic.name)
        except Exception as error:
            # Its words may quote what it worked on; its kind is enough.
            log.error("%s failed: %s", periodic.name, type(error).__name__)
    return done


@contextlib.contextmanager
def _alone(name: str) -> Iterator[bool]:
    key = [PERIODIC_LOCK, zlib.crc32(name.encode()) % 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
        mine = bool(cursor.fetchone()[0])
        try:
            yield mine
        finally:
            if mine and not connection.needs_rollback:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)
