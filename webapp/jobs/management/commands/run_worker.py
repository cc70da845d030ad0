"""Run jobs until told to stop. Any number of workers, on any machines, may share one database."""

import asyncio
import logging
import os
import signal
import sys
from typing import Any

from asgiref.sync import sync_to_async
from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections, connection
from procrastinate.contrib.django import app

from inference.threads import rest_while_waiting
from webapp.jobs import periodic, reaper

FINISH_WITHIN_S = 20.0


class Command(BaseCommand):
    """`manage.py run_worker`: take jobs from the queues named, and take up those of workers that died."""

    help = "Run background jobs (drafts, imports, exports) until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queues", default="", help="only these queues, separated by commas (default: all)")
        parser.add_argument("--concurrency", type=int, default=1, help="jobs at a time in this worker (default: 1)")
        parser.add_argument("--once", action="store_true", help="stop when the queues are empty")

    def handle(self, *args: Any, **options: Any) -> None:
        rest_while_waiting()
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", stream=sys.stderr)
        logging.getLogger("procrastinate").setLevel(logging.WARNING)
        queues = [name for name in options["queues"].split(",") if name] or None
        asked_to_stop = asyncio.run(_work(queues, options["concurrency"], wait=not options["once"]))
        sys.stderr.flush()
        # A job still running in a thread does not hold the process: it is taken up again by the reaper.
        os._exit(0 if asked_to_stop or options["once"] else 1)


async def _work(queues: list[str] | None, concurrency: int, wait: bool) -> bool:
    """Run worker and reaper side by side; return whether we were asked to stop (else the database was lost)."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    with app.replace_connector(app.connector.get_worker_connector()):  # type: ignore[attr-defined]
        async with app.open_async():
            worker = asyncio.create_task(
                app.run_worker_async(
                    queues=queues,  # type: ignore[arg-type] # None is every queue
                    concurrency=concurrency,
                    wait=wait,
                    name=f"{os.uname().nodename}:{os.getpid()}",
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=FINISH_WITHIN_S,
                    update_heartbeat_interval=reaper.HEARTBEAT_S,
                    stalled_worker_timeout=reaper.STALLED_AFTER_S,
                )
            )
            reaping = asyncio.create_task(_reap_for_ever())
            coming_round = asyncio.create_task(_run_periodic_for_ever() if wait else stop.wait())
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({worker, reaping, coming_round, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for running in (reaping, coming_round, worker):
                running.cancel()
            results = await asyncio.gather(reaping, coming_round, worker, return_exceptions=True)
            stopping.cancel()
    for result in results:
        if isinstance(result, Exception):
            logging.getLogger(__name__).error("Worker stopped: %s", result)
    return stop.is_set()


async def _reap_for_ever() -> None:
    while True:
        await sync_to_async(_reap_once, thread_sensitive=False)()
        await asyncio.sleep(reaper.REAP_EVERY_S)


async def _run_periodic_for_ever() -> None:
    while True:
        await sync_to_async(_run_due_once, thread_sensitive=False)()
        await asyncio.sleep(periodic.ASK_EVERY_S)


def _run_due_once() -> None:
    close_old_connections()
    try:
        periodic.run_due()
    finally:
        connection.close()  # what it locked is free even where unlocking failed


def _reap_once() -> None:
    close_old_connections()
    reaper.reap()
