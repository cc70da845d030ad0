"""Jobs that stop getting on without ending: a driver that hangs, storage that never answers.

A worker gives signs of life as long as its process lives, whatever becomes of the job in its thread; and a thread
cannot be ended from outside. So the process ends itself, and the job is taken up as that of any worker that died.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)


@contextmanager
def ended_where_silent(what: str, silent_after_s: float) -> Iterator[Callable[[], None]]:
    """End this process where what runs within does not call the function that it is given for `silent_after_s` seconds.

    Whoever keeps workers running starts a new one.
    """
    last = [time.monotonic()]
    done = threading.Event()

    def sign() -> None:
        last[0] = time.monotonic()

    def watch() -> None:
        while not done.wait(max(last[0] + silent_after_s - time.monotonic(), 0.01)):
            if time.monotonic() - last[0] >= silent_after_s:
                log.error("%s has not got on for %.0f s: this worker stops", what, silent_after_s)
                logging.shutdown()
                os._exit(1)

    watcher = threading.Thread(target=watch, name="watchdog", daemon=True)
    watcher.start()
    try:
        yield sign
    finally:
        done.set()
        watcher.join()
