"""Tasks that leave a trace in a folder: what ran, how often, and in which process."""

import os
import time
from pathlib import Path

from webapp.jobs import task


def leave_trace(folder: str, name: str) -> None:
    """Write a file for this run."""
    (Path(folder) / f"{name}.{time.monotonic_ns()}.{os.getpid()}").touch()


@task("tests.quick")
def quick(folder: str) -> None:
    leave_trace(folder, "quick")


@task("tests.slow_once", queue="slow")
def slow_once(folder: str) -> None:
    """The first run takes for ever; the second finds the first one's trace and ends."""
    first = not list(Path(folder).glob("started.*"))
    leave_trace(folder, "started")
    if first:
        time.sleep(600)
    leave_trace(folder, "finished")


@task("tests.fatal", on_given_up="tests.tell")
def fatal(folder: str) -> None:
    """Kills its worker each time, as a job that eats all memory does."""
    leave_trace(folder, "fatal")
    os.kill(os.getpid(), 9)


@task("tests.raises", on_given_up="tests.tell")
def raises(folder: str) -> None:
    leave_trace(folder, "raises")
    raise ValueError("This job never works.")


@task("tests.tell")
def tell(folder: str) -> None:
    leave_trace(folder, "told")
